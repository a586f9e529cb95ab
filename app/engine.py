"""One review of two commits of a repository on this disk: what every way in comes down to."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.code import code_of
from app.config_rows import Row, rows
from app.defaults import NO_BUDGET, NO_KEY
from app.github.blobs import RemoteBlobs
from app.github.cache import in_use
from app.github.fetch import Checkout
from app.guides import Guides, read_guides
from app.objects import LocalObjects
from app.paid import journal_here, journal_of
from app.policy import Sources, edits, nested_between, of_pull, read_policy, settled
from app.report import Report, report
from app.settings import Settings, secret_of
from reviewer.change import Change
from reviewer.diff import build_change
from reviewer.errors import TellUser
from reviewer.explain.job import explain
from reviewer.explain.values import Explanation, Question
from reviewer.git import open_repo
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Model, Usage
from reviewer.model.batches import BATCH_CALLS, BATCH_SHARE, BATCH_TIMEOUT_S, BatchModel
from reviewer.model.prices import Discounted, Prices, load
from reviewer.ports import Cancelled, Objects, Rev
from reviewer.request import Caps, Earlier, Effort, Promise, Review, ReviewRequest, StopReason
from reviewer.review.functions import Code
from reviewer.review.job import review
from reviewer.rlm.journal import Journal
from reviewer.rlm.run import CALL_TIMEOUT_S, Pricing
from reviewer.rlm.trace import Event, Note, TraceSink

if TYPE_CHECKING:
    from app.store.database import Database

log = logging.getLogger(__name__)

HERE = "here"
"""The tenant of whoever runs this in a terminal or a workflow of their own."""

ANSWER_USD = 0.50
"""Most that an answer may cost, where a review may cost more: it is one node of a few turns."""

NO_ANSWERS = "no model is asked here."

BATCHES = "batches"
"""Under RLM_HOME: what was handed in and not yet answered."""

SERVICE_FAILED = "The model's service failed; the log of whoever runs this reviewer says how."
STORAGE_FAILED = "The cost could not be written down; the log of whoever runs this says why."

PRIVATE = {StopReason.MODEL: SERVICE_FAILED, StopReason.STORAGE: STORAGE_FAILED}
"""Ends of a run whose words are for whoever runs this, and what others are told in their place."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model a run asks, and up to what price. No name: `why_not` says why, in a note."""

    name: str | None
    budget_usd: float | None = None
    why_not: str = ""


def asked(settings: Settings, prices: Prices) -> Asked:
    """Decide from the settings whether a model is asked; raise TellUser as `priced` does."""
    if settings.budget_usd == 0:
        return Asked(None, why_not=NO_BUDGET)
    if not settings.has_key:
        return Asked(None, why_not=NO_KEY)
    return priced(settings.model, settings.budget_usd, prices)


