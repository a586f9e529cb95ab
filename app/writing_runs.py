"""Runs that come to commits: what an engine does when somebody asked for a change of the code.

Each task is a function of what is there to what came of it; `WORK` names them. Nothing is written
here but objects in a folder of our own: what comes out is handed over (`app/written.py`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from app.accounts import Account, secrets_of
from app.engine import PRIVATE, Plan, service_of
from app.fix_runs import fixing
from app.github.blobs import RemoteBlobs
from app.github.cache import in_use
from app.github.fetch import Checkout
from app.jobs import Wish
from app.means import Means
from app.objects import LocalObjects, missing_objects
from app.paid import journal_of
from app.plumbing import NOBODY
from app.settings import Settings
from app.store import Task
from app.store.database import Database
from app.task_work import Came, There
from app.tests_first import put_tests_first
from app.tests_runs import testing
from app.trees import GitTrees
from app.written import MAX_BYTES, Written
from reviewer.change import Change
from reviewer.errors import GiveUp
from reviewer.fix.values import Fixing
from reviewer.git import GitRepo, open_repo
from reviewer.model.prices import load
from reviewer.ports import Cancelled, MissingBlob
from reviewer.refactor.gone import names_gone
from reviewer.refactor.job import refactor
from reviewer.refactor.patch import Patch
from reviewer.refactor.protect import shown
from reviewer.refactor.request import RefactorRequest
from reviewer.refactor.tree import REGULAR, Start
from reviewer.refactor.values import Plan as Planned
from reviewer.refactor.values import Refactoring
from reviewer.request import StopReason
from reviewer.rlm.trace import Event, Note, TraceSink
from reviewer.testing.values import Testing

log = logging.getLogger(__name__)

MOST_FILES = 20_000
"""Of a repository that is changed: each is brought, for a use that is not seen would be broken."""

LINK = "120000"

TOO_MANY = (
    "the repository has {count:,} files that would have to be fetched to change it, and {most:,} "
    "are the most. `rlm refactor` in a clone has no such bound."
)
NO_MODEL = "no model is asked here, and this takes one. {}"
NO_PLAN = "the plan is not kept any more. Ask again with `/rlm refactor`."
CHANGED = "These files have changed since the plan was made: {}. Ask again for a new plan."
NAMED = 10


def run_writing(  # noqa: PLR0917
    name: str,
    wish: Wish,
    checkout: Checkout,
    settings: Settings,
    plan: Plan,
    stored: Callable[[str], str],
    *,
    sink: TraceSink,
    cancelled: Cancelled,
    tenant: str,
    shared: Database | None = None,
) -> Written:
    """Do what a writing run was asked for, at the head of a pull request that was fetched.

    `name` is the run's, `tenant` whose it is: what one paid for no other one gets. `shared` has
    what was paid where servers share it.
    """
    task, request = wish.task, plan.request
    if task is None or task not in WORK:
        raise GiveUp("this version cannot do that.")
    if request.model is None:
        raise GiveUp(NO_MODEL.format(" ".join(plan.notes[:1])).strip())
    said: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)
        sink(event)

    kept_s, where = settings.operations.keep_answers_s, shared or settings.home
    repository = checkout.origin.wanted.repository
    with (
        in_use(checkout.repo),
        open_repo(str(checkout.repo)) as repo,
    ):
        bring(repo, checkout, cancelled)
        with (
            GitTrees(repo, checkout.head, settings.home) as trees,
            journal_of(where, name, request.caps, tenant, repository, kept_s) as journal,
        ):
            there = partial(
                There,
                commit=checkout.head,
                base=checkout.start.commit,
                trees=trees,
                wish=wish,
                request=request,
                model_name=request.model,
                means=Means(
                    prices=load(settings.prices),
                    sink=listen,
                    cancelled=cancelled,
                    concurrency=settings.concurrency,
                    journal=journal,
                    tenant=tenant,
                ),
                stored=stored,
                blobs=partial(_blobs, repo, checkout, cancelled),
            )
            came = asyncio.run(_work(task, settings, there))
            patch, first = came.patch, 0
            if isinstance(came.account, Fixing) and request.policy.tests_first and not wish.stacked:
                patch, first = put_tests_first(came.account, came.patch)
            held = secrets_of(came.account)
            mails = "" if held else _text(trees.mails(patch, NOBODY))
            made = came.account.plan if isinstance(came.account, Refactoring) else None
            names = names_gone(patch, made, trees)
    written = Written.of(task, _discreet(came.account, said), patch, write=request.policy.write)
    known = {"named": dict(came.named), "mails": mails, "names": names}
    return written.model_copy(update={**known, "tests_first": first if written.commits else 0})


async def _work(task: Task, settings: Settings, there: Callable[..., There]) -> Came:
    async with service_of(settings) as model:
        return await WORK[task](there(model=model))


def bring(repo: GitRepo, checkout: Checkout, cancelled: Cancelled, *, links: bool = False) -> None:
    """Have every file of the head here: who changes code looks at all that may use it.

    `links`: and where the symbolic links lead.
    """
    modes = {*REGULAR, LINK} if links else REGULAR
    change = Change(checkout.head, checkout.head, checkout.head, ())
    with LocalObjects(repo, change, supply=RemoteBlobs(checkout.origin, cancelled)) as objects:
        files = {one.sha for one in objects.entries("", "head") if one.mode in modes}
        lacking = missing_objects(repo, files)
        if len(lacking) > MOST_FILES:
            raise GiveUp(TOO_MANY.format(count=len(lacking), most=MOST_FILES))
        objects.prefetch(lacking)


def _blobs(
    repo: GitRepo, checkout: Checkout, cancelled: Cancelled, names: Sequence[str]
) -> Mapping[str, bytes]:
    """Return what blobs hold, brought if they are not here; those that cannot be had are left out.

    They are of commits that need not be here: a server may refuse what no branch has any more.
    """
    change = Change(checkout.head, checkout.head, checkout.head, ())
    with LocalObjects(repo, change, supply=RemoteBlobs(checkout.origin, cancelled)) as objects:
        try:
            objects.prefetch(names)
        except MissingBlob as error:
            log.info("not shown", extra={"why": error})
        lacking = missing_objects(repo, names)
        found = objects.blobs(name for name in names if name not in lacking)
        return {name: data for name, data in found if data is not None}


def _text(mails: bytes) -> str:
    """Return mails as text, "" where they are none or too many to be handed over."""
    try:
        return mails.decode("utf-8") if len(mails) <= MAX_BYTES else ""
    except UnicodeDecodeError:
        return ""


def _discreet(account: Account, said: list[str]) -> Account:
    """Leave out what is only for whoever runs this: see `app.engine.discreet`."""
    stopped = account.stopped
    if stopped not in PRIVATE:
        return account
    told = PRIVATE[StopReason(stopped)]
    for detail in (*said, *account.notes):
        log.warning("a run was ended", extra={"stopped": stopped, "why": detail})
    update: dict[str, object] = {"notes": [told]}
    if isinstance(account, Refactoring):
        update["left"] = [one.model_copy(update={"why": told}) for one in account.left]
    if isinstance(account, Testing):
        update["left"] = [
            one.model_copy(update={"why": told}) if one.state == "missed" else one
            for one in account.left
        ]
    if isinstance(account, Fixing):
        update["open"] = [
            one.model_copy(update={"why": told}) if one.state == "missed" else one
            for one in account.open
        ]
    return account.model_copy(update=update)


# Refactoring -------------------------------------------------------------------------------------


async def refactoring(there: There) -> Came:
    """Plan an instruction, or carry out the very plan that a person has started."""
    plan, instruction = None, there.wish.instruction
    start = there.trees.start
    if there.wish.plan_of:
        planned = _planned(there)
        account, plan = planned.account, planned.plan
        if changed := [path for path, blob in planned.named.items() if _blob(path, start) != blob]:
            return Came(_moved_on(account, changed, there.commit), Patch(there.commit), {})
        instruction = account.instruction
    outcome = await refactor(
        RefactorRequest(
            instruction=instruction,
            commit=there.commit,
            model=there.model_name,
            cheap_model=there.request.cheap_model,
            effort=there.request.effort,
            caps=there.request.caps,
            guidelines=there.request.guidelines,
            plan_only=plan is None,
            plan=plan,
        ),
        start,
        there.trees,
        model=there.model,
        **there.means,
    )
    done = outcome.refactoring
    names = () if plan is not None or done.plan is None else done.plan.paths
    return Came(done, outcome.patch, {path: _blob(path, start) for path in names})


@dataclass(frozen=True, slots=True)
class _Planned:
    account: Refactoring
    plan: Planned
    named: Mapping[str, str]


def _planned(there: There) -> _Planned:
    raw = there.stored(there.wish.plan_of)
    if not raw:
        raise GiveUp(NO_PLAN)
    written = Written.model_validate_json(raw)
    account = written.account
    if not isinstance(account, Refactoring) or account.plan is None:
        raise GiveUp(NO_PLAN)
    return _Planned(account, account.plan, written.named)


def _blob(path: str, start: Start) -> str:
    """Return the id of what has that path at the start, "" where there is nothing."""
    return start.blobs.get(path, "")


def _moved_on(account: Refactoring, changed: list[str], commit: str) -> Refactoring:
    more = f" and {len(changed) - NAMED} more" if changed[NAMED:] else ""
    why = CHANGED.format(", ".join(shown(path) for path in changed[:NAMED]) + more)
    summary = account.plan.summary if account.plan else account.instruction
    return Refactoring(
        status="declined",
        instruction=account.instruction,
        commit=commit,
        plan=Planned(summary=summary, refusal=why),
    )


WORK: Mapping[Task, Callable[[There], Awaitable[Came]]] = {
    "refactor": refactoring,
    "fix": fixing,
    "tests": testing,
}
"""How each task is done."""
