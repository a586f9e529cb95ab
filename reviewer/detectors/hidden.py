"""Reports characters that make code read differently from what it is.

- payload: a run of invisible characters anywhere, long enough to carry a message or a program.
- bidi: direction controls that reorder what a reader sees (CVE-2021-42574, "Trojan Source").
- invisible: a character without width among code, where it becomes part of a name or a token.
- homoglyph: a name that mixes ASCII letters with letters of another script that look the same.

What is left alone, because people write it: emoji sequences and flags, the marks of Persian,
Arabic and Indic scripts, a byte order mark at the start, balanced isolates around text, and in
translations and documents everything but payloads.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reviewer.change import FileChange, Kind, Status
from reviewer.detectors.added import MAX_QUOTED_CHARS, added
from reviewer.detectors.base import Note, Source
from reviewer.finding import Category, Finding, Severity
from reviewer.languages import Language, is_prose, is_test, is_translation, language_of
from reviewer.parsing.grammars import PARSED
from reviewer.parsing.worker import Parsers, Question, Unchecked
from reviewer.ports import Objects
from reviewer.text import encode, printable

_OPENS = "\u202a\u202b\u202d\u202e"  # embeddings and overrides
_ISOLATES = "\u2066\u2067\u2068"
_POP, _POP_ISOLATE = "\u202c", "\u2069"
_OVERRIDES = "\u202d\u202e"
_BIDI = re.compile(f"[{_OPENS}{_ISOLATES}{_POP}{_POP_ISOLATE}]")

# Zero-width spaces and joiners, word joiner, invisible operators, soft hyphen, byte order mark,
# Mongolian vowel separator, grapheme joiner, Hangul fillers: nothing to see, yet not white space.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]"
)
# The same and tags and variation selectors, which can spell out whole texts.
_PAYLOAD = re.compile(
    "[\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff\u180b-\u180e\U000e0000-\U000e01ef]{6,}|"
    "[\U000e0001\U000e0020-\U000e007f]+"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f")  # England, Scotland, …

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

# Letters that most fonts draw like the ASCII letter beside them. No Greek small letters: physics
# and mathematics use them as names of their own.
_TWINS = str.maketrans(
    "аеосрхуіјѕһԁԛԝАВЕКМНОРСТХУІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeocpxyijshdqwABEKMHOPCTXYIJSABEZHIKMNOPTYX",
)
_NAME = re.compile(r"[^\W\d]\w*")

_CONFIGURATION = frozenset(
    {Language.DOCKERFILE, Language.MAKEFILE, Language.SQL, Language.TERRAFORM, Language.TOML}
)
_DATA = frozenset({Language.INI, Language.JSON, Language.XML, Language.YAML, None})
_ABOUT_UNICODE = re.compile(
    r"bidi|unicode|trojan|homoglyph|confusable|rtl|zero[-_]?width|invisible|emoji|grapheme|"
    r"char(?:acter)?[-_]?(?:width|map|set|class)|normali[sz]|sanitiz|locale|i18n|l10n",
    re.IGNORECASE,
)
_ANYTHING = re.compile(f"{_BIDI.pattern}|{_INVISIBLE.pattern}|{_PAYLOAD.pattern}|[\u0370-\u052f]")


@dataclass(frozen=True, slots=True)
class _Suspect:
    """Characters of one added line under one rule; `offset` (bytes in the file) is of the first."""

    rule: str
    line: int
    text: str
    characters: tuple[str, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class HiddenCharacters:
    """The detector; see the module."""

    parsers: Parsers
    name: str = field(default="hidden")

    def wants(self, file: FileChange) -> bool:
        """Is it text that the change left in place?"""
        return file.kind is Kind.TEXT and file.status is not Status.DELETED

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterator[Finding | Note]:
        for source in sources:
            yield from _in_path(source.file)
            if source.head is None or source.head.isascii():
                continue
            certain, doubtful = _suspects(source)
            for suspect in certain:
                yield _finding(source.file, suspect)
            if doubtful:
                yield from self._in_code(source, doubtful)

    def _in_code(self, source: Source, suspects: list[_Suspect]) -> Iterator[Finding | Note]:
        """Keep what stands in code: in a string or a comment it is text."""
        assert source.head is not None  # noqa: S101 - suspects come from it
        question = Question(
            "places",
            (source.head,),
            (language_of(source.file.path), [suspect.offset for suspect in suspects]),
        )
        try:
            places = self.parsers.ask(question)
        except Unchecked as error:
            yield Note(f"{printable(source.file.path)}: hidden characters not checked, {error}")
            return
        said: set[tuple[str, int]] = set()
        for suspect, place in zip(suspects, places, strict=True):
            if place == "code" and (suspect.rule, suspect.line) not in said:
                said.add((suspect.rule, suspect.line))
                yield _finding(source.file, suspect)


def _suspects(source: Source) -> tuple[list[_Suspect], list[_Suspect]]:
    """Return what is certain by itself, and what is so only outside strings and comments."""
    path = source.file.path
    language = language_of(path)
    certain: list[_Suspect] = []
    doubtful: list[_Suspect] = []
    starts = None
    for number, text in added(source):
        if text.isascii() or not _ANYTHING.search(text):
            continue
        if starts is None:
            starts = _starts(source.head or b"")
        line = _Line(number, text, starts[number - 1] if number <= len(starts) else 0)
        certain += line.payloads()
        if not _may_be_directed(path, text):
            certain += line.bidi()
        if language in PARSED:
            doubtful += [*line.invisible(), *line.homoglyphs()]
        elif language in _CONFIGURATION:
            certain += line.invisible(within_words=True)
    return certain, doubtful


def _may_be_directed(path: str, text: str) -> bool:
    """Is this a place where people write direction controls into text?

    A path alone never excuses code: its author chooses it.
    """
    language = language_of(path)
    about = is_translation(path) or _ABOUT_UNICODE.search(path) is not None
    if _RIGHT_TO_LEFT.search(text) and (about or language in _DATA):
        return True
    return is_prose(path) or (about and (is_test(path) or language not in PARSED))


def _starts(data: bytes) -> list[int]:
    starts, at = [], 0
    for line in data.split(b"\n"):
        starts.append(at)
        at += len(line) + 1
    return starts


@dataclass(frozen=True, slots=True)
class _Line:
    """One added line; each method yields what one rule finds in it."""

    number: int
    text: str
    start: int

    def _suspect(self, rule: str, at: int, characters: Iterable[str]) -> _Suspect:
        return next(self._suspects(rule, [(at, characters)]))

    def _suspects(
        self, rule: str, found: Iterable[tuple[int, Iterable[str]]]
    ) -> Iterator[_Suspect]:
        """Yield what was found, from left to right; a line may hold a million names."""
        offset, done = self.start, 0
        for at, characters in found:
            offset += len(encode(self.text[done:at]))
            done = at
            yield _Suspect(rule, self.number, self.text, tuple(characters), offset)

    def payloads(self) -> Iterator[_Suspect]:
        text = _FLAG.sub(lambda flag: " " * len(flag[0]), self.text)
        first = _PAYLOAD.search(text)
        if first is not None:
            yield self._suspect("payload", first.start(), "".join(_PAYLOAD.findall(text)))

    def bidi(self) -> Iterator[_Suspect]:
        found = _BIDI.findall(self.text)
        if not found or (_closed(found) and not set(found) & set(_OVERRIDES)):
            return
        match = _BIDI.search(self.text)
        yield self._suspect("bidi", match.start() if match else 0, found)

    def invisible(self, within_words: bool = False) -> Iterator[_Suspect]:
        for match in _INVISIBLE.finditer(self.text):
            at = match.start()
            if match[0] == "\ufeff" and self.start + at == 0:
                continue
            before = self.text[at - 1] if at else " "
            after = self.text[at + 1] if at + 1 < len(self.text) else " "
            if not (before.isascii() and after.isascii()):
                continue  # part of an emoji, or of a script that needs it
            if within_words and not (before.isalnum() and after.isalnum()):
                continue
            yield self._suspect("invisible", at, match[0])
            return

    def homoglyphs(self) -> Iterator[_Suspect]:
        return self._suspects("homoglyph", self._look_alikes())

    def _look_alikes(self) -> Iterator[tuple[int, list[str]]]:
        for match in _NAME.finditer(self.text):
            name = match[0]
            if name.isascii() or not re.search(r"[A-Za-z]", name):
                continue
            if name.translate(_TWINS).isascii():
                twins = [each for each in name if not each.isascii()]
                yield match.start(), twins


def _closed(controls: Sequence[str]) -> bool:
    """Does each control of a line end what the right one began, with nothing left open?"""
    stack: list[str] = []
    for each in controls:
        if each in _OPENS:
            stack.append(_POP)
        elif each in _ISOLATES:
            stack.append(_POP_ISOLATE)
        elif not stack or stack.pop() != each:
            return False
    return not stack


def _in_path(file: FileChange) -> Iterator[Finding]:
    if file.path.isascii() or file.new_path == file.old_path:
        return
    found = [*_BIDI.findall(file.path), *"".join(_PAYLOAD.findall(file.path))]
    if found:
        yield Finding(
            path=printable(file.path),
            category=Category.SECURITY,
            severity=Severity.HIGH,
            confidence=0.9,
            title="File name with hidden characters",
            body=f"The name contains {_named(found)}, so it reads differently from what it is. "
            "Rename the file.",
            evidence=_shown(file.path),
            source="detector:hidden/path",
        )


_WORDS: dict[str, tuple[str, str, Severity, float]] = {
    "payload": (
        "Invisible text",
        "A run like this carries text that no reader sees but a program or a language model "
        "reads. Remove it, or write it as escapes.",
        Severity.HIGH,
        0.93,
    ),
    "bidi": (
        "Direction controls reorder this line",
        "An editor shows the line in another order than the compiler reads it, which can make "
        "code look like a comment or a string. Remove them, or write them as escapes.",
        Severity.HIGH,
        0.93,
    ),
    "invisible": (
        "Invisible character in code",
        "It becomes part of a name or a token, so that two names which look the same differ, or "
        "the line does not mean what it shows. Remove it.",
        Severity.HIGH,
        0.9,
    ),
    "homoglyph": (
        "Name with look-alike letters of another script",
        "It looks like a plain ASCII name and is another one. Write the name in ASCII letters.",
        Severity.HIGH,
        0.9,
    ),
}


def _finding(file: FileChange, suspect: _Suspect) -> Finding:
    title, why, severity, confidence = _WORDS[suspect.rule]
    return Finding(
        path=printable(file.path),
        start_line=suspect.line,
        line=suspect.line,
        category=Category.SECURITY,
        severity=severity,
        confidence=confidence,
        title=title,
        body=f"The line contains {_named(suspect.characters)}. {why}",
        evidence=_shown(suspect.text),
        source=f"detector:hidden/{suspect.rule}",
    )


_MAX_NAMED = 6
_PAYLOAD_RUN = 6  # characters: a run that starts before the cut is still one behind it


def _named(characters: Iterable[str]) -> str:
    """Return the characters by code point and name, the most frequent first."""
    counted = Counter(characters)
    names = [
        f"U+{ord(each):04X} {unicodedata.name(each, 'UNNAMED')}"
        + (f" ({n} times)" if n > 1 else "")
        for each, n in counted.most_common(_MAX_NAMED)
    ]
    more = len(counted) - len(names)
    return ", ".join(names) + (f" and {more} others" if more > 0 else "")


def _shown(text: str) -> str:
    """Return a text with each hidden character as <U+XXXX>: evidence that can be seen."""

    def code(match: re.Match[str]) -> str:
        return "".join(f"<U+{ord(each):04X}>" for each in match[0])

    text = text[: MAX_QUOTED_CHARS + _PAYLOAD_RUN]
    for pattern in (_BIDI, _PAYLOAD, _INVISIBLE):
        text = pattern.sub(code, text)
    return printable(text)[:MAX_QUOTED_CHARS]
