"""Parsers for Perl."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.perl import prove_log

FRAMEWORKS: tuple[Framework, ...] = (prove_log.FRAMEWORK,)