def priced(name: str, budget_usd: float | None, prices: Prices) -> Asked:
    """Refuse, with TellUser, a cap in dollars that could not be kept for want of a price."""
    if budget_usd is not None and prices.cost(name, Usage()) is None:
        raise TellUser(
            f"The price of the model {name} is not known, so a cap in dollars cannot be kept.",
            "Name a file with its price in RLM_PRICES, or set no cap: RLM_BUDGET=none or "
            "--budget none.",
        )
    return Asked(name, budget_usd)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a review will do; `notes` are for its readers, `rows` say what was decided by whom."""

    request: ReviewRequest
    notes: tuple[str, ...]
    rows: tuple[Row, ...] = ()


def plan(
    checkout: Checkout,
    settings: Settings,
    *,
    cancelled: Cancelled,
    paths: tuple[str, ...] = (),
    promise: Promise | None = None,
    earlier: tuple[Earlier, ...] = (),
) -> Plan:
    """Decide how a fetched pull request is reviewed; `promise` is what its author says, `earlier`
    what we have said there."""
    prices = load(settings.prices)
    start = Change(checkout.base, checkout.head, checkout.start.commit, ())
    with (
        in_use(checkout.repo),
        open_repo(str(checkout.repo)) as opened,
        LocalObjects(opened, start, supply=RemoteBlobs(checkout.origin, cancelled)) as objects,
    ):
        nested = nested_between(opened, start.merge_base, start.head)
        sources = of_pull(opened, start.merge_base, objects, checkout.origin, nested)
        return decide(
            settings,
            sources,
            prices,
            lambda settled: asked(settled, prices),
            paths,
            promise=promise,
            earlier=earlier,
        )


def decide(
    settings: Settings,
    sources: Sources,
    prices: Prices,
    choose: Callable[[Settings], Asked],
    paths: tuple[str, ...] = (),
    *,
    seconds: float | None = None,
    lowers: bool = True,
    promise: Promise | None = None,
    earlier: tuple[Earlier, ...] = (),
) -> Plan:
    """Bring together the settings and what the repository asks.

    `choose` says whether a model is asked once they are settled; `lowers` as in `settled`.
    """
    wishes = read_policy(sources)
    before = settings
    settings, not_used = settled(settings, wishes.policy, prices, lowers=lowers)
    choice = choose(settings)
    guides = read_guides(sources.start, sources.below, sources.nested) if choice.name else Guides()
    request = ReviewRequest(
        effort=Effort(settings.effort),
        model=choice.name,
        cheap_model=choice.name and settings.cheap_for(choice.name),
        caps=Caps(usd=choice.budget_usd, seconds=seconds),
        paths=paths,
        guidelines=guides.text,
        guides=guides.scoped,
        policy=wishes.policy,
        policy_before=wishes.before,
        promise=promise if choice.name else None,
        earlier=earlier if choice.name else (),
    )
    notes = (choice.why_not, *wishes.notes, *not_used, *guides.notes)
    return Plan(request, notes, rows(wishes.policy, wishes.layers, before, settings))


def run_review(
    checkout: Checkout,
    settings: Settings,
    plan: Plan,
    *,
    sink: TraceSink,
    cancelled: Cancelled,
    run: str = "",
    tenant: str = HERE,
    shared: "Database | None" = None,
) -> Report:
    """Review a pull request that was fetched, as planned, for somebody to publish.

    `run` is its name, the same when it is taken up again after it was cut off; `tenant` whose it
    is: what one paid for no other one gets. `shared` has what was paid where servers share it.
    """
    prices = load(settings.prices)
    request = plan.request
    said: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)
        sink(event)

    with _opened(checkout, settings, request, run, tenant, cancelled, shared) as there:
        work = review_with(
            settings,
            request,
            there.change,
            there.objects,
            there.code,
            prices=prices,
            sink=listen,
            cancelled=cancelled,
            journal=there.journal,
            tenant=tenant,
        )
        done = discreet(asyncio.run(work), said)
        done = with_notes(done, *plan.notes, *edits(there.change, guided=request.model is not None))
        return report(done, there.change, there.objects, request.policy)


def run_explain(
    checkout: Checkout,
    settings: Settings,
    plan: Plan,
    question: Question,
    *,
    sink: TraceSink,
    cancelled: Cancelled,
    run: str = "",
    tenant: str = HERE,
    shared: "Database | None" = None,
) -> Explanation:
    """Answer a question about a pull request that was fetched; `run`, `tenant` and `shared` as in
    `run_review`. Without a model nobody can, and the explanation says so."""
    prices = load(settings.prices)
    request = plan.request
    if request.model is None:
        return Explanation(answer="", why=" ".join(filter(None, (NO_ANSWERS, *plan.notes[:1]))))
    said: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)
        sink(event)

    async def answer(there: _Opened) -> Explanation:
        async with service_of(settings) as model:
            return await explain(
                question,
                request,
                there.change,
                there.objects,
                model=model,
                prices=prices,
                sink=listen,
                cancelled=cancelled,
                concurrency=settings.concurrency,
                code=there.code,
                journal=there.journal,
                tenant=tenant,
            )

    if request.caps.usd is not None:
        capped = request.caps.model_copy(update={"usd": min(request.caps.usd, ANSWER_USD)})
        request = request.model_copy(update={"caps": capped})
    # A question that is asked again is another one: what the first cost is no part of its cap.
    name = run or secrets.token_hex(16)
    with _opened(checkout, settings, request, name, tenant, cancelled, shared) as there:
        done = asyncio.run(answer(there))
    if done.stopped in PRIVATE:
        for detail in said:
            log.warning("a question was not answered", extra={"why": detail})
        return done.model_copy(update={"why": PRIVATE[done.stopped]})
    return done


@dataclass(frozen=True, slots=True)
class _Opened:
    """A fetched pull request, and where what is paid for it is written down."""

    change: Change
    objects: Objects
    code: Code
    journal: Journal | None


@contextmanager
def _opened(  # noqa: PLR0917
    checkout: Checkout,
    settings: Settings,
    request: ReviewRequest,
    run: str,
    tenant: str,
    cancelled: Cancelled,
    shared: "Database | None",
) -> Iterator[_Opened]:
    with in_use(checkout.repo), open_repo(str(checkout.repo)) as repo:
        change = build_change(repo, checkout.base, checkout.head, checkout.start)
        supply = RemoteBlobs(checkout.origin, cancelled)
        with (
            LocalObjects(repo, change, supply=supply) as objects,
            code_of(
                repo,
                change,
                objects,
                settings.home,
                origin=checkout.origin,
                cancelled=cancelled,
                warm=request.model is not None,
            ) as code,
            _paying(
                settings, request, change, run, tenant, checkout.origin.wanted.repository, shared
            ) as journal,
        ):
            yield _Opened(change, objects, code, journal)


@contextmanager
def _paying(  # noqa: PLR0917
    settings: Settings,
    request: ReviewRequest,
    change: Change,
    run: str,
    tenant: str,
    repository: str,
    shared: "Database | None",
) -> Iterator[Journal | None]:
    kept_s = settings.operations.keep_answers_s
    if request.model is None:
        yield None
    elif run:
        where = shared or settings.home
        with journal_of(where, run, request.caps, tenant, repository, kept_s) as journal:
            yield journal
    else:
        with journal_here(
            settings.home, request, change, tenant, log.info, kept_s=kept_s
        ) as journal:
            yield journal


def discreet(done: Review, said: Sequence[str]) -> Review:
    """Leave out what is only for whoever runs this: what `said` quotes of the model's service.

    It names addresses and settings, and a pull request has other readers.
    """
    if done.stopped not in PRIVATE:
        return done
    told = PRIVATE[done.stopped]
    for detail in said:
        log.warning("a run was ended", extra={"stopped": done.stopped, "why": detail})
    return done.model_copy(
        update={
            "notes": [told if note in said else note for note in done.notes],
            "coverage": done.coverage.model_copy(
                update={
                    "skipped": [
                        one.model_copy(update={"reason": told}) if one.reason in said else one
                        for one in done.coverage.skipped
                    ]
                }
            ),
        }
    )


def service_of(settings: Settings) -> AnthropicModel:
    """Return the model's service that the settings name, to be opened; nobody is asked yet."""
    return AnthropicModel(
        secret_of(settings.anthropic_api_key),
        settings.anthropic_base_url,
        auth_token=secret_of(settings.anthropic_auth_token),
        cloud=settings.cloud,
    )


