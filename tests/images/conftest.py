from tests.fixtures_docker import busybox_image, docker_engine, engine_here

__all__ = ["busybox_image", "docker_engine", "engine_here"]
