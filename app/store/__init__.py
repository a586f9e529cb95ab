"""The server's memory: deliveries, requests, jobs, runs, what people decided, who is alive.

The store is the truth. A request is a row before its webhook is answered; each step of the work is
a job in a table, claimed in a transaction, and what a step leads to is stored in the transaction
that ends it. So after a kill between any two instructions the next start goes on where this one
was: every step is written so that doing it twice does it once.
"""

from app.store.deliveries import Deliveries
from app.store.findings import Findings
from app.store.forgotten import Forgettings
from app.store.holds import Holds
from app.store.jobs import Jobs
from app.store.measures import Measures
from app.store.people import People
from app.store.requests import Requests
from app.store.runs import Runs
from app.store.spending import Spendings
from app.store.stacked import Stacks
from app.store.threads import Threads
from app.store.traces import SharedTraces, TracePart
from app.store.values import (
    CI,
    ENGINE,
    GITHUB,
    OPEN,
    PROGRESS,
    PUBLISH,
    REVIEW,
    UNTOLD,
    WRITING,
    Begun,
    Dismissed,
    Forgotten,
    Job,
    Kind,
    NewJob,
    NewRun,
    Plan,
    Request,
    Run,
    Spent,
    Stacked,
    Task,
    Told,
    Watched,
    Worker,
)
from app.store.watched import Watches
from app.store.workers import Workers

__all__ = [
    "CI", "ENGINE", "GITHUB", "OPEN", "PROGRESS", "PUBLISH", "REVIEW", "UNTOLD", "WRITING", "Begun",
    "Dismissed", "Forgotten", "Job", "Kind", "NewJob", "NewRun", "Plan", "Request", "Run", "Spent",
    "Stacked", "Store", "Task", "Told", "TracePart", "Watched", "Worker",
]  # fmt: skip


class Store(
    Deliveries,
    Jobs,
    Runs,
    Requests,
    People,
    Findings,
    Forgettings,
    Threads,
    SharedTraces,
    Spendings,
    Stacks,
    Watches,
    Holds,
    Measures,
    Workers,
):
    """All of it. `where` is a SQLite file, or the URL of a PostgreSQL database.

    Threads may share one; each process opens its own. Every method raises TellUser where the
    database cannot be used, and RetryLater where it is busy for too long or away.
    """
