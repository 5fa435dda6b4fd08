"""addressable 2.8.7, from Debian, with two bugs put into how URIs are normalised; RSpec, whose
dots name no test."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, cut, edit

_DOT = """\
          if result =~ /[^\\.]\\.$/
            # Single trailing dots are unnecessary.
            result = result[0...-1]
          end
"""
_PARSED = 'describe Addressable::URI, "when parsed from " +\n    "{uri}" do'

_WHILE_FROZEN = (
    "#to_s",
    "'example.com:80' for #normalized_authority",
    "'http://example.com' for #normalized_site",
    "nil for #normalized_host",
)
_DOTTED = (
    "be equivalent to http://example.com",
    "have an origin of 'http://example.com'",
    "not be considered to be in normal form",
)


def _fixed(repo: Path) -> None:
    source = upstream.debian("ruby-addressable", "2.8.7", "trixie")
    copy(source, repo, "lib", "spec", "data", "LICENSE.txt")


def _broken(repo: Path) -> None:
    _half(repo)
    edit(repo / "lib/addressable/uri.rb", ("self.scheme.strip.downcase,", "self.scheme.strip,"))
    uris = ("HTTP://www.w3.org/pub/WWW/TheProject.html", "http://example.com./")
    described = ((_PARSED.format(uri=f"'{uri}'"), "end") for uri in uris)
    cut(repo / "spec/addressable/uri_spec.rb", *described)


def _half(repo: Path) -> None:
    edit(repo / "lib/addressable/uri.rb", (_DOT, ""))


TASK = Task(
    name="addressable",
    language="ruby",
    problem="URIs are not normalised\n\nThe scheme of HTTP://example.com./ stays in capitals, and "
    "the dot at the end of its host stays there.",
    install=(apt("ruby", "ruby-rspec", "ruby-rspec-its", "ruby-public-suffix"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=(
        *(f"Addressable::URI when frozen returns {what}" for what in _WHILE_FROZEN),
        *(
            f"Addressable::URI when parsed from 'http://example.com./' should {what}"
            for what in _DOTTED
        ),
    ),
    tests=("spec/",),
    command="rspec -I lib spec/addressable/uri_spec.rb",
    parser="rspec",
    small=True,
    report="rspec",
    quiet=True,
)