async def review_with(
    settings: Settings,
    request: ReviewRequest,
    change: Change,
    objects: Objects,
    code: Code,
    *,
    prices: Prices,
    sink: TraceSink,
    cancelled: Cancelled,
    journal: Journal | None = None,
    tenant: str = HERE,
) -> Review:
    """Review with the model's service that the settings name, or without one."""
    if request.model is None:
        return await review(
            request,
            change,
            objects,
            model=None,
            prices=prices,
            sink=sink,
            cancelled=cancelled,
            code=code,
        )
    async with (
        service_of(settings) as direct,
        _asking(settings, direct, sink) as model,
    ):
        if settings.batch:
            sink(Note("fetching all files of both ends: nobody can ask for them in some hours"))
            await asyncio.to_thread(everything_here, objects)
        return await review(
            request,
            change,
            objects,
            model=model,
            prices=charged(settings, prices),
            sink=sink,
            cancelled=cancelled,
            concurrency=BATCH_CALLS if settings.batch else settings.concurrency,
            call_timeout_s=BATCH_TIMEOUT_S if settings.batch else CALL_TIMEOUT_S,
            code=code,
            journal=journal,
            tenant=tenant,
        )


@asynccontextmanager
async def _asking(
    settings: Settings, direct: AnthropicModel, sink: TraceSink
) -> AsyncIterator[Model]:
    """Yield the model as it is asked: call by call, or many calls together."""
    if not settings.batch:
        yield direct
        return
    if settings.cloud is not None:
        raise TellUser(
            f"There is no Message Batches API at {settings.provider}.",
            "Review without --batch, and without RLM_BATCH.",
        )
    folder = settings.home / BATCHES
    async with BatchModel(direct, folder, lambda text: sink(Note(text))) as batches:
        yield batches


def charged(settings: Settings, prices: Prices) -> Pricing:
    """Return the prices as this configuration pays them."""
    return Discounted(prices, BATCH_SHARE) if settings.batch else prices


def everything_here(objects: Objects) -> None:
    """Bring every file of both ends: a token for fetching is long gone when a batch is answered."""
    ends: tuple[Rev, ...] = ("head", "base")
    objects.prefetch({entry.sha for at in ends for entry in objects.entries("", at)})


def with_notes(done: Review, *notes: str) -> Review:
    """Put the first note before the review's own and the others behind, empty ones left out.

    What was not read comes before how it was asked: some readers see only the first notes. Where
    nothing changed, how it was asked is no news.
    """
    if done.change.files == 0:
        return done
    told = [*filter(None, notes[:1]), *done.notes, *filter(None, notes[1:])]
    return done.model_copy(update={"notes": told})
