"""The github role: everything that reads from GitHub and writes to it, with the App's key.

It never sees the model, nor the model it: what it publishes is a checked `Report`.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr

from app.broker import Lent, TokenLender, inherited
from app.forget import Forgetting
from app.github.auth import AppAuth, NotGranted, Token
from app.github.client import Hub, Pace
from app.github.errors import BadToken, Limited
from app.github.urls import Server
from app.health import Health
from app.jobs import run_key
from app.measures import COUNTS
from app.open_heads import LOOKS, OpenHeads
from app.queue import Taker, threads_for
from app.reconcile import Redelivery, reconcile
from app.roles import MARKER_KEY, NODE
from app.server_settings import SETUP, ServerSettings, read_role_settings, store_at
from app.steps import Steps
from app.store import GITHUB, Job, Run, Store
from app.uninstalled import Uninstalled
from app.worker import Claims, Halted
from app.write_steps import REACTIONS_S
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser

log = logging.getLogger(__name__)

THREADS = 4
"""Jobs at once: they wait for GitHub most of the time, a second between two writes."""

MAX_LENT = 1_000
"""Runs that are remembered with the token that they were lent."""

PROGRESS_S = 15.0
"""Check runs are updated no more often: a review of an hour is 240 of 5,000 requests."""

CONNECT_AGAIN_S = 15.0

WRITES = {"pull_requests": "write", "checks": "write"}
WITH_ISSUES = {**WRITES, "issues": "read"}
"""To read the issues that a pull request says it closes, too."""

WITHOUT_CHECKS = {"pull_requests": "write"}
"""Where the owner of an installation has not accepted checks, the review is posted all the same."""

ONLY_CHECKS_WRITE = {"pull_requests": "read", "checks": "write"}
"""Where nothing may be said in the conversation, the check run has all of it."""

CHECKS = {"checks": "write"}
"""To end a check run, when nothing else is possible any more."""

SCANNING = {"security_events": "write"}
"""Only where a repository asks for it: the App does not by itself."""

TO_READ = {"contents": "read", "pull_requests": "write"}
"""To show a patch: with its files."""

TO_WRITE = {"contents": "write", "pull_requests": "write"}
"""To make branches and pull requests that somebody asked for: only where that is switched on."""

TO_RESOLVE = {"contents": "write", "pull_requests": "write"}
"""To resolve threads, where an owner has granted it; never the token that makes branches."""

TO_WATCH = {**WRITES, "statuses": "read"}
"""To look at the checks of a branch of ours, statuses too where that is granted, and to say it."""

HELD = "GitHub limits the rate of requests of this installation"

NOT_GRANTED_S = 600.0
"""An owner who reads of a missing permission and accepts it gets the review that was asked for."""

READS = {"contents": "read"}
"""All that an engine gets, for the repository of its run alone."""


def run(name: str, environ: Mapping[str, str], stopping: threading.Event) -> None:
    """Do the jobs of the github role until `stopping`; without an App, say so and wait."""
    settings = read_role_settings(environ)
    store = Store(store_at(settings.home, environ))
    node = environ.get(NODE, "")
    name = node + name
    store.kept_s = settings.base.operations.keep_runs_s
    store.recover(name)
    forgetting_here = Forgetting(store, settings.home, settings.github, stopping.is_set)
    forget = forgetting_here.catch_up
    # What is gone goes, whether GitHub answers or not.
    forgetting = threading.Thread(
        target=reconcile,
        args=((forget, forgetting_here.left_over), stopping),
        name="forget",
        daemon=True,
    )
    forgetting.start()
    with Health(store, name, "The GitHub App is being looked up.") as health:
        app = _app(settings, store, health, stopping)
        if app is not None:
            key = _marker_key(settings)
            steps = Steps(
                store,
                app.connect,
                app.connect_for_checks,
                key,
                forget,
                connect_for_scanning=app.connect_for_scanning,
                connect_to_read=app.connect_to_read,
                connect_to_write=app.connect_to_write if settings.write else None,
                connect_to_watch=app.connect_to_watch,
                connect_to_resolve=app.connect_to_resolve,
                installed=app.auth.installation_of,
                includes=app.auth.includes,
                is_installed=app.auth.is_installed,
                public_url=settings.public.url,
                operations=settings.base.operations,
            )
            lender = TokenLender(inherited(environ), partial(_lend, store, app, node))
            taker = Taker(
                Claims(store, GITHUB, name), partial(_do, steps, health), steps.lost, stopping
            )
            threads = threads_for(taker, environ, THREADS)
            _work(threads, steps, lender, app, stopping)
    forgetting.join()
    store.close()


def _app(
    settings: ServerSettings, store: Store, health: Health, stopping: threading.Event
) -> "_App | None":
    """Get to know our own App, however long it takes; None if it is time to stop before."""
    while not stopping.is_set():
        try:
            auth = _auth(settings)
            app = _App(settings.github, auth, f"{auth.slug()}[bot]", store)
        except RlmError as error:
            hint = error.hint if isinstance(error, TellUser) else ""
            health.tell(f"{str(error).rstrip('.')}. {hint}".strip())
            log.error("the GitHub App cannot be used", extra={"why": error, "hint": hint})
            stopping.wait(CONNECT_AGAIN_S)
        else:
            health.tell("")
            log.info("ready", extra={"app": app.actor, "server": settings.github.host})
            return app
    return None


def _auth(settings: ServerSettings) -> AppAuth:
    if problem := settings.problem_of("github"):
        raise TellUser(problem)
    if settings.app_id is None or settings.private_key is None:
        raise TellUser("No GitHub App is configured", SETUP.format("RLM_APP_ID"))
    return AppAuth(settings.github, settings.app_id, settings.private_key)


def _work(
    threads: list[threading.Thread],
    steps: Steps,
    lender: TokenLender,
    app: "_App",
    stopping: threading.Event,
) -> None:
    threads.append(threading.Thread(target=lender.serve, args=(stopping,), name="lend"))
    threads.append(threading.Thread(target=_progress, args=(steps, stopping), name="progress"))
    auth, store = app.auth, steps.store
    heads = OpenHeads(auth, store, app.connect_to_look, app.connect_for_checks, app.actor, stopping)
    plans = partial(steps.writing.look_at_reactions, young=False)
    young = ((partial(steps.writing.look_at_reactions, young=True),), stopping, REACTIONS_S)
    threads.append(threading.Thread(target=reconcile, args=young, name="reactions"))
    gone = Uninstalled(auth, store)
    lost = ((Redelivery(auth, store), heads, plans, gone, store.sweep), stopping)
    threads.append(threading.Thread(target=reconcile, args=lost, name="reconcile"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _do(steps: Steps, health: Health, job: Job) -> None:
    """Do a job. What the owner of this machine has to mend is no fault of the job's: it waits."""
    try:
        steps.do(job)
    except NotGranted as error:
        raise RetryLater(str(error), NOT_GRANTED_S) from error
    except TellUser as error:
        health.tell(f"{error.problem.rstrip('.')}. {error.hint}".strip())
        raise Halted(str(error), CONNECT_AGAIN_S) from error
    if health.problem:
        health.tell("")


