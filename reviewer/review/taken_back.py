"""Claims that take themselves back: "… so this is not a bug." is no finding, whoever wrote it.

Only what a claim concludes counts: its whole title, or the last sentence of its reason and nothing
beside the verdict in it. A condition ("fine for one worker"), a report of what others say and a
quotation are no conclusion: to drop a defect is worse than to show a doubt. Nor is "there is no
error": that may be the very defect. English alone, before anybody is paid to look: in any language
the verifier says whether a report contradicts itself (`stands` in `verify.py`).
"""

import re

_OPENING = (
    r"(?:(?:so|thus|hence|therefore|actually|indeed|overall|in short|in conclusion|in the end|"
    r"after all|on (?:a )?(?:second|closer) (?:look|reading|thought|inspection)),?\s+)*"
)
_FAULT = r"(?:a |an )?(?:real |actual )?(?:bug|defect|issue|problem|error|fault)s?"
_ENDING = r"(?:,? (?:here|after all|then|in practice|as it stands|as written))?"

_IN_FACT = r"(?:actually |in fact |indeed )?"
_FINE = rf"(?:not {_FAULT}|fine|ok|okay|all right|harmless as it stands|as intended|by design)"
_WORKS = r"works? (?:fine|correctly|as (?:intended|expected|designed))"
_NONE = r"no (?:real |actual )?(?:bug|defect|issue|problem)s?"
_NEEDED = r"no (?:change|fix|action)(?: is)? (?:needed|required|necessary)"

_VERDICT = (
    rf"(?:this|it|that) is {_IN_FACT}{_FINE}|(?:this|it|that) {_WORKS}"
    rf"|(?:this|it|that) is {_IN_FACT}correct (?:as it stands|as written|behaviou?r|code)"
    rf"|there (?:is|are) {_NONE}|{_NEEDED}|(?:i )?withdrawn?(?: this(?: claim| finding)?)?"
)
_ALONE = rf"not {_FAULT}|{_NONE}(?: found)?|{_WORKS}|(?:as intended|by design)"
"""What says the same without a subject, as a title or an answer to oneself."""

_CONCLUDES = re.compile(rf"{_OPENING}(?:{_VERDICT}|{_ALONE}){_ENDING}", re.IGNORECASE)

_FOLLOWS = re.compile(
    rf"(?:this is {_FINE}|this {_WORKS}|there (?:is|are) {_NONE}|{_NEEDED}){_ENDING}",
    re.IGNORECASE,
)
"""What may follow from the first half of a sentence: "it" may be something that the half names."""

_SO = re.compile(r"(?:,|;|:| –| —| -)\s*(?:and\s+)?(?:so|thus|hence|therefore),?\s+", re.IGNORECASE)

_NOT_ITS_OWN = re.compile(
    r"\b(?:if|unless|until|when|while|once|only|but|though|although|except|otherwise|assum\w*|"
    r"believ\w*|think\w*|claim\w*|say\w*|conclud\w*|pretend\w*|report\w*|comment\w*|would|could|"
    r"might|may|should|as long as)\b",
    re.IGNORECASE,
)
"""A condition, or somebody else's word: what follows from it is not the claim's own conclusion."""

_QUOTED = re.compile(
    r"```.*?```|`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|(?<!\w)'[^'\n]*'(?!\w)|^[ \t]*>[^\n]*$",
    re.DOTALL | re.MULTILINE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n{2,}")


def takes_itself_back(title: str, why: str) -> bool:
    """Does a claim come to the conclusion that nothing is wrong?"""
    if _CONCLUDES.fullmatch(_bare(title)):
        return True
    *_, last = _SENTENCES.split(_QUOTED.sub(" (quoted) ", why).strip())
    if _CONCLUDES.fullmatch(_bare(last)):
        return True
    ground, *followed = _SO.split(last)
    return (
        bool(followed)
        and not _NOT_ITS_OWN.search(ground)
        and _FOLLOWS.fullmatch(_bare(followed[-1])) is not None
    )


def kept_of(why: str) -> str:
    """Return a reason without a last sentence that takes it back; all of it if nothing else is
    there. What is grave is shown whatever it says of itself: then at least it says one thing.
    """
    last = 0
    for found in _SENTENCES.finditer(why):
        last = found.end()
    kept = why[:last].rstrip()
    return kept if kept and takes_itself_back("", why[last:]) else why


def _bare(sentence: str) -> str:
    return " ".join(_QUOTED.sub("(quoted)", sentence).split()).strip(" .!*_")
