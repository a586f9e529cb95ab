"""The table of length.py: which claims stand at a planted defect, and which speak of it."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.length_arms import ARMS
from benchmarks.length_build import Place, Planted, places, table

NEAR = 3
"""Lines from a place within which a claim may be about it."""

VERDICTS = {"found", "other", ""}

Key = tuple[str, str, str, str]
"""Size, arm, id of the finding, id of the defect."""


@dataclass(frozen=True)
class Run:
    """One result of `run`."""

    said: Mapping[str, Any]

    @property
    def size(self) -> str:
        return str(self.said["size"])

    @property
    def arm(self) -> str:
        return str(self.said["arm"])

    @property
    def claims(self) -> list[dict[str, Any]]:
        """What the model claims; the detectors' own findings are none."""
        return [each for each in self.said["findings"] if each["source"].startswith("model:")]


def print_score(out: Path) -> int:
    """Print the table; add to judged.toml what nobody judged. 1 while that is not nothing."""
    runs = list(_runs(out))
    if not runs:
        print("there is no result yet")
        return 1
    planted = places(out / f"{runs[0].size}.git")
    judged = _judged(out / "judged.toml")
    new = [
        (run, claim, defect)
        for run in runs
        for claim in run.claims
        for defect in planted
        if near(claim, defect) and _key(run, claim, defect) not in judged
    ]
    if new:
        with (out / "judged.toml").open("a", encoding="utf-8") as file:
            file.write("".join(_pair(*each) for each in new))
    print(_table(runs, judged, len(planted)))
    print(_by_defect(runs, planted, judged))
    for run in runs:
        for claim in run.claims:
            if not any(key[:3] == (run.size, run.arm, claim["id"]) for key in _found(judged)):
                print(f"other: {run.size} {run.arm} {claim['path']}:{claim['line']}", end=" ")
                print(f"{claim['title']} [{claim['severity']}, {claim['id']}]")
    open_ = len(new) + sum(1 for verdict in judged.values() if not verdict)
    if open_:
        print(f"\n{open_} pairs in {out / 'judged.toml'} wait for a verdict: found, or other")
    return 1 if open_ else 0


def near(claim: Mapping[str, Any], defect: Planted) -> bool:
    """Does a claim stand at a defect or its other side, or is it about the whole of such a file?"""
    return any(_touches(claim, place) for place in (*defect.at, *defect.other))


def _touches(claim: Mapping[str, Any], place: Place) -> bool:
    if claim["path"] != place.path:
        return False
    if claim["line"] is None:
        return True
    if claim["side"] != "RIGHT":
        return False
    return bool(claim["start_line"] <= place.last + NEAR and claim["line"] >= place.first - NEAR)


def _runs(out: Path) -> Iterator[Run]:
    for size in table().sizes:
        for arm in ARMS:
            path = out / f"{size}.{arm}.json"
            if path.exists():
                yield Run(json.loads(path.read_text(encoding="utf-8")))


def _judged(path: Path) -> dict[Key, str]:
    """Return the verdicts so far; raise ValueError for one that is none."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        pairs = tomllib.load(file).get("pair", [])
    if wrong := {pair["verdict"] for pair in pairs} - VERDICTS:
        raise ValueError(f"a verdict is found or other, not {', '.join(sorted(wrong))}")
    return {(p["size"], p["arm"], p["finding"], p["defect"]): p["verdict"] for p in pairs}


def _found(judged: Mapping[Key, str]) -> set[Key]:
    return {key for key, verdict in judged.items() if verdict == "found"}


def _key(run: Run, claim: Mapping[str, Any], defect: Planted) -> Key:
    return run.size, run.arm, claim["id"], defect.id


def _pair(run: Run, claim: Mapping[str, Any], defect: Planted) -> str:
    """Return an entry of judged.toml. A string of JSON is one of TOML."""
    size, arm, finding, defect_id = _key(run, claim, defect)
    rows = {
        "size": size,
        "arm": arm,
        "finding": finding,
        "defect": defect_id,
        "planted": defect.fails,
        "place": f"{claim['path']}:{claim['start_line']}-{claim['line']}",
        "claim": f"{claim['title']}: {claim['body']}",
        "verdict": "",
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=True)}" for name, value in rows.items()]
    return "\n".join(["[[pair]]", *lines, "", ""])


def _table(runs: Sequence[Run], judged: Mapping[Key, str], planted: int) -> str:
    rows = [
        "| size | arm | found | of those shown | both sides shown | other claims | letters | "
        "by hand | hunks read | tokens in | tokens out | longest prompt |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        mine = {key for key in _found(judged) if key[:2] == (run.size, run.arm)}
        found = {key[3] for key in mine}
        shown = run.said["shown"]
        right = {key[2] for key in mine}
        usage, coverage = run.said["usage"], run.said["coverage"]
        cells = (
            run.size,
            run.arm,
            f"{len(found)} of {planted}",
            f"{sum(shown[one] != 'no' for one in found)} of "
            f"{sum(how != 'no' for how in shown.values())}",
            sum(how == "both sides" for how in shown.values()),
            sum(claim["id"] not in right for claim in run.claims),
            f"{run.said['letters']} of {run.said['letters_at_most']}",
            run.said["by_hand"],
            f"{coverage['reviewed']:,} of {coverage['hunks']:,}",
            f"{sum(usage.values()) - usage['output']:,}",
            f"{usage['output']:,}",
            f"{run.said['longest_prompt']:,}",
        )
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows) + "\n"


def _by_defect(runs: Sequence[Run], planted: Sequence[Planted], judged: Mapping[Key, str]) -> str:
    names = " | ".join(f"{run.size} {run.arm}" for run in runs)
    rows = [f"| defect | kind | {names} |", "|---|---" + "|---" * len(runs) + "|"]
    found = {(key[0], key[1], key[3]) for key in _found(judged)}
    for one in planted:
        cells = [
            "found"
            if (run.size, run.arm, one.id) in found
            else {"no": "not shown", "place": "one side shown"}.get(run.said["shown"][one.id], "-")
            for run in runs
        ]
        rows.append(f"| {one.id} | {one.kind} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"
