"""What a change does, told once by module, from what its readers and its author said.

Readers are blind to title and description, and each tells its own part. One call of the cheap model
puts that together in the project's words. What the author says is a claim: a sentence that rests on
it, or on nothing, is left out here, whatever the model was talked into; where none is left, and
where no answer came, the readers' own words stay.
"""

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from reviewer.detectors.secrets import redacted
from reviewer.request import Module, Promise
from reviewer.review.claims import PROSE_CHARS
from reviewer.review.guidance import seen, set_apart
from reviewer.review.intent import UNSPACED, as_told
from reviewer.review.join import stems
from reviewer.review.leading import shared
from reviewer.review.modules import MOST, fitted
from reviewer.review.prompts import prompt
from reviewer.review.scope import quoted
from reviewer.review.summary import ELSEWHERE
from reviewer.rlm.once import Question

READ_CHARS = 20_000
"""Of what readers said, about 6,000 tokens: modules share it, and the largest are cut."""

DESCRIPTION_CHARS = 4_000
SUBJECT_CHARS = 120
"""Of the description, and of the subject of each commit."""

GROUNDED = 0.25
"""A sentence stands if this part of its words is in what readers said. What retells them has about
half, the rest being the project's names for things; what only the author says has next to none."""

BORROWED = 0.5
"""Nor may more of its words than this be the author's alone."""

_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_IN_NAMES = re.compile(r"_|(?<=[a-z])(?=[A-Z])")


class ModuleText(BaseModel):
    """What the change does in one module."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str = Field(max_length=PROSE_CHARS, description="the module's name here: m1, m2, …")
    text: str = Field(
        max_length=PROSE_CHARS, description="what the change does there, in one or two sentences"
    )


class Synthesis(BaseModel):
    """What the model hands in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modules: list[ModuleText] = Field(max_length=2 * MOST)
    across: str = Field(
        default="",
        max_length=PROSE_CHARS,
        description="what only several modules together do, in one sentence; left out if none do",
    )


def question(
    modules: Sequence[Module], across: Sequence[str], promise: Promise | None, language: str | None
) -> Question[Synthesis]:
    """Return what is asked: the readers' words by module first, then the author's, as data."""
    named = _named(modules)
    sections = [[_heading(name, one), *_set_apart(one.changes)] for name, one in named.items()]
    if across:
        sections.append(["Of several modules:", *_set_apart(across)])
    parts = ["What readers of the code say, by module:", shared(sections, READ_CHARS)]
    if promise is not None and (said := as_told(_claimed(promise))):
        parts.append(f"What the author says, which may not be so:\n\n{said}")
    wanted = f"the language `{language}` (BCP-47)" if language else "the language of the readers"
    return Question(
        "summary",
        "1",
        "cheap",
        Synthesis,
        tuple(one.path for one in named.values()),
        "what the change does",
        f"{prompt('synthesis.md')}\nWrite in {wanted}.\n",
        "\n\n".join(parts),
    )


def retold(
    modules: Sequence[Module],
    across: Sequence[str],
    synthesis: Synthesis,
    promise: Promise | None,
) -> tuple[list[Module], list[str]]:
    """Return the modules and what is of none, in the synthesis's words as far as these stand.

    A module that it does not tell, or only in words that do not stand, keeps its readers'.
    """
    read = _words([*(text for one in modules for text in one.changes), *across])
    own = _words(() if promise is None else _claimed(promise).texts()) - read
    texts: dict[str, str] = {}
    for one in synthesis.modules:
        texts.setdefault(one.module, _standing(one.text, read, own))
    told = {named.path: texts.get(name, "") for name, named in _named(modules).items()}
    new = [
        one.model_copy(update={"changes": [text]}) if (text := told.get(one.path, "")) else one
        for one in modules
    ]
    whole = _standing(synthesis.across, read, own)
    return new, [whole] if whole else list(across)


def _named(modules: Sequence[Module]) -> dict[str, Module]:
    """Return the modules of which anything was said, by names that no path can be mistaken for."""
    told = (one for one in modules if one.changes)
    return {f"m{number}": one for number, one in enumerate(told, 1)}


def _heading(name: str, module: Module) -> str:
    return f"{name}, {f'the folder {quoted(module.path)}' if module.path else ELSEWHERE}:"


def _set_apart(texts: Iterable[str]) -> list[str]:
    return [set_apart(text) for text in texts]


def _claimed(promise: Promise) -> Promise:
    """Return what of a promise is told: title, description, and the commits by their subjects."""
    subjects = (one.strip().partition("\n")[0][:SUBJECT_CHARS] for one in promise.commits)
    description = promise.description
    if len(description) > DESCRIPTION_CHARS:
        description = f"{description[:DESCRIPTION_CHARS]} … (cut)"
    return Promise(
        title=promise.title, description=description, commits=tuple(filter(None, subjects))
    )


def _standing(text: str, read: set[str], own: set[str]) -> str:
    """Return the sentences of a text that stand, in one line and bounded."""
    line = redacted(seen(" ".join(text.split())))
    return fitted(" ".join(one for one in _SENTENCE_ENDS.split(line) if _stands(one, read, own)))


def _stands(sentence: str, read: set[str], own: set[str]) -> bool:
    words = _words([sentence])
    if not words:
        return False
    return len(words & read) >= GROUNDED * len(words) and len(words & own) <= BORROWED * len(words)


def _words(texts: Iterable[str]) -> set[str]:
    """Return the telling words of texts, and those in names; scripts without spaces by letters."""
    text = _IN_NAMES.sub(" ", "\n".join(texts))
    return stems(UNSPACED.sub(r" \g<0> ", text))
