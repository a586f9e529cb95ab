"""`rlm refactor`: from an instruction to commits, in the order in which it happens."""

import asyncio
import logging
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from app.defaults import NO_KEY
from app.engine import decide, service_of
from app.interrupt import Interrupts
from app.objects import LocalObjects
from app.output import STANDARD_OUTPUT, check_output, deliver_bytes
from app.paid import journal_here
from app.plumbing import NOBODY, Author, Plumbing, author_of
from app.policy import sources_of
from app.render.live import progress
from app.render.refactoring import plan_text, refactoring_json, refactoring_text
from app.render.text import look
from app.review_command import PLAIN, Say, both, chosen, tenant_of, typed
from app.settings import Settings, read_settings
from app.trace_file import about, recording
from app.trees import GitTrees
from app.worktree import apply, work_tree
from reviewer.change import Change
from reviewer.errors import GiveUp, TellUser
from reviewer.git import GitRepo, open_repo
from reviewer.gitdir import find
from reviewer.model.prices import Prices, load
from reviewer.ports import Cancelled
from reviewer.refactor.job import Outcome, refactor
from reviewer.refactor.request import INSTRUCTION_CHARS, RefactorRequest
from reviewer.refactor.survey import under
from reviewer.refactor.values import Plan, Refactoring
from reviewer.revisions import resolve
from reviewer.rlm.journal import Journal
from reviewer.rlm.trace import Event, TraceSink, silent
from reviewer.text import printable

EXIT_OK = 0
EXIT_DECLINED = 1
EXIT_PARTIAL = 3


def refactor_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Carry out the instruction, deliver the result and return the exit code."""
    settings = typed(options, read_settings(environ))
    if not settings.debug:
        logging.getLogger().addHandler(logging.NullHandler())
    say = _silence if options.quiet else _say
    for warning in settings.warnings:
        _say(f"warning: {warning}")
    check_output(options.output)
    instruction = _instruction(options)
    prices = load(settings.prices)
    with open_repo(options.repo) as repo:
        commit = resolve(repo, "HEAD")
        author = _checked(options, environ, repo)
        change = Change(commit, commit, commit, ())
        request = _request(options, settings, prices, instruction, repo, change)
        with interrupts.gently():
            with GitTrees(repo, commit, settings.home) as trees:
                _check_paths(request.paths, trees)
                tenant = tenant_of(options)
                with (
                    recording(
                        about(f"refactor {_where(options)}", commit, commit, request),
                        settings.home,
                        _say,
                        target=options.trace,
                    ) as trace,
                    _Display(options.quiet, environ, request.caps.usd) as display,
                    journal_here(settings.home, request, change, tenant, say) as journal,
                ):
                    work = refactor_with(
                        settings,
                        request,
                        trees,
                        prices=prices,
                        sink=both(trace.see, display.see),
                        cancelled=interrupts,
                        planned=display.planned if not options.plan else _unseen,
                        journal=journal,
                        tenant=tenant,
                    )
                    outcome = asyncio.run(work)
                    trace.refactored(outcome.refactoring)
                mails = trees.mails(outcome.patch, author or NOBODY)
            done = outcome.refactoring
            raw = _rendered(options, environ, outcome, mails, seen=display.is_seen)
            deliver_bytes(raw, options.output)
            if trace.run:
                say(f"rlm trace {trace.run} shows how this was made")
        _write(options, repo, outcome, author, say)
    return exit_code(done)


def exit_code(done: Refactoring) -> int:
    """Return 3 for a partial result, 1 where the plan has questions or a refusal, else 0."""
    if done.status == "partial":
        return EXIT_PARTIAL
    return EXIT_DECLINED if done.status == "declined" else EXIT_OK


async def refactor_with(
    settings: Settings,
    request: RefactorRequest,
    trees: GitTrees,
    *,
    prices: Prices,
    sink: TraceSink,
    cancelled: Cancelled,
    planned: Callable[[Plan], None],
    journal: Journal,
    tenant: str,
) -> Outcome:
    """Refactor with the model's service that the settings name."""
    async with service_of(settings) as model:
        return await refactor(
            request,
            trees.start,
            trees,
            model=model,
            prices=prices,
            sink=sink,
            cancelled=cancelled,
            concurrency=settings.concurrency,
            planned=planned,
            journal=journal,
            tenant=tenant,
        )


