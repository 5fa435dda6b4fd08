"""Parsers for C and C++."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import catch2, doctest, gtest

FRAMEWORKS: tuple[Framework, ...] = (gtest.FRAMEWORK, catch2.FRAMEWORK, doctest.FRAMEWORK)
