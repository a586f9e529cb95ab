"""What was lost on its way to us is looked for, at the start and every ten minutes after.

GitHub delivers once, never again by itself, and remembers for three days (a server of one's own for
seven) what came back. So whatever was sent while this server was down or did not answer is asked
for again. What is lost beyond that is found by `app/open_heads.py`.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.events import ACTED_ON
from app.github.auth import AppAuth
from app.github.errors import NotThere, calls
from app.measures import COUNTS, RECONCILED
from app.store import Store
from reviewer.errors import RlmError

log = logging.getLogger(__name__)

EVERY_S = 600.0

MOST_ATTEMPTS = 4
"""Of one delivery, GitHub's own among them: what always fails does not fail on its way."""

PAGE = 100
MOST_PAGES = 20
"""Of failures, the newest first. One that was recovered stays listed, so a round that looked at one
page alone would see the same ones for days."""

MOST_ASKED = 500
"""In one round: what was recovered by then is not asked for in the next."""

SUCCESS = range(200, 300)


class _Delivery(BaseModel):
    """A delivery as GitHub lists it; `guid` is the event's, the same for each attempt."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: int = Field(ge=1)
    guid: str = Field(max_length=100)
    status_code: int
    event: str


_DELIVERIES = TypeAdapter(list[_Delivery])


def redeliver(auth: AppAuth, store: Store) -> int:
    """Ask for what failed to reach us; return how many deliveries that were.

    What is in the store has come, whatever GitHub heard of it.
    """
    listed: list[_Delivery] = []
    cursor = ""
    for _ in range(MOST_PAGES):
        doing = "read which deliveries failed"
        more = f"&cursor={cursor}" if cursor else ""
        path = f"/app/hook/deliveries?status=failure&per_page={PAGE}{more}"
        answer, cursor = auth.ask_page(doing, path)
        with calls(auth.server, doing):
            listed += _DELIVERIES.validate_python(answer)
        if not cursor:
            break
    failed = [one for one in listed if one.status_code not in SUCCESS and one.event in ACTED_ON]
    attempts = Counter(one.guid for one in failed)
    newest = {one.guid: one for one in reversed(failed)}
    asked = 0
    for guid, one in newest.items():
        if asked >= MOST_ASKED:
            break
        if attempts[guid] >= MOST_ATTEMPTS or store.has_delivery(guid):
            continue
        try:
            auth.ask(
                "ask for a delivery again", "POST", f"/app/hook/deliveries/{one.id:d}/attempts"
            )
        except NotThere:  # it is forgotten by now
            continue
        log.info("redelivery asked for", extra={"delivery": guid, "event": one.event})
        COUNTS.add(RECONCILED, "delivery")
        asked += 1
    return asked


Work = Callable[[], int]
"""Looks for one kind of what was lost; returns how much was found."""


def reconcile(works: Sequence[Work], stopping: threading.Event, every_s: float = EVERY_S) -> None:
    """Do so at once and again every so often, until `stopping`; trouble is for the next round."""
    while True:
        for work in works:
            if not stopping.is_set():
                _round(work)
        if stopping.wait(every_s):
            return


def _round(work: Work) -> None:
    try:
        work()
    except RlmError as error:
        log.warning("not reconciled", extra={"why": error})
    except Exception:
        log.exception("not reconciled")
