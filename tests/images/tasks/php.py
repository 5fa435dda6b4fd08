"""guzzlehttp/psr7 2.7.1, from Debian, with the queries and the multipart streams of 2.4.5;
PHPUnit."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy

_BOOT = r"""<?php
require '/usr/share/php/Psr/Http/Message/autoload.php';
spl_autoload_register(function ($class) {
    $places = ['GuzzleHttp\\Tests\\Psr7\\' => 'tests/', 'GuzzleHttp\\Psr7\\' => 'src/'];
    foreach ($places as $prefix => $place) {
        $path = str_replace('\\', '/', substr($class, strlen($prefix)));
        $file = __DIR__ . "/$place$path.php";
        if (strpos($class, $prefix) === 0 && is_file($file)) {
            require $file;
        }
    }
});
"""


def _fixed(repo: Path) -> None:
    source = upstream.debian("php-guzzlehttp-psr7", "2.7.1", "trixie")
    copy(source, repo, "src", "tests", "LICENSE")
    shutil.rmtree(repo / "tests/Integration")  # needs a web server and another project's tests
    (repo / "boot.php").write_text(_BOOT)


def _broken(repo: Path) -> None:
    _old(repo, "src/Query.php", "src/MultipartStream.php")
    _old(repo, "tests/QueryTest.php", "tests/MultipartStreamTest.php")


def _half(repo: Path) -> None:
    _old(repo, "src/Query.php")


def _old(repo: Path, *names: str) -> None:
    copy(upstream.debian("php-guzzlehttp-psr7", "2.4.5", "bookworm"), repo, *names)


TASK = Task(
    name="psr7",
    language="php",
    problem="Booleans in queries, and multipart streams of unknown types\n\nQuery::build should "
    "take a third argument: with false, booleans become `true` and `false`, not 1 and 0. A part of "
    "a MultipartStream whose type is not known needs the content type application/octet-stream.",
    install=(apt("php-cli", "php-xml", "phpunit", "php-psr-http-message", "php-psr-http-factory"),),
    fixed=_fixed,
    broken=_broken,
    half=_half,
    half_fails=("GuzzleHttp\\Tests\\Psr7\\Query > Build booleans",),
    tests=("tests/",),
    command="phpunit --no-configuration --bootstrap boot.php --testdox tests",
    parser="phpunit",
)
