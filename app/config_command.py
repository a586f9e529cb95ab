"""`rlm config`: what holds for reviews of a repository, who said so, and whether its file is sound.

Offline, so without what an owner says for all repositories: that this is so is said, too.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from app.config_rows import rows
from app.github.urls import Server, repository_at
from app.guides import read_guides
from app.objects import LocalObjects
from app.policy import ORGANISATION, at_base, below_base, held, settled
from app.render.escape import cut, one_line
from app.settings import read_settings
from reviewer.change import Change
from reviewer.git import open_repo
from reviewer.model.prices import load
from reviewer.policy import FILE, json_schema
from reviewer.policy_file import MAX_BYTES
from reviewer.revisions import default_branch, resolve

EXIT_OK = 0
EXIT_BROKEN = 1

SHOWN_CHARACTERS = 100
OWNERS_SHOWN = 3


def config_command(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show what holds for reviews of the repository; return 1 if its file is broken."""
    if options.schema:
        sys.stdout.write(json.dumps(_schema(options.schema), indent=2) + "\n")
        return EXIT_OK
    settings = read_settings(environ)
    with open_repo(options.repo) as repo:
        branch = default_branch(repo)
        commit = branch or resolve(repo, "HEAD")
        with LocalObjects(repo, Change(commit, commit, commit, ())) as objects:
            read = at_base(objects)
            theirs = held(read)
            guides = read_guides(read, below_base(objects))
        owners = _owners(repo.remotes, settings.github)
    where = "the remote's default branch" if branch else "HEAD"
    print(f"{FILE} at {commit[:12]}, {where}: {theirs}")
    done, not_used = settled(settings, theirs.policy, load(settings.prices))
    for row in rows(theirs.policy, [(FILE, theirs.policy)], settings, done):
        shown = cut(one_line(row.value), SHOWN_CHARACTERS)
        print(f"  {row.key:<22}{shown:<30}  {row.source}")
    print(f"  {'guidance':<22}{', '.join(guides.names) or 'none'}")
    for note in (*not_used, *guides.notes):
        print(f"  {one_line(note)}")
    if owners:
        print(f"Not read, for this command is offline: {FILE} of {' or '.join(owners)}, beneath it")
    mine = held(partial(_of_work_tree, Path(options.repo)))
    if mine.raw != theirs.raw:
        print(f"{FILE} in the work tree, not in force yet: {mine}")
    return EXIT_BROKEN if theirs.problem or mine.problem else EXIT_OK


def _schema(name: str) -> dict[str, Any]:
    if name == "rlm.yml":
        return json_schema()
    from app.render.schemas import result_schema  # noqa: PLC0415 - nothing else needs the engines

    return result_schema(name)


def _owners(remotes: Sequence[str], server: Server) -> list[str]:
    """Return the repositories on GitHub that speak for the owners of these remotes."""
    found = (repository_at(remote, server) for remote in remotes)
    others = (owner for owner, name in filter(None, found) if name != ORGANISATION)
    return [f"{owner}/{ORGANISATION}" for owner in dict.fromkeys(others)][:OWNERS_SHOWN]


def _of_work_tree(start: Path, path: str) -> bytes | None:
    """Return the file as it is being edited, no more of it than is needed to refuse it."""
    here = start.expanduser().resolve()
    top = next((one for one in (here, *here.parents) if (one / ".git").exists()), here)
    if not (top / path).is_file():
        return None
    with (top / path).open("rb") as file:
        return file.read(MAX_BYTES + 1)
