"""May these lines be put into a test file? Only where they are a test of their own. Pure.

Each line that was there stands within the same blocks as before, and nothing is put into one but
into a group of tests or a list of cases. What stands at such a place begins something new: a test,
an import, a helper, by a name that the file does not use yet. What cannot be told is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reviewer.languages import Language
from reviewer.text import printable

LINE_CHARS = 160

_INDENTED = frozenset({Language.PYTHON, Language.RUBY})
_TYPED = frozenset(
    {Language.C, Language.CPP, Language.CSHARP, Language.JAVA}
)  # a definition begins with the type there

_LONG = {
    Language.PYTHON: r'"""[\s\S]*?(?:"""|\Z)|\'\'\'[\s\S]*?(?:\'\'\'|\Z)',
    Language.RUBY: r"^=begin[\s\S]*?(?:^=end|\Z)",
    Language.RUST: r'r(?P<raw>#*)"[\s\S]*?(?:"(?P=raw)|\Z)'
    r'|\'(?:\\.|[^\'\\\n])\'|"(?:\\[\s\S]|[^"\\])*(?:"|\Z)',
}
_LONG_ELSE = r'"""[\s\S]*?(?:"""|\Z)|`(?:\\[\s\S]|[^`\\])*(?:`|\Z)'
_QUOTES = r'"(?:\\.|[^"\\\n])*"?|\'(?:\\.|[^\'\\\n])*\'?'
_SLASHES = r"//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)"

_GROUP = re.compile(
    r"\s*(?:(?:export|public|private|internal|final|abstract|static|sealed|partial|open|RSpec\.)"
    r"\s*)*(?:class|module|mod|namespace|object|impl|describe|context|suite|feature)\b"
)
_CASES = re.compile(r"\s*[@#\[].*(?:parametri[sz]e|ValueSource|CsvSource|case)|.*\.each\s*\(\s*\[")
_IMPORT = re.compile(
    r"\s*(?:from\s+\S+\s+import\b|import\b|use\s|using\s|#\s*include\b"
    r"|require(?:_relative)?\s+[\"']|(?:const|let|var)\s+[\w{}\s,:$]+=\s*require\([^()]*\);?\s*$)"
)
_ITEMS = re.compile(r"\s*[\w\s,.\"'/*{}@$-]+\s*$")
_DECORATOR = re.compile(r"\s*(?:@(?!interface)\w|#\[|\[[A-Z])")
_COMMENT = re.compile(
    r"\s*(?://|\"\"\"[^\"]*(?:\"\"\"\s*)?$|/\*(?:(?!\*/).)*(?:\*/\s*)?$|#(?!\[)|$)"
)
_TEST = re.compile(
    r"\s*(?:it|test|describe|context|suite|specify|scenario|feature|Deno\.test|RSpec\.describe"
    r"|TEST(?:_F|_P|_CASE|_CASE_METHOD)?|SCENARIO|BOOST_AUTO_TEST_CASE)(?:\.(?:each|concurrent))*"
    r"(?:\s*[(`]|\s+[\"'A-Z])"
)
_NEW = re.compile(
    r"\s*(?:(?:export|default|async|public|private|protected|internal|static|final|override|pub|"
    r"suspend|abstract|sealed|readonly|inline|constexpr)\s+)*"
    r"(?:(?:def|function|func|fun|fn|class|struct|enum|interface|type|const|let|val|var|mod)\s+"
    r"(?P<name>[\w$]+[?!]?|`[^`]+`)|let!?\(:(?P<let>\w+)\)"
    r"|(?!return\b|throw\b|raise\b|yield\b|await\b|delete\b|del\b|else\b|new\b|assert\b|goto\b|if\b|while\b|for\b|do\b|switch\b|case\b|using\b|lock\b)"
    r"[\w<>\[\],.:*&?]+[\s*&]+(?P<typed>\w+)\s*(?:\(|=[^=])"
    r"|(?P<bound>\w+)\s*(?::[^=]+)?=[^=>])"
)
_GOES_ON = re.compile(
    r"[)\]}]\s*;\s*(?![/#\s])\S|\}\s*(?!(?:else|catch|finally|while|as|from|satisfies)\b)\w"
)
_TEXT_ENDS = re.compile(r"(?:\"\"\"|''')[\s;,)]*[^\s;,)]")
_COMMENT_ENDS = re.compile(r"(?:\*/|\"\"\"|`)[\s;,)]*[^\s;,)]")
_SWITCHES = re.compile(
    r"pytestmark|__test__|\bdel\s|\bautouse\b|\bglobals\s*\(|\bsetattr\s*\(|\bsys\.modules\b"
    r"|\bskip\b|\.(?:skip|only|todo)\b|\bx(?:it|test|describe|context|specify)\b"
    r"|\bf(?:it|describe|context)\b|\b(?:jest|vi)\.(?:un)?(?:do)?[mM]ock\b|\bmodule_eval\b"
    r"|\b(?:class|instance)_eval\b|\b(?:TestMain|load_tests|collect_ignore)\b|\b(?:remove|undef)_method\b"
    r"|\bpytest_\w+|\b(?:setUp|tearDown|setup|teardown)(?:Class|Module|_module|_class|_method|_function)?\b"
    r"|\b(?:before|after)(?:Each|All)\b|@(?:Before|After)|@Disabled|@Ignore|^\s*#\s*(?:if|else|elif|endif|define|undef|pragma)"
    r"|__END__|__halt_compiler|^=begin|func init\b|\bmacro_rules\b"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Read:
    """A file's lines, and for each the lines that its blocks begin on, from the outermost."""

    lines: list[str]
    around: list[tuple[int, ...]]
    within: list[bool]  # it begins in a string or a comment
    names: frozenset[str]


def not_added(before: str, after: str, language: Language | None) -> str | None:
    """Return what of an edit is more than tests that were added, for the model; None if nothing."""
    if language is None:
        return "the language of the file is not known"
    had, now = _read(before, language), _read(after, language)
    fault = None
    for places in _alignments(had.lines, now.lines):
        found = places if isinstance(places, str) else _fault(had, now, places, language)
        if found is None:
            return None
        fault = fault or found
    return fault


def _fault(had: _Read, now: _Read, places: Sequence[int | None], language: Language) -> str | None:
    kept = {place: line for line, place in enumerate(places) if place is not None}
    for place, line in kept.items():
        if not had.lines[line].strip():
            continue
        before = [had.lines[one] for one in had.around[line]]
        if (
            before != [now.lines[one] for one in now.around[place]]
            or had.within[line] != now.within[place]
        ):
            return f"this line stands within something else now: {_shown(had.lines[line])}"
    waits = False  # a decorator has come, and what it decorates has not
    for at, text in enumerate(now.lines):
        if not text.strip():
            continue
        if at in kept:
            if waits:
                return f"a decorator was put above what was there: {_shown(text)}"
        elif problem := _put_in(had, now, at, kept, language):
            return problem
        elif not (now.within[at] or any(one not in kept for one in now.around[at])):
            waits = bool(_DECORATOR.match(text)) or (waits and bool(_COMMENT.match(text)))
    return _import_fault(had, now, kept, places)


def _put_in(
    had: _Read, now: _Read, at: int, kept: dict[int, int], language: Language
) -> str | None:
    """Say why a line may not be put where it is."""
    line, around = now.lines[at], now.around[at]
    ends = _TEXT_ENDS if language is Language.PYTHON else _COMMENT_ENDS
    if ends.search(line) if now.within[at] else _GOES_ON.search(_flat(line)):
        return f"this ends something and begins something else: {_shown(line)}"
    if any(one not in kept for one in around):
        return None
    outer = [now.lines[one] for one in around if not _GROUP.match(now.lines[one])]
    taken = outer and (_CASES.match(outer[0]) or (_IMPORT.match(outer[0]) and _ITEMS.match(line)))
    if outer and not taken:
        return f"this was put into what was there: {_shown(line)}"
    if now.within[at]:
        inside = at - 1 in kept
        return f"this was put into a text or a comment: {_shown(line)}" if inside else None
    return None if taken else _begins(line, had.names, language)


def _begins(line: str, names: frozenset[str], language: Language) -> str | None:
    """Say why a line begins nothing new."""
    if _SWITCHES.search(line):
        return f"this could switch tests off, or run with them: {_shown(line)}"
    if re.search(r";\s*(?![/#\s])\S", _flat(line)):
        return f"this is more than one statement: {_shown(line)}"
    if _COMMENT.match(line) or _DECORATOR.match(line) or _IMPORT.match(line) or _TEST.match(line):
        return None
    new = _NEW.match(line)
    if new is None or (new["typed"] and language not in _TYPED):
        return f"this is neither a test nor a definition: {_shown(line)}"
    name = next(filter(None, new.groups()), "")
    if name in names:
        return f"the file has the name {name!r} already: {_shown(line)}"
    return None


def _flat(line: str) -> str:
    """Return a line without its texts, and without what is within brackets that close in it."""
    line, before = re.sub(_QUOTES, "", line), ""
    while line != before:
        line, before = re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", "", line), line
    return line


def _import_fault(
    had: _Read, now: _Read, kept: dict[int, int], places: Sequence[int | None]
) -> str | None:
    """Say which import is gone, or takes a name that is used for something else."""
    new = [line for at, line in enumerate(now.lines) if at not in kept and _IMPORT.match(line)]
    extended: dict[str, set[str]] = {}
    for line, place in enumerate(places):
        if place is not None or not had.lines[line].strip():
            continue
        frame, items = _taken(had.lines[line])
        more = next((one for one in new if _taken(one)[0] == frame and items <= _taken(one)[1]), "")
        if not more:
            return f"this import was there and is to stay: {_shown(had.lines[line])}"
        extended[more] = extended.get(more, set()) | items
    for text in new:
        for item in _taken(text)[1] - extended.get(text, set()):
            words = re.findall(r"[\w$]+", item)
            if words and words[-1] in had.names:
                return f"the file has the name {words[-1]!r} already: {_shown(text)}"
    return None


def _taken(line: str) -> tuple[str, frozenset[str]]:
    """Return an import without the names that it takes, and these."""
    for form in (
        r"(?P<a>\s*from\s+\S+\s+import)\s+(?P<names>[^#(]+)(?P<b>)$",
        r"(?P<a>.*\{)(?P<names>[^{}]*)(?P<b>\}.*)$",
        r"(?P<a>\s*import)\s+(?P<names>[^\"'{}]+?)(?P<b>(?:\s+from\s.*)?;?\s*)$",
        r"(?P<a>\s*(?:const|let|var))\s+(?P<names>[\w$]+)(?P<b>\s*=.*)$",
    ):
        if found := re.match(form, line):
            items = (" ".join(each.split()) for each in found["names"].split(","))
            return f"{found['a'].strip()} {found['b'].strip()}", frozenset(filter(None, items))
    return " ".join(line.split()), frozenset()


def _alignments(had: Sequence[str], now: Sequence[str]) -> list[list[int | None] | str]:
    """Return where each line that was there is now: at first, the same with what was put between
    moved up as far as it looks the same, and at last."""
    first = _aligned(had, now)
    if isinstance(first, str):
        return [first]
    last = _aligned(had[::-1], now[::-1])
    return [
        first,
        _moved_up(first, now),
        last
        if isinstance(last, str)
        else [None if place is None else len(now) - 1 - place for place in last[::-1]],
    ]


def _moved_up(places: Sequence[int | None], now: Sequence[str]) -> list[int | None]:
    """Return the same where a test that was put in begins with its own decorator."""
    moved = list(places)
    for line in range(len(moved) - 1, -1, -1):
        place = moved[line]
        below = moved[line + 1] if line + 1 < len(moved) else None
        if place is None or below is None or not (now[place].strip() and now[below].strip()):
            continue
        after = next((one for one in moved[line + 1 :] if one is not None), len(now))
        if after - 1 > place and now[after - 1] == now[place]:
            moved[line] = after - 1
    return moved


def _aligned(had: Sequence[str], now: Sequence[str]) -> list[int | None] | str:
    places: list[int | None] = []
    at = 0
    for line in had:
        place = next((one for one in range(at, len(now)) if now[one] == line), None)
        if place is None and line.strip() and not _IMPORT.match(line):
            return f"this line was there and is to stay as it is: {_shown(line)}"
        places.append(place)
        at = at if place is None else place + 1
    return places


def _read(text: str, language: Language) -> _Read:
    """Read a file's blocks: by its brackets, and by how far lines are set in where that counts."""
    comment = r"#[^\n]*" if language in _INDENTED else _SLASHES
    if language is Language.PHP:
        comment += r"|#(?!\[)[^\n]*"
    long = _LONG.get(language, _LONG_ELSE)
    token = re.compile(
        f"(?:{long}|{comment}|{_QUOTES})|(?P<open>[(\\[{{])|(?P<close>[)\\]}}])", re.M
    )
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    stacks: list[tuple[int, ...]] = [()] * len(lines)
    within = [False] * len(lines)
    stack: list[int] = []
    code, at, number = [], 0, 0
    for found in token.finditer(text):
        while number < len(lines) and starts[number] <= found.start():
            stacks[number] = tuple(stack)
            number += 1
        code.append(text[at : found.start()])
        at = found.end()
        if found["open"]:
            stack.append(number - 1)
        elif found["close"] and stack:
            stack.pop()
        while number < len(lines) and starts[number] < found.end():
            stacks[number], within[number] = tuple(stack), True
            number += 1
    code.append(text[at:])
    for rest in range(number, len(lines)):
        stacks[rest] = tuple(stack)
    if language in _INDENTED:
        stacks = _set_in(lines, stacks, within)
    names = frozenset(re.findall(r"(?<![.\w$])[\w$]+[?!]?", " ".join(code)))
    return _Read(lines, [tuple(dict.fromkeys(one)) for one in stacks], within, names)


def _set_in(
    lines: Sequence[str], stacks: Sequence[tuple[int, ...]], within: Sequence[bool]
) -> list[tuple[int, ...]]:
    heads: list[tuple[int, int]] = []
    found: list[tuple[int, ...]] = []
    for at, line in enumerate(lines):
        if not line.strip():
            found.append(())
            continue
        if not (stacks[at] or within[at]):
            indent = len(line) - len(line.lstrip())
            closes = re.match(r"\s*(?:end\b|else\b|elsif\b|rescue\b|ensure\b|when\b)", line)
            while heads and (heads[-1][0] > indent or (heads[-1][0] == indent and not closes)):
                heads.pop()
            found.append(tuple(one for _, one in heads))
            if closes:
                del heads[-1:]
            elif not line.lstrip().startswith(("#", "@")):
                heads.append((indent, at))
        else:
            found.append((*(one for _, one in heads), *stacks[at]))
    return found


def _shown(line: str) -> str:
    return printable(line.strip())[:LINE_CHARS]
