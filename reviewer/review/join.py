"""Joining by program: what is said about one cause, or is true of several places, is said once."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reviewer.finding import MOST_PLACES, Category, Finding, Place, Side
from reviewer.review.promised import without_promise

ALIKE_TITLES = 0.5
"""Titles on overlapping lines that share this part of the shorter one's words are one claim. Half
of it does on the very same lines or for the same harm: two passes name the same things and differ
in the rest."""

ALIKE_BODIES = 0.45
ALIKE_TO_PROMISE = 0.3
"""Claims of different passes on overlapping lines are one claim if title and reason together share
this part of the shorter one's words. 21 pairs of one claim, as different passes and readers put it,
share 0.35 to 0.84, two of different claims 0.16 and 0.25. What is said of a promise is put in the
promise's words, so less has to do: 0.32 to 0.56 where it was one claim."""

TOLD_WITH = 0.3
"""Claims of one harm on the very same lines are one comment. Where they share less than this part
of the shorter one's words they may still be two causes, and both are told in it."""

ALIKE_ANYWHERE = 0.35
"""A broken promise is shown at whatever lines come nearest, so it is compared with every defect of
the change: six pairs of one cause, in readings of the held-back cases, share 0.37 to 0.55 of the
shorter one's words, fifteen pairs of two causes 0.07 to 0.25."""

REPEATED_TITLES = 0.8
"""Titles in different places that share this part of the *longer* one's words are one pattern. No
line ties the two together, so the words must: one in five may differ, which is the name of the
function or file that each place has ("`create` passes unescaped input to the shell"). Measured
against the shorter title, "A file is not closed" would be "A file is not closed twice"."""

REPEATED_CAUSES, REPEATED_REASONS = 0.6, 0.5
"""Two passes show one cause where each has seen it: at the reader and at the writer, say. Titles
that share the first part of the longer one's words are one claim if the reasons share the second
of the shorter one's. In a reading of the held-back cases the one such pair shares 0.71 and 0.57;
of the twenty pairs of two causes, two share over 0.2 of their titles: 0.22, and 0.68 and 0.21."""

SAME_WORDS, SAME_TITLES = 0.6, 0.4
"""Claims whose titles and reasons together share the first part of the shorter one's words, and
whose titles share the second, are one, wherever each was shown and whichever node of a pass made
it. In a real change of 22 files four pairs of one cause that nothing else joined share 0.67 to 0.72
and 0.43 to 0.71; of 45 pairs of two causes, in the readings of the real defects and of the
held-back cases, none shares over 0.46. Two faults of one place are told in the same words, too,
and with other titles."""

ENOUGH_WORDS = 12
"""A claim in fewer words of its own may share most of them with another one by chance."""

MOST_COMPARED = 200
"""Claims, the worst first, that each other one is compared with by all of its words."""

TELLING_WORDS = 3
"""A title with fewer ("Missing validation") says what kind of fault it is, and not which one."""

REPEATS_OF_A_RULE = 3
"""Places of one rule of a detector that make a list. Two are two comments that each can be acted
on; from three on it is a pattern."""

_GONE = ("detector:contracts/name", "detector:python-lint/F821")
"""Rules that say of a name that it is gone and still used, the one that says more of it first."""

_SMALL_WORDS = re.compile(
    "a|an|and|are|as|at|be|by|can|does|for|from|has|in|into|is|it|its|no|not|of|on|or|so|than|"
    "that|the|their|then|this|to|was|when|which|will|with|without"
)


