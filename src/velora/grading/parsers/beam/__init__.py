"""Parsers for Elixir and Erlang."""

from __future__ import annotations

from velora.grading.parsers.beam import eunit_log, exunit_log
from velora.grading.parsers.framework import Framework

FRAMEWORKS: tuple[Framework, ...] = (exunit_log.FRAMEWORK, eunit_log.FRAMEWORK)
