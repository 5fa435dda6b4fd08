"""Parsers for Go."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework

FRAMEWORKS: tuple[Framework, ...] = ()
