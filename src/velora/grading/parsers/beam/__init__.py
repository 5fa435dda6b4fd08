"""Parsers for Elixir and Erlang."""

from __future__ import annotations

from velora.grading.parsers.beam import exunit_log
from velora.grading.parsers.framework import Framework

FRAMEWORKS: tuple[Framework, ...] = (exunit_log.FRAMEWORK,)