class _Display:
    """The progress on standard error, with the plan between planning and work."""

    def __init__(self, quiet: bool, environ: Mapping[str, str], cap_usd: float | None) -> None:
        self._quiet = quiet
        self._environ = environ
        self._cap_usd = cap_usd
        self._showing = ExitStack()
        self._sink: TraceSink = silent
        self._events: list[Event] = []
        self.is_seen = False
        """Has the plan been shown on a terminal?"""

    def __enter__(self) -> "_Display":
        self._sink = self._showing.enter_context(
            progress(
                sys.stderr,
                self._environ,
                quiet=self._quiet,
                cap_usd=self._cap_usd,
                doing="refactoring",
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._showing.close()

    def see(self, event: Event) -> None:
        """Show an event."""
        if not self.is_seen:
            self._events.append(event)
        self._sink(event)

    def planned(self, plan: Plan) -> None:
        """Put the plan between what is shown of the planning and of the work."""
        if self._quiet or not plan.is_work:
            return
        text = plan_text(plan, look(sys.stderr, self._environ)["width"])
        if not sys.stderr.isatty():
            _say(text)
            return
        # A terminal's tree is taken away, and drawn again below the plan.
        self._showing.close()
        _say(text)
        self.is_seen = True
        self.__enter__()
        for event in self._events:
            self._sink(event)
        self._events.clear()


def _unseen(_plan: Plan) -> None:
    pass


# What is asked -----------------------------------------------------------------------------------


def _instruction(options: Namespace) -> str:
    text = sys.stdin.read() if options.instruction == "-" else options.instruction
    text = printable(text).strip()
    if not text:
        raise TellUser(
            "The instruction is empty.", 'Say what to change: rlm refactor "rename f to g".'
        )
    if len(text) > INSTRUCTION_CHARS:
        raise TellUser(
            f"The instruction has more than {INSTRUCTION_CHARS:,} characters.",
            "Say in short what to change; one thing at a time works best.",
        )
    return text


def _checked(options: Namespace, environ: Mapping[str, str], repo: GitRepo) -> Author | None:
    """Refuse now what could not be written in the end; return who commits."""
    git_dir = find(Path(options.repo)).own
    author = author_of(git_dir, environ)
    if options.plan and (options.apply or options.branch):
        raise TellUser("--plan changes nothing.", "Leave out --plan, or --apply and --branch.")
    if options.apply:
        work_tree(options.repo)
    if options.branch is not None:
        _reference(options.branch, git_dir, repo)
        if author is None:
            raise TellUser(
                "git does not know who you are, and commits need a name.",
                "Set user.name and user.email: git config --global user.name ...",
            )
    return author


def _reference(name: str, git_dir: Path, repo: GitRepo) -> str:
    """Return the full name of a branch that does not exist yet; TellUser for any other name."""
    full = f"refs/heads/{name}"
    try:
        if name.startswith("-") or name == "HEAD" or not name.isprintable():
            raise GiveUp("no name")
        Plumbing(git_dir).run("check-ref-format", full)
    except GiveUp as error:
        raise TellUser(
            f"{printable(name)!r} is no name of a branch.", "Give another one to --branch."
        ) from error
    code, _ = repo.run("show-ref", "--verify", "--quiet", full, ok=(0, 1))
    if code == 0:
        raise TellUser(
            f"There is a branch {name} already.",
            f"Give another name to --branch, or remove it: git branch -D {name}",
        )
    return full


def _request(  # noqa: PLR0917
    options: Namespace,
    settings: Settings,
    prices: Prices,
    instruction: str,
    repo: GitRepo,
    change: Change,
) -> RefactorRequest:
    with LocalObjects(repo, change) as objects:
        plan = decide(
            settings,
            sources_of(repo, change, objects, None),
            prices,
            lambda settled: chosen(options, settled, prices),
            seconds=options.deadline,
            lowers=options.budget is None,
        )
    asked = plan.request
    if asked.model is None:
        if plan.notes[:1] == (NO_KEY,):
            raise TellUser(
                "A refactoring needs a model, and no key is configured (ANTHROPIC_API_KEY).",
                "`rlm doctor` says how to get one.",
            )
        raise TellUser("A refactoring needs a model, and the budget is $0.", "Give --budget USD.")
    return RefactorRequest(
        instruction=instruction,
        commit=change.head,
        paths=tuple(options.paths),
        model=asked.model,
        cheap_model=asked.cheap_model,
        effort=asked.effort,
        caps=asked.caps,
        guidelines=asked.guidelines,
        plan_only=options.plan,
    )


def _check_paths(paths: tuple[str, ...], trees: GitTrees) -> None:
    for path in paths:
        if not any(under(known, [path]) for known in trees.start.modes):
            raise TellUser(
                f"There is no file at or under {printable(path)} in the last commit.",
                "Paths are relative to the root of the repository.",
            )


# What comes of it --------------------------------------------------------------------------------


def _rendered(
    options: Namespace, environ: Mapping[str, str], outcome: Outcome, mails: bytes, *, seen: bool
) -> bytes:
    done = outcome.refactoring
    if options.format == "json":
        return refactoring_json(done, mails).encode()
    if options.format == "patch":
        return mails
    to_terminal = options.output == STANDARD_OUTPUT and sys.stdout.isatty()
    shown = look(sys.stdout, environ) if options.output == STANDARD_OUTPUT else PLAIN
    text = refactoring_text(done, shown["width"], with_plan=not (seen and to_terminal))
    return text.encode("utf-8", "backslashreplace")


def _write(
    options: Namespace, repo: GitRepo, outcome: Outcome, author: Author | None, say: Say
) -> None:
    """Write the patch where the user wants it; say what was written, or how it can be."""
    patch, done = outcome.patch, outcome.refactoring
    if options.format == "patch" and done.status != "complete":
        _say(refactoring_text(done).rstrip("\n"))
    wanted = options.apply or options.branch
    if not patch.commits:
        if wanted:
            say("nothing was written: there is no commit")
        return
    if wanted and done.status == "partial" and not options.partial:
        raise TellUser(
            "Nothing was written: the result is partial.",
            "Look at it, and run it again with --partial to have it all the same; what was "
            "answered is kept and not paid again.",
        )
    if options.branch is not None and author is not None:
        git_dir = find(Path(options.repo)).own
        full = _reference(options.branch, git_dir, repo)
        plumbing = Plumbing(git_dir)
        names = plumbing.commits(patch.start, patch.commits, author)
        try:
            plumbing.create(full, names[-1])
        except GiveUp as error:
            raise TellUser(
                f"The branch {options.branch} could not be made: {error}",
                "Give another name to --branch.",
            ) from error
        many = "commit" if len(names) == 1 else "commits"
        say(f"branch {options.branch}: {len(names)} {many} on {patch.start[:10]}")
    elif options.apply:
        paths = apply(patch, options.repo)
        many = "file" if len(paths) == 1 else "files"
        say(f"{len(paths)} {many} changed in the work tree; nothing is staged")
    elif options.format == "text":
        say(
            "nothing was written; again with --branch NAME, --apply or --format patch, it costs "
            "nothing"
        )


def _where(options: Namespace) -> str:
    here = Path(options.repo).resolve()
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), here).name


def _say(line: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")


def _silence(_line: str) -> None:
    pass
