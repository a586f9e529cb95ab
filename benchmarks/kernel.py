"""The recursion kernel against its bounds, beside its peers in the same call.

    python -m benchmarks.kernel [--rows tree,cpu] [--peers DIR] [--kills N] [--json]
    python -m benchmarks.kernel --profile

Each row runs in a fresh process against a model of fixed latency, in a process of its own on
loopback. The peers (`rlms` and `dspy`, from PyPI) are installed into `--peers` on first use; where
that fails their place says why. Other programs run meanwhile, as on every machine: times are the
best of `--best` runs, and say so. Exits 1 where a bound is missed or a row failed.
"""

import argparse
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks.kernel_rows import Line, Options
from benchmarks.kernel_server import ROOT

ROWS = {
    "loop": "kernel_code",
    "tree": "kernel_tree",
    "cpu": "kernel_tree",
    "bare": "kernel_tree",
    "sandbox": "kernel_code",
    "endless": "kernel_code",
    "budget": "kernel_budget",
    "large": "kernel_review",
    "kills": "kernel_kills",
    "push": "kernel_review",
}
"""Each is a function of a module beside this one, from `Options` to lines."""

WIDTHS = (58, 34, 22, 8)


def main() -> int:
    """Print the table; return the exit code."""
    options, rows, arguments = _parsed()
    if arguments.profile:
        import_module("benchmarks.kernel_tree").profile()
        return 0
    if arguments.one:
        print(json.dumps([asdict(line) for line in _measure(arguments.one)(options)]))
        return 0
    found: list[Line] = []
    for row in rows:
        began = time.monotonic()
        lines = _in_a_fresh_process(row)
        found += lines
        if not arguments.json:
            _show(lines, first=row == rows[0])
            print(f"{'':4}({row}: {time.monotonic() - began:.0f} s)", flush=True)
    missed = [line.what for line in found if not line.ok]
    if arguments.json:
        print(json.dumps({"rows": [asdict(line) for line in found], "missed": missed}, indent=2))
    else:
        print(f"{len(found) - len(missed)} of {len(found)} bounds kept")
    return 1 if missed else 0


def _parsed() -> tuple[Options, list[str], argparse.Namespace]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", default=",".join(ROWS), help=f"some of {', '.join(ROWS)}")
    parser.add_argument("--peers", type=Path, default=ROOT / ".make" / "peers" / "kernel")
    parser.add_argument("--cache", type=Path, default=ROOT / ".make" / "kernel")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--best", type=int, default=3, help="runs of what is timed")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--profile", action="store_true", help="who uses the processor, and how long"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    rows = [row for row in arguments.rows.split(",") if row]
    if unknown := set(rows) - set(ROWS):
        parser.error(f"no row is called {', '.join(sorted(unknown))}")
    options = Options(
        cache=arguments.cache.resolve(),
        peers=arguments.peers.resolve(),
        kills=arguments.kills,
        seed=arguments.seed,
        best=arguments.best,
    )
    return options, rows, arguments


def _measure(row: str) -> Callable[[Options], list[Line]]:
    measure: Callable[[Options], list[Line]] = getattr(
        import_module(f"benchmarks.{ROWS[row]}"), row
    )
    return measure


def _in_a_fresh_process(row: str) -> list[Line]:
    """Measure a row; one that failed is a line of its own that is not ok."""
    command = [sys.executable, "-m", "benchmarks.kernel", *sys.argv[1:], "--one", row]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        if done.returncode:
            raise ValueError(done.stderr.strip().rpartition("\n")[2] or "nothing was said")
        return [Line(**line) for line in json.loads(done.stdout.strip().rpartition("\n")[2])]
    except ValueError as error:
        sys.stderr.write(done.stderr)
        return [Line(row, "failed", "", ok=False, note=str(error))]


def _show(lines: Iterable[Line], *, first: bool) -> None:
    if first:
        print(_cells(("what", "measured", "bound", "")))
    for line in lines:
        print(_cells((line.what, line.measured, line.bound, "ok" if line.ok else "MISSED")))
        for peer, said in line.peers.items():
            print(f"{'':4}{peer}: {said}")
        for told in textwrap.wrap(line.note, 116):
            print(f"{'':4}{told}")


def _cells(cells: Sequence[str]) -> str:
    return " ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
