"""What was lost on its way to us is looked for, at the start and every ten minutes after.

GitHub delivers once, never again by itself, and remembers for three days (a server of one's own for
seven) what came back. So whatever was sent while this server was down or did not answer is asked
for again. What is lost beyond that is found by `app/open_heads.py`.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from app.events import may_lead_to_work
from app.github.auth import AppAuth
from app.github.errors import NotThere, calls
from app.measures import COUNTS, RECONCILED, UNRECONCILED
from app.store import Store
from reviewer.errors import RlmError

log = logging.getLogger(__name__)

EVERY_S = 600.0

LONGEST_PAUSE_S = 3_600.0
"""Between two attempts of one delivery: they double from `EVERY_S` on, for what always fails does
not fail on its way. It is never given up while GitHub remembers it: what keeps deliveries from
coming (a proxy, a certificate, a wrong secret) may last for days."""

REMEMBERED_S = 8 * 86_400.0
"""No GitHub remembers a delivery for longer."""

PAGE = 100
MOST_PAGES = 20
"""Of one list, in one round: half of them the newest, the others from where the last round ended.
What was recovered stays listed, and each attempt that failed is listed by itself."""

LISTS = ("status=failure&", "")
"""What failed, as GitHub sees it: a status from 400 to 599. What nobody answered, or what was led
elsewhere (3xx), need not have one, and stands in the list of all alone, which is gone through too.
Most of that has come, so that the rest would be found too late there."""

MOST_ASKED = 500
"""In one round: what was recovered by then is not asked for in the next."""

SUCCESS = range(200, 300)


class _Delivery(BaseModel):
    """A delivery as GitHub lists it; `guid` is the event's, the same for each attempt."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: int = Field(ge=1)
    guid: str = Field(max_length=100)
    delivered_at: AwareDatetime
    status_code: int
    event: str
    action: str | None = None


_DELIVERIES = TypeAdapter(list[_Delivery])


class Redelivery:
    """Asks for what failed to reach us, again and again until it has come. Used by one thread.

    What was asked for is remembered here alone: after a start all that is listed is asked for.
    """

    def __init__(
        self, auth: AppAuth, store: Store, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._auth = auth
        self._store = store
        self._clock = clock
        self._asked: dict[str, tuple[int, float, int]] = {}
        """How often, when the last time, and because of which attempt, by the event's guid."""

        self._further = dict.fromkeys(LISTS, "")
        """Where the last round ended in each list, "" at its end."""

    def __call__(self) -> int:
        """Ask for what is due; return how many deliveries that were.

        What is in the store has come, whatever GitHub heard of it.
        """
        now = self._clock()
        self._asked = {
            guid: (times, at, attempt)
            for guid, (times, at, attempt) in self._asked.items()
            if now - at < REMEMBERED_S
        }
        newest: dict[str, _Delivery] = {}
        for one in self._failed():
            if one.guid not in newest or newest[one.guid].delivered_at < one.delivered_at:
                newest[one.guid] = one
        asked = 0
        for guid, one in newest.items():
            if asked >= MOST_ASKED:
                break
            if self._waits(one, now) or self._store.has_delivery(guid):
                continue
            if self._ask(one):
                self._asked[guid] = self._asked.get(guid, (0,))[0] + 1, now, one.id
                asked += 1
        return asked

    def _failed(self) -> list[_Delivery]:
        """Return what failed and may lead to work, the newest first of each list and place; of an
        event it may be several attempts.
        """
        listed = [one for each in LISTS for one in self._listed(each)]
        return [
            one
            for one in listed
            if one.status_code not in SUCCESS and may_lead_to_work(one.event, one.action)
        ]

    def _listed(self, which: str) -> list[_Delivery]:
        """Return what a list has now, from both places."""
        listed, further = self._pages(which, "", MOST_PAGES // 2 or 1)
        if further and MOST_PAGES > 1:
            start = self._further[which] or further
            more, self._further[which] = self._pages(which, start, MOST_PAGES // 2)
            listed += more
        return listed

    def _pages(self, which: str, cursor: str, most: int) -> tuple[list[_Delivery], str]:
        """Return so many pages of a list from a cursor on, and where they end; "": at the end.

        Where one cannot be read (a cursor may be refused by now), it is those before it: what was
        read to be lost is asked for, and the next round begins anew.
        """
        listed: list[_Delivery] = []
        doing = "read which deliveries failed"
        try:
            for _ in range(most):
                more = f"&cursor={cursor}" if cursor else ""
                path = f"/app/hook/deliveries?{which}per_page={PAGE}{more}"
                answer, cursor = self._auth.ask_page(doing, path)
                with calls(self._auth.server, doing):
                    listed += _DELIVERIES.validate_python(answer)
                if not cursor:
                    break
        except RlmError as error:
            log.warning("not reconciled: deliveries are not read", extra={"why": error})
            COUNTS.add(UNRECONCILED)
            return listed, ""
        return listed, cursor

    def _waits(self, one: _Delivery, now: float) -> bool:
        """Is it not due? What was asked for and has not failed once more has come, and led to
        nothing: that is in no store."""
        if one.guid not in self._asked:
            return False
        times, at, attempt = self._asked[one.guid]
        pause = min(EVERY_S * 2 ** min(times - 1, 16), LONGEST_PAUSE_S)
        return one.id == attempt or now - at < pause

    def _ask(self, one: _Delivery) -> bool:
        try:
            self._auth.ask(
                "ask for a delivery again", "POST", f"/app/hook/deliveries/{one.id:d}/attempts"
            )
        except NotThere:  # it is forgotten by now
            return False
        log.info("redelivery asked for", extra={"delivery": one.guid, "event": one.event})
        COUNTS.add(RECONCILED, "delivery")
        return True


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
        COUNTS.add(UNRECONCILED)
    except Exception:
        log.exception("not reconciled")
        COUNTS.add(UNRECONCILED)
