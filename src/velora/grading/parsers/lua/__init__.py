"""Parsers for Lua."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.lua import busted_log

FRAMEWORKS: tuple[Framework, ...] = (busted_log.FRAMEWORK,)
