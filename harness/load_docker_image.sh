#!/usr/bin/env bash
# Loads an image archive into the engine: load_docker_image.sh TAR [TAG]
set -euo pipefail
velora="$(dirname "$0")/../.venv/bin/velora"
[ -x "$velora" ] || velora=velora
exec "$velora" images load "$@"
