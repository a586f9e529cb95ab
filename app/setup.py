"""`rlm setup`: create the GitHub App in the browser, and store its key and secrets here.

A page on loopback posts the manifest to GitHub; the user confirms there; GitHub sends the browser
back with a code, valid once and for an hour, which is exchanged for the key.
"""

import argparse
import errno
import importlib.resources
import ipaddress
import json
import re
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, abort, redirect, request
from jinja2 import Environment, StrictUndefined, Template
from pydantic import BaseModel, ConfigDict, SecretStr
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as AnyResponse

from app import credentials
from app.credentials import Credentials
from app.defaults import SERVER_PORT
from app.github.auth import AppAuth, check_key
from app.github.client import TIMEOUT_S, connect
from app.github.client import request as ask
from app.github.errors import NotThere, calls, misfit
from app.github.urls import Server
from app.interrupt import Interrupts
from app.manifest import manifest, reasons
from app.public import CALLBACK
from app.settings import Settings, read_settings
from reviewer.errors import RetryLater, RlmError, TellUser

LIFETIME_S = 3_600.0
"""GitHub's code is valid for an hour."""

LOOK_S = 0.2

LAST_PAGE_S = 10.0
"""What the browser gets to load the last page before the server goes."""

NAME_CHARS = 34
""" "Name is too long (maximum is 34 characters)"."""

TEMPLATE = "setup.html.j2"

_ORG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


def setup(options: argparse.Namespace, environ: Mapping[str, str], _interrupts: Interrupts) -> int:
    """Create an App and return 0; it waits for the browser until Ctrl-C or for an hour."""
    settings = read_settings(environ)
    plan = _plan(options, settings)
    _check_free(plan.home, force=options.force)
    credentials.check_writable(plan.home)
    desk = _Desk(plan)
    with _served(desk, options.port) as address:
        _say_where(address, plan, environ)
        if not options.no_browser and _has_browser(environ):
            # A browser of the terminal's own would not come back before it is closed.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        made = desk.wait()
    _say_next(made, plan, settings)
    return 0


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the user wants created, checked."""

    server: Server
    home: Path
    name: str
    org: str
    public: bool
    public_url: str | None
    write: bool

    @property
    def webhook(self) -> str | None:
        """Where GitHub sends its events, if it is to send any."""
        return f"{self.public_url}/webhook" if self.public_url else None

    @property
    def apps(self) -> str:
        """The page that lists the owner's Apps."""
        owner = f"/organizations/{self.org}" if self.org else ""
        return f"{self.server.web}{owner}/settings/apps"


def _plan(options: argparse.Namespace, settings: Settings) -> _Plan:
    name, org = options.name or "", options.org or ""
    if len(name) > NAME_CHARS or not name.isprintable():
        raise TellUser(
            f"GitHub does not take this name: {name[:200]!a}", f"At most {NAME_CHARS} characters."
        )
    if org and _ORG.fullmatch(org) is None:
        raise TellUser(
            f"This is not the name of an organization: {org[:200]!a}",
            f"Give the name that stands in its address: {settings.github.web}/NAME.",
        )
    public_url = _public_url(options.url) if options.url else None
    return _Plan(
        settings.github, settings.home, name, org, options.public, public_url, options.write
    )


def _public_url(url: str) -> str:
    """Return the address of the server that the user means, without that of its webhook."""
    unfit = TellUser(
        f"GitHub cannot send webhooks to {url[:200]!a}",
        "Give an https address that GitHub can reach, like https://rlm.example.org; its /webhook "
        "has to lead to rlm serve.",
    )
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        shown = host if parts.port is None else f"{host}:{parts.port}"
    except ValueError as error:
        raise unfit from error
    path = parts.path.rstrip("/").removesuffix("/webhook")
    plain = parts.scheme == "https" and parts.netloc.lower() == shown and _PATH.fullmatch(path)
    if not plain or not url.isascii() or parts.query or parts.fragment or _is_here(host):
        raise unfit
    return f"https://{shown}{path}"


