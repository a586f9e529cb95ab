"""`rlm review`: from arguments to a result, in the order in which it happens."""

import asyncio
import dataclasses
import json
import logging
import secrets
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from app.code import code_of
from app.defaults import NO_BUDGET, NO_KEY
from app.engine import HERE, Asked, Plan, charged, decide, priced, review_with, with_notes
from app.github.blobs import RemoteBlobs
from app.github.cache import in_use
from app.github.origin import Origin
from app.github.urls import looks_like_url, parse_pull_request
from app.interrupt import Interrupts
from app.objects import LocalObjects, Supply
from app.output import STANDARD_OUTPUT, check_output, deliver
from app.paid import journal_here
from app.policy import Sources, edits, sources_of
from app.promise import promise_of_range
from app.render import PIPE_COLUMNS, render
from app.render.live import progress
from app.render.snippet import of_change, without_secrets
from app.render.text import Look, look
from app.settings import Settings, parse_budget, parse_model, read_settings
from app.shares import for_review
from app.trace_file import about, recording
from reviewer.change import Change
from reviewer.diff import build_change
from reviewer.errors import TellUser
from reviewer.finding import Severity
from reviewer.git import GitRepo, open_repo
from reviewer.model.prices import Prices, load
from reviewer.ports import Cancelled
from reviewer.request import ChangeInfo, Promise, Review, ReviewRequest
from reviewer.review.estimate import Estimate, estimate
from reviewer.revisions import default_range, parse_range
from reviewer.rlm.journal import Journal
from reviewer.rlm.trace import Event, TraceSink

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_PARTIAL = 3

PLAIN = Look(width=PIPE_COLUMNS, color=False)
"""How text looks in a file."""

ESTIMATE_FORMATS = frozenset({"text", "json"})

Say = Callable[[str], None]


