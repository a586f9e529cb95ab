"""What judges that are not ours say of a package: mypy, and Python as it imports every module.

The contract detector is part of what is measured, so it cannot be the only one to say that a result
keeps its contracts. mypy checks the source and its tests together against what the package's
environment has, with no settings of the repository (they could name plugins, which are code), and
of what it reports those errors count that say a name, an argument or a module is not there. Python
imports each module of the source by itself. Both are asked before and after; what was said before,
of a name that a rename or a move of the plan has changed, too, is not new.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CODES = frozenset(
    {
        "abstract",
        "attr-defined",
        "call-arg",
        "call-overload",
        "import-not-found",
        "name-defined",
        "override",
        "syntax",
        "used-before-def",
    }
)
MYPY_S = 900
IMPORTS_S = 300

_ERROR = re.compile(r"^(?P<path>[^:\n]+):\d+: error: (?P<said>.*?)\s+\[(?P<code>[\w-]+)\]$", re.M)

_IMPORTER = """
import importlib, io, json, sys
from contextlib import redirect_stderr, redirect_stdout
failed = {}
for name in json.load(sys.stdin):
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            importlib.import_module(name)
    except BaseException as error:
        failed[name] = f"{type(error).__name__}: {error}"[:300]
print(json.dumps(failed))
"""


class Silent(RuntimeError):
    """A judge came to no end, so that nothing can be said by it."""


def judged(python: Path, clone: Path, source: str, cache: Path) -> Counter[str]:
    """Return what the judges say of the tree that is checked out, a line each; raise Silent.

    `python` is that of an environment with what the package needs, `source` the folder of its
    source in the clone, `cache` a folder of mypy's that lives as long as the comparison.
    """
    return _checked(python, clone, source, cache) + _imported(python, clone, source)


def new(before: Counter[str], after: Counter[str], names: Mapping[str, str]) -> list[str]:
    """Return what is said after and was not before; `names` are the old ones and the new."""
    known = Counter({_renamed(said, names): 0 for said in before})
    for said, many in before.items():
        known[_renamed(said, names)] += many
    return sorted((after - known).elements())


def names_of(plan: Mapping[str, Any], source: str) -> dict[str, str]:
    """Return the names that renames and moves of a plan change, by the old ones."""
    names = {one["symbol"].rpartition(".")[2]: one["to"] for one in plan["renames"]}
    for one in plan.get("module_moves", ()):
        names[_module(one["path"], source)] = _module(one["to"], source)
    return names


def _renamed(said: str, names: Mapping[str, str]) -> str:
    for old, now in names.items():
        said = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", now, said)
    return said


def _checked(python: Path, clone: Path, source: str, cache: Path) -> Counter[str]:
    """Return mypy's errors that count, without the line and the file that they stand in."""
    command = [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={cache}"]
    command += [f"--python-executable={python}", "--ignore-missing-imports"]
    command += ["--check-untyped-defs", "--namespace-packages", "--explicit-package-bases"]
    command += ["--no-error-summary", "--hide-error-context", "--show-error-codes"]
    command += ["--no-pretty", "--no-color-output"]
    command += [folder for folder in (source, "tests") if (clone / folder).is_dir()]
    environ = {**os.environ, "MYPYPATH": str(clone / source)}
    ended = _run(command, clone, environ, MYPY_S)
    if ended.returncode not in {0, 1}:
        raise Silent(f"mypy: {(ended.stdout + ended.stderr).strip()[-300:]}")
    found = _ERROR.finditer(ended.stdout)
    return Counter(f"mypy: {one['said']} [{one['code']}]" for one in found if one["code"] in CODES)


def _imported(python: Path, clone: Path, source: str) -> Counter[str]:
    """Return the modules that cannot be imported, and why."""
    root = clone / source
    paths = (path.relative_to(clone).as_posix() for path in sorted(root.rglob("*.py")))
    modules = [_module(path, source) for path in paths if not path.endswith("__main__.py")]
    environ = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python), "-c", _IMPORTER]
    ended = _run(command, clone, environ, IMPORTS_S, json.dumps(modules))
    if ended.returncode:
        raise Silent(f"imports: {ended.stderr.strip()[-300:]}")
    failed = json.loads(ended.stdout)
    return Counter(f"import of {name}: {why}" for name, why in failed.items())


def _module(path: str, source: str) -> str:
    """Return the dotted name of a file of the source."""
    parts = path.removeprefix(f"{source}/").removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _run(
    command: Sequence[str], clone: Path, environ: Mapping[str, str], most_s: int, text: str = ""
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=clone,
            env=environ,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=most_s,
        )
    except subprocess.TimeoutExpired as error:
        raise Silent(f"{command[2]}: no end within {most_s} s") from error
