"""Whether a repository wants branches and pull requests of us, asked of GitHub right before.

The engine has read it, too, when it began. But it reads what strangers wrote, and hours may lie
between: who writes asks for itself, and both have to say yes.
"""

import logging
from collections.abc import Callable
from functools import partial

from app.github.client import Hub
from app.github.contents import read_with
from app.github.errors import Limited, Refused, Unreachable
from app.policy import ORGANISATION, Sources, read_policy
from app.written import Written
from reviewer.errors import RetryLater

log = logging.getLogger(__name__)


def wanted(hub: Hub, repository: str, written: Written) -> Written:
    """Return what is written with what its repository says by now: it may have said no meanwhile,
    and the engine's word alone counts for nothing.
    """
    if not written.policy_write or wants_writing(hub, repository):
        return written
    log.info("not wanted any more", extra={"repo": repository})
    return written.model_copy(update={"policy_write": False})


def wants_writing(hub: Hub, repository: str) -> bool:
    """Does `write:` hold, by the default branch of a repository and what speaks for its owner?

    Raise RetryLater where that cannot be known now.
    """
    owner = f"{repository.partition('/')[0]}/{ORGANISATION}"
    speaks = _nothing if owner.lower() == repository.lower() else partial(_owners, hub, owner)
    default = partial(_now_or_later, partial(read_with, hub, repository))
    sources = Sources(_nothing, _nothing, default, partial(_now_or_later, speaks), owner)
    return read_policy(sources).policy.write


def _nothing(_path: str) -> bytes | None:
    return None


def _owners(hub: Hub, owner: str, path: str) -> bytes | None:
    try:
        return read_with(hub, owner, path)
    except Refused:  # a token for one repository
        return None


def _now_or_later(read: Callable[[str], bytes | None], path: str) -> bytes | None:
    """Read a file. An outage is no answer: a policy takes it for a file that cannot be had."""
    try:
        return read(path)
    except (Limited, Unreachable):
        raise
    except RetryLater as error:
        raise Unreachable(str(error), error.after_s) from error
