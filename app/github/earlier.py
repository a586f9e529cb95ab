"""What we said of a pull request, as its next review is told: our signed comments at lines."""

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from app.github.client import Hub
from app.github.markers import Seal
from app.github.pulls import Pull
from app.github.remarks import Remark
from app.github.reviews import Reviews
from app.render.comment import claim_of
from reviewer.errors import RlmError
from reviewer.request import MOST_EARLIER, Earlier

log = logging.getLogger(__name__)


def earlier_of(hub: Hub, pull: Pull, key: bytes) -> tuple[Earlier, ...]:
    """Return what our comments at lines say that stand there, the newest first and so many.

    Those that `key` signs alone, dismissed and resolved ones too; none that was mended since, and
    none that is grave. What cannot be read is no reason to wait: what is known by words alone is
    known all the same.
    """
    number = pull.url.number
    seal = Seal(key, pull.repository_id, number)
    reviews = Reviews(hub, pull.repository, number, pull.head, "", seal)
    try:
        remarks = reviews.said().remarks
    except RlmError as error:
        log.warning("what was said is not read", extra={"pull": str(pull.url), "why": error})
        return ()
    return tuple(islice(_claims(remarks), MOST_EARLIER))


def _claims(remarks: Iterable[Remark]) -> Iterator[Earlier]:
    known: set[str] = set()
    for one in remarks:
        claim = claim_of(one.text, one.path) if one.finding else None
        # What is grave is said again unless words know it, and takes the place of none here.
        if claim is None or claim.is_grave or one.finding in known:
            continue
        known.add(one.finding)
        place = {"side": one.side, "start_line": one.line and (one.start_line or one.line)}
        yield Earlier.bounded(
            claim.model_copy(update={"id": one.finding, "line": one.line, **place})
        )
