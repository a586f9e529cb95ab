"""The run pages: a blueprint for the web role. Each view asks whether its reader may read.

A page that is not there and one that is not for the reader are the same page. Views share the web
role's threads with GitHub's deliveries: only some of them wait for GitHub at a time.
"""

import hashlib
import importlib.resources
import logging
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, redirect, request
from jinja2 import ChoiceLoader, PackageLoader
from pydantic import SecretStr
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Response as AnyResponse

from app.github.errors import BadToken
from app.github.urls import Server
from app.public import CALLBACK, Public
from app.render import words
from app.render.html import LOADER, environment, style
from app.store import Store
from app.trace_document import node_doc
from app.trace_lines import NAME
from app.trace_read import detail
from app.web import tree, views
from app.web.access import Access, Repository
from app.web.following import Traces
from app.web.login import Declined, Login
from app.web.places import Places
from app.web.plots import Plot, draw
from app.web.records import DAYS, Records, RunRecord
from app.web.session import Cookies, Pending, Session
from reviewer.errors import RetryLater, RlmError

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Views at a time; the other threads of the web role are for GitHub's deliveries."""

WAIT_S = 2.0
"""For a place among them."""

MOST_WAITING = 2
"""Who waits holds a thread, too."""

RETRY_AFTER_S = 5

MOST_NODE_BYTES = 4_000_000
"""Of one node, looked at turn by turn."""

MOST_REPOSITORIES = 500

_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_COUNT = re.compile(r"[0-9]{1,12}")

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # without it a form of ours comes from "null"
    "X-Content-Type-Options": "nosniff",
}

