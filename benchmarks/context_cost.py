"""Time and memory of questions about code in a repository of 50,000 files.

    python -m benchmarks.context_cost GITDIR... [--keep FOLDER] [--json FILE]

The trees of the repositories named, joined as one in a bare repository (kept in --keep, to be used
again); each figure from a process of its own, so that its memory is its own and nothing is warm
that should not be. Exit 1 where a bound is missed.

cold: no cache file. warm: the cache of a run before. stored: what a lookup needs is in the cache
file, but this process has not seen it. again: the same question in the same process.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.context_joined import Joined, join
from benchmarks.context_ours import opened
from benchmarks.context_recall import quantile
from reviewer.context.provider import Provider
from reviewer.parsing.symbols import DefKind

COLD_S, WARM_S = 20.0, 2.0
LOOKUP_P50_S, LOOKUP_P95_S = 0.010, 0.100
SECOND_SHARE = 0.02
"""Of the first commit's cost, for one with 1% of the files changed, beyond a warm start."""

MEMORY_MB = 150.0
MEMORY_SOURCES = 31_000
NAMES_AT_ONCE, NAMES_S = 100, 0.3
LOOKUPS = 200
SEED = 4
LIMIT = 20


def main() -> int:
    options = _arguments()
    if options.role:
        print(json.dumps(_ROLES[options.role](options)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        keep = options.keep or Path(folder)
        found = measure(joined(options.repos, keep), keep / "cache.sqlite")
    for line in report(found):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    missed = list(judge(found))
    for sentence in missed:
        print(f"MISSED: {sentence}")
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repos", nargs="*", type=Path, metavar="GITDIR")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for the joined repository")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--role", choices=sorted(_ROLES), help=argparse.SUPPRESS)
    parser.add_argument("--git", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--head", help=argparse.SUPPRESS)
    parser.add_argument("--base", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def joined(gits: list[Path], keep: Path) -> Joined:
    """Return the joined repository in a folder, made unless it is there."""
    keep.mkdir(parents=True, exist_ok=True)
    about = keep / "joined.json"
    if about.exists():
        known = json.loads(about.read_text())
        return Joined(**{**known, "git": Path(known["git"])})
    if not gits:
        raise SystemExit("name the git directories of some repositories")
    made = join(gits, (keep / "joined.git").absolute(), MEMORY_SOURCES)
    about.write_text(json.dumps({**asdict(made), "git": str(made.git)}))
    return made


def measure(repo: Joined, cache: Path) -> dict[str, Any]:
    """Run each process in turn, and return all its figures."""
    cache.unlink(missing_ok=True)
    part = cache.with_name("part.sqlite")
    part.unlink(missing_ok=True)
    found: dict[str, Any] = {"repository": {**asdict(repo), "git": ""}}
    found["cold"] = _child("ready", repo.git, cache, repo.first)
    found["warm"] = _child("ready", repo.git, cache, repo.first)
    found["first_asked"] = _child("lookups", repo.git, cache, repo.first)
    found["stored"] = _child("lookups", repo.git, cache, repo.first)
    found["second"] = _child("ready", repo.git, cache, repo.second, repo.first)
    found["part_cold"] = _child("ready", repo.git, part, repo.part)
    found["part_lookups"] = _child("lookups", repo.git, part, repo.part)
    return found


def report(found: dict[str, Any]) -> list[str]:
    """Return the figures as lines."""
    repo, stored = found["repository"], found["stored"]
    lines = [
        f"{repo['files']:,} files, {repo['sources']:,} of source; the second commit changes "
        f"{repo['changed']:,}; memory at {repo['part_sources']:,} of source",
    ]
    for name in ("cold", "warm", "second", "part_cold"):
        one = found[name]
        lines.append(
            f"{name:12} ready {one['ready_s']:7.2f} s  cpu {one['cpu_s']:7.2f} s  "
            f"peak {one['peak_mb']:6.0f} MB (largest child {one['child_mb']:.0f} MB)"
        )
    for name in ("first_asked", "stored", "part_lookups"):
        one = found[name]
        lines.append(
            f"{name:12} p50 {_ms(one['p50_s'])}  p95 {_ms(one['p95_s'])}  max {_ms(one['max_s'])}  "
            f"again p50 {_ms(one['again_p50_s'])}  p95 {_ms(one['again_p95_s'])}  "
            f"peak {one['peak_mb']:.0f} MB (largest child {one['child_mb']:.0f} MB)"
        )
    lines.append(f"{NAMES_AT_ONCE} names against all files: {_ms(stored['names_s'])}")
    lines.append(f"second commit, of the first's cost: {_second(found):.1%} beyond being warm")
    return lines


def judge(found: dict[str, Any]) -> list[str]:
    """Return a sentence for each bound that is missed."""
    measured = [
        ("callers ready, cold", found["cold"]["ready_s"], COLD_S, "s"),
        ("callers ready, warm", found["warm"]["ready_s"], WARM_S, "s"),
        ("one lookup, p50", found["stored"]["p50_s"], LOOKUP_P50_S, "s"),
        ("one lookup, p95", found["stored"]["p95_s"], LOOKUP_P95_S, "s"),
        (f"{NAMES_AT_ONCE} names", found["stored"]["names_s"], NAMES_S, "s"),
        ("second commit, share of the first", _second(found), SECOND_SHARE, ""),
        ("memory, made", found["part_cold"]["peak_mb"], MEMORY_MB, "MB"),
        ("memory, asked", found["part_lookups"]["peak_mb"], MEMORY_MB, "MB"),
    ]
    return [
        f"{what}: {value:.3f} {unit}, bound {bound} {unit}"
        for what, value, bound, unit in measured
        if value > bound
    ]


def _second(found: dict[str, Any]) -> float:
    extra = found["second"]["ready_s"] - found["warm"]["ready_s"]
    return float(max(extra, 0.0) / found["cold"]["ready_s"])


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


def _child(role: str, git: Path, cache: Path, head: str, base: str = "") -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.context_cost", f"--role={role}", f"--git={git}"]
    command += [f"--cache={cache}", f"--head={head}", f"--base={base}"]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(run.stdout))


def _ready(options: argparse.Namespace) -> dict[str, Any]:
    """Time until any question about who uses what can be answered."""
    began = time.perf_counter()
    with opened(options.git, options.head, options.base, options.cache) as provider:
        provider.start()
        provider.mentioning(("nobody_has_this_name",))
        ready = time.perf_counter() - began
    return {"ready_s": ready, **_used()}


def _lookups(options: argparse.Namespace) -> dict[str, Any]:
    """Time questions about functions drawn at random; each for the first time, then once more."""
    with opened(options.git, options.head, options.base, options.cache) as provider:
        asked = _drawn(provider)
        provider.mentioning(("nobody_has_this_name",))
        began = time.perf_counter()
        provider.mentioning(tuple(name for name, _ in asked[:NAMES_AT_ONCE]))
        names_s = time.perf_counter() - began
        first, again = [], []
        for name, path in asked:
            for times in (first, again):
                start = time.perf_counter()
                provider.references(name, near=path, limit=LIMIT)
                times.append(time.perf_counter() - start)
    return {
        "p50_s": quantile(first, 0.5),
        "p95_s": quantile(first, 0.95),
        "max_s": max(first),
        "again_p50_s": quantile(again, 0.5),
        "again_p95_s": quantile(again, 0.95),
        "names_s": names_s,
        **_used(),
    }


def _drawn(provider: Provider) -> list[tuple[str, str]]:
    """Return functions and the files that they are in, from files drawn at random."""
    dice = random.Random(SEED)
    paths = sorted({path for paths in provider.mentioning(("return",)).values() for path in paths})
    dice.shuffle(paths)
    found: list[tuple[str, str]] = []
    for path in paths:
        named = [
            each
            for each in provider.extraction(path).what.definitions
            if each.kind in (DefKind.FUNCTION, DefKind.METHOD)
        ]
        if named:
            found.append((dice.choice(named).name, path))
        if len(found) == LOOKUPS:
            break
    return found


def _used() -> dict[str, float]:
    """Return this process's time and its peak of memory, and its largest child's."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cpu_s": mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime,
        "peak_mb": mine.ru_maxrss / 1024,
        "child_mb": theirs.ru_maxrss / 1024,
    }


_ROLES = {"ready": _ready, "lookups": _lookups}


if __name__ == "__main__":
    sys.exit(main())
