"""Every alarm of the detectors over real release-to-release changes, for a person to judge.

    python -m benchmarks.alarms GITDIR...            runs, prints each alarm and the tally
    python -m benchmarks.alarms --table FILE GITDIR  keeps verdicts elsewhere than alarms.tsv

A repository named in RANGES is run over the ranges given there (twenty in all), any other over its
last release tags. Alarms go to a table; write `right` or `wrong` in its first column, run again,
and the tally counts them. What was judged stays judged for as long as the alarm is the same.
"""

import argparse
import csv
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from app.objects import LocalObjects
from reviewer.detectors.run import Detected, detect
from reviewer.diff import build_change
from reviewer.errors import RlmError
from reviewer.finding import Finding
from reviewer.git import GitRepo, open_repo
from reviewer.triage import triage

TABLE = Path(__file__).with_name("alarms.tsv")
COLUMNS = ("verdict", "repository", "range", "rule", "path", "line", "title", "code", "id")
LAST_TAGS = 6  # of a repository that is not in RANGES: five changes

# Large and small releases, four languages, old habits and new ones.
RANGES: dict[str, tuple[str, ...]] = {
    "flask": ("1.0..1.1.0", "1.1.0..2.0.0", "2.2.0..3.0.0", "3.0.0..3.1.0"),
    "celery": ("v4.0.2..v4.4.4", "v4.4.4..v5.0.0", "v5.0.0..v5.2.0", "v5.5.0..v5.6.3"),
    "requests": ("v2.10.0..v2.20.0", "v2.32.0..v2.34.2"),
    "fastapi": ("0.100.0..0.110.0", "0.115.0..0.128.0", "0.128.0..0.141.1"),
    "gin": ("v1.7.3..v1.9.0", "v1.9.0..v1.12.0"),
    "express": ("4.16.4..4.18.1", "4.18.1..v5.0.1"),
    "core": ("v3.2.35..v3.3.5", "v3.4.21..v3.5.0", "v3.5.0..v3.5.36"),
}

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Ran:
    """One change that was looked at."""

    rows: list[Row]
    files: int
    notes: list[str]
    seconds: float


def main() -> None:
    """Run over the repositories given, update the table, print alarms and tally."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    arguments.add_argument("repositories", nargs="+", type=Path, metavar="GITDIR")
    arguments.add_argument("--table", type=Path, default=TABLE)
    asked = arguments.parse_args()
    judged = {
        (row["repository"], row["range"], row["id"]): row["verdict"] for row in _load(asked.table)
    }
    rows: list[Row] = []
    changes = 0
    for path in asked.repositories:
        with open_repo(path) as repo:
            name = _name(path)
            for span in _ranges(repo, name):
                try:
                    ran = _run(repo, name, span)
                except RlmError as error:  # a partial clone may lack what one range needs
                    print(f"\n{name} {span}: not run: {error}")
                    continue
                changes += 1
                print(f"\n{name} {span}: {ran.files} files, {len(ran.rows)} alarms,", end=" ")
                print(f"{ran.seconds:.1f} s")
                for note in ran.notes:
                    print(f"  note: {note}")
                for row in ran.rows:
                    row["verdict"] = judged.get((row["repository"], row["range"], row["id"]), "")
                    print(
                        f"  {row['verdict'] or '?':5} {row['rule']:32} {row['path']}:{row['line']}"
                    )
                    print(f"        {row['title']}\n        | {row['code']}")
                rows += ran.rows
    _save(asked.table, rows, {_name(path) for path in asked.repositories})
    _tally(rows, changes)


def _name(path: Path) -> str:
    """Return what a repository is called, from its folder: `flask/.git`, `pallets+flask/repo`."""
    parts = [part.rpartition("+")[2].removesuffix(".git") for part in path.resolve().parts[-2:]]
    return parts[0] if parts[-1] in ("", "repo") else parts[-1]


def _ranges(repo: GitRepo, name: str) -> Sequence[str]:
    if name in RANGES:
        return RANGES[name]
    _, out = repo.run("tag", "--list", "--sort=version:refname", "--merged", "HEAD")
    tags = [
        tag for tag in out.decode("utf-8", "replace").split() if re.fullmatch(r"v?\d+(\.\d+)+", tag)
    ]
    tags = tags[-LAST_TAGS:]
    return [f"{old}..{new}" for old, new in pairwise(tags)]


def _run(repo: GitRepo, name: str, span: str) -> Ran:
    began = time.monotonic()
    base, head = (_commit(repo, tag) for tag in span.split(".."))
    change = build_change(repo, base, head)
    with LocalObjects(repo, change) as objects:
        found: Detected = detect(change, objects, triage(change, objects).scope, lambda: False)
    rows = [row for finding in found.findings for row in _rows(name, span, finding)]
    return Ran(rows, len(change.files), found.notes, time.monotonic() - began)


def _commit(repo: GitRepo, tag: str) -> str:
    _, out = repo.run("rev-parse", "--verify", "--end-of-options", f"{tag}^{{commit}}")
    return out.decode().strip()


def _rows(name: str, span: str, finding: Finding) -> Iterator[Row]:
    yield {
        "verdict": "",
        "repository": name,
        "range": span,
        "rule": finding.source.removeprefix("detector:"),
        "path": finding.path,
        "line": f"{finding.side[0]}{finding.line or ''}",
        "title": " ".join(finding.title.split()),
        "code": " ".join(finding.evidence.split())[:160],
        "id": finding.id,
    }


def _load(table: Path) -> list[Row]:
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


def _save(table: Path, rows: list[Row], fresh: set[str]) -> None:
    """Replace the rows of the repositories in `fresh`; those of others stay."""
    kept = [row for row in _load(table) if row["repository"] not in fresh]
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, dialect="excel-tab", lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            sorted([*kept, *rows], key=lambda row: [row[name] for name in COLUMNS[1:]])
        )


def _tally(rows: list[Row], changes: int) -> None:
    print(f"\n{'rule':34}{'alarms':>7}{'right':>7}{'wrong':>7}{'open':>7}")
    counts = Counter((row["rule"], row["verdict"]) for row in rows)
    for rule in [*sorted({row["rule"] for row in rows}), ""]:
        right, wrong, unjudged = (
            sum(n for (one, said), n in counts.items() if said == verdict and rule in ("", one))
            for verdict in ("right", "wrong", "")
        )
        total = right + wrong + unjudged
        print(f"{rule or f'all, {changes} changes':34}{total:7}{right:7}{wrong:7}{unjudged:7}")


if __name__ == "__main__":
    main()