def _is_here(host: str) -> bool:
    """Is this a name of the very machine that GitHub would be on? It refuses those."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost") or "." not in host


def _check_free(home: Path, *, force: bool) -> None:
    try:
        existing = credentials.load(home)
    except TellUser:
        if force:
            return
        raise
    if existing is not None and not force:
        raise TellUser(
            f"{home / credentials.FILE} holds an App already: {existing.slug} "
            f"({existing.html_url})",
            "Start it with rlm serve, or replace it here with rlm setup --force "
            "(GitHub keeps the old App until you delete it there).",
        )


class _Desk:
    """What the local page and the terminal share: the one answer that is waited for."""

    def __init__(self, plan: _Plan) -> None:
        self.plan = plan
        self.state = secrets.token_urlsafe(32)
        # In the address that the terminal shows: others on this machine can reach the port, too.
        self.key = secrets.token_urlsafe(16)
        self.made: _Made | None = None
        self._fetched: _Made | None = None
        self._done = threading.Event()
        self._seen = threading.Event()
        self._busy = threading.Lock()

    def take(self, state: str, code: str) -> None:
        """Exchange the code for the App and store it, once."""
        if not secrets.compare_digest(state.encode(), self.state.encode()):
            raise TellUser(
                "This answer does not belong to the page of this rlm setup",
                "Start on the page whose address the terminal shows.",
            )
        if _CODE.fullmatch(code) is None:
            raise TellUser("GitHub sent no code that makes sense", "Start again.")
        with self._busy:
            # The code is valid once: what came for it is kept if it cannot be stored just now.
            self._fetched = self._fetched or _fetch(self.plan, code)
            credentials.save(self.plan.home, self._fetched.app)
            self.made = self._fetched
        self._done.set()

    def seen(self) -> None:
        """The browser has the last page."""
        self._seen.set()

    def finish(self) -> None:
        """Wait for an exchange that is under way: its key would be lost."""
        if self._busy.acquire(timeout=TIMEOUT_S):
            self._busy.release()

    def wait(self) -> "_Made":
        """Wait for the browser to come back, and return the App."""
        # In short turns: a signal that comes just before a long wait begins would not end it.
        end = time.monotonic() + LIFETIME_S
        while not self._done.wait(LOOK_S) and time.monotonic() < end:
            pass
        self._seen.wait(LAST_PAGE_S if self._done.is_set() else 0)
        if self.made is None:
            raise TellUser("Nothing came back from GitHub within an hour", "Run rlm setup again.")
        return self.made


@dataclass(frozen=True, slots=True)
class _Made:
    """The App as GitHub made it, and the account that it belongs to ("" if it did not say)."""

    app: Credentials
    owner: str


class _Owner(BaseModel):
    model_config = ConfigDict(extra="ignore")

    login: str = ""


class _Conversion(BaseModel):
    """What we read of GitHub's answer."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    id: int
    slug: str
    client_id: str
    client_secret: SecretStr
    webhook_secret: SecretStr | None = None
    pem: SecretStr
    html_url: str
    owner: _Owner | None = None


def _fetch(plan: _Plan, code: str) -> _Made:
    """Exchange the code for the App's key and secrets."""
    doing = "fetch the App's key"
    client = connect(plan.server, None)
    try:
        with calls(plan.server, doing):
            answer = _Conversion.model_validate(
                ask(client, "POST", f"/app-manifests/{code}/conversions")
            )
            app = Credentials(
                server_web=plan.server.web,
                server_api=plan.server.api,
                app_id=str(answer.id),
                slug=answer.slug,
                client_id=answer.client_id,
                client_secret=answer.client_secret,
                webhook_secret=answer.webhook_secret,
                pem=check_key(answer.pem),
                html_url=answer.html_url,
                public_url=plan.public_url or "",
            )
    except NotThere as error:
        raise TellUser(
            f"{plan.server.host} does not know this code (any more): it is valid once, for an hour",
            f"If the App is listed on {plan.apps}, delete it there. Then start again.",
        ) from error
    except RetryLater as error:
        raise TellUser(
            str(error),
            f"Reload this page to try again. If that does not help and the App is listed on "
            f"{plan.apps}, delete it there and start again.",
        ) from error
    finally:
        client.close()
    # It becomes a link.
    if not app.html_url.startswith(f"{plan.server.web}/"):
        raise misfit(plan.server, doing)
    return _Made(app, answer.owner.login if answer.owner else "")


def _pages(desk: _Desk, host: str) -> Flask:
    """Return the application behind the page; `host` is the only name that it answers to."""
    pages = Flask(__name__, static_folder=None)
    plan = desk.plan

    @pages.before_request
    def same_host() -> None:
        # A page elsewhere may have its own name resolve to this machine.
        if request.host != host:
            abort(421)

    @pages.get("/")
    def start() -> Response:
        if not secrets.compare_digest(request.args.get("key", "").encode(), desk.key.encode()):
            problem = "This is not the whole address"
            hint = "Open the address that the terminal shows, with all that it ends in."
            page = _page(plan, "problem", "The App is not set up", problem=problem, hint=hint)
            page.status_code = 403
            return page
        content = manifest(
            name=plan.name,
            public=plan.public,
            redirect_url=f"http://{host}/callback",
            webhook=plan.webhook,
            callback=f"{plan.public_url}{CALLBACK}" if plan.public_url else None,
            write=plan.write,
        )
        return _page(
            plan,
            "start",
            f"Create the GitHub App {content['name']}",
            reasons=reasons(write=plan.write),
            public=plan.public,
            action=f"{plan.apps}/new?state={desk.state}",
            manifest=json.dumps(content),
        )

    @pages.get("/callback")
    def callback() -> AnyResponse:
        try:
            desk.take(request.args.get("state", ""), request.args.get("code", ""))
        except RlmError as error:
            problem = error.problem if isinstance(error, TellUser) else str(error)
            hint = error.hint if isinstance(error, TellUser) else "Start again."
            print(f"rlm: {problem}\nhint: {hint}", flush=True)
            page = _page(plan, "problem", "The App is not set up", problem=problem, hint=hint)
            page.status_code = 400
            return page
        # The code goes out of the address, and a reload asks for nothing again.
        return redirect("/done", 303)

    @pages.get("/done")
    def done() -> AnyResponse:
        if desk.made is None:
            return redirect("/", 303)
        app = desk.made.app
        page = _page(
            plan,
            "done",
            f"The GitHub App {app.slug} is there",
            install=f"{app.html_url}/installations/new",
        )
        page.call_on_close(desk.seen)
        return page

    return pages


