"""Parsers for the Java virtual machine, and for Cucumber, which is at home there too."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.jvm import (
    ant_log,
    clojure_log,
    console_log,
    cucumber_log,
    gradle_log,
    surefire_log,
    testng_log,
)

FRAMEWORKS: tuple[Framework, ...] = (
    surefire_log.FRAMEWORK,
    gradle_log.FRAMEWORK,
    ant_log.FRAMEWORK,
    testng_log.FRAMEWORK,
    console_log.FRAMEWORK,
    clojure_log.FRAMEWORK,
    cucumber_log.FRAMEWORK,
)
