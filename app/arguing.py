"""Does what a person answers in a thread want an answer? In any language, as far as rules go."""

import re

from reviewer.text import words_in

ARGUMENT_WORDS = 8
DENIAL_WORDS = 3
MOST_CHARS = 4_000
"""Of an answer that argues, and of one that denies; and what is looked at of a long one."""

_ASKS = re.compile(
    "[?\uff1f\u061f\u037e\u055e\u1367\u2047-\u2049]|[\u304b\u5417\u5462][\\s\u3002.]{0,9}\\Z"
)
"""Question marks, and the words that end a question in Japanese and Chinese."""

_DENIES = re.compile(
    r"\b(?:not|never|cannot|impossible|wrong|incorrect|false|already|"
    r"(?:ca|is|does|do|did|are|was|were|would|should|could)n't|won't(?! fix)|"
    r"nicht|nie|kein\w*|falsch|pas|jamais|faux|nunca|falso|nem|não|errado|не|нет|неверно)\b|"
    r"[不没沒]|ない|ません|아니|않",
    re.IGNORECASE,
)
_AGREES = re.compile(
    r"\b(?:thank\w*|thx|fixed|done|agreed?|good catch|will (?:fix|do)|danke|merci|gracias|"
    r"obrigad\w)\b|谢|謝|ありがと|감사",
    re.IGNORECASE,
)


_DEFENDS = re.compile(
    r"\b(?:disagree\w*|intended|intentional\w*|on purpose|expected|upstream|false positive|"
    r"(?:validated|checked|guarded|covered|handled) (?:by|upstream|elsewhere|before|above|there)|"
    r"absichtlich|gewollt|volontaire|voulu|intencional\w*|намеренно|специально)\b|"
    r"의도|意図|故意|有意|わざと",
    re.IGNORECASE,
)
"""Words that stand up for the code, without a denial."""

_WHY = re.compile(
    r"(?:but )?(?:why|how so|how come|warum|wieso|pourquoi|por qu[eé]|por quê|почему)[\s.!…]*",
    re.IGNORECASE,
)
"""A question that its writer has put no mark behind."""

_TURNED = re.compile(
    r"(?:\bnot|n't|\bnever|\bcannot)\b(?:\s+\S+){0,2}\s+(?:agree|fixed|done)\b", re.I
)
"""Words of agreement that the words before them turn round."""

_NO_WORDS = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
"""Code and addresses: what stands in them is not said."""


def argues(text: str) -> bool:
    """Does an answer want one? A question does, an argument, and a short denial ("It can never be
    null"); "Done, thanks" does not. What it quotes, code and addresses do not count."""
    lines = [
        line for line in text.strip()[:MOST_CHARS].splitlines() if not line.lstrip().startswith(">")
    ]
    said = _NO_WORDS.sub(" x ", "\n".join(lines)).replace("\n", " ").replace("\u2019", "'")
    agrees = _AGREES.search(said) and not _TURNED.search(said)
    count = max(len(said.split()), words_in(said))
    return bool(
        _ASKS.search(said)
        or count >= ARGUMENT_WORDS
        or _WHY.fullmatch(said.strip())
        or (_DEFENDS.search(said) and not agrees)
        or (count >= DENIAL_WORDS and _DENIES.search(said) and not agrees)
    )
