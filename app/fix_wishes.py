"""Which findings of a pull request shall be closed: those of its newest complete review that stand.

The ids come from people, the findings from what that review came to, which the store has kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from app.commands import MAX_FINDINGS
from app.github.markers import short_id
from app.jobs import Wish
from app.render import words
from app.render.escape import markdown_code
from app.report import Report
from app.store import Store
from app.stored import read_stored
from reviewer.finding import Category, Finding

NO_REVIEW = (
    "There is no complete review of this pull request whose findings could be closed: "
    "`/rlm review` makes one."
)
NOTHING = "No finding of the newest review stands: there is nothing to close."
_NONE: Mapping[str, int] = MappingProxyType({})

NAMED = 30
"""Ids that are listed where one is not known."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Findings to be closed, the gravest first, of the review that a run has made.

    `said` is for whoever asked, as Markdown; "" where there is nothing to say.
    """

    review: str
    findings: tuple[str, ...]
    said: str = ""


def chosen(  # noqa: PLR0917
    store: Store,
    repository_id: int,
    number: int,
    names: Sequence[str] = (),
    thread: str = "",
    closed: Mapping[str, int] = _NONE,
) -> Chosen | str:
    """Return the findings that are meant, or why none is, as Markdown.

    `names` are ids as somebody wrote them; without, that of the `thread` (an id as a marker holds
    it); without both, all that stand: neither dismissed nor gone since, nor `closed` by an open
    pull request on top of this one, of which it has the number.
    """
    found = _newest(store, repository_id, number)
    if found is None:
        return NO_REVIEW
    review, every = found
    waived = {one.finding for one in store.dismissed(repository_id)}
    became = store.became(repository_id, number)

    def stands(one: Finding) -> bool:
        name = short_id(one.id)
        return name not in waived and became.get(name, "open") == "open"

    return picked(review, every, names, thread, stands=stands, closed=closed)


def picked(
    review: str,
    every: Sequence[Finding],
    names: Sequence[str] = (),
    thread: str = "",
    *,
    stands: Callable[[Finding], bool] = lambda _: True,
    closed: Mapping[str, int] = _NONE,
) -> Chosen | str:
    """Return which of a review's findings (`every`, the gravest first) are meant, or why none is.

    `names`, `thread` and `closed` as in `chosen`; `stands` says of which it is news to close them.
    """
    known = {name: one for one in every for name in _names(one)}
    wanted = list(dict.fromkeys(names)) or ([thread] if thread else [])
    if wanted:
        if unknown := [name for name in wanted if name not in known]:
            return _unknown(unknown[0], every, is_thread=not names)
        meant = list(dict.fromkeys(known[name].id for name in wanted))
        return Chosen(review, tuple(meant))
    standing = [one for one in every if one.category is not Category.SECRET and stands(one)]
    on_top = sorted({closed[one.id] for one in standing if one.id in closed})
    standing = [one for one in standing if one.id not in closed]
    if not standing and on_top:
        listed = ", ".join(f"#{one}" for one in on_top)
        return f"All that stands is closed in {listed} already: merge it, or `/rlm undo`."
    if not standing:
        return NOTHING
    ids = tuple(one.id for one in standing[:MAX_FINDINGS])
    said = ""
    if len(standing) > MAX_FINDINGS:
        said = (
            f"These are the gravest {MAX_FINDINGS} of {words.count(len(standing), 'finding')}: "
            "name the others by their ids, or ask again when these are merged."
        )
    return Chosen(review, ids, said)


def _newest(store: Store, repository_id: int, number: int) -> tuple[str, list[Finding]] | None:
    """Return the newest review of all of a pull request that read all of it, and its findings."""
    for run in store.runs_of(repository_id, number):
        if run.kind != "review" or run.state != "ended" or run.stop:
            continue
        if read_stored(Wish, run.request).paths or not (kept := store.result(run.id)):
            continue
        review = read_stored(Report, kept).review
        if review.status == "complete":
            return run.id, words.ranked(review.findings)
    return None


def _names(finding: Finding) -> list[str]:
    """Return the ids that mean a finding: its own and those of its places, as markers hold them."""
    ids = [finding.id, *(place.id for place in finding.places)]
    return [*ids, *map(short_id, ids)]


def _unknown(name: str, every: Sequence[Finding], *, is_thread: bool) -> str:
    if is_thread:
        return "The finding of this thread is none of the newest complete review."
    if not every:
        return f"There is no finding {markdown_code(name)}: the newest complete review has none."
    listed = ", ".join(markdown_code(one.id) for one in every[:NAMED])
    more = f", and {len(every) - NAMED} more" if every[NAMED:] else ""
    return (
        f"There is no finding {markdown_code(name)} in the newest complete review. It has: "
        f"{listed}{more}."
    )
