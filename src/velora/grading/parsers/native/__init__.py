"""Parsers for C and C++."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import gtest

FRAMEWORKS: tuple[Framework, ...] = (gtest.FRAMEWORK,)
