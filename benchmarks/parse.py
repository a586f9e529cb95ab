"""Time and memory of building and parsing a change, beside git and unidiff on the same change.

    python -m benchmarks.parse GITDIR BASE..HEAD      a change of a real repository
    python -m benchmarks.parse --generate 100         a generated diff of 100 MB, in one process

Ours: `build_change`, then every hunk of the files that triage leaves in scope. The peer: the same
three-dot `git diff` written to a file, then unidiff on those very hunks, split beforehand and not
timed.
Both run in processes of their own, one after the other, as often as --repeat says; the best run of
each counts, and the peak of memory is that of our process from its start (git's is its own).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from unidiff.patch import PatchSet

from app.objects import LocalObjects
from reviewer.change import Change, FileChange
from reviewer.diff import DIFF_TIMEOUT_S, MAX_PATCH_BYTES, OPTIONS, build_change
from reviewer.git import GitRepo, open_repo
from reviewer.revisions import parse_range
from reviewer.text import decode, encode
from reviewer.triage import triage

GOAL = 1.5


def main() -> None:
    options = _arguments()
    if options.role:
        found = (_ours if options.role == "ours" else _peer)(Path(options.repo), options.range)
        print(json.dumps(found))
        return
    if options.generate:
        with tempfile.TemporaryDirectory() as folder:
            _generate(Path(folder), options.generate)
            _compare(folder, "base..head", options.repeat)
    else:
        _compare(options.repo, options.range, options.repeat)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repo", nargs="?", help="a repository")
    parser.add_argument("range", nargs="?", help="BASE..HEAD")
    parser.add_argument("--generate", type=int, metavar="MB", help="make the change up")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--role", choices=("ours", "peer"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.generate and not options.range:
        parser.error("give GITDIR and BASE..HEAD, or --generate MB")
    return options


def _compare(repo: str, text: str, repeat: int) -> None:
    ours, peers = [], []
    for _ in range(repeat):  # in turn, so that a busy machine is busy for both
        ours.append(_child("ours", repo, text))
        peers.append(_child("peer", repo, text))
    mine = min(ours, key=lambda run: run["build_s"] + run["parse_s"])
    peer = min(peers, key=lambda run: run["git_s"] + run["unidiff_s"])
    if mine["lines"] != peer["lines"]:
        raise SystemExit(f"not the same work: {mine['lines']} and {peer['lines']} lines")
    total, bound = mine["build_s"] + mine["parse_s"], peer["git_s"] + peer["unidiff_s"]
    print(
        f"{mine['files']} files, {mine['hunks']} hunks; in scope {mine['scope']} files, "
        f"{mine['lines']} lines of hunks"
    )
    print(
        f"ours  build {mine['build_s']:7.3f} s   parse   {mine['parse_s']:7.3f} s   {total:7.3f} s"
    )
    print(
        f"peer  git   {peer['git_s']:7.3f} s   unidiff {peer['unidiff_s']:7.3f} s   {bound:7.3f} s"
    )
    print(f"ratio {total / bound:.2f} (goal: at most {GOAL})")
    print(
        f"peak  {mine['build_mb']:.0f} MB after building, {mine['parse_mb']:.0f} MB after parsing"
    )


def _child(role: str, repo: str, text: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.parse", repo, text, "--role", role]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def _ours(path: Path, text: str) -> dict[str, float]:
    with open_repo(path) as repo:
        base, head = parse_range(repo, text)
        began = time.perf_counter()
        change = build_change(repo, base, head)
        built = time.perf_counter()
        build_mb = _peak_mb()
        scope = _scope(repo, change)
        parsing = time.perf_counter()
        lines = sum(len(hunk.lines) for file in scope for hunk in file.hunks)
        parsed = time.perf_counter()
    return {
        "build_s": built - began,
        "parse_s": parsed - parsing,
        "build_mb": build_mb,
        "parse_mb": _peak_mb(),
        "files": len(change.files),
        "hunks": change.hunk_count,
        "scope": len(scope),
        "lines": lines,
    }


def _peer(path: Path, text: str) -> dict[str, float]:
    with open_repo(path) as repo:
        base, head = parse_range(repo, text)
        change = build_change(repo, base, head)
        pieces = [_text(file) for file in _scope(repo, change)]
        with tempfile.TemporaryFile() as spool:
            args = ("diff", *OPTIONS, f"{base}...{head}", "--")
            began = time.perf_counter()
            repo.run_into(spool, *args, timeout_s=DIFF_TIMEOUT_S, max_bytes=MAX_PATCH_BYTES)
            git_s = time.perf_counter() - began
    began = time.perf_counter()
    lines = 0
    for piece in pieces:
        texts = [decode(line) + "\n" for line in piece.split(b"\n")[:-1]]
        for hunk in PatchSet(["--- a/f\n", "+++ b/f\n", *texts])[0]:
            lines += sum(line.line_type != "\\" for line in hunk)
    return {"git_s": git_s, "unidiff_s": time.perf_counter() - began, "lines": lines}


def _scope(repo: GitRepo, change: Change) -> list[FileChange]:
    with LocalObjects(repo, change) as objects:
        return [file for file in triage(change, objects).scope if file.hunk_count]


def _text(file: FileChange) -> bytes:
    """Write a file's hunks as git printed them."""
    out = []
    for hunk in file.hunks:
        old, new = f"{hunk.old_start},{hunk.old_count}", f"{hunk.new_start},{hunk.new_count}"
        out.append(f"@@ -{old} +{new} @@ {hunk.section}\n")
        for line in hunk.lines:
            out.append(f"{line.kind}{line.text}\n")
            if not line.newline:
                out.append("\\ No newline at end of file\n")
    return encode("".join(out))


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # on Linux ru_maxrss counts the parent, too, from before exec
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _generate(folder: Path, megabytes: int) -> None:
    """Make a repository whose one change is so large: half in one file, half in a thousand."""

    def git(*args: str, stdin: bytes = b"") -> None:
        subprocess.run(["git", "-C", folder, *args], input=stdin, check=True)

    line = "    value_%07d = compute(first=%d, second=%d)  # generated\n"
    whole = "".join(line % (i, i * 7, i * 13) for i in range(megabytes * 500_000 // 60))
    size = len(whole) // 1000
    files = {"one.py": whole} | {
        f"many/{i}.py": whole[i * size : (i + 1) * size] + "\n" for i in range(1000)
    }
    who = "committer A <a@example.org> 0 +0000\ndata 0\n"
    stream = [f"commit refs/heads/base\n{who}\ncommit refs/heads/head\n{who}from refs/heads/base\n"]
    for name, text in files.items():
        stream.append(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n")
    git("init", "-q")
    git("fast-import", "--quiet", stdin="".join(stream).encode())


if __name__ == "__main__":
    main()
