"""What a command that makes commits has in common with others: before, and what is written.

What could not be written in the end is refused before anything is paid.
"""

import sys
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from app.accounts import Account, secrets_of
from app.defaults import NO_KEY
from app.engine import decide
from app.objects import LocalObjects
from app.plumbing import Author, Plumbing, author_of
from app.policy import sources_of
from app.review_command import Say, chosen
from app.settings import Settings
from app.worktree import apply, work_tree
from reviewer.change import Change
from reviewer.errors import GiveUp, TellUser
from reviewer.git import GitRepo
from reviewer.gitdir import find
from reviewer.model.prices import Prices
from reviewer.refactor.patch import Patch
from reviewer.request import ReviewRequest
from reviewer.revisions import resolve
from reviewer.text import printable

ADDS_A_SECRET = (
    "What tools report of the result says where. Run it again with other words, so that it needs "
    "none; --partial makes no difference."
)


def checked(options: Namespace, environ: Mapping[str, str], repo: GitRepo) -> Author | None:
    """Refuse now what could not be written in the end; return who commits."""
    git_dir = find(Path(options.repo)).own
    author = author_of(git_dir, environ)
    if options.apply:
        work_tree(options.repo)
    if options.branch is not None:
        _reference(options.branch, git_dir, repo)
        if author is None:
            raise TellUser(
                "git does not know who you are, and commits need a name.",
                "Set user.name and user.email: git config --global user.name ...",
            )
    return author


def _reference(name: str, git_dir: Path, repo: GitRepo) -> str:
    """Return the full name of a branch that does not exist yet; TellUser for any other name."""
    full = f"refs/heads/{name}"
    try:
        if name.startswith("-") or name == "HEAD" or not name.isprintable():
            raise GiveUp("no name")
        Plumbing(git_dir).run("check-ref-format", full)
    except GiveUp as error:
        raise TellUser(
            f"{printable(name)!r} is no name of a branch.", "Give another one to --branch."
        ) from error
    code, _ = repo.run("show-ref", "--verify", "--quiet", full, ok=(0, 1))
    if code == 0:
        raise TellUser(
            f"There is a branch {name} already.",
            f"Give another name to --branch, or remove it: git branch -D {name}",
        )
    return full


def asked_model(  # noqa: PLR0917
    options: Namespace,
    settings: Settings,
    prices: Prices,
    repo: GitRepo,
    change: Change,
    what: str,
) -> tuple[str, ReviewRequest]:
    """Return the model, and caps and guidelines as they are settled; TellUser without a model.

    `what` needs one: "A refactoring".
    """
    with LocalObjects(repo, change) as objects:
        plan = decide(
            settings,
            sources_of(repo, change, objects, None),
            prices,
            lambda settled: chosen(options, settled, prices),
            seconds=options.deadline,
            lowers=options.budget is None,
        )
    asked = plan.request
    if asked.model is None:
        if plan.notes[:1] == (NO_KEY,):
            raise TellUser(
                f"{what} needs a model, and no key is configured (ANTHROPIC_API_KEY).",
                "`rlm doctor` says how to get one.",
            )
        raise TellUser(f"{what} needs a model, and the budget is $0.", "Give --budget USD.")
    return asked.model, asked


def write(  # noqa: PLR0917
    options: Namespace,
    repo: GitRepo,
    patch: Patch,
    author: Author | None,
    say: Say,
    account: Account,
    *,
    withheld: bool,
) -> None:
    """Write the patch where the user wants it; say what was written, or how it can be.

    `withheld`: only with --partial. What would add a secret is written nowhere, whatever the user
    wants.
    """
    wanted = options.apply or options.branch
    if secrets_of(account):
        if wanted or options.format == "patch":
            raise TellUser("Nothing was written: the result would add a secret.", ADDS_A_SECRET)
        say(f"the result would add a secret, and is written nowhere. {ADDS_A_SECRET}")
        return
    if not patch.commits:
        if wanted:
            say("nothing was written: there is no commit")
        return
    if wanted and withheld and not options.partial:
        raise TellUser(
            "Nothing was written: the result is partial.",
            "Look at it, and run it again with --partial to have it all the same; what was "
            "answered is kept and not paid again.",
        )
    if options.branch is not None and author is not None:
        git_dir = find(Path(options.repo)).own
        full = _reference(options.branch, git_dir, repo)
        plumbing = Plumbing(git_dir)
        names = plumbing.commits(patch.start, patch.commits, author)
        try:
            plumbing.create(full, names[-1])
        except GiveUp as error:
            raise TellUser(
                f"The branch {options.branch} could not be made: {error}",
                "Give another name to --branch.",
            ) from error
        many = "commit" if len(names) == 1 else "commits"
        say(f"branch {options.branch}: {len(names)} {many} on {patch.start[:10]}")
    elif options.apply:
        paths = apply(patch, options.repo)
        many = "file" if len(paths) == 1 else "files"
        say(f"{len(paths)} {many} changed in the work tree; nothing is staged")
    elif options.format == "text":
        more = " --partial" if withheld else ""
        paid = "" if options.fresh else "; what was answered is kept and not paid again"
        say(f"nothing was written: add --branch NAME{more}, --apply{more} or --format patch{paid}")


def head_of(repo: GitRepo) -> str:
    """Return the commit to work on; TellUser where there is none yet."""
    try:
        return resolve(repo, "HEAD")
    except TellUser as error:
        hint = "Commit first: the work begins at the last commit."
        raise TellUser("This repository has no commit yet.", hint) from error


def where(options: Namespace) -> str:
    """Return the name of the folder that the repository is in."""
    here = Path(options.repo).resolve()
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), here).name


def say_it(line: str) -> None:
    """Write a line to standard error."""
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")


def be_silent(_line: str) -> None:
    """Write nothing."""
