from tests.fixtures_docker import (
    busybox_image,
    debian_image,
    docker_engine,
    engine_here,
    shell_less_image,
)
from tests.sandbox.drivers import bubblewrap_here, kind, make, sandbox

__all__ = [
    "bubblewrap_here",
    "busybox_image",
    "debian_image",
    "docker_engine",
    "engine_here",
    "kind",
    "make",
    "sandbox",
    "shell_less_image",
]
