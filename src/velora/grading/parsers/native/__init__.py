"""Parsers for C and C++."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import boost, catch2, check, cmocka, ctest_log, doctest, gtest

FRAMEWORKS: tuple[Framework, ...] = (
    gtest.FRAMEWORK,
    catch2.FRAMEWORK,
    doctest.FRAMEWORK,
    boost.FRAMEWORK,
    check.FRAMEWORK,
    cmocka.FRAMEWORK,
    ctest_log.FRAMEWORK,
)
