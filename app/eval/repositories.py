"""Where the commits of a case are: a repository on this disk, made or fetched if need be.

What a dataset names decides no option and no protocol: an address is https, without a token, and
git runs with nobody's configuration. A repository on this disk lies in the dataset's folder, or in
one that whoever runs the evaluation has allowed. What is there already is not fetched again.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.eval.cases import Case, Made, checked, read_lines
from app.eval.recipes import HEAD, Cooked, cook, script
from app.eval.reverted import FIX, Git, Reverted, take_back
from app.github.transport import environment
from app.github.urls import Server
from reviewer.errors import TellUser
from reviewer.git import open_repo
from reviewer.gitdir import find
from reviewer.revisions import resolve
from reviewer.text import printable

REPOSITORIES = "repositories"
"""Under the evaluation's folder: what was made and fetched."""

RECIPES = "cases"
"""Of a dataset that is a folder: where its recipes are."""

TIMEOUT_S = 1_800.0
SAID_CHARS = 500

_FILE = Server("file://", "")


@dataclass(frozen=True)
class Entry:
    """A case as the dataset has it. `where` says so, for messages."""

    case: Case
    where: str
    folder: Path
    cooked: Cooked | None = None
    reverted: Reverted | None = None


@dataclass(frozen=True)
class Ready:
    """A case that can be reviewed: its repository and the full names of its two commits."""

    case: Case
    repo: Path
    base: str
    head: str


def entries(dataset: Path) -> list[Entry]:
    """Return the cases of a JSONL file, or of a folder of recipes; TellUser says what is wrong."""
    if dataset.is_dir():
        paths = sorted((dataset / RECIPES).glob("*.toml"))
        if not paths:
            raise TellUser(
                f"{dataset} has no recipes: there is no {RECIPES}/*.toml",
                "Name a JSONL file, or a folder like evaluation/.",
            )
        found = [_cooked(path, dataset) for path in paths]
    elif dataset.is_file():
        found = [_entry(value, where, dataset.parent) for where, value in read_lines(dataset)]
    else:
        raise TellUser(f"There is no dataset {dataset}", "Name a JSONL file or a folder.")
    seen: dict[str, str] = {}
    for entry in found:
        if (earlier := seen.setdefault(entry.case.id, entry.where)) != entry.where:
            raise TellUser(
                f"{entry.where}: the id {entry.case.id} is that of {earlier}, too",
                "Give each case an id of its own.",
            )
    return found


def ready(entry: Entry, out: Path, allowed: Sequence[Path] = ()) -> Ready:
    """Make or fetch what a case needs and find its commits; TellUser says where it went wrong.

    A local repository lies in the dataset's folder, or in one of `allowed`.
    """
    case = entry.case
    repo = _repository(entry, out / REPOSITORIES, allowed)
    try:
        with open_repo(repo) as opened:
            return Ready(case, repo, resolve(opened, case.base), resolve(opened, case.head))
    except TellUser as error:
        raise TellUser(f"{entry.where}: {error.problem}", error.hint) from error


def _entry(value: object, where: str, folder: Path) -> Entry:
    keys = value.keys() if isinstance(value, dict) else ()
    if "recipe" in keys:
        return _cooked(folder / checked(Made, value, where).recipe, folder)
    if "reverts" in keys:
        reverted = checked(Reverted, value, where)
        return Entry(reverted.case, where, folder, reverted=reverted)
    return Entry(checked(Case, value, where), where, folder)


def _cooked(path: Path, folder: Path) -> Entry:
    cooked = cook(path)
    return Entry(cooked.case, str(path), folder, cooked)


def _repository(entry: Entry, cache: Path, allowed: Sequence[Path]) -> Path:
    case = entry.case
    if entry.cooked is not None:
        return _made(cache / entry.cooked.digest, ["fast-import", "--quiet"], script(entry.cooked))
    if entry.reverted is not None:
        return _taken_back(entry, entry.reverted, cache, allowed)
    if case.bundle is not None:
        bundle = _bundle(entry, case.bundle)
        name = hashlib.sha256(bundle.read_bytes()).hexdigest()[:32]
        return _made(cache / name, [*_FETCH, str(bundle), "+refs/*:refs/*"])
    named = case.repository or ""
    if not case.is_remote:
        return _local(entry, named, allowed)
    server = _server(entry, named)
    key = "\n".join((named, case.base, case.head))
    place = cache / hashlib.sha256(key.encode()).hexdigest()[:32]
    refs = [f"+{name}:refs/rlm/{number}" for number, name in enumerate((case.base, case.head))]
    return _made(place, [*_FETCH, named, *refs], server=server)


