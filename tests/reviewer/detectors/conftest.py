from collections.abc import Iterator

import pytest

from reviewer.parsing.worker import Parsers


@pytest.fixture(scope="session")
def parsers() -> Iterator[Parsers]:
    """Parser processes that the tests share: starting one costs a tenth of a second."""
    with Parsers() as shared:
        yield shared
