"""The rows of the table: what is measured, how, and against which floor."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import measured, tasks
from bench.measured import Usage

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
VELORA = str(Path(PYTHON).with_name("velora"))


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its floor; `met` is None where there is no goal."""

    what: str
    value: float
    floor: float | None
    goal: str
    met: bool | None

    def line(self) -> str:
        """The row as printed."""
        floor = "" if self.floor is None else f"{self.floor:.2f}"
        ratio = "" if not self.floor else f"{self.value / self.floor:.2f}"
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        return f"{self.what:<60}{self.value:>10.2f}{floor:>10}{ratio:>8}  {self.goal} {verdict}"


class Skipped(Exception):
    """A row that cannot be measured here, and why."""


@dataclass(slots=True)
class Bench:
    """Where and how much to measure; `log_mb` is the size of a long test log."""

    work: Path
    instances: int
    runs: int
    log_mb: int = 50
    _made: int = 0

    def floor(self, mode: str, url: str, *, instances: int, workers: int) -> Usage:
        """One run of the floor program."""
        return measured.run(
            [PYTHON, "-m", "bench.floor", "--mode", mode, "--image", tasks.image(), "--url", url]
            + ["--instances", str(instances), "--workers", str(workers)],
            cwd=ROOT,
        )

    def velora(
        self, url: str, *, instances: int, workers: int, more: tuple[str, ...] = ()
    ) -> tuple[Usage, Path]:
        """One run of `velora run` in a directory of its own; the usage and that directory."""
        self._made += 1
        directory = self.work / f"run-{self._made}"
        directory.mkdir()
        tasks.dataset(directory / "tasks.jsonl", instances)
        (directory / "config.toml").write_text(
            f'[llm.bench]\nmodel = "openai/bench"\nbase_url = "{url}"\napi_key = "bench-key"\n'
            "input_cost_per_token = 0.0\noutput_cost_per_token = 0.0\n"
        )
        usage = measured.run(
            [VELORA, "run", "--dataset", "tasks.jsonl", "--llm-config", "bench"]
            + ["--eval-num-workers", str(workers), "--eval-output-dir", "out", *more],
            cwd=directory,
        )
        return usage, directory

    def median(self, one: Callable[[], float]) -> float:
        """The median over the bench's runs."""
        return measured.median(one() for _ in range(self.runs))


