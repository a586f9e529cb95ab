"""Places for those who look: the web role's threads are for GitHub's deliveries first."""

import threading


class Places:
    """So many at a time, and so few waiting for one, for `wait_s` seconds at the most.

    Who waits holds a thread, too; where too many wait, whoever comes then is turned away at once.
    """

    def __init__(self, at_once: int, waiting: int, wait_s: float) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._waiting = threading.BoundedSemaphore(waiting)
        self._wait_s = wait_s

    def take(self) -> bool:
        """Get a place; False if there is none."""
        if self._places.acquire(blocking=False):
            return True
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._places.acquire(timeout=self._wait_s)
        finally:
            self._waiting.release()

    def leave(self) -> None:
        """Give a place back."""
        self._places.release()
