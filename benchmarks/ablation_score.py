"""The tables of ablation.py: what was found in which way, for how many tokens."""

import json
from pathlib import Path
from typing import Any


def print_score(defects: list[dict[str, Any]], ways: list[int], out: Path) -> None:
    """Print each claim with the verdict of the words, then the tables."""
    results = {
        (said["defect"], said["way"]): said
        for place in sorted(out.glob("*.jsonl"))
        for said in map(json.loads, place.read_text(encoding="utf-8").splitlines())
    }
    for defect in defects:
        print(f"{defect['id']}: {defect['fails']}")
        for way in ways:
            for claim in _shown(results.get((defect["id"], way))):
                mark = "FOUND" if finds(claim, defect) else "other"
                print(f"  {way} {mark} {claim['path']}:{claim['line']} {claim['title']}")
                print(f"          {' '.join(claim['why'].split())}")
    print("\n| defect | " + " | ".join(map(str, ways)) + " |\n|---" * 1 + "|---" * len(ways) + "|")
    for defect in defects:
        cells = [_cell(results.get((defect["id"], way)), defect) for way in ways]
        print(f"| {defect['id']} | " + " | ".join(cells) + " |")
    print("\n| way | runs | found | other claims | tokens in | tokens out | calls | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for way in ways:
        print(_row(way, [(results.get((each["id"], way)), each) for each in defects]))


def finds(claim: dict[str, Any], defect: dict[str, Any]) -> bool:
    """Is a claim about one of the defect's files, with a word of each group in what it says?"""
    text = " ".join((claim["title"], claim["why"], claim["quote"], claim["path"])).lower()
    return any(claim["path"].startswith(file) for file in defect["files"]) and all(
        any(word.lower() in text for word in group) for group in defect["words"]
    )


def _shown(said: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [claim for claim in said["claims"] if claim["shown"]] if said else []


def _cell(said: dict[str, Any] | None, defect: dict[str, Any]) -> str:
    if said is None:
        return ""
    right = [finds(claim, defect) for claim in _shown(said)]
    return ("found" if any(right) else "-") + f" +{right.count(False)}" * (False in right)


def _row(way: int, each: list[tuple[dict[str, Any] | None, dict[str, Any]]]) -> str:
    there = [(said, defect) for said, defect in each if said is not None]
    verdicts = [[finds(claim, defect) for claim in _shown(said)] for said, defect in there]
    runs = [said for said, _ in there]
    inside = sum(sum(said["usage"].values()) - said["usage"]["output"] for said in runs)
    return (
        "| "
        + " | ".join(
            f"{value:,}"
            for value in (
                way,
                len(runs),
                sum(any(right) for right in verdicts),
                sum(right.count(False) for right in verdicts),
                inside,
                sum(said["usage"]["output"] for said in runs),
                sum(said["calls"] for said in runs),
                round(sum(said["seconds"] for said in runs)),
            )
        )
        + " |"
    )
