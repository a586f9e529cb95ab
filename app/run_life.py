"""How a run begins, why it is stopped, and which pull request it is about: for the github role."""

import logging
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager

from app.github.client import Hub
from app.github.earlier import earlier_of
from app.github.promises import promise_of
from app.github.pulls import Pull, pull_at
from app.jobs import Handed, Look, Queued, Rerun, Wish, step
from app.store import OPEN, REVIEW, NewRun, Run, Store

log = logging.getLogger(__name__)

SUPERSEDED = "a newer review of this pull request took its place"
CLOSED = "the pull request was closed"
DRAFTED = "the pull request became a draft"

Connect = Callable[[int, int], AbstractContextManager[Hub]]
"""Opens GitHub as the App sees it through an installation, for one repository (by its ids)."""

Begin = Callable[[Hub, int, Pull, str, Wish], None]
"""Begins a run of an installation over a pull request, once for its origin, as wished."""


def begin(  # noqa: PLR0917
    store: Store, key: bytes, hub: Hub, installation: int, pull: Pull, origin: str, wish: Wish
) -> None:
    """Begin a run about the head of a pull request, once for its origin; a review takes the place
    of the one that is under way. `key` signs our markers.
    """
    is_review = wish.kind == "review"
    if is_review:
        heard = {"promise": promise_of(hub, pull), "earlier": earlier_of(hub, pull, key)}
        wish = wish.model_copy(update=heard)
    run = NewRun(
        id=secrets.token_hex(8),
        installation=installation,
        repository_id=pull.repository_id,
        repository=pull.repository,
        number=pull.url.number,
        origin=origin,
        request=wish.model_dump_json(),
        base=pull.base,
        head=pull.head,
        kind=wish.kind,
    )
    # An answer takes no review's place and has no check run. A review does not wait for its
    # own: a second lies between two writes of an installation.
    first, beside = step(REVIEW, run), step(OPEN, run) if is_review else None
    # What mends a branch of ours is bound to that one, and has its own bounds.
    only_one = wish.task == "fix" and not wish.stacked
    where = f"{run.repository}#{run.number}"
    others = SUPERSEDED if is_review else ""
    if store.begin(run, first, others, beside=beside, only_one=only_one):
        log.info("run begins", extra={"run": run.id, "pull": where, "trigger": wish.trigger})
    elif store.is_gone(installation):
        log.warning(
            "nothing begun: the installation was forgotten",
            extra={"installation": installation, "pull": where},
        )


def goes_on(run: Run) -> bool:
    """Is a run under way, with no result, no problem, and nobody who has stopped it?"""
    return run.state == "open" and not (run.stop or run.report or run.problem)


def its_pull(hub: Hub, place: Look | Handed | Rerun | Queued, number: int) -> Pull | None:
    """Return a pull request of this very repository; None for one that only has its old name."""
    pull = pull_at(hub, place.repository, number)
    return pull if pull is not None and pull.repository_id == place.repository_id else None
