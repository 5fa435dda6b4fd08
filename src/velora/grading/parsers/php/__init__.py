"""Parsers for PHP."""

from __future__ import annotations

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.php import pest_log, phpunit_log

FRAMEWORKS: tuple[Framework, ...] = (phpunit_log.FRAMEWORK, pest_log.FRAMEWORK)
