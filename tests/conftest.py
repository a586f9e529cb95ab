"""What holds for every test."""

import signal
from contextlib import suppress


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start: whatever runs in the background has it switched off."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        with suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGINT, signal.default_int_handler)
