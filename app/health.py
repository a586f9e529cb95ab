"""Says in the store that a process lives and what it lacks, and keeps what it has claimed."""

import logging
import threading
from typing import Self

from app.measures import COUNTS, STORE_ERRORS
from app.roles import role_of
from app.store import Store
from app.worker import BEAT_S, LEASE_S
from reviewer.errors import RlmError

log = logging.getLogger(__name__)


class Health:
    """Gives a sign of life every few seconds while the block runs.

    `problem` is a sentence about what keeps the process from its work, "" while nothing does.
    """

    def __init__(self, store: Store, name: str, problem: str = "") -> None:
        self.problem = problem
        self._store = store
        self.name = name
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="health", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        try:
            COUNTS.bring(self._store)
        except RlmError as error:
            log.error("the last counts are lost", extra={"why": error})

    def tell(self, problem: str) -> None:
        """Change the problem, and say it now rather than at the next beat."""
        self.problem = problem
        self._say()

    def _beat(self) -> None:
        while True:
            self._say()
            if self._over.wait(BEAT_S):
                return

    def _say(self) -> None:
        try:
            self._store.beat(self.name, self.problem)
            self._store.renew(self.name, LEASE_S)
            COUNTS.bring(self._store)
        except RlmError as error:
            COUNTS.add(STORE_ERRORS, role_of(self.name))
            log.error("no sign of life", extra={"why": error})
