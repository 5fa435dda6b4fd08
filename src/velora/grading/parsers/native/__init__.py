"""Parsers for C and C++."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import (
    automake,
    boost,
    catch2,
    check,
    cmocka,
    cppunit,
    ctest_log,
    dejagnu,
    doctest,
    gtest,
    meson,
    pass_fail,
    unity,
)

FRAMEWORKS: tuple[Framework, ...] = (
    gtest.FRAMEWORK,
    ctest_log.FRAMEWORK,
    catch2.FRAMEWORK,
    doctest.FRAMEWORK,
    boost.FRAMEWORK,
    cppunit.FRAMEWORK,
    check.FRAMEWORK,
    cmocka.FRAMEWORK,
    unity.FRAMEWORK,
    automake.FRAMEWORK,
    meson.FRAMEWORK,
    dejagnu.FRAMEWORK,
    pass_fail.FRAMEWORK,
)
