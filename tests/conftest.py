"""What holds for every test."""

import signal
from contextlib import suppress
from pathlib import Path

import pytest

SLOW = (
    "tests/app/test_app.py",
    "tests/app/test_app_trouble.py",
    "tests/redteam/",
    "tests/app/test_action.py",
    "tests/app/test_kills.py",
    "tests/app/test_action_server.py",
    "tests/app/test_refactor_command.py",
    "tests/app/test_fix_command.py",
    "tests/app/web/",
    "tests/app/test_scale.py",
    "tests/app/test_stop.py",
    "tests/app/github/test_blocking.py",
)
"""What takes minutes, with servers of its own: begun first, so that no worker ends alone with it."""

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow files first; the order within a file stays."""

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(ROOT).as_posix()
        return next((n for n, slow in enumerate(SLOW) if path.startswith(slow)), len(SLOW))

    items.sort(key=rank)


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start: whatever runs in the background has it switched off."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        with suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGINT, signal.default_int_handler)
