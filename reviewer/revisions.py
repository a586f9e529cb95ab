"""Turn what a user typed, or did not type, into two commits.

Every answer is a pair of full object names (base, head). The review is always three-dot: what head
adds since it left base; `BASE..HEAD`, `BASE...HEAD` and a single `BASE` mean the same.
"""

import difflib
import re
import shlex

from reviewer.errors import TellUser
from reviewer.git import GitRepo
from reviewer.text import decode, encode, printable

CLOSE_NAMES = 3
NAMES_COMPARED = 5000
"""Repositories with 50,000 refs exist; comparing a typo with all of them takes seconds."""

SHOWN_CHARACTERS = 100

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

Pair = tuple[str, str]


def parse_range(repo: GitRepo, text: str) -> Pair:
    """Return (base, head) of `BASE..HEAD`, `BASE...HEAD` or `BASE`; a side left out is HEAD."""
    for dots in ("...", ".."):
        base, found, head = text.partition(dots)
        if found:
            return resolve(repo, base or "HEAD"), resolve(repo, head or "HEAD")
    return resolve(repo, text), resolve(repo, "HEAD")


def resolve(repo: GitRepo, text: str) -> str:
    """Return the full name of the commit that a revision names; TellUser if it names none."""
    # An option, or two lines where git reads one, is no revision; nor can an argument hold a NUL.
    if not text or text.startswith("-") or re.search(r"[\0\n]", text):
        raise TellUser(f"{_shown(text)} is not a revision.", "Type a range such as main..HEAD.")
    # First the name, then the peeling: "^{commit}" behind ":/words" would belong to the words.
    name = _parsed(repo, text)
    if name is None:
        raise _unknown(repo, text)
    commit = _parsed(repo, name + "^{commit}")
    if commit is not None:
        return commit
    if _parsed(repo, name + "^{object}") is None:
        raise TellUser(
            f"The commit {_shown(text)} is not in this repository.",
            f"Fetch it first: `git -C {_here(repo)} fetch origin {name}`.",
        )
    raise TellUser(f"{_shown(text)} is not a commit.", "Type a range of commits, as in main..HEAD.")


def is_commit(repo: GitRepo, text: str) -> bool:
    """Does a word name a commit, as a branch or a tag does?"""
    return bool(text) and _parsed(repo, text + "^{commit}") is not None


def has_path(repo: GitRepo, commit: str, path: str) -> bool:
    """Has a commit a file, a folder or a submodule of that path, from the root of the tree?"""
    path = path.removeprefix("./").rstrip("/")
    return path in {"", "."} or _parsed(repo, f"{commit}:{path}") is not None


def merge_bases(repo: GitRepo, base: str, head: str) -> list[str]:
    """Return the best common ancestors of two commits, the one that git would use first."""
    _, out = repo.run("merge-base", "--all", "--end-of-options", base, head, ok=(0, 1))
    return out.decode("ascii").split()


def default_range(repo: GitRepo) -> Pair:
    """Return what the current branch adds: to its upstream, else to the default branch.

    A branch that has been pushed adds nothing to its upstream; then the default branch counts. One
    that adds nothing to either is compared all the same: that its change is empty is an answer.
    """
    head = _parsed(repo, "HEAD^{commit}")
    if head is None:
        raise TellUser("The current branch has no commits yet.", "Commit something first.")
    known = [found for names in _bases(repo) if (found := _first(repo, names))]
    for base in known:
        if merge_bases(repo, base, head) != [head]:
            return base, head
    if known:
        return known[0], head
    if _parsed(repo, "HEAD~1^{commit}") is None:
        raise TellUser(
            "Nothing to review: the only commit here has none before it to compare with.",
            f"If there should be more, run `git -C {_here(repo)} fetch --unshallow`."
            if repo.is_shallow
            else "Commit a change, then type HEAD~1..HEAD.",
        )
    raise TellUser(
        "HEAD has no upstream, and there is no other main or master to compare it with.",
        "Type a range such as HEAD~1..HEAD.",
    )


def default_branch(repo: GitRepo) -> str | None:
    """Return the commit of the remote's default branch as it was last fetched, if there is one."""
    return _first(repo, _remote_defaults(repo))


def _remote_defaults(repo: GitRepo) -> list[str]:
    remotes = _lines(repo, "for-each-ref", "--format=%(refname)", "refs/remotes/*/HEAD")
    defaults = sorted(remotes, key=lambda name: name != "refs/remotes/origin/HEAD")
    # A clone made by hand (init, remote add, fetch) has no origin/HEAD.
    return [*defaults, "refs/remotes/origin/main", "refs/remotes/origin/master"]


def _bases(repo: GitRepo) -> tuple[list[str], list[str]]:
    """Return the names that the upstream may have, and those that the default branch may have."""
    defaults = _remote_defaults(repo)
    current = _lines(repo, "symbolic-ref", "--quiet", "HEAD")
    defaults += [name for name in ("refs/heads/main", "refs/heads/master") if [name] != current]
    return ["@{upstream}"], defaults


def _first(repo: GitRepo, names: list[str]) -> str | None:
    """Return the commit of the first name that is there."""
    return next((commit for name in names if (commit := _parsed(repo, name + "^{commit}"))), None)


def _parsed(repo: GitRepo, text: str) -> str | None:
    """Ask git for one object name; None if there is none, or more than one."""
    code, out = repo.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", encode(text), ok=(0, 1, 128)
    )
    name = out.decode("ascii", "replace").strip()
    return name if code == 0 and _SHA.fullmatch(name) else None


def _unknown(repo: GitRepo, text: str) -> TellUser:
    names = _lines(
        repo,
        "for-each-ref",
        f"--count={NAMES_COMPARED}",
        "--format=%(refname:short)",
        "refs/heads",
        "refs/remotes",
        "refs/tags",
    )
    close = difflib.get_close_matches(text, names, CLOSE_NAMES)
    hint = "See `git branch --all` and `git tag` for what there is."
    if close:
        hint = f"Did you mean {' or '.join(_shown(name) for name in close)}?"
    elif re.fullmatch(r"[0-9a-f]{4,}", text):
        hint = f"Fetch it (`git -C {_here(repo)} fetch`); if it is short, type more of it."
    return TellUser(f"{_shown(text)} names no commit of this repository.", hint)


def _lines(repo: GitRepo, *args: str) -> list[str]:
    _, out = repo.run(*args, ok=(0, 1))
    return decode(out).splitlines()


def _here(repo: GitRepo) -> str:
    return shlex.quote(printable(str(repo.path)))


def _shown(text: str) -> str:
    """Quote a user's text for a message: on one line, and not without end."""
    plain = printable(text)
    return repr(plain if len(plain) <= SHOWN_CHARACTERS else plain[:SHOWN_CHARACTERS] + "…")
