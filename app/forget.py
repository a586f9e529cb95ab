"""What an installation leaves behind beside the store's rows, removed when it is gone.

The rows go in one transaction; files of this disk (fetched repositories, what was derived from
them, traces) go one by one, then the kept answers, on this disk and in the database that servers
share. What cannot be removed now is said and tried again.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.github.cache import history_of, locked, place_of, remove
from app.github.urls import Server
from app.journal import FILE, forget_runs
from app.trace_folder import forget_trace

if TYPE_CHECKING:
    from app.store.database import Database

log = logging.getLogger(__name__)

TENANT = "installation {}"
"""Whose the answers in the journal are."""


def forget_files(  # noqa: PLR0917
    home: Path,
    server: Server,
    shared: "Database | None",
    installation: int,
    repositories: Iterable[str],
    runs: Sequence[str],
    whole: bool,
) -> None:
    """Remove what is kept of repositories (OWNER/NAME) and of runs, `whole`: and all else that is
    the installation's; raise RetryLater for later.
    """
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
    # A server that shares a database now may have had none before.
    places: list[Path | Database] = [home / FILE, *([] if shared is None else [shared])]
    for where in places:
        forget_runs(where, TENANT.format(installation), runs, whole=whole)


def _silent(_: str) -> None:
    pass


def _never() -> bool:
    return False
