"""What each part of the review is worth: `rlm eval` with all of it, and with one part left out.

    python -m benchmarks.arms ARM DATASET OUT [--timeout S] [--again [URL]] [-- MORE OF RLM EVAL]

    all               the product
    no-verification   what finders report is shown as it is
    no-context        a node has the hunks of its scope and nothing to look anything up with, and
                      scopes are packed by folder and file
    one-pass          the first pass alone, verified
    one-node          one node, given the whole diff and the files it touches, as far as 200,000
                      tokens reach, and nothing to look up; nobody verifies

The model is whoever answers at ANTHROPIC_BASE_URL; an answer may take hours. Each is kept under
OUT/letters, found again by all of its request, so that arms which ask the same thing are told the
same: what differs between two arms is the arm. Results are under OUT/ARM, as `rlm eval` keeps them.
With `--again` each case is reviewed a second time, whose answers are under OUT/letters/again: what
was answered at the first counts for none of them. With its URL somebody else answers those, who has
not seen the first.
"""

import argparse
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import app.engine
import app.eval_command
import reviewer.rlm.node
from app.cli import main as rlm
from app.eval.kept import is_again
from app.settings import Settings
from benchmarks.length_arms import LARGE_WINDOW
from benchmarks.length_letters import Letters
from reviewer.model.anthropic import AnthropicModel
from reviewer.ports import NoSuchFile
from reviewer.request import Effort
from reviewer.review import job
from reviewer.review.finder import LENSES, PACES, Finder
from reviewer.review.scope import FindScope, divide, quoted
from reviewer.review.verify import Verifier, VerifyScope
from reviewer.rlm.run import WINDOW_TOKENS, open_run
from reviewer.rlm.task import Function
from reviewer.text import decode

ANSWER_S = 14_400.0

AGAIN = "again"

_SECOND: ContextVar[bool] = ContextVar("second", default=False)
"""Is a case reviewed a second time?"""


class HunksAlone(Finder):
    """A finder whose nodes can look nothing up, in scopes that follow the folders."""

    def functions(self, scope: FindScope) -> Mapping[str, Function]:
        return {}

    def split(self, scope: FindScope) -> list[FindScope]:
        return [FindScope(spans, scope.lens) for spans in divide(scope.spans, WINDOW_TOKENS)]


class VerifiesAlone(Verifier):
    """A verifier that can look nothing up."""

    def functions(self, scope: VerifyScope) -> Mapping[str, Function]:
        return {}


class Stuffed(Finder):
    """A finder of one node: all hunks, and after them the files at the head, as many as fit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "window": LARGE_WINDOW})

    def functions(self, scope: FindScope) -> Mapping[str, Function]:
        return {}

    def content(self, scope: FindScope) -> str:
        text = super().content(scope)
        for path in dict.fromkeys(span.path for span in scope.spans):
            try:
                whole = decode(self._objects.read(path, "head"))
            except NoSuchFile:
                continue
            more = f"\n=== the whole file {quoted(path)}\n{whole}"
            if (len(text) + len(more)) / 3 > LARGE_WINDOW * 0.9:
                break
            text += more
        return text


def _paces(**changed: Any) -> dict[str, Any]:
    return {"PACES": {effort: replace(PACES[effort], **changed) for effort in Effort}}


def _lenses(choose: Callable[[tuple[str, ...]], tuple[str, ...]]) -> dict[str, Any]:
    return {"LENSES": {effort: choose(LENSES[effort]) for effort in Effort}}


def _roomy(*args: Any, **kwargs: Any) -> Any:
    return open_run(*args, **{**kwargs, "window": LARGE_WINDOW})


ARMS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "no-verification": _paces(verifies=False),
    "no-context": {"Finder": HunksAlone, "Verifier": VerifiesAlone},
    "one-pass": _lenses(lambda lenses: lenses[:1]),
    "one-node": {
        **_paces(verifies=False, led=frozenset()),
        **_lenses(lambda _: ("general",)),
        "Finder": Stuffed,
        "open_run": _roomy,
    },
}
"""What is put in place of the names of `reviewer.review.job`."""


def main() -> int:
    """Run `rlm eval` as the arm says; its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("arm", choices=ARMS)
    parser.add_argument("dataset")
    parser.add_argument("out", type=Path)
    parser.add_argument("--timeout", type=float, default=ANSWER_S, metavar="S")
    parser.add_argument(
        "--again",
        nargs="?",
        const="",
        metavar="URL",
        help="review each case a second time, with the answers of who listens there",
    )
    # argparse gives what stands after "--" to a positional, unless an option stands before it.
    given = sys.argv[1:]
    end = given.index("--") if "--" in given else len(given)
    options, more = parser.parse_args(given[:end]), given[end + 1 :]
    out: Path = options.out.absolute()
    letters = out / "letters"

    @asynccontextmanager
    async def kept(settings: Settings) -> AsyncIterator[Letters]:
        if _SECOND.get() and options.again:
            settings = settings.model_copy(update={"anthropic_base_url": options.again})
        async with _service_of(settings) as service:
            yield Letters(service, (), letters / AGAIN if _SECOND.get() else letters)

    async def reviewed(*given: Any, tenant: str, **named: Any) -> Any:
        _SECOND.set(is_again(tenant))
        return await _review_with(*given, tenant=tenant, **named)

    _service_of = app.engine.service_of
    _review_with = app.eval_command.review_with
    patient = {
        "CALL_TIMEOUT_S": options.timeout,
        "AnthropicModel": partial(AnthropicModel, stall_s=options.timeout),
    }
    with ExitStack() as stack:
        stack.enter_context(_instead(job, ARMS[options.arm]))
        stack.enter_context(_instead(app.engine, {"service_of": kept, **patient}))
        around = {"service_of": kept, "review_with": reviewed}
        stack.enter_context(_instead(app.eval_command, around))
        if options.arm == "one-node":
            room = {"MOST_PROMPT_TOKENS": LARGE_WINDOW}
            stack.enter_context(_instead(reviewer.rlm.node, room))
        more += [] if options.again is None else ["--again"]
        return rlm(["eval", options.dataset, "--out", str(out / options.arm), *more])


@contextmanager
def _instead(module: ModuleType, names: Mapping[str, Any]) -> Iterator[None]:
    before = {name: vars(module)[name] for name in names}
    vars(module).update(names)
    try:
        yield
    finally:
        vars(module).update(before)


if __name__ == "__main__":
    sys.exit(main())
