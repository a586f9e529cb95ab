"""What a change does, told once by module, from what its readers and its author said.

Readers are blind to title and description, and each tells its own part. One call of the cheap model
puts that together. What the author says is a claim: where a sentence of a module rests on it or on
nothing, or turns round what the readers say, that module keeps its readers' own words, whatever the
model was talked into; so do all where no answer came.
"""

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from reviewer.detectors.secrets import redacted
from reviewer.request import Module, Promise
from reviewer.review.claims import PROSE_CHARS
from reviewer.review.guidance import seen, set_apart
from reviewer.review.intent import as_told
from reviewer.review.join import stems
from reviewer.review.leading import shared
from reviewer.review.modules import MOST, fitted
from reviewer.review.prompts import prompt
from reviewer.review.scope import quoted
from reviewer.review.summary import ELSEWHERE
from reviewer.rlm.once import Question
from reviewer.text import UNSPACED

READ_CHARS = 20_000
"""Of what readers said, about 6,000 tokens: modules share it, and the largest are cut."""

DESCRIPTION_CHARS = 4_000
SUBJECT_CHARS = 120
"""Of the description, and of the subject of each commit."""

GROUNDED = 0.5
"""A sentence stands if this part of its words is in what readers said."""

_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_IN_NAMES = re.compile(r"_|(?<=[a-z])(?=[A-Z])")
_NAMES = re.compile(r"`[^`]*`|\b(?:\w*_\w*|\w*[a-z][A-Z]\w*|[A-Z][A-Z0-9]+)\b")
"""What a text names as code does: in backquotes, with `_` or capitals within, or in capitals."""

_AGAINST = re.compile(
    r"n['’]t\b|\b(?:not?|none|never|neither|nor|cannot|without|unless|un(?=checked|protected|safe)|"
    r"remov|delet|drop|strip|skip|ignor|bypass|disabl|omit|lack|lose|lost|gone|stop|reject|refus|"
    r"den[iy]|forbid|prevent|"
    r"nicht|kein|nie(?=mals|\b)|ohne|entf[aeä]|"  # German
    r"pas\b|sans\b|jamais|supprim|sin\b|nunca|elimin|nem\b|sem\b)"  # French, Spanish, Portuguese
    r"|ない|ません|せず|[不没沒无無未非禁删削除]"
)
_FOR = re.compile(
    r"\b(?:add(?=s?\b|ed|ing|ition)|introduc|enabl|allow|permit|accept|requir|enforc|restor|"
    r"still|keep|kept|remain|unchanged|always|only|all\b|every|any\b|before|after|more|less|"
    r"approv|audit|review|verif|test(?=s?\b|ed|ing)|safe|secur|complet|correct|faster|"
    r"immer|noch\b|nur\b|hinzu|sicher|geprüft|toujours|encore|ajout|sûr|siempre|añad|segur)"
    r"|まだ|常に|必ず|[加增追]|\d+"
)
"""What turns a sentence round, or says more than was seen: words that take away or deny, and words
that add, keep, bound or praise; of other languages the commonest."""


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
        "3",
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
    everything = [*(text for one in modules for text in one.changes), *across]
    read = _words(everything)
    own = _words(() if promise is None else _claimed(promise).texts()) - read
    texts: dict[str, str] = {}
    for one in synthesis.modules:
        texts.setdefault(one.module, one.text)
    named = _named(modules)
    told = {
        module.path: _standing(texts.get(name, ""), module.changes, read, own)
        for name, module in named.items()
    }
    new = [
        one.model_copy(update={"changes": [text]}) if (text := told.get(one.path, "")) else one
        for one in modules
    ]
    whole = _standing(synthesis.across, everything, read, own)
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


def _standing(text: str, said: Sequence[str], read: set[str], own: set[str]) -> str:
    """Return a text in one line and bounded if each of its sentences stands, else ""."""
    line = redacted(seen(" ".join(text.split())))
    sentences = [one for one in _sentences(line) if re.search(r"\w", one)]
    from_readers = _sentences("\n".join(said))
    if not all(_stands(one, from_readers, read, own) for one in sentences):
        return ""
    return fitted(" ".join(sentences))


def _sentences(text: str) -> list[str]:
    return [one for line in text.split("\n") for one in _SENTENCE_ENDS.split(line) if one.strip()]


def _stands(sentence: str, said: Sequence[str], read: set[str], own: set[str]) -> bool:
    """Does a sentence tell what readers `said` of its module, in words that somebody `read`?

    Names may be the author's alone, other words not.
    """
    words = _words([sentence])
    if not words or len(words & read) < GROUNDED * len(words):
        return False
    if (words & own) - _words(_NAMES.findall(sentence)):
        return False
    return _turns(sentence) <= _turns("\n".join(said)) and not _turned(sentence, words, said)


def _turned(sentence: str, words: set[str], said: Sequence[str]) -> bool:
    """Does what is said in nearly these words deny or take away, and the sentence not?"""
    nearest = max(said, key=lambda one: len(words & _words([one])), default="")
    return bool(_AGAINST.search(_plain(nearest))) and not _AGAINST.search(_plain(sentence))


def _turns(text: str) -> set[str]:
    plain = _plain(text)
    return {*_AGAINST.findall(plain), *_FOR.findall(plain)}


def _plain(text: str) -> str:
    return _IN_NAMES.sub(" ", text).lower()


def _words(texts: Iterable[str]) -> set[str]:
    """Return the telling words of texts, and those in names; scripts without spaces by letters."""
    text = _IN_NAMES.sub(" ", "\n".join(texts))
    return stems(UNSPACED.sub(r" \g<0> ", text))