def join(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings without repeats, the worst and surest first.

    What is true of several places is one finding at the worst of them, with the others as `places`.
    """
    return join_counted(findings)[0]


def join_counted(findings: Iterable[Finding]) -> tuple[list[Finding], int]:
    """Do as `join`; return how many are told with another one of their lines, too."""
    kept, told = _once(findings, by_words=False)
    return _gathered(_kept_promises(kept)), told


def _kept_promises(findings: Sequence[Finding]) -> list[Finding]:
    """Have a defect stand for the promise that it breaks, wherever that is shown."""
    return told_as_defects(findings)[0]


def told_as_defects(
    findings: Sequence[Finding], *, same_file: bool = False
) -> tuple[list[Finding], dict[str, list[Finding]]]:
    """Return the findings with a defect for each promise that it breaks, the worst first.

    It is as grave as the graver of the two and has the place of the promise, too. The promises that
    are left out come second, by the id of their defect. `same_file`: only those shown in its file.
    """
    kept = [one for one in findings if one.category is not Category.INTENT]
    left_out: dict[str, list[Finding]] = {}
    for promise in (one for one in findings if one.category is Category.INTENT):
        words = _all_words(promise)
        shares = [
            0.0 if _by_detector(one) or len(one.places) >= MOST_PLACES
            or (same_file and one.path != promise.path)
            else alike(words, _all_words(one))
            for one in kept
            if one.category is not Category.INTENT
        ]  # fmt: skip
        share, number = max(((share, -n) for n, share in enumerate(shares)), default=(0.0, 0))
        if share < ALIKE_ANYWHERE:
            kept.append(promise)
            continue
        one = kept[-number]
        worse = min(one.severity, promise.severity, key=lambda severity: severity.rank)
        kept[-number] = _also_at(one.model_copy(update={"severity": worse}), _places_of([promise]))
        left_out.setdefault(one.id, []).append(promise)
    return sorted(kept, key=_worth), left_out


def once(findings: Iterable[Finding], *, by_words: bool = False) -> list[Finding]:
    """Return the findings with each cause at each place once, the worst and surest first.

    Of several that say the same the worst stays; among equals a detector's, which is certain. With
    `by_words` a place alone makes nothing the same: one of the two may be wrong. What only its
    place makes the same is told with the one that stays: it may be another cause. One that stays
    without a suggestion takes over that of a repeat for the very same lines. Of two detectors that
    say one cause in different words, the one with more to say of it stays and names the other.
    """
    return _once(findings, by_words=by_words)[0]


def _once(findings: Iterable[Finding], *, by_words: bool) -> tuple[list[Finding], int]:
    """Do as `once`; return how many are told with another one of their lines, too."""
    told = 0
    kept: list[Finding] = []
    by_line: dict[tuple[str, Side, int | None], list[int]] = {}
    for finding in sorted(findings, key=_worth):
        places = [(finding.path, finding.side, number) for number in _numbers(finding)]
        near = dict.fromkeys(number for place in places for number in by_line.get(place, ()))
        same = [number for number in near if _same(finding, kept[number], by_words=by_words)]
        if not same:
            for place in places:
                by_line.setdefault(place, []).append(len(kept))
            kept.append(finding)
        for number in same:
            if _of_one_name(finding, kept[number]):
                kept[number] = _by_both(kept[number], finding)
                break
            kept[number] = _as_grave(_also_at(kept[number], finding.places), finding)
            if _may_take_over(kept[number], finding, verified=not by_words):
                kept[number] = kept[number].model_copy(update={"suggestion": finding.suggestion})
                break
        if same and not any(_has_told(kept[number], finding) for number in same):
            kept[same[0]] = _with_told(kept[same[0]], finding)
            told += 1
    return _told_apart(kept), told


def _as_grave(finding: Finding, repeat: Finding) -> Finding:
    """Return a finding as a hole if its repeat is one: what nobody may make disappear stays so."""
    is_hole = repeat.category is Category.SECURITY and not finding.is_grave
    if not is_hole or _by_detector(finding):
        return finding
    return finding.model_copy(update={"category": repeat.category})


def _has_told(finding: Finding, repeat: Finding) -> bool:
    """Do the words of a finding tell a repeat too, or is there no doubt that it is the same?"""
    if Category.SECRET in {finding.category, repeat.category} or (
        _by_detector(finding) and _by_detector(repeat)
    ):
        return True
    titles = alike(telling_words(finding.title), telling_words(repeat.title))
    told = alike(_all_words(finding), _all_words(repeat))
    return titles >= ALIKE_TITLES / 2 or told >= TOLD_WITH


def _with_told(finding: Finding, repeat: Finding) -> Finding:
    """Return a finding that tells a repeat with its own words: with its reason, too, where that
    was verified by itself."""
    told = [finding.body, f"Also: {repeat.title}"]
    if repeat.verified:
        told.append(repeat.body)
    body = "\n\n".join(text for text in told if text.strip())
    return finding.model_copy(update={"body": body})


def _of_one_name(one: Finding, other: Finding) -> bool:
    """Do two detectors say of one name, at one place, that it is gone and still used?"""
    return (
        one.source != other.source
        and one.source in _GONE
        and other.source in _GONE
        and (one.start_line, one.line) == (other.start_line, other.line)
        and _QUOTED.findall(one.title)[:1] == _QUOTED.findall(other.title)[:1] != []
    )


def _by_both(finding: Finding, repeat: Finding) -> Finding:
    """Return the one that says more, as grave as the graver one, with the other as a source."""
    one, other = sorted((finding, repeat), key=lambda each: _GONE.index(each.source))
    worse = min(one.severity, other.severity, key=lambda severity: severity.rank)
    sources = dict.fromkeys((*one.also_by, *other.also_by, other.source))
    said = one.model_copy(update={"severity": worse, "also_by": tuple(sources)})
    return _also_at(said, other.places)


def _may_take_over(finding: Finding, repeat: Finding, *, verified: bool) -> bool:
    """Would the repeat's suggestion replace this finding's lines, without a word of a secret?

    It mends what the repeat says, so both have to say one thing in like words. With `verified`
    nobody will look whether it does: somebody has to have done so.
    """
    return (
        finding.suggestion is None
        and repeat.suggestion is not None
        and finding.category is not Category.SECRET  # whose suggestion `masked` lets through
        and (finding.start_line, finding.line) == (repeat.start_line, repeat.line)
        and (repeat.verified or not verified or _by_detector(repeat))
        and _same(repeat, finding, by_words=True)
    )


def masked(findings: list[Finding]) -> list[Finding]:
    """Return the findings with no secret in any: where one was found, all quote that line masked.

    A finding that would replace such a line loses its suggestion: it holds the line.
    """
    safe: dict[tuple[str, str, int], str] = {}
    for finding in findings:
        if finding.category is Category.SECRET and finding.start_line is not None:
            for number, line in enumerate(finding.evidence.split("\n"), finding.start_line):
                safe[finding.path, finding.side, number] = line
    return [_without(_proved_without(finding, safe), safe) for finding in findings]


def _proved_without(finding: Finding, safe: Mapping[tuple[str, str, int], str]) -> Finding:
    """Return a finding without a proof that holds such a line, or may do so."""
    proof = finding.proof
    if proof is None:
        return finding
    if proof.start_line is None or proof.line is None:
        held = any((path, side) == (proof.path, proof.side) for path, side, _ in safe)
    else:
        numbers = range(proof.start_line, proof.line + 1)
        held = any((proof.path, proof.side, number) in safe for number in numbers)
    return finding.model_copy(update={"proof": None}) if held else finding


def _without(finding: Finding, safe: Mapping[tuple[str, str, int], str]) -> Finding:
    if finding.start_line is None or finding.line is None:
        return finding
    numbers = range(finding.start_line, finding.line + 1)
    if not any((finding.path, finding.side, number) in safe for number in numbers):
        return finding
    quoted = zip(numbers, finding.evidence.split("\n"), strict=False)
    lines = [safe.get((finding.path, finding.side, number), line) for number, line in quoted]
    suggestion = finding.suggestion if finding.category is Category.SECRET else None
    return finding.model_copy(update={"evidence": "\n".join(lines), "suggestion": suggestion})


def _told_apart(findings: list[Finding]) -> list[Finding]:
    """Number those that share an id: the same claim about the same text in several places."""
    seen: Counter[str] = Counter()
    named = []
    for finding in findings:
        seen[finding.id] += 1
        number = seen[finding.id]
        new = {"id": f"{finding.id}-{number}"} if number > 1 else {}
        named.append(finding.model_copy(update=new))
    return named


# Repeats -----------------------------------------------------------------------------------------


def _gathered(findings: Sequence[Finding]) -> list[Finding]:
    """Make one of those that say the same in different places: the first, with the others listed.

    They come the worst and surest first, and so does what is returned. The first keeps its id, so
    that a repeat which comes or goes makes nothing new.
    """
    patterns = _Patterns()
    groups: dict[int, list[Finding]] = {}
    of_rules: dict[tuple[str, ...], list[int]] = {}
    for number, finding in enumerate(findings):
        if _is_of_its_own(finding):
            groups[number] = [finding]
        elif _by_detector(finding):
            of_rules.setdefault(_rule(finding), []).append(number)
        else:
            groups.setdefault(patterns.first_like(number, finding), []).append(finding)
    for numbers in of_rules.values():
        if len(numbers) >= REPEATS_OF_A_RULE:
            groups[numbers[0]] = [findings[number] for number in numbers]
        else:
            groups |= {number: [findings[number]] for number in numbers}
    return [_with_places(part) for _, group in sorted(groups.items()) for part in _parts(group)]


def _parts(group: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Divide a group where one finding cannot have all of its places."""
    part: list[Finding] = []
    count = 0
    for one in group:
        count += 1 + len(one.places)
        if part and count > 1 + MOST_PLACES:
            yield part
            part, count = [], 1 + len(one.places)
        part.append(one)
    yield part


def _rule(finding: Finding) -> tuple[str, ...]:
    """Return what tells patterns of detectors apart: the rule, and what it says but for names.

    Three undefined names are one pattern, whatever they are called.
    """
    title = _QUOTED.sub("", finding.title)
    return finding.source, finding.category, title, str(finding.preexisting)


def _is_of_its_own(finding: Finding) -> bool:
    """Is it nothing that others make a pattern of, in whatever words?

    Each secret has to be revoked. Each broken contract has a cause, and its places already.
    """
    if finding.category is Category.CONTRACT:
        return _by_detector(finding)
    return finding.category is Category.SECRET


_QUOTED = re.compile(r"`[^`]*`")


def as_one(group: Sequence[Finding]) -> list[Finding]:
    """Return one finding for those of one defect: the first, with the places of the others.

    It tells the titles of the others. There are more where one cannot have all of the places.
    """
    return [_with_places(part) for part in _parts(group)]


def _with_places(group: Sequence[Finding]) -> Finding:
    """Return the first, with the places of the others, and their titles where those differ."""
    first, *others = group
    if not others:
        return first
    different = [
        one
        for one in others
        if one.title != first.title and (_by_detector(first) or not _alike_titles(one, first))
    ]
    body = "\n".join([first.body, *([""] if different else []), *map(_told_of, different)])
    return _also_at(first.model_copy(update={"body": body}), _places_of(others))


def _also_at(finding: Finding, places: Iterable[Place]) -> Finding:
    """Return a finding that is true of some more places, too, each once."""
    known = {_lines_of(finding.place): finding.place}
    for place in (*finding.places, *places):
        known.setdefault(_lines_of(place), place)
    there = tuple(known.values())[1 : 1 + MOST_PLACES]
    return finding if there == finding.places else finding.model_copy(update={"places": there})


def _places_of(findings: Iterable[Finding]) -> Iterator[Place]:
    return (place for one in findings for place in (one.place, *one.places))


def _lines_of(place: Place) -> tuple[str, Side, int | None, int | None]:
    return place.path, place.side, place.start_line, place.line


def _alike_titles(one: Finding, other: Finding) -> bool:
    """Does one title tell what the other does, but for a word in five?"""
    words, others = telling_words(one.title), telling_words(other.title)
    return len(words & others) >= REPEATED_TITLES * max(len(words), len(others))


def _told_of(finding: Finding) -> str:
    where = finding.path if finding.start_line is None else f"{finding.path}:{finding.start_line}"
    return f"- `{where}`: {finding.title}"


class _Patterns:
    """What a model's findings say so far, by what two that say the same have in common."""

    def __init__(self) -> None:
        self._firsts: list[tuple[int, Finding, set[str]]] = []
        self._words: dict[int, tuple[set[str], Finding]] = {}
        self._near: dict[tuple[str, ...], list[int]] = {}

    def first_like(self, number: int, finding: Finding) -> int:
        """Return the number of the first finding that says the same, or this one's own."""
        said = _all_words(finding)
        for other, first, known in self._firsts:
            if alike(said, known) >= SAME_WORDS and _same_words(finding, first):
                return other
        found = self._first_titled(number, finding)
        if found == number and len(said) >= ENOUGH_WORDS and len(self._firsts) < MOST_COMPARED:
            self._firsts.append((number, finding, said))
        return found

    def _first_titled(self, number: int, finding: Finding) -> int:
        words = telling_words(finding.title)
        if len(words) < TELLING_WORDS:
            return number
        kind = (finding.category, str(finding.preexisting), *_exact(finding.title))
        # Two sets that share so many words share one of the first few in any order of all.
        few = len(words) - int(REPEATED_CAUSES * len(words)) + 1
        keys = [(*kind, word) for word in sorted(words, key=_rarely)[:few]]
        for other in sorted({one for key in keys for one in self._near.get(key, ())}):
            known, first = self._words[other]
            share = len(words & known) / max(len(words), len(known))
            if share >= REPEATED_TITLES or (share >= REPEATED_CAUSES and _reasons(finding, first)):
                return other
        self._words[number] = words, finding
        for key in keys:
            self._near.setdefault(key, []).append(number)
        return number


def _reasons(finding: Finding, other: Finding) -> bool:
    """Do two passes give much the same reason?"""
    one, two = telling_words(finding.body), telling_words(other.body)
    return finding.source != other.source and alike(one, two) >= REPEATED_REASONS


def _rarely(word: str) -> tuple[int, str]:
    """Order words by length: long ones are the rarer ones."""
    return -len(word), word


def _exact(title: str) -> list[str]:
    """Return what may not differ between titles of one claim: its numbers, and what turns it round.

    In their order: "before tax instead of after" is not "after tax instead of before".
    """
    return _TURNS.findall(title.lower())


_TURNS = re.compile(r"\d+|n't\b|\b(?:not?|never|without|before|after|less|more|over|under)\b")


def _by_detector(finding: Finding) -> bool:
    return finding.source.startswith("detector:")


def _worth(finding: Finding) -> tuple[int, bool, bool, float, str, int, str]:
    return (
        finding.severity.rank,
        not _by_detector(finding),
        finding.category is Category.INTENT,  # a defect says more than a broken promise
        -finding.confidence,
        finding.path,
        finding.start_line or 0,
        finding.id,
    )


def _same(one: Finding, other: Finding, *, by_words: bool) -> bool:
    """Do both, on lines that overlap, speak of one cause?

    Different passes do that if they see the same kind of harm on the same lines, or use much the
    same words. What one pass says twice of the same lines are two causes, unless the words agree.
    """
    if _by_detector(one) and _by_detector(other):
        repeated = one.source == other.source and one.title == other.title
        return repeated or _of_one_name(one, other)
    share = alike(telling_words(one.title), telling_words(other.title))
    if one.source == other.source:
        return share >= ALIKE_TITLES or (not by_words and _same_words(one, other))
    if not (_by_detector(one) or _by_detector(other)):
        promised = Category.INTENT in {one.category, other.category} and not by_words
        least = ALIKE_TO_PROMISE if promised else ALIKE_BODIES
        if alike(_all_words(one), _all_words(other)) >= least:
            return True
    if by_words:
        return share >= ALIKE_TITLES
    same_place = (one.start_line, one.line) == (other.start_line, other.line)
    if same_place and one.category == other.category:
        return True
    near = same_place or one.category == other.category
    return share >= (ALIKE_TITLES / 2 if near else ALIKE_TITLES)


def _same_words(one: Finding, other: Finding) -> bool:
    """Do two claims say so much the same that it is one cause, whatever lines show it?"""
    kinds = {one.category, other.category}
    if len(kinds) > 1 and not kinds <= _BREAKS:
        return False
    if one.preexisting != other.preexisting or _by_detector(one) or _by_detector(other):
        return False
    words, others = _all_words(one), _all_words(other)
    enough = min(len(words), len(others)) >= ENOUGH_WORDS
    if not enough or alike(words, others) < SAME_WORDS or are_two(one, other):
        return False
    return alike(telling_words(one.title), telling_words(other.title)) >= SAME_TITLES


def retold(finding: Finding, before: Finding, *, there: bool) -> float:
    """Return how much of the shorter claim's words the other has, 0 where they are two claims.

    `before` is what another run said. Whoever finds one defect again cannot be told from whoever
    finds another one on its line, so neither the place nor a title makes anything the same, as it
    does within a run: title and reason together have to. If each title has a name that the other
    claim has not, or the titles are opposed, they are two claims however alike the rest is.
    Where their lines do not overlap (`there`), or the harm is another, the titles have to agree as
    well; a hole is never what was another kind of harm before.
    """
    if _by_detector(finding) and _by_detector(before):
        return float(there and (finding.source, finding.title) == (before.source, before.title))
    same_harm = finding.category is before.category
    if not same_harm and not _HOLES.isdisjoint({finding.category, before.category}):
        return 0.0
    if are_two(finding, before):
        return 0.0
    promised = same_harm and finding.category is Category.INTENT
    share = alike(_all_words(finding), _all_words(before))
    if share < (ALIKE_TO_PROMISE if promised else ALIKE_BODIES):
        return 0.0
    titles = alike(telling_words(finding.title), telling_words(before.title))
    return share if (there and same_harm) or titles >= ALIKE_TITLES else 0.0


def are_two(one: Finding, other: Finding) -> bool:
    """Are they two claims however alike the rest is: by a name of each, or as opposites?"""
    if _has_own_name(one, other) and _has_own_name(other, one):
        return True
    return _are_opposed(one.title, other.title)


_HOLES = frozenset({Category.SECURITY, Category.SECRET})

_BREAKS = frozenset({Category.CORRECTNESS, Category.CONTRACT})
"""Two names of one harm: whoever looks at the callee has the one, and at the caller the other."""


def _has_own_name(one: Finding, other: Finding) -> bool:
    """Does the title name code that the other claim speaks of nowhere?"""
    return not names_in(one.title) <= names_of(f"{other.title} {other.body}")


_OPPOSED = [
    (set(one.split()), set(other.split()))
    for one, other in (
        ("before", "after"),
        ("first", "last"),
        ("start starts begin begins beginning", "end ends"),
        ("left", "right"),
        ("lower", "upper"),
        ("less fewer", "more"),
        ("under", "over"),
        ("min minimum smallest", "max maximum largest"),
        ("read reads reading", "write writes writing written"),
        ("encode encodes encoded encoding", "decode decodes decoded decoding"),
        ("true", "false"),
        ("none null nil undefined", "0 zero negative empty nan"),
        ("0 zero empty", "negative"),
    )
]
"""Words for the two ends, ways or values of one thing, of each of which something may be wrong.

Who says what is and what should be ("before tax instead of after") has both, and means no other
defect than who has one of them. Empty and zero are no pair: an empty list divides by zero."""


def _are_opposed(title: str, other: str) -> bool:
    """Has one of two titles one word of a pair of opposites, and the other title the other?

    Or has each a number that the other has not ("limit 10", "limit 20")?
    """
    numbers, other_numbers = _numbers_in(title), _numbers_in(other)
    if numbers - other_numbers and other_numbers - numbers:
        return True
    words, others = (set(re.findall(r"\w+", each.lower())) for each in (title, other))
    return any(
        words & one and others & two and not words & two and not others & one
        for pair in _OPPOSED
        for one, two in (pair, pair[::-1])
    )


def _numbers_in(title: str) -> set[str]:
    """Return the numbers in a title; those of lines say where, and not what."""
    found = _NUMBER.findall(_LINE_NUMBERS.sub("", title))
    return {number.replace(",", "").replace("_", "") for number in found}


_NUMBER = re.compile(r"(?<![\w.])\d+(?:[,_]\d{3})*(?:\.\d+)*")
_LINE_NUMBERS = re.compile(
    r"\blines?\s+\d+(?:\s*(?:-|–|,|to|and)\s*\d+)*|\bL\d+(?:-L?\d+)?|\.\w{1,10}:\d+(?:[-:]\d+)*",
    re.IGNORECASE,
)


def names_in(text: str) -> set[str]:
    """Return the names in what a text quotes as code."""
    return {name for quoted in _QUOTED.findall(text) for name in _NAME.findall(quoted)}


def names_of(text: str) -> set[str]:
    """Return all that may be a name in a text, quoted or not."""
    return set(_NAME.findall(text))


_NAME = re.compile(r"[^\W\d]\w*")

COMMON_NAMES = frozenset({"None", "True", "False"})
"""Names in quotes of code that are no plain words, and say nothing of what is meant."""


def is_plain_word(name: str) -> bool:
    """Is a name an English word as well, or what every class has: `type`, `close`, `logger`?

    Of the borders that readers were shown, two thirds were such names in files that meant another.
    """
    return re.fullmatch(r"[a-z]{1,12}", name) is not None


def _all_words(finding: Finding) -> set[str]:
    """Return the words of title and reason without their endings, and without a quoted promise."""
    return stems(without_promise(f"{finding.title} {finding.body}"))


_ENDING = re.compile(r"(?:s|ed|ing)\Z")


def _numbers(finding: Finding) -> Sequence[int | None]:
    if finding.start_line is None or finding.line is None:
        return (None,)
    return range(finding.start_line, finding.line + 1)


def alike(words: set[str], others: set[str]) -> float:
    """Return which part of the shorter text's words is in the other one too, 0 to 1."""
    return len(words & others) / max(1, min(len(words), len(others)))


def telling_words(text: str) -> set[str]:
    """Return the words of a text by which its claim is known: all but the small ones."""
    words = re.findall(r"\w+", text.lower())
    return {word for word in words if not _SMALL_WORDS.fullmatch(word)}


def stems(text: str) -> set[str]:
    """Return the telling words of a text without their endings."""
    return {_ENDING.sub("", word) if len(word) > 4 else word for word in telling_words(text)}
