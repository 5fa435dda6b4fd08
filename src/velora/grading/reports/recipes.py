"""What can be had of each framework without changing the command that runs it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from velora.grading.parsers.generic.junit_xml import read_report
from velora.grading.protocol import Parsed
from velora.grading.reports.readers import (
    read_ctest_log,
    read_meson_log,
    read_pytest_report,
    read_rspec_listing,
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one framework's report is had.

    Attributes:
        name: the framework's, as its parser is called.
        languages: canonical names; the recipe is used for tasks in these.
        environment: variables and what is appended to each; `{dir}` is the report's directory.
        files: files that the environment speaks of, by name in that directory.
        written: patterns of paths, as `find -path` takes them, that the framework writes by itself
            below the working directory.
        read: one report → results.
        vouches: a pass in the report is evidence. Some only tell failures for certain.
        command: matches a test command that runs the framework itself, so that a report that is
            not there afterwards is missing; None where that cannot be told.
    """

    name: str
    languages: tuple[str, ...]
    read: Callable[[bytes], Parsed]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    vouches: bool = True
    command: re.Pattern[str] | None = None


# A listener, unlike a formatter, takes nothing away from what the command prints.
_RSPEC_LISTENER = """\
require 'rspec/core'
require 'json'
RSpec.configure do |config|
  config.before(:suite) do
    out = File.open(File.join(File.dirname(__FILE__), "examples-#{Process.pid}.jsonl"), 'a')
    listener = Object.new
    listener.define_singleton_method(:example_finished) do |note|
      result = note.example.execution_result
      out.puts JSON.generate([note.example.full_description, result.status, result.run_time])
      out.flush
    end
    RSpec.configuration.reporter.register_listener(listener, :example_finished)
  end
end
"""

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        name="pytest",
        languages=("python",),
        environment={
            # xunit1 is the family that names the file, and so the node id.
            "PYTEST_ADDOPTS": "--junitxml={dir}/pytest.xml -o junit_family=xunit1",
            "TOX_TESTENV_PASSENV": "PYTEST_ADDOPTS",
        },
        read=read_pytest_report,
        command=re.compile(r"(?:^|[\s;&|(/])(?:pytest|py\.test)(?![\w.-])"),
    ),
    Recipe(
        name="gtest",
        languages=("c", "cpp"),
        environment={"GTEST_OUTPUT": "xml:{dir}/"},
        read=read_report,
    ),
    Recipe(
        name="ctest",
        languages=("c", "cpp"),
        written=("*/Testing/Temporary/LastTest.log",),
        read=read_ctest_log,
        vouches=False,
    ),
    Recipe(
        name="meson",
        languages=("c", "cpp", "rust"),
        written=("*/meson-logs/testlog.json",),
        read=read_meson_log,
    ),
    Recipe(
        name="surefire",
        languages=("java", "kotlin"),
        written=("*/surefire-reports/TEST-*.xml", "*/failsafe-reports/TEST-*.xml"),
        read=read_report,
    ),
    Recipe(
        name="gradle",
        languages=("java", "kotlin"),
        written=("*/build/test-results/*/TEST-*.xml",),
        read=read_report,
    ),
    Recipe(
        name="rspec",
        languages=("ruby",),
        environment={"SPEC_OPTS": "--require {dir}/listener.rb"},
        files={"listener.rb": _RSPEC_LISTENER},
        read=read_rspec_listing,
    ),
)


def choose(language: str) -> tuple[Recipe, ...]:
    """The recipes for tasks in a language; without one, those that need no environment."""
    if language:
        return tuple(each for each in RECIPES if language in each.languages)
    return tuple(each for each in RECIPES if not each.environment)
