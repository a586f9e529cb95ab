"""How often a changed definition and a changed user of it are read together, on real pull requests.

    python -m benchmarks.clusters GITDIR [GITDIR...] [--pulls 5] [--windows 8000,4000] [--show]
    python -m benchmarks.clusters --scale 100000

GITDIR is a repository; its pull requests are the commits on the first parents of HEAD that name one
and change 5 to 200 files, and that no window of the smallest size holds whole. For each window: the
share of pairs (a definition that changed, a changed line that uses it, in another span; imports
make it sure or likely) inside one scope, divided by folder and file, and clustered; how many scopes
there are; and how many change when one span is dropped or edited, the span's own not counted.

--scale makes a change of so many spans, 20 to a file, each a function that another file calls, and
says how long it takes to arrange beside the bound.
"""

import argparse
import hashlib
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from app.objects import LocalObjects
from reviewer.change import Change, Hunk, Line, Span
from reviewer.context.differences import Ends, differences
from reviewer.context.resolving import resolver as resolver_of
from reviewer.context.values import Certainty, Resolver
from reviewer.diff import build_change
from reviewer.git import open_repo
from reviewer.languages import Language
from reviewer.parsing.extract import extract
from reviewer.ports import NoSuchFile, Objects
from reviewer.review.arrangement import arranged
from reviewer.review.changed import read_ends
from reviewer.review.estimate import leaves
from reviewer.review.relations import relations
from reviewer.review.scope import SPAN_BYTES, divide, size_of
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.spans import spans as spans_of
from reviewer.triage import triage

PULL = re.compile(r"\(#\d+\)$|^Merge pull request #\d+")
LOOKED_AT = 1_500
"""Commits of the first parents that are looked at."""

EDITS = 12
"""Spans dropped and spans edited, of each pull request."""

SPANS_A_FILE = 20
SCALE_BOUND_S = 6.0

Parts = list[tuple[Span, ...]]


