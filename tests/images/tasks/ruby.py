"""addressable 2.8.7, from Debian, with two bugs put into how URIs are normalised."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, edit, hunks_but, without


def _after(repo: Path) -> None:
    source = upstream.debian("ruby-addressable", "2.8.7-2", "trixie")
    copy(source, repo, "lib", "spec", "data", "LICENSE.txt")


def _before(repo: Path) -> None:
    _after(repo)
    edit(
        repo / "lib/addressable/uri.rb",
        ("self.scheme.strip.downcase,", "self.scheme.strip,"),
        ('"https" => 443,', '"https" => 444,'),
    )
    without(
        repo / "spec/addressable/uri_spec.rb",
        'describe Addressable::URI, "when created from nil components" do',
        "end",
    )


TASK = Task(
    name="addressable",
    language="ruby",
    install=(apt("ruby", "ruby-rspec", "ruby-rspec-its", "ruby-public-suffix"),),
    before=_before,
    after=_after,
    is_test=lambda name: name.startswith("spec/"),
    command="rspec -I lib spec/addressable/uri_spec.rb",
    parser="rspec",
    half=lambda gold: hunks_but(gold, '"https" => 44'),
    problem="Schemes are not normalised to lower case, and https has the wrong default port.",
    small=True,
    report=True,
)
