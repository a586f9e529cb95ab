"""What a repository asks of its reviews, read from where it can be trusted, and what it changes.

Guidance for paths comes from the tip of the base branch, but a file is set aside only if the merge
base of the change agrees: neither a branch that was cut long ago nor a rule that came since hides
anything alone. The files that tell people and tools about the project come from the merge base;
thresholds, checks and the like from the default branch; nothing from the head. A file that is
broken or cannot be had costs itself, with a note, and never the review.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from app.github.cache import Stopped
from app.github.errors import Limited, Unreachable
from app.github.origin import Origin
from app.guides import (
    MOST_GUIDES,
    PLACES,
    Below,
    Read,
    guides_among,
    is_guide,
    nested_for,
    nothing_below,
)
from app.objects import LocalObjects
from app.settings import Settings
from reviewer.change import Change
from reviewer.errors import RlmError
from reviewer.git import GitRepo
from reviewer.model.base import Usage
from reviewer.model.prices import Prices
from reviewer.policy import FILE, NO_POLICY, PUBLISHING_KEYS, TRIAL_KEYS, Policy
from reviewer.policy_file import BadPolicy, parse
from reviewer.ports import NoSuchFile, Objects
from reviewer.revisions import default_branch
from reviewer.text import decode

ORGANISATION = ".github"
"""The repository of an owner that speaks for all others."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where files of a repository can be read: the merge base, the tip of the base branch, the
    default branch, the repository that speaks for its owner. `below` lists those of the merge base,
    `nested` are places at which guidance for the folders of a change may stand.
    """

    start: Read
    tip: Read
    default: Read
    owner: Read
    owner_name: str = ""
    below: Below = nothing_below
    nested: Sequence[str] = ()


def sources_of(repo: GitRepo, change: Change, objects: Objects, origin: Origin | None) -> Sources:
    """Return the sources of a change: of a fetched pull request if it has an origin."""
    if origin is None:
        return of_range(repo, change, objects)
    return of_pull(repo, change.merge_base, objects, origin, _nested(change))


def _nested(change: Change) -> list[str]:
    return nested_for(name for file in change.files for name in file.names)


def nested_between(repo: GitRepo, start: str, head: str) -> list[str]:
    """Return where guidance for the folders of a change may stand that nobody has parsed yet."""
    args = ("-r", "-z", "--no-renames", "--name-only", start, head, "--")
    _, out = repo.run("diff-tree", *args)
    return nested_for(decode(name) for name in out.split(b"\0") if name)


def of_range(repo: GitRepo, change: Change, objects: Objects) -> Sources:
    """Return the sources of a change in a local repository.

    The default branch is its remote's as it was last fetched; without a remote the base stands in.
    """
    default = default_branch(repo) or change.base
    return Sources(
        at_base(objects),
        partial(_at, repo, change.base),
        partial(_at, repo, default),
        lambda _: None,
        below=below_base(objects),
        nested=_nested(change),
    )


def of_pull(
    repo: GitRepo, start: str, objects: Objects, origin: Origin, nested: Sequence[str] = ()
) -> Sources:
    """Return the sources of a fetched pull request; what is at its start is brought at once.

    The base is not among the commits that were fetched: the API is asked, if it is not the start.
    """
    _bring(repo, start, objects, nested)
    wanted = origin.wanted
    owner = wanted.repository.partition("/")[0]

    def tip(path: str) -> bytes | None:
        from app.github.contents import read_file  # noqa: PLC0415 loads PyGithub

        return read_file(wanted.server, wanted.repository, path, origin.token(), at=wanted.base)

    def default(path: str) -> bytes | None:
        from app.github.contents import read_file  # noqa: PLC0415 loads PyGithub

        return read_file(wanted.server, wanted.repository, path, origin.token())

    def owners(path: str) -> bytes | None:
        from app.github.contents import read_file  # noqa: PLC0415 loads PyGithub
        from app.github.errors import Forbidden  # noqa: PLC0415

        if wanted.repository == f"{owner}/{ORGANISATION}":
            return None  # that is the default branch's
        try:
            return read_file(wanted.server, f"{owner}/{ORGANISATION}", path, origin.token())
        except Forbidden:  # a token for one repository
            return None

    read = at_base(objects)
    return Sources(
        read,
        read if wanted.base == start else tip,
        default,
        owners,
        f"{owner}/{ORGANISATION}",
        below_base(objects),
        nested,
    )


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a repository asks for, and `notes` on what of it is not used.

    `before` is what the merge base asked for, None where it sets the same files aside. `layers` are
    what `policy` was laid together from, by where each comes from, the strongest first.
    """

    policy: Policy
    before: Policy | None = None
    notes: tuple[str, ...] = ()
    layers: tuple[tuple[str, Policy], ...] = ()