def main() -> int:
    """Print a line for each pull request, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("gitdirs", nargs="*", type=Path)
    parser.add_argument("--scale", type=int, default=0)
    parser.add_argument("--pulls", type=int, default=5)
    parser.add_argument("--windows", default="8000,4000")
    parser.add_argument("--show", action="store_true", help="print the clusters")
    options = parser.parse_args()
    if options.scale:
        return _scale(options.scale)
    windows = [int(text) for text in options.windows.split(",")]
    sums: dict[int, Counter[str]] = {window: Counter() for window in windows}
    for gitdir in options.gitdirs:
        found = 0
        for parent, commit, subject in _pulls(gitdir):
            if found >= options.pulls:
                break
            with _Pull(gitdir, parent, commit) as pull:
                if size_of(pull.spans) <= min(windows):
                    continue
                found += 1
                print(f"{gitdir.parent.name} {subject[:70]}", flush=True)
                for window in windows:
                    if size_of(pull.spans) > window:
                        counted = _counted(pull, window)
                        sums[window] += counted
                        print(f"  {window}: {_said(counted)}", flush=True)
                if options.show:
                    _show(pull, windows[0])
    for window, counted in sums.items():
        print(f"ALL {window}: {_said(counted)}")
    return 0


def _pulls(gitdir: Path) -> Iterator[tuple[str, str, str]]:
    command = ["log", "--first-parent", f"-{LOOKED_AT}", "--format=%H %P%x00%s", "HEAD"]
    for line in _git(gitdir, *command).splitlines():
        shas, _, subject = line.partition("\0")
        commit, *parents = shas.split()
        if not parents or not PULL.search(subject):
            continue
        names = _git(gitdir, "diff", "--name-only", parents[0], commit).splitlines()
        if 5 <= len(names) <= 200:
            yield parents[0], commit, subject


def _git(gitdir: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(gitdir), *arguments], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


class _Pull:
    """One pull request, read: its spans, what its files say, and what resolves imports."""

    def __init__(self, gitdir: Path, parent: str, commit: str) -> None:
        self._closing = ExitStack()
        opened = self._closing.enter_context(open_repo(gitdir))
        self.change: Change = build_change(opened, parent, commit)
        self.objects: Objects = self._closing.enter_context(LocalObjects(opened, self.change))
        scope = triage(self.change, self.objects, ()).scope
        self.spans = tuple(span for file in scope for span in spans_of(file, SPAN_BYTES))
        began = time.monotonic()
        self.ends: tuple[Ends, ...] = read_ends(scope, self.objects, lambda: False)
        self.read_s = time.monotonic() - began
        self.resolver: Resolver = resolver_of(
            [entry.path for entry in self.objects.entries()], self._read
        )

    def _read(self, path: str) -> bytes | None:
        try:
            return self.objects.read(path)
        except NoSuchFile:
            return None

    def __enter__(self) -> "_Pull":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()


def _counted(pull: _Pull, window: int) -> Counter[str]:
    related = relations(pull.spans, pull.ends, differences(pull.ends), pull.resolver)
    began = time.monotonic()
    clusters = arranged(pull.spans, pull.ends, pull.resolver, window).clusters
    seconds = time.monotonic() - began
    before = leaves(pull.spans, divide, window)
    after = leaves(clusters.order, clusters.divide, window)
    counted: Counter[str] = Counter(
        pulls=1,
        spans=len(pull.spans),
        tokens=size_of(pull.spans),
        before_scopes=len(before),
        after_scopes=len(after),
        ms=int(1000 * seconds),
    )
    pairs = {
        (pull.spans[link.definer].id, pull.spans[link.user].id)
        for link in related.links
        if link.changed and link.certainty is not Certainty.NAME
    }
    path_of = {span.id: span.path for span in pull.spans}
    apart = {pair for pair in pairs if path_of[pair[0]] != path_of[pair[1]]}
    for name, parts in (("before", before), ("after", after)):
        of = {span.id: number for number, part in enumerate(parts) for span in part}
        counted[f"{name}_pairs"] = sum(of[one] == of[other] for one, other in pairs)
        counted[f"{name}_apart"] = sum(of[one] == of[other] for one, other in apart)
    counted["pairs"], counted["apart"] = len(pairs), len(apart)
    chosen = random.Random(1).sample(range(len(pull.spans)), min(EDITS, len(pull.spans)))
    for number in chosen:
        counted["edits"] += 2
        for edited in (_dropped(pull.spans, number), _edited(pull.spans, number)):
            again = arranged(edited, pull.ends, pull.resolver, window).clusters
            counted["before_moved"] += _moved(before, leaves(edited, divide, window))
            counted["after_moved"] += _moved(after, leaves(again.order, again.divide, window))
    return counted


def _dropped(spans: tuple[Span, ...], number: int) -> tuple[Span, ...]:
    return (*spans[:number], *spans[number + 1 :])


def _edited(spans: tuple[Span, ...], number: int) -> tuple[Span, ...]:
    """Return the spans with one that has another id and half its lines."""
    span = spans[number]
    stop = span.start + max(1, (span.stop - span.start) // 2)
    return (*spans[:number], replace(span, id=span.id[::-1], stop=stop), *spans[number + 1 :])


def _moved(before: Parts, after: Parts) -> int:
    """Count the scopes of the second that the first has not, less the one that the edit is in."""
    known = {tuple(span.id for span in part) for part in before}
    return max(0, sum(tuple(span.id for span in part) not in known for part in after) - 1)


def _said(counted: Counter[str]) -> str:
    def share(name: str, of: str) -> str:
        return f"{counted[name] / counted[of]:.0%}" if counted[of] else "-"

    edits = counted["edits"] or 1
    return (
        f"{counted['pulls']} pulls, {counted['spans']} spans, {counted['tokens']} tokens; "
        f"scopes {counted['before_scopes']} -> {counted['after_scopes']}; "
        f"pairs {counted['pairs']}: {share('before_pairs', 'pairs')} -> "
        f"{share('after_pairs', 'pairs')}; across files {counted['apart']}: "
        f"{share('before_apart', 'apart')} -> {share('after_apart', 'apart')}; "
        f"moved by an edit {counted['before_moved'] / edits:.2f} -> "
        f"{counted['after_moved'] / edits:.2f}; {counted['ms']} ms"
    )


def _show(pull: _Pull, window: int) -> None:
    clusters = arranged(pull.spans, pull.ends, pull.resolver, window).clusters
    for part in leaves(clusters.order, clusters.divide, window):
        print(f"    scope of {size_of(part)} tokens")
        for path, count in Counter(span.path for span in part).items():
            print(f"      {path}: {count} spans")


def _scale(count: int) -> int:
    files = max(1, count // SPANS_A_FILE)
    spans: list[Span] = []
    ends: list[Ends] = []
    for file in range(files):
        path, other = f"pkg{file % 50}/mod{file}.py", (file + 7) % files
        before = f"from pkg{other % 50}.mod{other} import f{other}_0\n"
        after = before
        for each in range(SPANS_A_FILE):
            body = "".join(f"    y{n} = helper_{n}(x)\n" for n in range(8))
            start = after.count("\n") + 1
            old = f"def f{file}_{each}(x):\n"
            new = f"def f{file}_{each}(x, rate):\n    f{other}_{each}(x, 1)\n"
            spans.append(_hunk(path, start, old, new))
            before, after = before + old + body, after + new + body
        said = [extract(text.encode(), Language.PYTHON) for text in (before, after)]
        ends.append(Ends(path, path, *said))
    resolving = resolver_of([each.new_path or "" for each in ends], lambda _: None)
    began = time.monotonic()
    clusters = arranged(spans, ends, resolving, WINDOW_TOKENS).clusters
    seconds = time.monotonic() - began
    parts = leaves(clusters.order, clusters.divide)
    held = "within" if seconds <= SCALE_BOUND_S * max(1, count / 20_000) else "OVER"
    print(
        f"{len(spans)} spans in {files} files: {seconds:.1f} s, {held} the bound of "
        f"{SCALE_BOUND_S:.0f} s for 20,000; {len(parts)} scopes"
    )
    return 0 if held == "within" else 1


def _hunk(path: str, start: int, old: str, new: str) -> Span:
    lines = [Line("-", text, start + n, None) for n, text in enumerate(old.splitlines())]
    lines += [Line("+", text, None, start + n) for n, text in enumerate(new.splitlines())]
    name = hashlib.sha256(f"{path}:{start}".encode()).hexdigest()[:16]
    hunk = Hunk(name, path, start, 1, start, 2, "", tuple(lines))
    return Span(name, hunk, 0, len(lines))


if __name__ == "__main__":
    sys.exit(main())
