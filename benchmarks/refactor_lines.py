"""Changed lines that nobody answered for: neither an edit that was taken nor a rename by the host.

That there is none is by construction, as long as edits are made as they are handed in; so this is
counted from outside: the lines come from git, the edits from the trace, the renames from the plan.
"""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HUNK = re.compile(r"^@@ ")


@dataclass
class Named:
    """Of one file: the lines that accepted edits take away and bring, and whether all may go."""

    old: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    gone: bool = False


def unnamed(
    clone: Path, base: str, branch: str, account: dict[str, Any], trace: Sequence[dict[str, Any]]
) -> dict[str, int]:
    """Return, by path, how many changed lines of a branch nothing accounts for."""
    shas = _git(clone, "rev-list", "--reverse", f"{base}..{branch}").split()
    found: defaultdict[str, int] = defaultdict(int)
    edits = list(accepted(trace))
    renames = {f"Rename {one['symbol']} to {one['to']}": one for one in account["plan"]["renames"]}
    for sha, commit in zip(shas, account["commits"], strict=True):
        if commit["by"] == "host" and commit["module"] not in renames:
            continue  # a move: what it takes and brings is one definition, and its imports
        for path, removed, added in _lines(clone, sha):
            if (one := renames.get(commit["module"])) is not None:
                was, now = one["symbol"].rpartition(".")[2], one["to"]
                many = sum(not _has(line, was) for line in removed)
                many += sum(not _has(line, now) for line in added)
            else:
                known = _named(edits, path, clone, f"{sha}^")
                many = 0 if known.gone else sum(line not in known.old for line in removed)
                many += sum(line not in known.new for line in added)
            if many:
                found[path] += many
    return dict(found)


def accepted(trace: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the edits that nodes handed in and that were taken from them."""
    editors = {
        event["node"]
        for event in trace
        if event["event"] == "NodeStarted" and event["task"] == "edit"
    }
    for event in trace:
        if event["event"] == "Result" and event["node"] in editors:
            with suppress(ValueError):  # of many nodes it is cut off, and theirs are here, too
                for _, edits in json.loads(event["value"]).get("by_module", ()):
                    yield edits


def _named(edits: Sequence[dict[str, Any]], path: str, clone: Path, before: str) -> Named:
    """Return what edits say of one file."""
    known = Named()
    for one in edits:
        for each in one["replacements"]:
            if each["path"] == path:
                known.old.update(_of(each["old"]))
                known.new.update(_of(each["new"]))
        for each in one["new_files"]:
            if each["path"] == path:
                known.new.update(_of(each["text"]))
        for each in one["cuts"]:
            if path in {each["path"], each["to"]}:
                piece = _piece(_text(clone, before, each["path"]), each["first"], each["last"])
                (known.old if path == each["path"] else known.new).update(piece)
        known.gone |= path in one["removed"]
        for each in one["renamed"]:
            known.gone |= path == each["path"]
            if path == each["to"]:
                known.new.update(_of(_text(clone, before, each["path"])))
                known.new.update(
                    line
                    for other in one["replacements"]
                    if other["path"] == each["path"]
                    for line in _of(other["new"])
                )
    # An edit may begin or end in the middle of a line: what stands around it is its own, too.
    lines = _of(_text(clone, before, path))
    for each in (each for one in edits for each in one["replacements"] if each["path"] == path):
        for line in lines:
            if each["old"] in line:
                known.old.add(line)
                known.new.update(_of(line.replace(each["old"], each["new"])))
    return known


def _piece(text: str, first: str, last: str) -> list[str]:
    start = text.find(first.strip("\n"))
    end = text.find(last.strip("\n"), start + 1 if start >= 0 else 0)
    return _of(text[start : end + len(last)]) if 0 <= start <= end else []


def _of(text: str) -> list[str]:
    """Return the lines that say something; empty ones come and go with what stands beside them."""
    return [line.rstrip() for line in text.split("\n") if line.strip()]


def _has(line: str, name: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", line) is not None


def _lines(clone: Path, sha: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each file of a commit with the lines that it removes and adds."""
    names = _git(clone, "diff", "--name-only", "--no-renames", "-z", f"{sha}^", sha)
    for path in (name for name in names.split("\0") if name):
        shown = _git(clone, "diff", "-U0", "--no-renames", "--no-color", f"{sha}^", sha, "--", path)
        _, _, body = shown.partition("\n@@ ")
        lines = f"@@ {body}".split("\n") if body else []
        changed = [line for line in lines if not _HUNK.match(line) and line[1:].strip()]
        yield (
            path,
            [line[1:].rstrip() for line in changed if line.startswith("-")],
            [line[1:].rstrip() for line in changed if line.startswith("+")],
        )


def _text(clone: Path, commit: str, path: str) -> str:
    command = ["git", "-C", str(clone), "show", f"{commit}:{path}"]
    shown = subprocess.run(command, capture_output=True, check=False)
    return shown.stdout.decode("utf-8", "replace").replace("\r\n", "\n")


def _git(clone: Path, *arguments: str) -> str:
    command = ["git", "-C", str(clone), *arguments]
    shown = subprocess.run(command, capture_output=True, check=True)
    return shown.stdout.decode("utf-8", "replace")
