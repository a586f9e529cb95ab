"""One App on one GitHub, with one server, that many tests have in turn.

A start takes more than two seconds of the processor, and the first review of an engine as much
again. So tests that change nothing about the server share one. Each has an installation and a
repository of its own, and what another did is nowhere: requests, faults, the server's words are
those since it began, and it ends only when nothing is left to do. After a test that failed all of
it is made anew.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete

from app.store import CI
from app.store.tables import JOBS
from tests.app.test_serve import Server
from tests.app.world import World, wait_until
from tests.model_server import Scripted

Lent = TypeVar("Lent", bound=World)


class Site:
    """What the tests share; the server is started with these options and this environment.

    The next of `folders` is taken whenever all is made anew. `kind` is the world that starts it.
    """

    def __init__(
        self, folders: Iterator[Path], *options: str, kind: type[World] = World, **environ: str
    ) -> None:
        self._folders, self._options, self._environ = folders, options, environ
        self._kind = kind
        self._open = ExitStack()
        self._root: World | None = None
        self._server: Server | None = None
        self._number = 0

    def close(self) -> None:
        """End the server and all else."""
        self._forget(None, None, None)

    def world(self, **options: Any) -> AbstractContextManager[tuple[World, Server]]:
        """Lend a world whose repository is new, and the server; see that both are left in order."""
        return self.lend(World, **options)

    @contextmanager
    def lend(
        self, kind: Callable[..., Lent], *, killed: str = "", **options: Any
    ) -> Iterator[tuple[Lent, Server]]:
        """Lend a world of this kind, as `world` does. `killed`: the role whose process may change."""
        root, server = self._started()
        self._number += 1
        name = f"octo-{self._number}/hello"
        world = kind(root.folder, among=root, name=name, **options)

        def think(request: dict[str, Any]) -> Scripted:
            return world.think(request)

        root.think = think
        root.hub.anew()
        server.turn_page()
        pids = server.pids
        try:
            yield world, server
            wait_until(world.idle, lambda: server.said)
            _still(world)
            root.service.anew()
            root.hub.assert_in_line()
            changed = {role for role, pid in server.pids.items() if pids[role] != pid}
            assert server.process.poll() is None and changed <= {killed}, server.said
        except BaseException:
            self._forget(*sys.exc_info())
            raise
        finally:
            world.leave()

    def _forget(self, *error: Any) -> None:
        self._root = self._server = None
        self._open.__exit__(*error)

    def _started(self) -> tuple[World, Server]:
        if self._root is None or self._server is None:
            folder = next(self._folders)
            root = self._open.enter_context(self._kind(folder))
            server = self._open.enter_context(root.serve(*self._options, **self._environ))
            wait_until(lambda: len(server.pids) == 3, lambda: server.said)
            self._root, self._server = root, server
        return self._root, self._server


def _still(world: World) -> None:
    """Let the server look at nothing of this world any more: neither reactions nor checks."""
    for plan in world.store.waiting_plans(0):
        world.store.decide(plan.run, "over")
    with world.store.database.write() as db:
        db.execute(delete(JOBS).where(JOBS.c.kind == CI))
