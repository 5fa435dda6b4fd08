"""guzzlehttp/psr7 2.7.1, from Debian, with two bugs put into its URIs."""

from __future__ import annotations

from pathlib import Path

from tests.images import upstream
from tests.images.tasks.task import Task, apt, copy, edit, hunks_but, without

_BOOT = """\
<?php
require '/usr/share/php/Psr/Http/Message/autoload.php';
spl_autoload_register(function ($class) {
    foreach (['GuzzleHttp\\\\Tests\\\\Psr7\\\\' => 'tests/', 'GuzzleHttp\\\\Psr7\\\\' => 'src/'] as $p => $d) {
        if (strpos($class, $p) === 0) {
            $file = __DIR__ . '/' . $d . str_replace('\\\\', '/', substr($class, strlen($p))) . '.php';
            if (is_file($file)) {
                require $file;
            }
        }
    }
});
"""


def _after(repo: Path) -> None:
    source = upstream.debian("php-guzzlehttp-psr7", "2.7.1-1+deb13u2", "trixie")
    copy(source, repo, "src", "tests", "LICENSE")
    (repo / "boot.php").write_text(_BOOT)


def _before(repo: Path) -> None:
    _after(repo)
    edit(repo / "src/Uri.php", ("'http' => 80,", "'http' => 8080,"), ("[0-9:a-fA-F]", "[0-9:a-f]"))
    without(
        repo / "tests/UriTest.php",
        "    public function testJsonSerializable(): void",
        "    }",
    )


TASK = Task(
    name="psr7",
    language="php",
    install=(apt("php-cli", "phpunit", "php-psr-http-message", "php-psr-http-factory"),),
    before=_before,
    after=_after,
    is_test=lambda name: name.startswith("tests/"),
    command="phpunit --no-configuration --bootstrap boot.php --testdox tests/UriTest.php",
    parser="phpunit",
    half=lambda gold: hunks_but(gold, "'http' => 80"),
    problem="http's default port is wrong, and IPv6 addresses in capitals are not parsed.",
)
