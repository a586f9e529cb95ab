"""What an installation leaves behind on this disk, removed when it is gone.

The store's rows go in one transaction; files (fetched repositories, what was derived from them,
traces, kept answers) go one by one, and what cannot be removed now is said and tried again.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from app.github.cache import history_of, locked, place_of, remove
from app.github.urls import Server
from app.journal import FILE, forget_runs
from app.trace_folder import forget_trace

log = logging.getLogger(__name__)

TENANT = "installation {}"
"""Whose the answers in the journal are."""


def forget_files(
    home: Path, server: Server, installation: int, repositories: Iterable[str], runs: Sequence[str]
) -> None:
    """Remove what is kept of repositories (OWNER/NAME) and of runs; raise RetryLater for later."""
    from app.code import forget_code  # noqa: PLC0415 half a second at each start, for what is rare

    for name in repositories:
        for repo in (place_of(home, server, name), history_of(home, server, name)):
            if not repo.parent.exists():
                continue
            with locked(repo, _silent, _never):
                remove(repo)
            forget_code(home, repo)
    for run in runs:
        with suppress(FileNotFoundError):
            forget_trace(home, run)
    forget_runs(home / FILE, TENANT.format(installation), runs)


def _silent(_: str) -> None:
    pass


def _never() -> bool:
    return False
