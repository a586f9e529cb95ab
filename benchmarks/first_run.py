"""How long a newcomer waits: clone to first review, the second review, and `rlm --help`.

    python benchmarks/first_run.py            (or: make benchmark)

Clones what is tracked here (uncommitted changes included) into a temporary folder and runs the
commands of the README there, without any key. Exits with 1 when a bound is broken.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
HELP_RUNS = 9
REVIEW_RUNS = 3

FIRST_S = 180.0  # a newcomer does not wait longer than for a coffee
SECOND_S = 5.0
HELP_S = 0.4  # a command that is slower to explain itself feels broken


def main() -> int:
    """Measure, print each figure beside its bound, and say whether all hold."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC", "RLM"))}
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "REPO", "RANGE", "PR", "ARGS"):
        environment.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="rlm-first-run-") as temporary:
        clone = Path(temporary) / "clone"
        began = time.perf_counter()
        _clone(clone)
        _run(["make", "review"], clone, environment)
        first = time.perf_counter() - began
        second = _median(["make", "review"], clone, environment, REVIEW_RUNS)
        usage = _median([".venv/bin/rlm", "--help"], clone, environment, HELP_RUNS)
    figures = [
        ("clone and first `make review`", first, FIRST_S),
        (f"`make review` again (median of {REVIEW_RUNS})", second, SECOND_S),
        (f"`rlm --help` (median of {HELP_RUNS})", usage, HELP_S),
    ]
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for name, seconds, bound in figures:
        verdict = "ok" if seconds < bound else "TOO SLOW"
        print(f"{name:<40} {seconds:8.2f} s   bound {bound:6.1f} s   {verdict}")
    return 0 if all(seconds < bound for _, seconds, bound in figures) else 1


def _clone(target: Path) -> None:
    """Copy the files that a clone of the next commit would have."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in names.split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode() + done.stderr.decode())
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")


def _median(command: list[str], folder: Path, environment: dict[str, str], runs: int) -> float:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        _run(command, folder, environment)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
