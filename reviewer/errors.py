"""The three kinds of error, told apart by who has to act.

    RlmError
    ├── RetryLater    nobody: the same thing may work in `after_s` seconds
    ├── GiveUp        nobody can: this piece of work is lost, and the reason is recorded
    └── TellUser      the user: what is wrong, and what to do about it
        └── NoRoom    a disk is full: what waits can be done when there is room

They are caught in one place each: the kernel (a node), the command line (`app.cli`), a worker.
"""

import errno


class RlmError(Exception):
    """Any error that this program raises on purpose."""


class RetryLater(RlmError):
    """The same call may succeed in `after_s` seconds (rate limit, overload, a cut connection)."""

    def __init__(self, why: str, after_s: float = 60.0) -> None:
        super().__init__(why)
        self.after_s = after_s


class GiveUp(RlmError):
    """This piece of work cannot be done, by anyone, however often it is tried."""


class TellUser(RlmError):
    """Something the user can put right; `hint` says how, as an imperative sentence."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


class NoRoom(TellUser):
    """A disk is full. It passes without a change of settings, so a server lets its work wait."""


FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system calls a full disk, and one where a user may have no more of it."""