def step_gap(bench: Bench) -> list[Row]:
    """From the model's answer to the next request, one instance at a time."""
    with measured.serving(PYTHON, tasks.script(bench.work / "gap.yaml", 10), bench.work) as server:

        def gap(run: Callable[[], object]) -> float:
            run()
            found = measured.gaps(server.calls())
            return measured.median(ms for turn in found.values() for ms in turn)

        floor, few = bench.floor, max(3, bench.instances // 4)
        bash = bench.median(
            lambda: gap(lambda: floor("bash", server.url, instances=few, workers=1))
        )
        execs = bench.median(
            lambda: gap(lambda: floor("exec", server.url, instances=few, workers=1))
        )
        ours = bench.median(lambda: gap(lambda: bench.velora(server.url, instances=few, workers=1)))
    return [
        Row("step gap, ms (floor: persistent bash)", ours, bash, "<= 12 ms", ours <= 12),
        Row("step gap, ms (floor: an exec per step)", ours, execs, "", None),
    ]


def wall(bench: Bench) -> list[Row]:
    """Wall time, peak memory and containers left, at 1, 4 and 16 workers."""
    rows = []
    with measured.serving(PYTHON, tasks.script(bench.work / "wall.yaml", 10), bench.work) as server:
        for workers in (1, 4, 16):
            floors, ours = [], []
            for _ in range(bench.runs):
                count = bench.instances
                floors.append(bench.floor("bash", server.url, instances=count, workers=workers))
                ours.append(bench.velora(server.url, instances=count, workers=workers)[0])
            value = measured.median(u.wall for u in ours)
            floor = measured.median(u.wall for u in floors)
            what = f"wall, {bench.instances} instances, {workers} workers, s"
            rows.append(Row(what, value, floor, "<= 1.8 x floor", value <= 1.8 * floor))
            if workers == 16:
                peak = max(u.resident for u in ours) / 1e6
                below = max(u.resident for u in floors) / 1e6
                rows.append(
                    Row("peak resident, 16 workers, MB", peak, below, "<= 150 MB", peak <= 150)
                )
    left = _containers()
    rows.append(Row("containers alive at exit", left, 0, "0", left == 0))
    return rows


def _containers() -> int:
    done = subprocess.run(
        ["docker", "ps", "-aq", "--filter", "label=velora.run"],
        capture_output=True,
        check=True,
        text=True,
    )
    return len(done.stdout.split())


def cpu_per_step(bench: Bench) -> list[Row]:
    """CPU of a further step, less what the LLM client alone takes for its call."""
    few = max(2, bench.instances // 5)
    runs: dict[str, Callable[[str], Usage]] = {
        "floor": lambda url: bench.floor("bash", url, instances=few, workers=1),
        "velora": lambda url: bench.velora(url, instances=few, workers=1)[0],
        "client": lambda url: _client(url, few),
    }
    used: dict[tuple[str, int], float] = {}
    for steps in (10, 40):
        script = tasks.script(bench.work / f"cpu{steps}.yaml", steps)
        with measured.serving(PYTHON, script, bench.work) as server:
            for name, run in runs.items():
                cpu = [run(server.url).cpu for _ in range(bench.runs)]
                used[name, steps] = measured.median(cpu)
    ours, floor, client = (
        1000 * (used[name, 40] - used[name, 10]) / (30 * few)
        for name in ("velora", "floor", "client")
    )
    beyond = ours - client
    return [
        Row("CPU per further step, ms", ours, floor, "", None),
        Row("  of which the LLM client alone, ms", client, floor, "", None),
        Row("  beyond the LLM client, ms", beyond, floor, "<= 5 ms", beyond <= 5),
    ]


def _client(url: str, conversations: int) -> Usage:
    return measured.run(
        [PYTHON, "-m", "bench.client", "--url", url, "--conversations", str(conversations)],
        cwd=ROOT,
    )


def first_request(bench: Bench) -> list[Row]:
    """From the command to the model's first request, container included."""
    with measured.serving(PYTHON, tasks.script(bench.work / "one.yaml", 3), bench.work) as server:

        def seconds(run: Callable[[], Usage]) -> float:
            began = run().began
            return min(call.received for call in server.calls()) - began

        floor = bench.median(
            lambda: seconds(lambda: bench.floor("bash", server.url, instances=1, workers=1))
        )
        ours = bench.median(
            lambda: seconds(lambda: bench.velora(server.url, instances=1, workers=1)[0])
        )
    return [Row("command to first model request, s", ours, floor, "<= 1.5 s", ours <= 1.5)]


def growth(bench: Bench) -> list[Row]:
    """Step 100 against step 10 of a trajectory with 8 KB of output a step."""
    command = "head -c 6000 /dev/zero | base64 -w 100"
    script = tasks.script(bench.work / "long.yaml", 112, command)
    with measured.serving(PYTHON, script, bench.work) as server:

        def ratio(run: Callable[[], object]) -> float:
            run()
            found = measured.gaps(server.calls())
            late = measured.median(ms for turn in range(95, 106) for ms in found[turn])
            early = measured.median(ms for turn in range(5, 16) for ms in found[turn])
            return late / early

        floor = bench.median(
            lambda: ratio(lambda: bench.floor("bash", server.url, instances=1, workers=1))
        )
        ours = bench.median(lambda: ratio(lambda: bench.velora(server.url, instances=1, workers=1)))
    return [Row("step 100 / step 10, 8 KB a step", ours, floor, "<= 1.3", ours <= 1.3)]


def grading(bench: Bench) -> list[Row]:
    """Grading an instance whose tests take no time, against a bare container and two commands."""
    script = tasks.script(bench.work / "grade.yaml", 4)
    count = bench.instances
    with measured.serving(PYTHON, script, bench.work) as server:
        _, directory = bench.velora(server.url, instances=count, workers=4)
        run = next(directory.glob("out/*/*/*"))
        argv = [VELORA, "evaluate", str(run), "--eval-num-workers", "1"]
        measured.run(argv, cwd=directory)

        def evaluate() -> float:
            start = measured.run(argv, cwd=directory).wall  # nothing is left to grade
            return (measured.run([*argv, "--again"], cwd=directory).wall - start) / count

        ours = bench.median(evaluate)
        floor = bench.median(
            lambda: bench.floor("exec", server.url, instances=count, workers=1).wall / count
        )
    return [Row("grading beyond the tests, an instance, s", ours, floor, "<= 0.9 s", ours <= 0.9)]


def help_text(bench: Bench) -> list[Row]:
    """`velora --help` against an interpreter that does nothing."""
    ours = bench.median(lambda: measured.run([VELORA, "--help"]).wall)
    floor = bench.median(lambda: measured.run([PYTHON, "-c", "pass"]).wall)
    return [Row("velora --help, s", ours, floor, "<= 0.3 s", ours <= 0.3)]


def install(bench: Bench) -> list[Row]:
    """Packages and size of a fresh installation without the development tools."""
    target = bench.work / "venv"
    venv.create(target, with_pip=True)
    pip = str(target / "bin" / "pip")
    empty = _size(target)
    measured.run([pip, "install", "--quiet", str(ROOT)])
    frozen = subprocess.run([pip, "freeze"], capture_output=True, check=True, text=True)
    packages = len(frozen.stdout.splitlines())
    size = (_size(target) - empty) / 1e6
    shutil.rmtree(target)
    return [
        Row("install, packages", packages, None, "<= 65", packages <= 65),
        Row("install, MB", size, None, "<= 200", size <= 200),
    ]


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
