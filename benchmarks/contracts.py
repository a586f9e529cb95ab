"""Breaks of contracts in real packages: how many are found, and what is said about none.

    python -m benchmarks.contracts GITDIR... [--most N] [--json]     mutations and their twins
    python -m benchmarks.contracts GITDIR... --history N             real commits, for a person

A mutation renames, removes or moves a definition, or changes a signature, and leaves the users as
they are: one finding has to name it. Its twin adapts the users: nothing may be said. See
`mutations.py` for how they are chosen. `--history` takes the last commits for pull requests and
prints each alarm. Exit status 1 if a bound is missed.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.objects import LocalObjects
from benchmarks.mutations import Edits, Mutation, mutations
from benchmarks.trees import Store
from reviewer.change import Change, FileChange
from reviewer.detectors.contracts.detector import Contracts
from reviewer.detectors.contracts.trees import FAMILIES
from reviewer.detectors.run import Detected, Registered, run_all
from reviewer.diff import build_change
from reviewer.errors import RlmError
from reviewer.finding import Finding
from reviewer.git import open_repo
from reviewer.ports import Objects
from reviewer.triage import triage
from tests.reviewer.context.plain import Trees
from tests.reviewer.detectors.sources import Files, file_change

FOUND_BOUND = 0.95  # of the breaks of each language
ALARMS_BOUND = 0  # on all twins


@dataclass
class Tally:
    """Of one kind of mutation in one language."""

    breaks: int = 0
    found: int = 0
    alarms: int = 0
    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)


def main() -> int:
    """Run over the repositories given; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("repositories", nargs="+", type=Path, metavar="GITDIR")
    parser.add_argument("--most", type=int, default=15, help="mutations of a kind, per repository")
    parser.add_argument("--history", type=int, default=0, help="real commits, per repository")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", action="store_true", help="print what was missed")
    asked = parser.parse_args()
    if asked.history:
        for path in asked.repositories:
            _history(path, asked.history)
        return 0
    tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    seconds: list[float] = []
    for path in asked.repositories:
        store = Store(path)
        tree = store.tree("HEAD")
        for kind in dict.fromkeys(FAMILIES.values()):
            for mutation in mutations(tree, kind, asked.most):
                _measure(tree, mutation, tallies[kind, mutation.kind], seconds)
    return _report(tallies, seconds, as_json=asked.json, show=asked.show)


# Mutations ---------------------------------------------------------------------------------------


def _measure(
    tree: Mapping[str, bytes], mutation: Mutation, tally: Tally, seconds: list[float]
) -> None:
    began = time.monotonic()
    said = detected(tree, mutation.broken).findings
    seconds.append(time.monotonic() - began)
    tally.breaks += 1
    if any(mutation.name in f"{each.title} {each.body} {each.path}" for each in said):
        tally.found += 1
    else:
        tally.missed.append(f"{mutation.name} ({', '.join(mutation.broken)})")
    for each in detected(tree, mutation.twin).findings:
        tally.alarms += 1
        tally.false.append(f"{mutation.name}: {each.title}")


def detected(tree: Mapping[str, bytes], edits: Edits) -> Detected:
    """Return what the detector says about edits of a tree."""
    edits = {path: data for path, data in edits.items() if data != tree.get(path)}
    head = {path: data for path, data in {**tree, **edits}.items() if data is not None}
    files = tuple(_changes(tree, edits))
    objects = Files({path: head[path] for path in head}, {path: tree[path] for path in tree})
    change = Change(base="b" * 40, head="a" * 40, merge_base="b" * 40, files=files)
    return _run(Trees(head, tree), objects, change, files)


def _changes(tree: Mapping[str, bytes], edits: Edits) -> Iterator[FileChange]:
    """Yield the changed files; one that is gone and comes back under another name is renamed."""
    gone = {tree[path]: path for path, data in edits.items() if data is None}
    renamed = {path: gone[data] for path, data in edits.items() if data in gone}
    for path, data in sorted(edits.items()):
        if path in renamed:
            yield file_change(path, data, data, old_path=renamed[path])
        elif path not in renamed.values():
            yield file_change(path, tree.get(path), data)


def _run(
    context: Trees,
    objects: Objects,
    change: Change,
    scope: tuple[FileChange, ...] | list[FileChange],
) -> Detected:
    registered = [Registered(Contracts(context), "scope", "hunk", renames=True)]
    return run_all(registered, change, objects, scope, lambda: False)


def _report(
    tallies: Mapping[tuple[str, str], Tally], seconds: list[float], *, as_json: bool, show: bool
) -> int:
    missed = False
    rows = []
    for language in dict.fromkeys(FAMILIES.values()):
        mine = {kind: tally for (one, kind), tally in sorted(tallies.items()) if one == language}
        breaks = sum(each.breaks for each in mine.values())
        found = sum(each.found for each in mine.values())
        alarms = sum(each.alarms for each in mine.values())
        missed |= breaks > 0 and (found / breaks < FOUND_BOUND or alarms > ALARMS_BOUND)
        rows += [
            (language, kind, each.breaks, each.found, each.alarms) for kind, each in mine.items()
        ]
        rows.append((language, "all", breaks, found, alarms))
    if as_json:
        print(
            json.dumps(
                [
                    dict(zip(("language", "kind", "breaks", "found", "alarms"), row, strict=True))
                    for row in rows
                ]
            )
        )
        return int(missed)
    print(f"{'language':9}{'mutation':36}{'breaks':>7}{'found':>7}{'':>7}{'alarms on twins':>17}")
    for language, kind, breaks, found, alarms in rows:
        share = f"{found / breaks:.0%}" if breaks else ""
        print(f"{language:9}{kind:36}{breaks:7}{found:7}{share:>7}{alarms:17}")
    if seconds:
        seconds.sort()
        print(f"one run: {seconds[len(seconds) // 2]:.2f} s, at most {seconds[-1]:.2f} s")
    if show:
        for (language, kind), tally in sorted(tallies.items()):
            for each in tally.missed:
                print(f"missed: {language}: {kind}: {each}")
            for each in tally.false:
                print(f"alarm on a twin: {language}: {kind}: {each}")
    return int(missed)


# Real commits ------------------------------------------------------------------------------------


def _history(path: Path, count: int) -> None:
    store = Store(path)
    changes, alarms, worst = 0, 0, 0.0
    with open_repo(path) as repo:
        for head, base in store.commits(count):
            try:
                change = build_change(repo, base, head)
            except RlmError as error:  # a partial clone may lack what one commit needs
                print(f"{head[:12]} not run: {error}")
                continue
            trees = Trees(store.tree(head), store.tree(base))
            with LocalObjects(repo, change) as objects:
                began = time.monotonic()
                said = _run(trees, objects, change, triage(change, objects).scope)
                worst = max(worst, time.monotonic() - began)
            changes += 1
            alarms += len(said.findings)
            for note in said.notes:
                print(f"{head[:12]} note: {note}")
            for each in said.findings:
                print(f"{head[:12]} {_shown(each)}", flush=True)
    print(f"{path}: {changes} changes, {alarms} alarms, slowest {worst:.1f} s", flush=True)


def _shown(each: Finding) -> str:
    return f"{each.path}:{each.side[0]}{each.line or ''} {each.title}\n    {each.body}"


if __name__ == "__main__":
    sys.exit(main())
