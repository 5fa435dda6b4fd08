"""Parsers for formats that many frameworks write: TAP, JUnit XML, plain PASS and FAIL lines."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.generic import junit_xml, tap_log

FRAMEWORKS: tuple[Framework, ...] = (junit_xml.FRAMEWORK, tap_log.FRAMEWORK)
