"""One App on one GitHub, with one server, that many tests have in turn.

A start takes more than two seconds of the processor, and the first review of an engine as much
again. So tests that change nothing about the server share one. Each has an installation and a
repository of its own, and what another did is nowhere: requests, faults, the server's words are
those since it began, and it ends only when nothing is left to do. After a test that failed all of
it is made anew.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.app.test_serve import Server
from tests.app.world import World, wait_until
from tests.model_server import Scripted


class Site:
    """What the tests share; `folder` is called for one whenever all is made anew."""

    def __init__(self, folders: Iterator[Path]) -> None:
        self._folders = folders
        self._open = ExitStack()
        self._root: World | None = None
        self._server: Server | None = None
        self._number = 0

    def close(self) -> None:
        """End the server and all else."""
        self._forget(None, None, None)

    @contextmanager
    def world(self, **options: Any) -> Iterator[tuple[World, Server]]:
        """Lend a world whose repository is new, and the server; see that both are left in order."""
        root, server = self._started()
        self._number += 1
        name = f"octo-{self._number}/hello"
        world = World(root.folder, among=root, name=name, **options)

        def think(request: dict[str, Any]) -> Scripted:
            return world.think(request)

        root.think = think
        root.hub.anew()
        server.turn_page()
        pids = server.pids
        try:
            yield world, server
            wait_until(world.idle, lambda: server.said)
            root.service.anew()
            root.hub.assert_in_line()
            assert server.process.poll() is None and server.pids == pids, server.said
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
            root = self._open.enter_context(World(folder))
            server = self._open.enter_context(root.serve())
            wait_until(lambda: len(server.pids) == 3, lambda: server.said)
            self._root, self._server = root, server
        return self._root, self._server