def review_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Review what the options name, deliver the result and return the exit code."""
    settings = typed(options, read_settings(environ))
    if not settings.debug:
        # Libraries would print their own warnings between the lines of the progress.
        logging.getLogger().addHandler(logging.NullHandler())
    say = _silence if options.quiet else _say
    for warning in settings.warnings:
        _say(f"warning: {warning}")
    check_output(options.output)
    prices = load(settings.prices)
    _asked(options, settings, prices)  # what cannot be asked is refused before anything is fetched
    with (
        _opened(options, settings, say) as (repo, change, origin, promise),
        LocalObjects(repo, change, supply=_supply(origin, interrupts)) as objects,
    ):
        sources = sources_of(repo, change, objects, origin)
        plan = _planned(options, settings, prices, sources, promise)
        request = plan.request
        if options.estimate:
            guess = estimate(request, change, objects, charged(settings, prices))
            _print_estimate(guess, request, options)
            return EXIT_OK
        with interrupts.gently():
            there = _There(repo, change, objects, origin)
            done, run = _reviewed(there, request, options, settings, prices, environ, interrupts)
            notes = (*plan.notes, *edits(change, guided=request.model is not None))
            done = _with_notes(done, notes, options.target)
            shown = look(sys.stdout, environ) if options.output == STANDARD_OUTPUT else PLAIN
            snippets = without_secrets(of_change(change, objects), done.findings)
            text = render(done, options.format, snippets, **shown)
            deliver(text, options.output)
            if run:
                say(f"rlm trace {run} shows how this review was made")
    return exit_code(done, options.fail_on)


def review_before(  # noqa: PLR0917
    options: Namespace,
    settings: Settings,
    prices: Prices,
    repo: GitRepo,
    pair: tuple[str, str],
    environ: Mapping[str, str],
    interrupts: Interrupts,
) -> Review:
    """Review a range for a command that works on its findings, with a share of its budget.

    `options` are that command's; its `--trace` is not of the review.
    """
    mine = Namespace(**{**vars(options), "path": [], "trace": None})
    change = build_change(repo, *pair)
    with LocalObjects(repo, change) as objects:
        sources = sources_of(repo, change, objects, None)
        promise = promise_of_range(repo, change)
        request = for_review(_planned(mine, settings, prices, sources, promise)).request
        there = _There(repo, change, objects, None)
        with interrupts.gently():
            done, run = _reviewed(there, request, mine, settings, prices, environ, interrupts)
    if run and not options.quiet:
        _say(f"rlm trace {run} shows how the review was made")
    return done


@dataclasses.dataclass(frozen=True, slots=True)
class _There:
    """What is reviewed, and from where it was fetched, if it was."""

    repo: GitRepo
    change: Change
    objects: LocalObjects
    origin: Origin | None


def _reviewed(  # noqa: PLR0917
    there: _There,
    request: ReviewRequest,
    options: Namespace,
    settings: Settings,
    prices: Prices,
    environ: Mapping[str, str],
    interrupts: Interrupts,
) -> tuple[Review, str]:
    """Return a review, and the name under which its trace is kept, "" if it is not."""
    change, tenant = there.change, tenant_of(options)
    with (
        recording(
            about(_what(options, there.origin), change.base, change.head, request),
            settings.home,
            _say,
            target=options.trace,
            kept_s=settings.operations.keep_traces_s,
        ) as trace,
        progress(sys.stderr, environ, quiet=options.quiet, cap_usd=request.caps.usd) as display,
        code_of(
            there.repo,
            change,
            there.objects,
            settings.home,
            origin=there.origin,
            cancelled=interrupts,
            warm=request.model is not None,
        ) as code,
        _paying(request, change, settings, tenant, _silence if options.quiet else _say) as journal,
    ):
        work = review_with(
            settings,
            request,
            change,
            there.objects,
            code,
            prices=prices,
            sink=both(trace.see, display),
            cancelled=interrupts,
            journal=journal,
            tenant=tenant,
        )
        done = asyncio.run(work)
        trace.ended(done)
        return done, trace.run


def exit_code(done: Review, fail_on: str | None) -> int:
    """Return 3 for a partial review, 1 for one with a finding, or a grave claim that nobody could
    settle, at or above `fail_on`, else 0.
    """
    if done.status == "partial":
        return EXIT_PARTIAL
    if fail_on is None:
        return EXIT_OK
    threshold = Severity(fail_on)
    failed = any(severity.at_least(threshold) for severity in done.severities)
    return EXIT_FINDINGS if failed else EXIT_OK


def typed(options: Namespace, settings: Settings) -> Settings:
    """Return the settings with what the command line says in their place."""
    update: dict[str, object] = {}
    given = set(settings.given)
    if getattr(options, "batch", False):
        update["batch"] = True
    if options.budget is not None:
        update["budget_usd"] = parse_budget(options.budget, "--budget")
    if options.model:
        update["model"] = parse_model(options.model, "--model")
        given.add("RLM_MODEL")
    if options.effort:
        update["effort"] = options.effort
        given.add("RLM_EFFORT")
    return settings.model_copy(update={**update, "given": frozenset(given)})


def _planned(
    options: Namespace, settings: Settings, prices: Prices, sources: Sources, promise: Promise
) -> Plan:
    return decide(
        settings,
        sources,
        prices,
        lambda settled: _asked(options, settled, prices),
        tuple(options.path),
        seconds=options.deadline,
        lowers=options.budget is None,
        promise=promise,
    )


def _asked(options: Namespace, settings: Settings, prices: Prices) -> Asked:
    """Decide whether a model is asked, and refuse a cap that could not be kept."""
    if options.estimate and options.no_model:
        raise TellUser("--estimate says what a model would cost.", "Leave out --no-model.")
    if options.estimate and options.format not in ESTIMATE_FORMATS:
        raise TellUser(
            f"--estimate cannot be given as {options.format}.", "Choose --format text or json."
        )
    return chosen(options, settings, prices)


def chosen(options: Namespace, settings: Settings, prices: Prices) -> Asked:
    """Decide from --model, --no-model and the settings, as typed, which model is asked."""
    if not options.estimate:
        if options.no_model:
            return Asked(None, why_not="The detectors reviewed alone, as --no-model asks.")
        if settings.budget_usd == 0:
            return Asked(None, why_not=NO_BUDGET)
        if not settings.has_key and options.model:
            raise TellUser(
                f"There is no key to ask {options.model} with.",
                "Set ANTHROPIC_API_KEY; `rlm doctor` says how to get one.",
            )
        if not settings.has_key:
            return Asked(None, why_not=NO_KEY)
    return priced(settings.model, settings.budget_usd, prices)


@contextmanager
def _opened(
    options: Namespace, settings: Settings, say: Say
) -> Iterator[tuple[GitRepo, Change, Origin | None, Promise]]:
    """Open the repository, fetched if need be, and yield it with what is to be reviewed, and with
    what that promises."""
    if options.target is not None and looks_like_url(options.target):
        from app.github.fetch import fetch_pull  # noqa: PLC0415

        url = parse_pull_request(options.target, settings.plain_http)
        pulled = fetch_pull(url, settings, say)
        fetched = pulled.checkout
        with in_use(fetched.repo), open_repo(fetched.repo) as repo:
            change = build_change(repo, fetched.base, fetched.head, fetched.start)
            yield repo, change, fetched.origin, pulled.promise
        return
    with open_repo(options.repo) as repo:
        pair = parse_range(repo, options.target) if options.target else default_range(repo)
        change = build_change(repo, *pair)
        yield repo, change, None, promise_of_range(repo, change)


def _supply(origin: Origin | None, cancelled: Cancelled) -> Supply | None:
    return None if origin is None else RemoteBlobs(origin, cancelled)


def tenant_of(options: Namespace) -> str:
    """Return whose answers are used: for a fresh review, of somebody who never asked before."""
    return f"{HERE} {secrets.token_hex(16)}" if options.fresh else HERE


def _paying(
    request: ReviewRequest, change: Change, settings: Settings, tenant: str, say: Say
) -> AbstractContextManager[Journal | None]:
    if request.model is None:
        return nullcontext()
    kept_s = settings.operations.keep_answers_s
    return journal_here(settings.home, request, change, tenant, say, kept_s=kept_s)


def _what(options: Namespace, origin: Origin | None) -> str:
    """Name what is reviewed, for the list of the traces."""
    if origin is not None:
        return f"{origin.wanted.repository}#{origin.wanted.number}"
    here = Path(options.repo).resolve()
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), here).name


def both(first: TraceSink, second: TraceSink) -> TraceSink:
    """Return a sink that hands each event to two."""

    def sink(event: Event) -> None:
        first(event)
        second(event)

    return sink


def _with_notes(done: Review, notes: Sequence[str], target: str | None) -> Review:
    """Say in the result itself what only the command knows."""
    if done.change.files == 0:
        why = [_why_empty(done.change, target), *done.notes]
        return done.model_copy(update={"notes": why})
    return with_notes(done, *notes)


def _why_empty(change: ChangeInfo, target: str | None) -> str:
    """Say what the user may have meant by a range in which no file differs."""
    if target is None:
        return (
            "The current branch adds nothing to its upstream or the default branch. Commit your "
            "work first, or type a range such as HEAD~1..HEAD."
        )
    if looks_like_url(target):
        return "The pull request adds nothing to its base; it may have been merged."
    if change.merge_base == change.head != change.base:
        return (
            "The second end of this range adds nothing to the first; type it the other way around "
            "for what the first adds to the second."
        )
    return "Both ends of this range have the same files."


def _print_estimate(guess: Estimate, request: ReviewRequest, options: Namespace) -> None:
    if options.format == "json":
        value = {"model": request.model, **dataclasses.asdict(guess)}
        for name in ("usd_low", "usd_high"):
            value[name] = None if value[name] is None else round(value[name], 4)
        deliver(json.dumps({"estimate": value}, indent=2) + "\n", options.output)
        return
    price = "unknown"
    if guess.usd_low is not None and guess.usd_high is not None:
        price = f"${guess.usd_low:.2f} to ${guess.usd_high:.2f}"
    deliver(
        f"{request.model}, effort {request.effort.value}: {price}\n"
        f"{guess.nodes} nodes, up to {guess.input_tokens:,} tokens in and "
        f"{guess.output_tokens:,} out\n{guess.note}\n",
        options.output,
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _silence(_line: str) -> None:
    pass