def _page(plan: _Plan, kind: str, title: str, **content: object) -> Response:
    """Render one page, with the headers that keep everything else out of it."""
    nonce = secrets.token_urlsafe(16)
    html = _template().render(
        kind=kind,
        title=title,
        nonce=nonce,
        web=plan.server.web,
        host=plan.server.host,
        org=plan.org,
        webhook=plan.webhook,
        file=plan.home / credentials.FILE,
        **content,
    )
    response = Response(html, mimetype="text/html")
    response.headers |= {
        "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; "
        f"form-action {plan.server.web}; frame-ancestors 'none'; base-uri 'none'",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Not "no-referrer": GitHub would see a form from nowhere. The path stays here.
        "Referrer-Policy": "strict-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return response


@lru_cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = importlib.resources.files(__package__).joinpath(TEMPLATE).read_text("utf-8")
    return environment.from_string(source)


@contextmanager
def _served(desk: _Desk, port: int) -> Iterator[str]:
    """Serve the page on loopback while the block runs; give its address."""
    with _listening(port) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        server = make_server(
            "127.0.0.1",
            0,
            _pages(desk, host),
            threaded=True,
            request_handler=_Quiet,
            fd=listener.fileno(),
        )
        thread = threading.Thread(target=partial(server.serve_forever, 0.1), daemon=True)
        thread.start()
        try:
            yield f"http://{host}/?key={desk.key}"
        finally:
            server.shutdown()
            desk.finish()
            server.server_close()


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        raise TellUser(
            f"Port {port} of this machine {'is in use' if busy else 'cannot be had'}"
            + ("" if busy else f": {error.strerror}"),
            "Give another with --port, or none.",
        ) from error
    with listener:
        yield listener


class _Quiet(WSGIRequestHandler):
    """Logs nothing: the line of a request would hold the code."""

    def log(self, type: str, message: str, *args: object) -> None:
        pass


def _has_browser(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))


def _say_where(address: str, plan: _Plan, environ: Mapping[str, str]) -> None:
    print(f"Open {address} in a browser in which you are signed in to {plan.server.host}.")
    if environ.get("SSH_CONNECTION"):
        port = urlsplit(address).port
        print(f"From another machine, first: ssh -L {port}:127.0.0.1:{port} THIS_MACHINE")
    print("Waiting for GitHub; Ctrl-C ends it.", flush=True)


def _say_next(made: _Made, plan: _Plan, settings: Settings) -> None:
    """Say what was done, what is wrong with it, and what is left to do."""
    app = made.app
    owner = f" of {made.owner}" if made.owner else ""
    print(f"\nCreated the App {app.slug}{owner}: {app.html_url}")
    print(f"Its key and secrets are in {plan.home / credentials.FILE}, readable by you alone.")
    try:
        AppAuth(app.server, app.app_id, app.pem).slug()
    except RlmError as error:
        hint = f" {error.hint}" if isinstance(error, TellUser) else ""
        print(f"It cannot log in yet: {error}.{hint}")
    steps = [f"Install it on the repositories to review: {app.html_url}/installations/new"]
    if not settings.has_key:
        steps.append("Set ANTHROPIC_API_KEY; without it the detectors review alone.")
    steps.append(f"Start it: rlm serve (it listens on port {SERVER_PORT} of this machine alone).")
    page = f"{plan.apps}/{app.slug}"
    if plan.webhook:
        steps.append(f"Have a proxy that ends TLS pass {plan.webhook} on to it.")
    else:
        steps.append(
            f"Give it an address that {plan.server.host} can reach, ending in /webhook: set it as "
            f"the Webhook URL on {page} and tick Active."
        )
    if app.webhook_secret is None:
        steps.append(f"Set a Webhook secret on {page}, and the same one in RLM_WEBHOOK_SECRET.")
    print("\nNext:")
    for number, step in enumerate(steps, 1):
        print(f"  {number}. {step}")
