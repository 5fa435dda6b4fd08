"""VeloraHarness's way to convert a workbook of tasks: `velora convert` into `data/`.

excel_to_jsonl.py IN.xlsx [--output-dir DIR] [--output OUT.jsonl]; --help has the rest.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

try:
    from velora.cli.compatible import excel_to_jsonl
except ModuleNotFoundError:
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists() or Path(sys.prefix) == python.parents[1]:
        sys.exit("Velora is not installed: run `make install` first")
    os.execv(python, [str(python), *sys.argv])

if __name__ == "__main__":
    sys.exit(excel_to_jsonl(sys.argv[1:]))
