"""Where functions of real repositories are used, by language servers: the truth for recall.

    python -m benchmarks.context_truth --repos '/mirrors/{owner}/{name}.git' [OWNER/NAME...]

pyright for Python, tsserver for TypeScript, gopls for Go, each over a tree of its own, with a
sample that `context_sample` draws. The result is kept under --cache, with the commit that it is of,
and is built anew only for another commit or sample. --peers names the folder of the servers.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.context_repos import (
    Repo,
    add_arguments,
    check_out,
    chosen,
    file_of,
    git_dir,
    git_text,
)
from benchmarks.context_sample import AMBIGUOUS, MANY, RANDOM, SEED, Named, Source, draw, sources
from benchmarks.context_servers import Dead, LanguageServer, Place, TypeScriptServer

BUDGET_S = 330.0
"""For all questions about one repository: the sample is cut short, never a question's answer."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--peers", type=Path, default=Path(".make/peers"))
    options = parser.parse_args()
    for repo in chosen(options):
        git, kept = git_dir(options, repo), file_of(options, repo, "truth")
        sha = git_text(git, "rev-parse", "HEAD")
        key = {"repo": repo.name, "sha": sha, "drawn": [SEED, RANDOM, AMBIGUOUS]}
        known = json.loads(kept.read_text()) if kept.exists() else {}
        if all(known.get(name) == value for name, value in key.items()):
            print(f"{repo.name}: known", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder, repo.name.replace("/", "+"))
            check_out(git, sha, repo.language, tree)
            found = build(repo, tree, options.peers.absolute())
        kept.write_text(json.dumps({**key, **found}, indent=1))
        print(f"{repo.name}: {found['summary']}", flush=True)


