"""What the tests of the app share."""

from collections.abc import Iterator

import pytest

from tests.app.site import Site
from tests.app.world import World

World.forks = True


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An App with a server, for the tests that have no wish about either."""
    shared = Site(tmp_path_factory.mktemp("site") for _ in iter(int, 1))
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def writing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same where the server may write."""
    shared = Site((tmp_path_factory.mktemp("writing") for _ in iter(int, 1)), RLM_WRITE="on")
    yield shared
    shared.close()
