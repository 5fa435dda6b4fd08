"""Parsers for the Java virtual machine."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.jvm import surefire_log

FRAMEWORKS: tuple[Framework, ...] = (surefire_log.FRAMEWORK,)
