"""`rlm fix`: from a review's findings to commits, in the order in which it happens."""

import asyncio
import logging
import sys
from argparse import Namespace
from collections.abc import Mapping

from app.commits import asked_model, be_silent, checked, head_of, say_it, where, write
from app.engine import service_of
from app.interrupt import Interrupts
from app.output import STANDARD_OUTPUT, check_output, deliver_bytes
from app.paid import journal_here
from app.plumbing import NOBODY
from app.render.fixing import fixing_json, fixing_text
from app.render.live import progress
from app.render.text import look
from app.review_command import PLAIN, both, tenant_of, typed
from app.review_file import read_review, selected
from app.settings import Settings, read_settings
from app.trace_file import about, recording
from app.trees import GitTrees
from reviewer.change import Change
from reviewer.fix.job import Outcome, fix
from reviewer.fix.request import FixRequest
from reviewer.fix.values import Fixing
from reviewer.git import open_repo
from reviewer.model.prices import Prices, load
from reviewer.ports import Cancelled
from reviewer.rlm.journal import Journal
from reviewer.rlm.trace import TraceSink

EXIT_OK = 0
EXIT_OPEN = 1
EXIT_PARTIAL = 3


def fix_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Close the findings, deliver the result and return the exit code."""
    settings = typed(options, read_settings(environ))
    if not settings.debug:
        logging.getLogger().addHandler(logging.NullHandler())
    say = be_silent if options.quiet else say_it
    for warning in settings.warnings:
        say_it(f"warning: {warning}")
    check_output(options.output)
    review = read_review(options.review)
    findings = selected(review, options.findings)
    prices = load(settings.prices)
    with open_repo(options.repo) as repo:
        commit = head_of(repo)
        author = checked(options, environ, repo)
        change = Change(commit, commit, commit, ())
        model, asked = asked_model(options, settings, prices, repo, change, "A fix")
        if commit != review.change.head:
            say("the review is of another commit: its findings are looked up in this one")
        request = FixRequest(
            commit=commit,
            reviewed=review.change.head,
            findings=findings,
            model=model,
            cheap_model=asked.cheap_model,
            effort=asked.effort,
            caps=asked.caps,
            guidelines=asked.guidelines,
        )
        with interrupts.gently():
            with GitTrees(repo, commit, settings.home) as trees:
                tenant = tenant_of(options)
                with (
                    recording(
                        about(f"fix {where(options)}", commit, commit, request),
                        settings.home,
                        say_it,
                        target=options.trace,
                    ) as trace,
                    progress(
                        sys.stderr,
                        environ,
                        quiet=options.quiet,
                        cap_usd=request.caps.usd,
                        doing="fixing",
                    ) as display,
                    journal_here(settings.home, request, change, tenant, say) as journal,
                ):
                    work = fix_with(
                        settings,
                        request,
                        trees,
                        prices=prices,
                        sink=both(trace.see, display),
                        cancelled=interrupts,
                        journal=journal,
                        tenant=tenant,
                    )
                    outcome = asyncio.run(work)
                    trace.fixed(outcome.fixing)
                mails = trees.mails(outcome.patch, author or NOBODY)
            done = outcome.fixing
            deliver_bytes(_rendered(options, environ, done, mails), options.output)
            if trace.run:
                say(f"rlm trace {trace.run} shows how this was made")
        if options.format == "patch" and (done.open or done.status == "partial"):
            say_it(fixing_text(done).rstrip("\n"))
        write(options, repo, outcome.patch, author, say, partial=done.status == "partial")
    return exit_code(done)


def exit_code(done: Fixing) -> int:
    """Return 3 for a partial result, 1 where findings stay open that are not outdated, else 0."""
    if done.status == "partial":
        return EXIT_PARTIAL
    return EXIT_OPEN if any(one.state != "outdated" for one in done.open) else EXIT_OK


async def fix_with(
    settings: Settings,
    request: FixRequest,
    trees: GitTrees,
    *,
    prices: Prices,
    sink: TraceSink,
    cancelled: Cancelled,
    journal: Journal,
    tenant: str,
) -> Outcome:
    """Fix with the model's service that the settings name."""
    async with service_of(settings) as model:
        return await fix(
            request,
            trees.start,
            trees,
            model=model,
            prices=prices,
            sink=sink,
            cancelled=cancelled,
            concurrency=settings.concurrency,
            journal=journal,
            tenant=tenant,
        )


def _rendered(options: Namespace, environ: Mapping[str, str], done: Fixing, mails: bytes) -> bytes:
    if options.format == "json":
        return fixing_json(done, mails).encode()
    if options.format == "patch":
        return mails
    shown = look(sys.stdout, environ) if options.output == STANDARD_OUTPUT else PLAIN
    return fixing_text(done, shown["width"]).encode("utf-8", "backslashreplace")