def _taken_back(entry: Entry, reverted: Reverted, cache: Path, allowed: Sequence[Path]) -> Path:
    """Fetch a fix with what it stands on, and make the commits that take it back."""
    named, server = reverted.repository, _FILE
    if "://" in named:
        server = _server(entry, named)
    else:
        named = str(_local(entry, named, allowed))
    fetch = [*_FETCH, named, f"+{reverted.reverts}:{FIX}"]

    def then(git: Git) -> None:
        take_back(reverted, git)

    try:
        return _made(cache / reverted.digest, fetch, server=server, then=then)
    except TellUser as error:
        raise TellUser(f"{entry.where}: {error.problem}", error.hint) from error


def _server(entry: Entry, named: str) -> Server:
    if re.fullmatch(r"https://[^@\s/]+/\S+", named) is None:
        raise TellUser(f"{entry.where}: not an https address without a login: {named}")
    return Server(named, "")


def _local(entry: Entry, named: str, allowed: Sequence[Path]) -> Path:
    """Return a repository on this disk, if all of it lies where a dataset may look.

    A path, a link, a `.git` file and the search for a repository around a folder can all lead out.
    """
    inside = [folder.resolve() for folder in (entry.folder, *allowed)]
    try:
        path = (entry.folder / Path(named).expanduser()).resolve()
        _check_inside(path, inside)
        git_dir = find(path)
        for part in (git_dir.own, git_dir.common, git_dir.common / "objects"):
            _check_inside(part.resolve(), inside)
    except TellUser as error:
        raise TellUser(f"{entry.where}: {error.problem}", error.hint) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise TellUser(f"{entry.where}: {printable(named)}: {error}") from error
    return path


def _check_inside(path: Path, folders: Sequence[Path]) -> None:
    if not any(path.is_relative_to(folder) for folder in folders):
        raise TellUser(
            f"{printable(str(path))} is not in the dataset's folder",
            "If you trust the dataset to read it, name a folder around it in RLM_REPOSITORIES.",
        )


_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-write-fetch-head",
    "--end-of-options",
)


def _bundle(entry: Entry, name: str) -> Path:
    path = (entry.folder / name).resolve()
    if not path.is_file() or not path.is_relative_to(entry.folder.resolve()):
        raise TellUser(f"{entry.where}: bundle: there is no file {name} beside it")
    return path


def _made(
    place: Path,
    command: Sequence[str],
    given: bytes = b"",
    *,
    server: Server = _FILE,
    then: Callable[[Git], None] | None = None,
) -> Path:
    """Fill a bare repository by one command, and what comes `then`; it appears under its name when
    it is whole."""
    if place.is_dir():
        return place
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place.parent) as folder:
        made, home = Path(folder) / "made", Path(folder) / "home"
        home.mkdir()
        env = environment(server, None, home, os.environ) | {"GIT_DEFAULT_HASH": "sha1"}
        start = ("init", "--quiet", "--bare", "--template=", f"--initial-branch={HEAD}", str(made))
        _git(start, env)
        env |= {"GIT_DIR": str(made), "GIT_LITERAL_PATHSPECS": "1"}
        _git(command, env, given)
        if then is not None:
            index = env | {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            then(lambda arguments, text: _git(arguments, index, text))
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
    return place


def _git(command: Sequence[str], env: dict[str, str], given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", *command],
            cwd=os.sep,
            env=env,
            input=given,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TellUser(f"git {command[0]} took longer than {TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        said = printable(done.stderr.decode("utf-8", "surrogateescape")).strip()
        raise TellUser(f"git {command[0]} failed: {said[:SAID_CHARS]}", "Look at what it names.")
    return done.stdout
