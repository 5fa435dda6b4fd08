"""Parsers for shell scripts."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.shell import bats_log

FRAMEWORKS: tuple[Framework, ...] = (bats_log.FRAMEWORK,)
