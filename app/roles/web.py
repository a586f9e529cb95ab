"""The web process: receives deliveries and stores them, and shows the run pages.

It holds the webhook's secrets, the App's client secret and the key of sessions: with none of them
can a repository be read or written. No header of a proxy is believed.
"""

import gc
import logging
import socket
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from flask import Flask
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask

from app import metrics
from app.events import MAX_BODY_BYTES
from app.health import Health
from app.oidc import Keys, Verifier
from app.roles import LISTEN_FD, NODE
from app.server_settings import ServerSettings, read_role_settings, store_at
from app.signature import secrets_in
from app.store import Store
from app.webhook import make_app
from reviewer.errors import GiveUp

if TYPE_CHECKING:
    from app.web.pages import Pages

log = logging.getLogger(__name__)

THREADS = 8
"""They wait for the disk, and those that wait together share one write; they compute in turns."""

MAX_WAITING = 8
"""Requests that wait for a thread. Each turn of the loop asks every connection what it wants: with
hundreds in line the asking took most of the time, and the line grew. Whoever comes later waits in
the socket's own line, where that costs nothing."""

MAX_CONNECTIONS = 100

MAX_HEADER_BYTES = 32_768

READ_BYTES = 65_536
"""The usual payload of 25 kB comes in one piece."""

SENT_AT_ONCE_BYTES = 65_536
"""The socket takes an answer of ours whole; of what it does not take the loop sends the rest."""

IN_MEMORY_BYTES = 1_048_576
"""A larger body waits in a temporary file until it is complete."""

REQUEST_S, HURRIED_S = 30.0, 3.0
"""For a request to arrive in. GitHub gives up after 10 s, a server of one's own after 30. Where
connections run out, whoever has one and does not use it makes room sooner."""

IDLE_S = 150
"""For a connection between two requests: longer than proxies keep theirs (Caddy: 120 s)."""

LOOK_S = 1.0
DRAIN_S = 5.0
"""For what has begun to arrive when the process is asked to end."""


def run(name: str, environ: Mapping[str, str], stopping: threading.Event) -> None:
    """Answer on the socket that the supervisor listens on until `stopping` is set."""
    settings = read_role_settings(environ)
    home, operations = settings.home, settings.base.operations
    name = environ.get(NODE, "") + name
    with (
        closing(Store(store_at(home, environ))) as store,
        closing(_listener(environ)) as listener,
        Health(store, name),
        metrics.served(store, home, operations.metrics, operations.month_budget_usd),
    ):
        store.kept_s = operations.keep_runs_s
        secrets = secrets_in(environ)
        app = make_app(
            store,
            secrets,
            pages=_pages(settings, store, environ.get(NODE, "")),
            verifier=_verifier(settings),
            name=name,
        )
        # What is there by now stays: looking through it for garbage would stop all for 30 ms.
        gc.freeze()
        log.info("answering", extra={"secrets": len(secrets)})
        answer(app, listener, stopping)


def _verifier(settings: ServerSettings) -> Verifier | None:
    """Return what checks the tokens of workflows: they are made for our public address."""
    if not settings.public.url:
        return None
    return Verifier(Keys(settings.actions_issuer), settings.public.url)


def _pages(settings: ServerSettings, store: Store, node: str) -> "Pages | None":
    """Return the run pages where people can log in."""
    if not settings.public.has_pages or settings.session_key is None:
        return None
    from app.web.pages import Pages  # noqa: PLC0415 - what it imports takes time and room

    return Pages(
        store,
        settings.home,
        settings.github,
        settings.public,
        key=settings.session_key,
        budget_usd=settings.base.budget_usd,
        pull_budget_usd=settings.base.operations.pull_budget_usd,
        month_budget_usd=settings.base.operations.month_budget_usd,
        node=node,
    )


def _listener(environ: Mapping[str, str]) -> socket.socket:
    number = environ.get(LISTEN_FD, "")
    if not number.isdecimal():
        raise GiveUp(f"{LISTEN_FD} is not what `rlm serve` sets")
    return socket.socket(fileno=int(number))


def answer(app: Flask, listener: socket.socket, stopping: threading.Event) -> None:
    """Serve an application on a listening socket; return when `stopping` is set and all is said.

    The socket is not closed for others who have it: connections that nobody has accepted wait.
    """
    channels: dict[int, object] = {}
    server = create_server(
        app,
        map=channels,
        sockets=[listener],
        threads=THREADS,
        ident=None,
        connection_limit=MAX_CONNECTIONS,
        channel_timeout=IDLE_S,
        cleanup_interval=int(LOOK_S),
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_BODY_BYTES + 1,  # from this size on it refuses
        inbuf_overflow=IN_MEMORY_BYTES,
        recv_bytes=READ_BYTES,
        log_socket_errors=False,
    )
    server.channel_class = _Channel
    wake = threading.Thread(target=_wake, args=(server, stopping), name="wake", daemon=True)
    wake.start()
    arrivals = Arrivals()
    while not stopping.is_set():
        server.accepting = len(server.task_dispatcher.queue) < MAX_WAITING
        wasyncore.loop(timeout=LOOK_S, use_poll=True, map=channels, count=1)
        arrivals.close_late(server.active_channels.values(), time.time())
    server.accepting = False
    until = time.monotonic() + DRAIN_S
    while _busy(server) and time.monotonic() < until:
        wasyncore.loop(timeout=0.1, use_poll=True, map=channels, count=1)
    server.task_dispatcher.shutdown()
    wake.join()
    wasyncore.close_all(channels)


def _wake(server: TcpWSGIServer, stopping: threading.Event) -> None:
    stopping.wait()
    server.pull_trigger()


def _busy(server: TcpWSGIServer) -> bool:
    """Is a request arriving, waiting, being answered, or its answer on the way?"""
    return any(
        channel.request is not None or channel.requests or channel.total_outbufs_len
        for channel in list(server.active_channels.values())
    )


class _Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to a request that is refused before it is read: too large, or no HTTP."""

    def execute(self) -> None:
        """Send it, and say so in the log as of every other."""
        error = self.request.error
        log.warning("request refused", extra={"code": error.code, "why": str(error.body)[:200]})
        super().execute()


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection whose answer is sent by the thread that makes it.

    The loop would try as well, find the connection locked, and try again at once: twenty times for
    each request, with the interpreter's lock taken from the threads that have work.
    """

    error_task_class = _Refusal

    def writable(self) -> bool:
        """Has the loop something to send here, or to close?"""
        answering = self.requests and self.total_outbufs_len < SENT_AT_ONCE_BYTES
        return bool(self.will_close if answering else super().writable())


class Arrivals:
    """Since when each connection has kept us waiting: for a request, or for the rest of one.

    The server's own limit is on silence: a byte now and then would hold a connection for ever.
    """

    def __init__(self) -> None:
        self._since: dict[HTTPChannel, tuple[object, float]] = {}
        self._looked = 0.0

    def close_late(self, channels: Collection[HTTPChannel], now: float) -> None:
        """Have connections closed whose request is overdue; at most one look a second."""
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        scarce = len(channels) > MAX_CONNECTIONS * 3 // 4
        since = {}
        for channel in channels:
            if channel.requests:
                continue
            began = channel.last_activity
            if channel.request is not None:
                arriving, began = self._since.get(channel, (None, now))
                if arriving is not channel.request:
                    began = now
                since[channel] = (channel.request, began)
            used = channel.last_activity > channel.creation_time
            idle = channel.request is None and used  # between two requests: IDLE_S is for it
            if now - began > (HURRIED_S if scarce else REQUEST_S) and (scarce or not idle):
                channel.will_close = True
        self._since = since
