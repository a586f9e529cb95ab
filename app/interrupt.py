"""Ctrl-C and its kin: the first asks for the end and what there is, the second ends at once.

Where what has been begun has to be finished, no further one does: who insists kills the program.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_SHOW_CURSOR = b"\x1b[?25h"
_STANDARD_ERROR = 2


class Interrupted(BaseException):
    """The user stopped the program where there is no partial result to give.

    Not an Exception: nothing on the way may take it for a failure of its own.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number


class Interrupts:
    """Answers `Cancelled` for a run, and decides what a signal does at this moment.

    Outside `gently` the first signal raises Interrupted in the main thread; inside it only sets
    the answer to True, and whoever asks has to end by itself.
    """

    def __init__(self) -> None:
        self._signal: int | None = None
        self._gentle = False
        self._silent = False
        self._to_the_end = False

    def __call__(self) -> bool:
        """Has somebody asked for the end?"""
        return self._signal is not None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals while the block runs, but for those that the parent has ignored.

        A shell starts a background job, and nohup any job, with signals that shall not end it.
        """
        heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._handle) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def gently(self, silent: bool = False) -> Iterator[None]:
        """Let the block finish by itself when it sees that it was asked to.

        `silent`: say nothing of it, where something else is written to standard error.
        """
        self._gentle, self._silent = True, silent
        try:
            yield
        finally:
            self._gentle, self._silent = False, False

    @contextmanager
    def to_the_end(self) -> Iterator[None]:
        """Let the block finish like `gently`, however many signals come: the runner of a job sends
        a second one after seconds, and what stands half done is worse than either end.
        """
        self._to_the_end = True
        try:
            with self.gently():
                yield
        finally:
            self._to_the_end = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        # os.write and not print: a signal may arrive in the middle of a print.
        if self._signal is not None:
            if self._to_the_end:
                return
            _tell(b"\n", cursor=True)
            os._exit(128 + number)
        self._signal = number
        if not self._gentle:
            _tell(b"\n" if os.isatty(_STANDARD_ERROR) else b"")  # the terminal has just shown ^C
            raise Interrupted(number)
        if not self._silent:
            _tell(b"\nstopping with what there is; once more to quit at once\n")


def _tell(message: bytes, cursor: bool = False) -> None:
    try:
        if cursor and os.isatty(_STANDARD_ERROR):
            message = _SHOW_CURSOR + message
        os.write(_STANDARD_ERROR, message)
    except OSError:
        pass  # nobody is there to be told any more; the signal is obeyed all the same