STATIC = {
    "pages.css": "text/css; charset=utf-8",
    "review.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Against:
    """What was spent beside its cap, in dollars: in an installation's calendar month, or by all
    runs on one pull request."""

    usd: float
    cap_usd: float


class LoggedOut(Exception):
    """Nobody is logged in, or GitHub does not take the token any more."""


class Pages:
    """The pages of one server. `key` seals sessions; `budget_usd` is the cap of one run,
    `pull_budget_usd` that of all on one pull request, `month_budget_usd` that of an installation's
    month. `node` is what the names of this server's
    processes begin with, "" where there is one."""

    def __init__(
        self,
        store: Store,
        home: Path,
        server: Server,
        public: Public,
        *,
        key: SecretStr,
        budget_usd: float | None = None,
        pull_budget_usd: float | None = None,
        month_budget_usd: float | None = None,
        node: str = "",
    ) -> None:
        parts = urlsplit(public.url)
        self.root = parts.path
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.records = Records(store.database)
        self.traces = Traces(home, store if store.database.shared else None, node)
        self.server = server
        self.budget_usd = budget_usd
        self.pull_budget_usd = pull_budget_usd
        self.month_budget_usd = month_budget_usd
        self.spent_by_pull = store.spent_by_pull
        self.spent_this_month = store.spent_this_month
        self.login = Login(public, server)
        self.access = Access(server)
        self.cookies = Cookies(key, self.root, secure=parts.scheme == "https")
        self.places = Places(AT_ONCE, MOST_WAITING, WAIT_S)
        self.static = {name: _static(name) for name in STATIC}
        self._templates = environment(ChoiceLoader([PackageLoader("app.web", "templates"), LOADER]))
        self._templates.globals |= {
            "root": self.root,
            "github": server.web,
            "host": server.host,
            "static": {
                name: f"{self.root}/static/{tag}/{name}" for name, (tag, _) in self.static.items()
            },
            "draw": draw,
        }

    def render(self, template: str, code: int = 200, **given: Any) -> Response:
        """Return a page. What a template is not given is an error."""
        session: Session | None = g.get("session")
        html = self._templates.get_template(template).render(
            session=session, path=request.path, **given
        )
        return Response(html, code, content_type="text/html; charset=utf-8")


def register(app: Flask, pages: Pages) -> None:
    """Add the pages to the web role's application."""
    views_of_runs = Blueprint("pages", __name__)
    _guard(views_of_runs, pages)
    _login_views(views_of_runs, pages)
    _run_views(views_of_runs, pages)
    _list_views(views_of_runs, pages)
    _static_view(views_of_runs, pages)
    app.register_blueprint(views_of_runs)


def _guard(blueprint: Blueprint, pages: Pages) -> None:
    """Give every view its place, its reader, its headers, and words for what goes wrong."""

    @blueprint.before_request
    def enter() -> Response | None:
        g.session = pages.cookies.read(Session, request)
        if request.endpoint == "pages.static_file":
            return None
        if not pages.places.take():
            return _trouble(pages, "Many people are looking just now.")
        g.has_place = True
        return None

    @blueprint.teardown_request
    def leave(_: BaseException | None) -> None:
        if g.pop("has_place", False):
            pages.places.leave()

    @blueprint.after_request
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    @blueprint.errorhandler(LoggedOut)
    def logged_out(_: LoggedOut) -> Response:
        had_session, g.session = g.get("session") is not None, None
        # A login leads to a page: what reads for a page that is open already gets a plain no.
        page = pages.render("login.html.j2", 401, ended=had_session, then=_then(pages))
        if had_session:
            pages.cookies.drop(page, Session)
        return page

    @blueprint.errorhandler(RlmError)
    def not_now(error: RlmError) -> Response:
        if isinstance(error, BadToken):
            return logged_out(LoggedOut())
        log.warning("a page was not shown", extra={"why": error})
        if isinstance(error, RetryLater):
            return _trouble(pages, f"{pages.server.host} or this server's store does not answer.")
        return _trouble(pages, "The owner of this server has to look at its log.")

    @blueprint.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        code = error.code or 500
        page = pages.render("missing.html.j2", code, title=HTTPStatus(code).phrase)
        if isinstance(error, MethodNotAllowed):
            page.headers["Allow"] = ", ".join(error.valid_methods or ())
        return page

    @blueprint.errorhandler(Exception)
    def bug(error: Exception) -> Response:
        log.error("this is a bug", exc_info=error)
        return pages.render("trouble.html.j2", 500, why="This is a bug; the server's log has it.")


def _trouble(pages: Pages, why: str) -> Response:
    page = pages.render("trouble.html.j2", 503, why=why)
    page.headers["Retry-After"] = str(RETRY_AFTER_S)
    return page


def _then(pages: Pages) -> str:
    """Return the page that somebody wanted to see, for after the login."""
    return request.path if request.method == "GET" else "/"


def _reader() -> Session:
    """Return who is logged in."""
    session: Session | None = g.get("session")
    if session is None:
        raise LoggedOut
    return session


def _number(text: str) -> int:
    if _COUNT.fullmatch(text) is None:
        raise NotFound
    return int(text)


# Logging in and out


def _login_views(blueprint: Blueprint, pages: Pages) -> None:
    @blueprint.get("/login")
    def login() -> AnyResponse:
        url, pending = pages.login.begin(request.args.get("then", "/"))
        answer = redirect(url, 303)
        pages.cookies.write(answer, pending)  # type: ignore[arg-type]
        return answer

    @blueprint.get(CALLBACK)
    def callback() -> AnyResponse:
        pending = pages.cookies.read(Pending, request)
        try:
            session = pages.login.finish(request.args, pending)
        except Declined as error:
            page = pages.render("declined.html.j2", 403, why=str(error))
            pages.cookies.drop(page, Pending)
            return page
        log.info("logged in", extra={"user": session.user})
        # The code goes out of the address.
        answer = redirect(f"{pages.root}{pending.then if pending else '/'}", 303)
        pages.cookies.drop(answer, Pending)  # type: ignore[arg-type]
        if not pages.cookies.write(answer, session):  # type: ignore[arg-type]
            return pages.render("declined.html.j2", 403, why="GitHub's token is too long to keep")
        return answer

    @blueprint.post("/logout")
    def logout() -> AnyResponse:
        # Besides SameSite: nobody elsewhere logs people out.
        if request.headers.get("Origin", pages.origin) != pages.origin:
            raise NotFound
        session: Session | None = g.get("session")
        if session is not None:
            pages.login.revoke(session)
            pages.access.forget(session)
        answer = redirect(f"{pages.root}/", 303)
        pages.cookies.drop(answer, Session)  # type: ignore[arg-type]
        return answer


# One run


def _run_views(blueprint: Blueprint, pages: Pages) -> None:
    @blueprint.get("/runs/<name>")
    def run_page(name: str) -> Response:
        run, repository = _readable_run(pages, name)
        begin = request.args.get("from", "")
        skip = _number(request.args.get("skip", "0"))
        step = pages.records.step(run.id) if run.running else None
        with pages.traces.look(run.id) as look:
            shown = None
            if look is not None:
                shown = tree.shown(look.trace, begin, skip, running=run.running)
            first = look.trace.first if look is not None else None
            cap = first.caps.get("usd") if first is not None else None
            page = pages.render(
                "run.html.j2",
                run=run,
                repository=repository,
                standing=views.standing(run, step, pages.records.stacked(run.id)),
                asked=views.asked(run),
                created=views.moment(run.created),
                took=views.took(run),
                spent=views.spent(run),
                so_far=words.money(look.trace.totals.spent.usd) if look is not None else "",
                cap=words.money(cap) if cap is not None else "",
                pull=_pull(pages, run),
                model=first.model if first is not None else None,
                effort=first.effort if first is not None else "",
                done=views.review_of(run, pages.records.threads(run.repository_id, run.number)),
                tree=shown,
                part=look is not None and begin in look.trace.nodes,
                reading=look.percent if look is not None and not look.is_whole else None,
                unsettled=run.running or (look is not None and not look.is_whole),
                others=[
                    views.row(one)
                    for one in pages.records.runs_of(run.repository_id, run.number)
                    if one.id != run.id
                ],
                kind=views.KINDS.get(run.kind, "Run"),
                has_patch=bool(views.mails_of(run)),
                shared=pages.records.is_shared,
            )
        return _unless_same(page)

    @blueprint.get("/runs/<name>/patch")
    def patch(name: str) -> Response:
        run, _ = _readable_run(pages, name)
        mails = views.mails_of(run)
        if not mails:
            raise NotFound
        kept = {"Content-Disposition": f'attachment; filename="{run.id}.patch"'}
        return Response(mails, mimetype="text/plain", headers=kept)

    @blueprint.get("/runs/<name>/nodes/<node>")
    def node_page(name: str, node: str) -> Response:
        run, repository = _readable_run(pages, name)
        with pages.traces.look(run.id) as look:
            known = (
                look.trace.nodes.get(node) if look is not None and NAME.fullmatch(node) else None
            )
            if look is None or known is None:
                raise NotFound
            doc = node_doc(known, detail(look.file, known.lines, most_bytes=MOST_NODE_BYTES))
            facts = tree.known(known, running=run.running, full=True)
            state = "cut" if known.state == "active" and not run.running else known.state
        return pages.render(
            "node.html.j2",
            run=run,
            repository=repository,
            node=node,
            parent=doc.parent,
            label=doc.label or doc.task or "its beginning is missing",
            state=state,
            said=tree.SAID[state],
            facts=facts,
            work=views.worked(doc),
        )


def _readable_run(pages: Pages, name: str) -> tuple[RunRecord, Repository]:
    """Return a run that its reader may see; NotFound for every other, whyever."""
    session = _reader()
    run = pages.records.run(name) if _RUN.fullmatch(name) else None
    repository = pages.access.repository(session, run.repository_id) if run is not None else None
    if run is None or repository is None:
        raise NotFound
    return run, repository


def _unless_same(page: Response) -> Response:
    """Answer 304 where whoever asks has this very page."""
    page.set_etag(hashlib.sha256(page.get_data()).hexdigest()[:32])
    page.make_conditional(request)
    return page


# Repositories and installations


def _list_views(blueprint: Blueprint, pages: Pages) -> None:
    @blueprint.get("/")
    def home() -> Response:
        if g.get("session") is None:
            return pages.render("login.html.j2", ended=False, then="/")
        return pages.render("home.html.j2", installations=pages.access.installations(_reader()))

    @blueprint.get("/repositories/<number>")
    def repository_page(number: str) -> Response:
        repository = pages.access.repository(_reader(), _number(number))
        if repository is None:
            raise NotFound
        before = request.args.get("before", "")
        ids = [repository.id]
        runs, more = pages.records.runs_in(ids, _number(before) if before else None)
        sums = pages.records.sums(ids).get(repository.id)
        return pages.render(
            "repository.html.j2",
            repository=repository,
            installation=runs[0].installation if runs else None,
            runs=[views.row(one) for one in runs],
            older=runs[-1].seq if more else None,
            is_first=not before,
            sums=sums or views.total([]),
            plots=_plots(pages, ids),
            **_common(pages, ids),
        )

    @blueprint.get("/installations/<number>")
    def installation_page(number: str) -> Response:
        session, installation = _reader(), _number(number)
        readable = pages.access.readable(session, installation)
        if readable is None or not readable.repositories:
            raise NotFound
        repositories = readable.repositories[:MOST_REPOSITORIES]
        ids = [one.id for one in repositories]
        sums = pages.records.sums(ids)
        runs, _ = pages.records.runs_in(ids)
        known = sorted(
            repositories, key=lambda one: (-(_last(sums, one.id)), one.full_name.lower())
        )
        return pages.render(
            "installation.html.j2",
            account=repositories[0].full_name.partition("/")[0],
            repositories=[(one, sums.get(one.id) or views.total([])) for one in known],
            moments={name: views.moment(one.last) for name, one in sums.items() if one.last},
            unlisted=readable.more,
            runs=[views.row(one) for one in runs],
            sums=views.total(list(sums.values())),
            plots=_plots(pages, ids),
            month=_month(pages, installation),
            **_common(pages, ids),
        )


def _month(pages: Pages, installation: int) -> Against | None:
    """Return what the month has cost so far, where that has a cap.

    It is of all repositories, also of those that the reader may not read: `/rlm cost` tells it in
    each of them.
    """
    if pages.month_budget_usd is None:
        return None
    return Against(pages.spent_this_month(installation), pages.month_budget_usd)


def _pull(pages: Pages, run: RunRecord) -> Against | None:
    """Return what all runs on a pull request have cost or may still cost, where that has a cap."""
    if pages.pull_budget_usd is None:
        return None
    return Against(pages.spent_by_pull(run.repository_id, run.number), pages.pull_budget_usd)


def _last(sums: dict[int, Any], number: int) -> float:
    found = sums.get(number)
    return found.last or 0.0 if found is not None else 0.0


def _plots(pages: Pages, ids: list[int]) -> list[Plot]:
    days = pages.records.days(ids)
    dates, counted = pages.records.findings(ids)
    return [views.spending(days), views.becoming(dates, counted), views.running(days)]


def _common(pages: Pages, ids: list[int]) -> dict[str, Any]:
    """Return what repositories and installations show alike."""
    return {
        "matrix": views.matrix(pages.records.severities(ids)),
        "days": DAYS,
        "cap": "" if pages.budget_usd is None else words.money(pages.budget_usd),
    }


# Our own files


def _static(name: str) -> tuple[str, bytes]:
    """Return a file's content with a name for exactly that content."""
    if name == "review.css":
        content = style().encode()
    else:
        folder = importlib.resources.files("app.web").joinpath("static")
        content = folder.joinpath(name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:16], content


def _static_view(blueprint: Blueprint, pages: Pages) -> None:
    @blueprint.get("/static/<tag>/<name>")
    def static_file(tag: str, name: str) -> Response:
        known = pages.static.get(name)
        if known is None or known[0] != tag:
            raise NotFound
        response = Response(known[1], content_type=STATIC[name])
        # Its address changes with its content.
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    @blueprint.get("/<path:path>")
    def nowhere(path: str) -> Response:
        if path == "webhook":
            raise MethodNotAllowed(["POST"])
        raise NotFound
