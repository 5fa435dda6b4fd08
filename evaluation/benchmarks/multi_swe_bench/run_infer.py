"""VeloraHarness's way to start a run: `velora run` with the same flags.

Flags of its parser that mean nothing here are accepted with a one-line notice each; any other
unknown flag is an error.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

try:
    from velora.cli.compatible import run_infer
except ModuleNotFoundError:
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists() or Path(sys.prefix) == python.parents[1]:
        sys.exit("Velora is not installed: run `make install` first")
    os.execv(python, [str(python), *sys.argv])

if __name__ == "__main__":
    sys.exit(run_infer(sys.argv[1:]))
