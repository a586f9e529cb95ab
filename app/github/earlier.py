"""What we said of a pull request, as its next review is told: our signed comments at lines."""

import logging

from app.github.client import Hub
from app.github.markers import Seal
from app.github.pulls import Pull
from app.github.remarks import earlier_claims
from app.github.reviews import Reviews
from reviewer.errors import RlmError
from reviewer.request import Earlier

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
    return earlier_claims(remarks)
