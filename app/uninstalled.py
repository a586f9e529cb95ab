"""Installations that are gone, and whose end was lost on its way to us: they are forgotten, too.

The event is delivered once, and for a few days it can be asked for again. So once a day GitHub is
asked which of the installations that something is kept of are still there. One that is not there,
and not there an hour later either, is forgotten as if the event had come. The other way around: for
one that was forgotten by mistake, and is there, runs begin again.
"""

import logging
import time
from dataclasses import dataclass, field

from app.github.auth import AppAuth
from app.github.listings import installations
from app.jobs import Gone
from app.measures import COUNTS, RECONCILED
from app.store import Store

log = logging.getLogger(__name__)

EVERY_S = 86_400.0
SURE_S = 3_600.0
"""One answer may be wrong; to forget cannot be undone."""


@dataclass(slots=True)
class Uninstalled:
    """Looks for them, at the start and once a day; `missing` are those of the first look."""

    auth: AppAuth
    store: Store
    looked: float | None = None
    missing: dict[int, float] = field(default_factory=dict)

    def __call__(self) -> int:
        """Make one round at the present time; return how many installations are to be forgotten."""
        return self.round(time.time())

    def round(self, now: float) -> int:
        """Do so at `now` (Unix time)."""
        if self.looked is None or not 0 <= now - self.looked < EVERY_S:
            asked = time.time()
            listed = {one.id for one in installations(self.auth)}
            for back in self.store.back(listed, asked):
                log.warning("forgotten, and there all the same", extra={"installation": back})
            for unlisted in self.store.installations() - listed - self.missing.keys():
                if not self.auth.is_installed(unlisted):
                    self.missing[unlisted] = now
            self.looked = now
        gone = 0
        for installation, since in list(self.missing.items()):
            if 0 <= now - since < SURE_S:
                continue
            is_there = self.auth.is_installed(installation)
            del self.missing[installation]
            if not is_there and self.store.put_if_idle(Gone(installation=installation).job()):
                log.info("uninstalled, and nobody said so", extra={"installation": installation})
                COUNTS.add(RECONCILED, "installation")
                gone += 1
        return gone
