"""`rlm config`: what holds for reviews of a repository, who said so, and whether its file is sound.

Offline, so without what an organisation says for all its repositories.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.objects import LocalObjects
from app.policy import at_base, read_guides, settled
from app.render.escape import cut, one_line
from app.settings import Settings, read_settings
from reviewer.change import Change
from reviewer.errors import RlmError
from reviewer.git import open_repo
from reviewer.model.prices import load
from reviewer.policy import FILE, NO_POLICY, Policy, json_schema
from reviewer.policy_file import MAX_BYTES, BadPolicy, parse
from reviewer.revisions import default_branch, resolve

EXIT_OK = 0
EXIT_BROKEN = 1

SHOWN_CHARACTERS = 100

_VARIABLES = {
    "effort": ("RLM_EFFORT", "effort"),
    "budget": ("RLM_BUDGET", "budget_usd"),
    "models.finder": ("RLM_MODEL", "model"),
    "models.cheap": ("RLM_CHEAP_MODEL", "own_cheap_model"),
}
"""Keys that the environment may decide: by which variable, which becomes which setting."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A file of one place: its bytes if there is one, and what it asks for or why it cannot."""

    raw: bytes | None
    policy: Policy = NO_POLICY
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"not used: {self.problem}"
        return "none" if self.raw is None else "sound"


def config_command(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show what holds for reviews of the repository; return 1 if its file is broken."""
    if options.schema:
        sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")
        return EXIT_OK
    settings = read_settings(environ)
    with open_repo(options.repo) as repo:
        branch = default_branch(repo)
        commit = branch or resolve(repo, "HEAD")
        with LocalObjects(repo, Change(commit, commit, commit, ())) as objects:
            read = at_base(objects)
            held = _held(lambda: read(FILE))
            guides = read_guides(read)
    where = "the remote's default branch" if branch else "HEAD"
    print(f"{FILE} at {commit[:12]}, {where}: {held}")
    done, not_used = settled(settings, held.policy, load(settings.prices))
    for key, value in _values(held.policy, done).items():
        shown = cut(one_line(value), SHOWN_CHARACTERS)
        print(f"  {key:<22}{shown:<30}  {_source(key, held.policy, settings, done)}")
    print(f"  {'guidance':<22}{', '.join(guides.names) or 'none'}")
    for note in (*not_used, *guides.notes):
        print(f"  {one_line(note)}")
    mine = _held(lambda: _of_work_tree(Path(options.repo)))
    if mine.raw != held.raw:
        print(f"{FILE} in the work tree, not in force yet: {mine}")
    return EXIT_BROKEN if held.problem or mine.problem else EXIT_OK


def _held(read: Callable[[], bytes | None]) -> _Held:
    raw = None
    try:
        raw = read()
        return _Held(raw, NO_POLICY if raw is None else parse(raw))
    except BadPolicy as error:
        return _Held(raw, problem=error.problem)
    except RlmError as error:
        return _Held(raw, problem=str(error))


def _of_work_tree(start: Path) -> bytes | None:
    """Return the file as it is being edited, no more of it than is needed to refuse it."""
    here = start.expanduser().resolve()
    top = next((one for one in (here, *here.parents) if (one / ".git").exists()), here)
    if not (top / FILE).is_file():
        return None
    with (top / FILE).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _values(policy: Policy, settings: Settings) -> dict[str, str]:
    """Return what holds, by key, as a person reads it; `settings` are settled."""
    texts = [f"{', '.join(one.paths)}: {one.text}" for one in policy.instructions]
    budget = settings.budget_usd
    return {
        "ignore": ", ".join(policy.ignore) or "nothing",
        "only": ", ".join(policy.only) or "every file",
        "instructions": "; ".join(texts) or "none",
        "thresholds.severity": policy.thresholds.severity.value,
        "thresholds.confidence": f"{policy.thresholds.confidence:g}",
        "comments.inline": str(policy.comments.inline),
        "comments.language": policy.comments.language or "en",
        "effort": settings.effort,
        "budget": "none" if budget is None else f"${budget:.2f}",
        "models.finder": settings.model,
        "models.cheap": settings.cheap_model,
        "checks": f"off: {', '.join(sorted(policy.off))}" if policy.off else "all on",
    }


def _source(key: str, policy: Policy, before: Settings, settled: Settings) -> str:
    """Say who decided on a key: the environment, the file, or nobody."""
    if key not in _VARIABLES:
        return FILE if policy.sets(key) else "default"
    variable, name = _VARIABLES[key]
    if getattr(before, name) != getattr(settled, name):
        return FILE
    return variable if variable in before.given else "default"
