"""A sample of all on what several servers share: PostgreSQL for the store, Redis for the queue."""

from pathlib import Path

from tests.postgres import postgres
from tests.redis_server import redis_server
from tests.redteam.corpus import CORPUS
from tests.redteam.field import Field, assert_nothing_happens

SAMPLE = {
    "comment-leak": "orders", "commit-message": "orders", "marker-comments": "people",
    "policy-ignore": "people", "command-bots": "people", "secret-added": "reach",
    "link-passwd": "trees", "reference-0": "words",
}  # fmt: skip
"""Orders, a secret to be echoed, forged markers, the author's policy, a bot's command, a link out of
the tree, and words that mention, by the group that has them."""


class Shared(Field):
    """The server, its store and its queue, as where there are several."""

    def __init__(self, folder: Path, database: str, redis: str) -> None:
        super().__init__(folder, database=database)
        self.environ = {"REDIS_URL": redis}

    def _secrets(self) -> set[str]:
        return super()._secrets() | {self.world.database, self.environ["REDIS_URL"]}


def test_a_store_and_a_queue_that_are_shared_serve_no_order_either(tmp_path: Path) -> None:
    cases = [one for name in SAMPLE for one in CORPUS[SAMPLE[name]][0] if one.name == name]
    assert len(cases) == len(SAMPLE)
    with postgres() as database, redis_server(tmp_path / "redis") as redis:
        where = database.database()
        folder = tmp_path / "field"
        folder.mkdir()
        assert_nothing_happens(folder, cases, lambda at: Shared(at, where, redis.url()))