def build(repo: Repo, tree: Path, peers: Path) -> dict[str, Any]:
    """Ask the language's server about a sample of a tree's functions."""
    found = sources(tree, repo.language)
    sample = draw(found)
    at = {(one.path, one.line) for source in found.values() for one in source.definitions}
    began = time.monotonic()
    server, version = start(repo, tree, peers)
    ready_s = time.monotonic() - began
    rows: list[dict[str, Any]] = []
    times: list[float] = []
    unknown = late = 0
    try:
        for drawn in sample:
            one = drawn[0]
            if time.monotonic() - began > BUDGET_S:
                break
            asked = time.monotonic()
            try:
                places = server.references(one.path, one.line, one.column)
            except Dead as error:
                late += 1
                if "ended" in str(error):
                    raise
                continue
            times.append(time.monotonic() - asked)
            if places is None:
                unknown += 1
                continue
            rows.append(row(drawn, places, found, at))
        peak = server.process.peak_mb()
    finally:
        server.process.close()
    times.sort()
    summary = {
        "asked": len(sample),
        "answered": len(rows),
        "unknown": unknown,
        "late": late,
        "with_uses": sum(bool(one["uses"]) for one in rows),
        "uses": sum(len(one["uses"]) for one in rows),
        "many_definitions": sum(one["definitions"] > MANY and bool(one["uses"]) for one in rows),
        "methods": sum(one["kind"] == "method" for one in rows),
        "files": len(found),
        "server": version,
        "ready_s": round(ready_s, 1),
        "p50_s": round(times[len(times) // 2], 3) if times else 0,
        "p95_s": round(times[int(len(times) * 0.95)], 3) if times else 0,
        "peak_mb": round(peak),
    }
    return {"summary": summary, "functions": rows}


def row(
    drawn: tuple[Named, int, bool],
    places: list[Place],
    found: dict[str, Source],
    definitions: set[Place],
) -> dict[str, Any]:
    """Return one function of the result: its uses, apart from imports and other definitions."""
    one, count, is_random = drawn
    own = (one.path, one.line)
    distinct = sorted(set(places) - {own})
    imports = [
        place
        for place in distinct
        if place[0] in found and place[1] in found[place[0]].import_lines
    ]
    # A server counts the declarations that a method overrides, or that override it, as references.
    others = [place for place in distinct if place in definitions and place not in imports]
    uses = [place for place in distinct if place not in imports and place not in others]
    return {
        "name": one.name,
        "path": one.path,
        "line": one.line,
        "column": one.column,
        "kind": one.kind,
        "scope": one.scope,
        "definitions": count,
        "random": is_random,
        "uses": uses,
        "imports": imports,
        "declarations": others,
    }


def start(repo: Repo, tree: Path, peers: Path) -> tuple[LanguageServer | TypeScriptServer, str]:
    """Start the server of a repository's language in its tree, and wait until it has read that."""
    modules = peers / "node" / "node_modules"
    if repo.language == "typescript":
        _one_project(tree, repo.settings)
        program = modules / "typescript" / "lib" / "tsserver.js"
        options = ["--disableAutomaticTypingAcquisition", "--suppressDiagnosticEvents"]
        command = ["node", "--max-old-space-size=6000", str(program), *options]
        return TypeScriptServer(command, tree), f"tsserver {_npm_version(modules / 'typescript')}"
    if repo.language == "python":
        roots = [str(tree / root) for root in repo.roots]
        # Of the tree's own settings nothing counts: they leave files out.
        (tree / "pyrightconfig.json").write_text(json.dumps({"extraPaths": roots}))
        python = str(peers / "python" / "bin" / "python")
        settings = {
            "python": {
                "pythonPath": python,
                "analysis": {"typeCheckingMode": "off", "diagnosticMode": "openFilesOnly"},
            }
        }
        command = ["node", str(modules / "pyright" / "langserver.index.js"), "--stdio"]
        server = LanguageServer(
            command,
            tree,
            env={},
            settings=settings,
            is_ready=_pyright_ready,
            language="python",
        )
        return server, f"pyright {_npm_version(modules / 'pyright')}"
    return _start_gopls(tree, peers / "go" / "usr")


def _one_project(tree: Path, settings: str) -> None:
    """Make all of a tree one project: by the tree's own ones a function is not used in tests."""
    for file in list(tree.rglob("tsconfig.json")) + list(tree.rglob("jsconfig.json")):
        if file.parent != tree:
            file.unlink()
    kept = tree / "tsconfig.own.json"
    (tree / settings).rename(kept)
    ours = {
        "extends": f"./{kept.name}",
        "files": [],
        "include": ["**/*"],
        "exclude": ["**/node_modules"],
        "references": [],
        "compilerOptions": {"composite": False, "incremental": False, "rootDir": "."},
    }
    (tree / "tsconfig.json").write_text(json.dumps(ours))


def _start_gopls(tree: Path, usr: Path) -> tuple[LanguageServer, str]:
    go = next(usr.glob("lib/go-*/bin"))
    env = {
        "PATH": f"{go}:{os.environ['PATH']}",
        "GOROOT": str(go.parent),
        "GOPATH": str(tree.parent / "gopath"),
        "GOCACHE": str(tree.parent / "gocache"),
        "XDG_CACHE_HOME": str(tree.parent / "cache"),
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-mod=mod -e",
        "GOMAXPROCS": "2",
    }
    program = str(usr / "bin" / "gopls")
    server = LanguageServer(
        [program, "serve"], tree, env=env, settings={}, is_ready=_gopls_ready, language="go"
    )
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    go_said = subprocess.run([go / "go", "version"], capture_output=True, text=True, check=True)
    return server, f"gopls {said.split()[-1]}, {go_said.stdout.strip()}"


def _pyright_ready(message: dict[str, Any]) -> bool:
    said = str(message.get("params", {}).get("message", ""))
    return message.get("method") == "window/logMessage" and bool(
        re.search(r"Found \d+ source files?|No source files", said)
    )


def _gopls_ready(message: dict[str, Any]) -> bool:
    value = message.get("params", {}).get("value", {}) if "method" in message else {}
    return isinstance(value, dict) and value.get("kind") == "end"


def _npm_version(folder: Path) -> str:
    return str(json.loads((folder / "package.json").read_text())["version"])


if __name__ == "__main__":
    sys.exit(main())
