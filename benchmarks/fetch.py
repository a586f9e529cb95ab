"""What a pull request costs to fetch: connections, bytes and time, beside a full clone of the same.

    python -m benchmarks.fetch MIRROR [MIRROR ...] [--files 20] [--json]

The mirrors (bare repositories, which are only read) become one: a folder each in its tree, their
histories joined. On top comes a pull request that changes so many of its files. The server of the
tests gives it out over HTTP, and counts the bytes and the connections; nothing of the time is the
network's. Fetched is what a review needs before its first hunk, until the change is built.

Exits with 1 if a bound is missed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from app.github.blobs import RemoteBlobs
from app.github.fetch import Wanted, checkout
from app.github.urls import Server
from app.objects import LocalObjects
from reviewer.diff import build_change
from reviewer.git import open_repo
from tests.app.pull_server import GIT_ENV, REPOSITORY, PullServer

CONNECTIONS = 3
SECONDS = 1.5
SHARE = 0.05
LIST_SECONDS = 0.3


def main() -> None:
    """Measure, print, and judge."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as name, PullServer(Path(name)) as hub:
        base, head = _pull(hub, [Path(mirror) for mirror in options.mirrors], options.files)
        found = _fetched(hub, base, head, Path(name) / "home")
        found["clone_bytes"], found["clone_s"] = _clone(hub, Path(name) / "clone")
    found["share"] = found["bytes"] / found["clone_bytes"]
    bounds = {
        "connections": CONNECTIONS,
        "seconds": SECONDS,
        "share": SHARE,
        "list_s": LIST_SECONDS,
        "lazy": 0,
    }
    missed = [name for name, bound in bounds.items() if found[name] > bound]
    if options.json:
        print(json.dumps({**found, "bounds": bounds, "missed": missed}))
    else:
        for key, value in found.items():
            bound = f"  (at most {bounds[key]})" if key in bounds else ""
            print(f"{key:16} {value:>16,.4f}{bound}".replace(".0000", ""))
        print(f"missed: {', '.join(missed) or 'nothing'}")
    sys.exit(1 if missed else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("mirrors", nargs="+", metavar="MIRROR")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _pull(hub: PullServer, mirrors: list[Path], files: int) -> tuple[str, str]:
    """Join the mirrors, and open a pull request that changes so many files."""
    info = hub.repo / "objects/info"
    info.mkdir(exist_ok=True)
    (info / "alternates").write_text("".join(f"{m.resolve() / 'objects'}\n" for m in mirrors))
    heads = [_git(mirror, "rev-parse", "HEAD") for mirror in mirrors]
    trees = "".join(f"040000 tree {h}\tm{i}\n" for i, h in enumerate(_trees(hub, heads)))
    tree = hub.git("mktree", data=trees.encode())
    above = [part for head in heads for part in ("-p", head)]
    base = hub.git("commit-tree", "-m", "joined", *above, tree)
    listed = hub.git("ls-tree", "-r", base).splitlines()
    regular = [line for line in listed if line.startswith("100644 blob")]
    stream = "commit refs/heads/topic\ncommitter A <a@example.com> 1700000000 +0000\n"
    data = f"{stream}data 1\nx\nfrom {base}\n".encode()
    for line in regular[:: max(1, len(regular) // files)][:files]:
        head, _, path = line.partition("\t")
        blob = subprocess.run(
            ["git", "cat-file", "blob", head.split()[2]],
            cwd=hub.repo,
            env=GIT_ENV,
            capture_output=True,
            check=True,
        ).stdout
        blob += b"# changed\n"
        quoted = path if path.startswith('"') else json.dumps(path)
        data += f"M 100644 inline {quoted}\ndata {len(blob)}\n".encode() + blob + b"\n"
    hub.git("fast-import", "--quiet", "--force", data=data)
    head = hub.git("rev-parse", "refs/heads/topic")
    hub.git("update-ref", "-d", "refs/heads/topic")
    hub.pull(1, base, head)
    return base, head


def _trees(hub: PullServer, heads: list[str]) -> list[str]:
    return [hub.git("rev-parse", f"{head}^{{tree}}") for head in heads]


def _fetched(hub: PullServer, base: str, head: str, home: Path) -> dict[str, Any]:
    wanted = Wanted(Server(hub.web, f"{hub.web}/api/v3"), REPOSITORY, 1, base, head)
    import app.github.compare  # noqa: F401 - as an engine has, before its first review

    hub.sent, hub.served_s = 0, 0.0
    began = time.monotonic()
    done = checkout(wanted, lambda: None, home)
    with open_repo(done.repo) as repo:
        change = build_change(repo, done.base, done.head, done.start)
        with LocalObjects(repo, change, supply=RemoteBlobs(done.origin, lambda: False)) as objects:
            for file in change.files:
                objects.read(file.path)
            seconds = time.monotonic() - began
            connections, sent = _connections(hub), hub.sent
            began = time.monotonic()
            entries = objects.entries()
            listing = time.monotonic() - began
            lazy = _connections(hub) - connections
    return {
        "files": len(entries),
        "changed": len(change.files),
        "connections": connections,
        "lazy": lazy,
        "bytes": sent,
        "seconds": seconds,
        "server_s": hub.served_s,
        "list_s": listing,
    }


def _connections(hub: PullServer) -> int:
    return sum("info/refs" in seen.path or "/compare/" in seen.path for seen in hub.requests)


def _clone(hub: PullServer, place: Path) -> tuple[int, float]:
    hub.sent = 0
    began = time.monotonic()
    hub.git("clone", "--quiet", "--bare", f"{hub.web}/{REPOSITORY}.git", str(place))
    return hub.sent, time.monotonic() - began


def _git(repo: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=repo, capture_output=True, check=True)
    return done.stdout.decode().strip()


if __name__ == "__main__":
    main()