def _marker_key(settings: ServerSettings) -> bytes:
    if settings.marker_key is None:
        raise GiveUp(f"{MARKER_KEY} is missing: this process is started by `rlm serve` alone")
    return bytes.fromhex(settings.marker_key.get_secret_value())


@dataclass(frozen=True)
class _App:
    """Our App on its server."""

    server: Server
    auth: AppAuth
    actor: str
    store: Store

    lent: dict[str, SecretStr] = field(default_factory=dict)
    paces: dict[int, Pace] = field(default_factory=dict)

    def connect(self, installation: int, repository_id: int) -> AbstractContextManager[Hub]:
        """Open GitHub for one repository, with what its installation has granted of our wishes."""
        wanted = (WITH_ISSUES, WRITES, WITHOUT_CHECKS, ONLY_CHECKS_WRITE)
        return self._connect(installation, repository_id, *wanted)

    def connect_for_checks(
        self, installation: int, repository_id: int
    ) -> AbstractContextManager[Hub]:
        """Open GitHub to write check runs, and nothing else."""
        return self._connect(installation, repository_id, CHECKS)

    def connect_for_scanning(
        self, installation: int, repository_id: int
    ) -> AbstractContextManager[Hub]:
        """Open GitHub to hand findings to code scanning, and for nothing else."""
        return self._connect(installation, repository_id, SCANNING)

    def connect_to_read(self, installation: int, repository_id: int) -> AbstractContextManager[Hub]:
        """Open GitHub to speak, and to read files."""
        return self._connect(installation, repository_id, TO_READ)

    def connect_to_write(
        self, installation: int, repository_id: int
    ) -> AbstractContextManager[Hub]:
        """Open GitHub to make branches and pull requests, and for nothing else."""
        return self._connect(installation, repository_id, TO_WRITE)

    def connect_to_watch(
        self, installation: int, repository_id: int
    ) -> AbstractContextManager[Hub]:
        """Open GitHub to read checks, and to speak."""
        return self._connect(installation, repository_id, TO_WATCH, WRITES)

    @contextmanager
    def connect_to_resolve(self, installation: int, repository_id: int) -> Iterator[Hub]:
        """Open GitHub to resolve threads: with a token that nothing else has, ended afterwards.

        NotGranted where the owner lets us write no contents: no token is asked for then. After
        trouble the token ends by itself, within the hour.
        """
        own = partial(self.auth.own_token, installation, repository_id, TO_RESOLVE)
        with self._opened(installation, own) as hub:
            yield hub
            try:
                hub.ask("give a token back", "DELETE", "/installation/token")
            except RlmError as error:  # what it was for is done
                log.info("a token was not given back", extra={"why": error})

    def connect_to_look(self, installation: int) -> AbstractContextManager[Hub]:
        """Open GitHub to look at every repository of an installation."""
        return self._connect(installation, None, LOOKS)

    def lend(self, run: Run) -> SecretStr:
        """Return a token that reads the repository of a run: another one if it had one before.

        Where GitHub wants no requests of the installation, no run begins to fetch; one that is
        under way would lose files by that, and costs one request.
        """
        before = self.lent.pop(run.id, None)
        if before is not None:
            self.auth.forget(before)
        elif held := self.store.held(run.installation):
            raise Limited(HELD, held)
        while len(self.lent) >= MAX_LENT:
            self.lent.pop(next(iter(self.lent)))
        try:
            token = self.auth.installation_token(run.installation, run.repository_id, READS).value
        except Limited as error:
            raise self._held(run.installation, error) from error
        self.lent[run.id] = token
        return token

    def _held(self, installation: int, error: Limited) -> Limited:
        """Have all wait for an installation that was refused; return what to say."""
        wait_s = self.store.hold(installation, error.after_s if error.told else None)
        return Limited(str(error), max(wait_s, error.after_s))

    def _connect(
        self, installation: int, repository_id: int | None, *wishes: Mapping[str, str]
    ) -> AbstractContextManager[Hub]:
        """Open GitHub with a token for one repository, None for all of the installation's."""
        return self._opened(
            installation, partial(self._token, installation, repository_id, *wishes)
        )

    @contextmanager
    def _opened(self, installation: int, get_token: Callable[[], Token]) -> Iterator[Hub]:
        """Yield GitHub with a token of an installation.

        One that is refused is not used again. Where GitHub has said that it wants no requests of an
        installation, nobody makes one before that is over.
        """
        held = self.store.held(installation)
        if held:
            raise Limited(HELD, held)
        try:
            token = get_token()
            pace = self.paces.setdefault(installation, Pace())
            with Hub(self.server, token.value, actor=self.actor, pace=pace) as hub:
                try:
                    yield hub
                except BadToken:
                    self.auth.forget(token.value)
                    raise
                finally:
                    COUNTS.rate(installation, *hub.github.requester.rate_limiting)
        except Limited as error:
            raise self._held(installation, error) from error
        if held is not None:
            self.store.let_ask(installation)

    def _token(
        self, installation: int, repository_id: int | None, *wishes: Mapping[str, str]
    ) -> Token:
        """Return a token for the first of the wishes that is granted."""
        lacking: NotGranted | None = None
        for wish in wishes:
            try:
                token = self.auth.installation_token(installation, repository_id, wish)
            except NotGranted as error:
                lacking = lacking or error
            else:
                if lacking is not None:
                    log.warning("fewer permissions", extra={"why": lacking})
                return token
        raise lacking or AssertionError("there is always a wish")


def _lend(store: Store, app: _App, node: str, engine: str, run_id: str) -> Lent:
    """Make a token that reads the repository of a run, for the engine that has claimed it."""
    if store.claimant(run_key(run_id)) != node + engine:
        raise GiveUp("This run is not claimed by this engine.")
    run = store.run(run_id)
    if run is None:
        raise GiveUp("There is no such run.")
    return Lent(app.lend(run), run.repository)


def _progress(steps: Steps, stopping: threading.Event) -> None:
    shown: dict[str, str] = {}
    while not stopping.wait(PROGRESS_S):
        try:
            steps.show_progress(shown)
        except RlmError as error:
            log.info("no progress shown", extra={"why": error})
        except Exception:
            log.exception("no progress shown")
