"""SWE-bench's own harness on a local data set, in the process that its package is installed for.

The harness is called as its command line calls it, one instance at a time. Version 4 keeps test
commands in tables by repository: there, an entry is added, as for any repository of one's own.
The images must be there; nothing is built or pulled. Prints the seconds beyond imports.

    python -P bench/harness.py --dataset D.jsonl --predictions P.jsonl --run-id R --namespace N
"""

from __future__ import annotations

import argparse
import inspect
import json
import time
from pathlib import Path
from typing import Any


def know(row: dict[str, Any], test_command: str) -> None:
    """Add the row's repository to version 4's tables; its script must be the row's own."""
    from swebench.harness import constants, log_parsers
    from swebench.harness.test_spec.test_spec import make_test_spec

    repo = row["repo"]
    spec = {"python": "3.11", "packages": "pytest", "test_cmd": test_command}
    constants.MAP_REPO_VERSION_TO_SPECS[repo] = {row["version"]: spec}
    constants.MAP_REPO_TO_EXT[repo] = "py"
    log_parsers.MAP_REPO_TO_PARSER[repo] = log_parsers.MAP_REPO_TO_PARSER["pytest-dev/pytest"]
    script = make_test_spec(row).eval_script
    if script != row["eval_script"]:
        raise SystemExit(f"this is another script than the row's:\n{script}")


def main() -> None:
    """The command line."""
    from swebench.harness import run_evaluation

    parser = argparse.ArgumentParser()
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--predictions", required=True)
    parser.add_argument("--run-id", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--test-command", required=True)
    given = parser.parse_args()
    options: dict[str, Any] = {
        "dataset_name": given.dataset,
        "split": "test",
        "instance_ids": [],
        "predictions_path": given.predictions,
        "max_workers": 1,
        "open_file_limit": 4096,
        "run_id": given.run_id,
        "timeout": 1800,
        "rewrite_reports": False,
        "modal": False,
    }
    if "namespace" in inspect.signature(run_evaluation.main).parameters:  # version 4
        with Path(given.dataset).open() as file:
            know(json.loads(file.readline()), given.test_command)
        options |= {"namespace": given.namespace, "force_rebuild": False}
        options |= {"cache_level": "env", "clean": False}
    start = time.monotonic()
    run_evaluation.main(**options)
    print(json.dumps({"seconds": time.monotonic() - start}))


if __name__ == "__main__":
    main()
