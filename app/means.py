"""What every job of the engine that writes works with, in a terminal as on a server."""

from typing import TypedDict

from reviewer.model.prices import Prices
from reviewer.ports import Cancelled
from reviewer.rlm.journal import Journal
from reviewer.rlm.trace import TraceSink


class Means(TypedDict):
    """What a job of the engine works with, beside its request, the trees and the model."""

    prices: Prices
    sink: TraceSink
    cancelled: Cancelled
    concurrency: int
    journal: Journal | None
    tenant: str