def read_policy(sources: Sources) -> Wishes:
    """Return what is asked for, from each source what may come from there."""
    tip, start, default = own = (held(sources.tip), held(sources.start), held(sources.default))
    owner = held(sources.owner)
    everywhere = tip == start == default
    places = (" of the base", " of the merge base", " of the default branch")
    notes = [
        f"{FILE}{'' if everywhere else places[own.index(one)]} was not used: {one.problem}"
        for one in dict.fromkeys(own)
        if one.problem
    ]
    if owner.problem:
        notes.append(f"{FILE} of {sources.owner_name} was not used: {owner.problem}")

    # What is run is for each repository to say: what tests one of them is nothing for the others.
    owner = replace(owner, policy=owner.policy.without(TRIAL_KEYS))
    ends = [one.policy for one in (tip, start) if not one.problem] or [NO_POLICY]
    # A default branch's that is broken would take every cap and threshold with it: the base's hold.
    mine = default.policy.with_paths_of(ends[0])
    if default.problem:
        mine = ends[0].without(PUBLISHING_KEYS)
        # It may have said no: that its owner said yes for all repositories is no yes here.
        owner = replace(owner, policy=owner.policy.without(("write",)))
    before = ends[-1].over(owner.policy)
    policy = mine.over(owner.policy)
    same = (policy.ignore, policy.only) == (before.ignore, before.only)
    layers = ((FILE, mine), (sources.owner_name, owner.policy))
    return Wishes(policy, None if same else before, tuple(notes), layers)


def settled(
    settings: Settings, policy: Policy, prices: Prices, *, lowers: bool = True
) -> tuple[Settings, list[str]]:
    """Return the settings with what they leave open as the repository wants it, and notes.

    What is set stays, except that a budget is lowered where `lowers` allows it.
    """
    update: dict[str, object] = {}
    notes: list[str] = []
    if policy.effort is not None and "RLM_EFFORT" not in settings.given:
        update["effort"] = policy.effort
    wishes = (
        ("finder", policy.models.finder, "RLM_MODEL", "model"),
        ("cheap", policy.models.cheap, "RLM_CHEAP_MODEL", "own_cheap_model"),
    )
    for key, name, variable, setting in wishes:
        if name is None or variable in settings.given:
            continue
        if _is_priced(name, prices):
            update[setting] = name
        else:
            notes.append(f"`models.{key}` of {FILE} was not used: the price of {name} is unknown.")
    done = settings.model_copy(update=update)
    budget = policy.budget
    if budget is None or not lowers or (done.budget_usd is not None and budget >= done.budget_usd):
        return done, notes
    if budget > 0 and not _is_priced(done.model, prices):
        notes.append(f"`budget` of {FILE} was not used: the price of {done.model} is unknown.")
        return done, notes
    return done.model_copy(update={"budget_usd": budget}), notes


def edits(change: Change, *, guided: bool) -> list[str]:
    """Say so if the change edits what its own review is made under: the repository's file, and
    where a model is `guided` by them, the files that tell about the project.
    """
    touched = {name for file in change.files for name in file.names}
    edited = [*([FILE] if FILE in touched else []), *(guides_among(touched) if guided else [])]
    if not edited:
        return []
    return [
        f"This change edits {', '.join(edited)}: that takes effect when it is merged, and this "
        "review was made under what stood there before."
    ]


def _is_priced(name: str, prices: Prices) -> bool:
    return prices.cost(name, Usage()) is not None


@dataclass(frozen=True, slots=True)
class Held:
    """A file of one place: its bytes if there is one, and what it asks for or why it cannot."""

    raw: bytes | None
    policy: Policy = field(default=NO_POLICY, compare=False)
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"not used: {self.problem}"
        return "none" if self.raw is None else "sound"


def held(read: Read) -> Held:
    """Read and parse a file; what will be there later is waited for: without it no cap holds."""
    raw = None
    try:
        raw = read(FILE)
        return Held(raw, NO_POLICY if raw is None else parse(raw))
    except (Stopped, Limited, Unreachable):
        raise
    except BadPolicy as error:
        return Held(raw, problem=error.problem)
    except RlmError as error:
        return Held(raw, problem=str(error))


def at_base(objects: Objects) -> Read:
    """Return what reads files of a merge base."""

    def read(path: str) -> bytes | None:
        try:
            return objects.read(path, "base")
        except NoSuchFile:
            return None

    return read


def below_base(objects: Objects) -> Below:
    """Return what lists files of a merge base."""

    def below(folder: str) -> Sequence[str]:
        try:
            return [entry.path for entry in objects.entries(folder, "base")]
        except NoSuchFile:
            return ()

    return below


def _at(repo: GitRepo, commit: str, path: str) -> bytes | None:
    with LocalObjects(repo, Change(commit, commit, commit, ())) as objects:
        return at_base(objects)(path)


def _bring(repo: GitRepo, commit: str, objects: Objects, nested: Sequence[str]) -> None:
    """Have here what is about to be read, in one connection; what cannot be had is met again."""
    try:
        paths = (FILE, *PLACES, *(f":(literal){path}" for path in nested))
        _, out = repo.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths)
        rows = [line.partition(b"\t") for line in out.split(b"\0") if line]
        named = [(head.split(b" "), decode(path)) for head, _, path in rows]
        wanted = [entry for entry, path in named if path == FILE or is_guide(path)]
        blobs = [sha.decode() for _, kind, sha in wanted if kind == b"blob"]
        objects.prefetch(blobs[: 1 + MOST_GUIDES])
    except Stopped:
        raise
    except RlmError:
        return
