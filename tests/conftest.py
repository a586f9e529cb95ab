"""What holds for every test."""

import gc
import signal
from contextlib import suppress

from hypothesis import settings

from tests.examples import examples

# How long an example takes is the machine's affair; what may not take long is tested as such.
settings.register_profile("any machine", deadline=None, max_examples=examples())
settings.load_profile("any machine")


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start: whatever runs in the background has it switched off."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        with suppress(ValueError):  # not in the main thread
            signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection() -> None:
    """Import all tests without looking for garbage: there is none, and it is a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage among what tests make, and not over and over among the tests."""
    gc.freeze()
    gc.enable()
