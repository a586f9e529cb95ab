"""The finder: the recursive question "which defects do these spans introduce?"."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reviewer.change import Change, Span
from reviewer.finding import Finding, Side
from reviewer.globs import named
from reviewer.policy import Guide, Instruction
from reviewer.ports import Objects
from reviewer.request import Effort, StopReason
from reviewer.review.ahead import Ahead
from reviewer.review.borders import Border
from reviewer.review.claims import Answer, FinderResult, Joined, Told
from reviewer.review.clusters import Clusters
from reviewer.review.folding import folded_size, show_folded
from reviewer.review.functions import Code, functions
from reviewer.review.guidance import guidance
from reviewer.review.leading import across, brief
from reviewer.review.nearby import NOTHING_NEARBY, Nearby
from reviewer.review.place import Placer
from reviewer.review.prompts import prompt
from reviewer.review.scope import FindScope, label_of, size_of
from reviewer.rlm.run import WINDOW_TOKENS, Thinking
from reviewer.rlm.task import Function, Tier, Unit
from reviewer.text import encode, printable

LENSES: Mapping[Effort, tuple[str, ...]] = {
    Effort.QUICK: ("general",),
    Effort.STANDARD: ("correctness", "contracts"),
    Effort.DEEP: ("correctness", "contracts", "resources", "security", "tests"),
}
"""The passes of each effort, in order. Several passes of different order and lens joined into one
find up to 44% more (F1) than one (arXiv:2509.01494)."""


LENS_LINES: Mapping[str, str] = {
    "correctness": "wrong results, edge cases, error paths",
    "contracts": "what code elsewhere relies on, and security",
    "resources": "what goes wrong over time and under load",
    "security": "what an outsider controls, from where it comes in to where it is used",
    "tests": "tests that prove nothing",
}
"""What a node that leads may choose from, in a few words each."""

LEAD_CHARS = 200
"""How much of its line a lead quotes: enough to know which one is meant."""


@dataclass(frozen=True)
class Pace:
    """How hard a node may think, and the room it has for that and its answer, in tokens.

    In the passes `led` a node divides what does not fit, and looks across it; in the others host
    code divides alone. `verifies`: what they report is put to verifiers.
    """

    thinking: Thinking
    output_tokens: int
    led: frozenset[str] = frozenset()
    verifies: bool = True


PACES: Mapping[Effort, Pace] = {
    Effort.QUICK: Pace("low", 8_000),
    Effort.STANDARD: Pace("medium", 8_000, frozenset({"contracts"})),
    Effort.DEEP: Pace("high", 16_000, frozenset({"contracts", "security"})),
}
"""What lies between parts is a matter of contracts and of data on its way: a pass for what is wrong
by itself gains nothing from a leader. Fixed division beats a model's in 29 of 36 cases, for a
quarter of the time (arXiv:2603.20105), so a leader starts from it and may leave it as it is."""


class Finder:
    """The task. One instance serves every pass of a review; scopes carry the lens."""

    name = "find"
    version = "9"
    tier: Tier = "strong"
    goes_back: int = 1
    result: type[FinderResult] = Answer

    def __init__(
        self,
        change: Change,
        objects: Objects,
        leads: Sequence[Finding],
        guidelines: str = "",
        *,
        window: int = WINDOW_TOKENS,
        code: Code | None = None,
        clusters: Clusters | None = None,
        borders: Sequence[Border] = (),
        led: Collection[str] = (),
        instructions: Sequence[Instruction] = (),
        guides: Sequence[Guide] = (),
        language: str | None = None,
        nearby: Nearby = NOTHING_NEARBY,
    ) -> None:
        self._change = change
        self._objects = objects
        self._leads: dict[str, list[Finding]] = {}
        for lead in leads:
            self._leads.setdefault(lead.path, []).append(lead)
        self._guidelines = guidelines
        self._told_by_path: tuple[Guide | Instruction, ...] = (*guides, *instructions)
        self._language = language
        self._meant: dict[str, frozenset[int]] = {}
        self._window = window
        self._clusters = clusters or Clusters()
        self._borders = borders
        self._led = led
        self._code = code
        self._placer = Placer(change, objects)
        context = None if code is None else code.context
        self._ahead = Ahead(change, objects, nearby, borders, context)

    def asked_by_maintainers(self, spans: Sequence[Span]) -> str:
        """Return what guides whoever looks at these spans; "" where nobody has asked anything."""
        return self._guidance(spans, None)

    def instructions(self, scope: FindScope) -> str:
        told = self._guidance(scope.spans, self._language)
        return prompt("finder.md") + (f"\n{told}" if told else "")

    def units(self, scope: FindScope) -> frozenset[Unit]:
        return frozenset(span.id for span in scope.spans)

    def size(self, scope: FindScope) -> int:
        whole = size_of(scope.spans)
        return whole if whole <= self._window else folded_size(scope.spans)

    def label(self, scope: FindScope) -> str:
        return f"{label_of(scope.spans)} [{scope.lens}]"

    def content(self, scope: FindScope) -> str:
        text = "The hunks:\n\n" + show_folded(self._change, scope.spans)
        known = self._known(scope)
        if known:
            text += "\nTools report these already, so do not report them again; they say nothing "
            text += (
                "about other faults of the same lines, and no tool has found any other:\n" + known
            )
        # It speaks of code beyond the scope: an edit there is a reason to read the scope again.
        ahead = self._ahead.told(scope.spans, len(encode(text)))
        return f"{text}\n{ahead}" if ahead else text

    def lens(self, scope: FindScope) -> str:
        return prompt(f"lenses/{scope.lens}.md")

    def split(self, scope: FindScope) -> list[FindScope]:
        parts = self._clusters.divide(scope.spans, self._window)
        return [FindScope(spans, scope.lens) for spans in parts]

    def leads(self, scope: FindScope) -> bool:
        return scope.lens in self._led

    def brief(self, scope: FindScope, parts: Mapping[str, FindScope]) -> str:
        return brief(self._change, parts, self._borders)

    def lenses(self) -> Mapping[str, str]:
        return LENS_LINES

    def join(self, parts: Sequence[FindScope], lens: str) -> FindScope:
        spans = tuple(span for part in parts for span in part.spans)
        return FindScope(spans, lens or parts[0].lens)

    def functions(self, scope: FindScope) -> Mapping[str, Function]:
        return functions(self._change, self._objects, scope.spans, self._code)

    def check(self, scope: FindScope, result: FinderResult) -> list[str]:
        """Complain about each claim whose quote names no place."""
        held = {span.id: span for span in scope.spans}
        return [
            f"claims.{index}.quote: {problem}"
            for index, claim in enumerate(result.claims)
            if (problem := self._placer.problem(claim, held)) is not None
        ]

    def across(self, scope: FindScope, parts: Sequence[FinderResult]) -> str | None:
        return across(self._change, scope, self._borders, parts) if self.leads(scope) else None

    def merge(
        self, scope: FindScope, parts: Sequence[FinderResult], own: FinderResult | None
    ) -> FinderResult:
        results = [*parts, *([own] if own else [])]
        told = [one for part in parts if isinstance(part, Joined) for one in part.told]
        if own and own.overview.strip():
            paths = tuple(span.path for span in scope.spans)
            told.append(Told(paths=paths, text=own.overview, across=bool(parts)))
        return Joined(
            overview="\n".join(result.overview for result in results if result.overview),
            claims=[claim for result in results for claim in result.claims],
            told=tuple(told),
        )

    def partial(self, scope: FindScope, reason: StopReason) -> FinderResult:
        return FinderResult(overview="", claims=[])

    def _guidance(self, spans: Sequence[Span], language: str | None) -> str:
        told = self._told(spans)
        instructions = [one for one in told if isinstance(one, Instruction)]
        guides = [one for one in told if isinstance(one, Guide)]
        return guidance(self._guidelines, instructions, language, guides)

    def _told(self, spans: Sequence[Span]) -> list[Guide | Instruction]:
        """Return what is said about files of the spans, and no more, in the order of the files."""
        if not self._told_by_path:
            return []
        paths = dict.fromkeys(span.path for span in spans)
        meant = frozenset[int]().union(*(self._about(path) for path in paths))
        return [self._told_by_path[index] for index in sorted(meant)]

    def _about(self, path: str) -> frozenset[int]:
        """Return what of it is about a file, under either of its names."""
        known = self._meant.get(path)
        if known is None:
            names = self._change.by_path[path].names
            known = self._meant[path] = frozenset(
                index
                for index, one in enumerate(self._told_by_path)
                if any(named(name, one.paths) for name in names)
            )
        return known

    def _known(self, scope: FindScope) -> str:
        """Return the leads on lines of the scope, and on no others: see "Journal" in the design."""
        held: dict[str, dict[Side, set[int]]] = {}
        for span in scope.spans:
            sides = held.setdefault(printable(span.path), {"LEFT": {0}, "RIGHT": {0}})
            sides["LEFT"].update(line.old for line in span.lines if line.old is not None)
            sides["RIGHT"].update(line.new for line in span.lines if line.new is not None)
        return "".join(
            f"- {lead.path}: {lead.title}: {lead.evidence.strip()[:LEAD_CHARS]}\n"
            for path, sides in held.items()
            for lead in self._leads.get(path, ())
            if not sides[lead.side].isdisjoint(_numbers(lead))
        )


def _numbers(lead: Finding) -> range:
    """Return the lines of a lead; 0, which every scope has, for one about a whole file."""
    return range(lead.start_line or 0, (lead.line or 0) + 1)
