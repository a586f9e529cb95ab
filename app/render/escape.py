"""Untrusted text made safe to show: nothing in it is hidden, and nothing in it does anything."""

import html
import re

_HIDDEN_RANGES = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls: terminals obey them
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidirectional
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff"  # surrogates: bytes that no encoder takes
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and variation selectors: whole sentences hide in them
)
HIDDEN = re.compile(f"[{_HIDDEN_RANGES}]")
"""Characters that a reader cannot see or that change how others look; not tab and newline."""

TAB_COLUMNS = 4


def visible(text: str) -> str:
    """Return `text` with each hidden character spelled out (`\\x1b`, `\\u{202e}`).

    Newlines and tabs stay; CRLF becomes a newline, a lone CR is spelled out.
    """
    return HIDDEN.sub(_spelled, text.replace("\r\n", "\n"))


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    if match.group() == "\r":
        return "\\r"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def one_line(text: str) -> str:
    """Return `text` visible and on one line, runs of white space as one space."""
    return " ".join(visible(text).split())


def code_line(text: str) -> str:
    """Return one line of code visible, without its line ending and with tabs expanded."""
    return visible(text.rstrip("\r\n")).replace("\n", "\\n").expandtabs(TAB_COLUMNS)


def cut(text: str, limit: int) -> str:
    """Return at most about `limit` characters of `text`, with a word on how much is missing."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} more characters)"


# Markdown. A reference is broken by an empty character behind its sign: GitHub resolves mentions
# and issue numbers after it has removed backslashes and decoded entities, so escaping is not
# enough. The entity survives where a raw zero-width space might be stripped.
_BREAK = "&#8203;"
_ACTIVE = re.compile(r"([\\`*_{}\[\]()+!|~^$])")
_REFERENCE = re.compile(r"([@#])(?=\\?\w)")
# Wherever they stand: what GitHub takes for the border of a word is not what `\b` does. A break too
# many costs nothing.
_GH_NUMBER = re.compile(r"(GH-)(?=\d)", re.IGNORECASE)
_ADDRESS = re.compile(r"(:)(?=//)|(www)(?=\.)|((?:mailto|xmpp):)(?=\w)", re.IGNORECASE)
_BLOCK_START = re.compile(r"^([ \t]*)([/#>=\-]|\d+(?=\.))", re.MULTILINE)


def markdown(text: str, *, opens: bool = True) -> str:
    """Return prose that Markdown shows as it stands: no markup, link, mention, number, command.

    `opens` is False for what follows other text on its line, and cannot start anything.
    """
    text = visible(text).replace("&", "&amp;").replace("<", "&lt;")
    text = _unlinked(_ACTIVE.sub(r"\\\1", text))
    return _BLOCK_START.sub(_inert_start, text) if opens else text


def markdown_html(text: str) -> str:
    """Return prose for one line inside an HTML element, where Markdown's escapes do not count."""
    flat = visible(text).replace("\n", " ")
    return _unlinked(html.escape(flat, quote=False))


def _unlinked(text: str) -> str:
    text = _REFERENCE.sub(rf"\1{_BREAK}", text)
    text = _GH_NUMBER.sub(rf"\1{_BREAK}", text)
    return _ADDRESS.sub(lambda found: found.group() + _BREAK, text)


def _inert_start(match: re.Match[str]) -> str:
    """Keep the start of a line from opening a block or being a command."""
    indent, start = match.groups()
    return f"{indent}{start}\\" if start.isdigit() else f"{indent}\\{start}"


def markdown_line(text: str) -> str:
    """Return prose for one line, a table cell or a heading."""
    return markdown(one_line(text))


def markdown_code(text: str, *, cell: bool = False) -> str:
    """Return one line as a code span, in more backticks than it holds; `cell`: for a table."""
    text = one_line(text)
    if cell:  # tables split at every bar, in code spans too, and take the backslash away
        text = text.replace("|", "\\|")
    marks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{pad}{text}{pad}{marks}" if text else "` `"


def fence(lines: list[str], language: str = "") -> str:
    """Return a fenced block, its fence longer than any run of backticks inside."""
    body = "\n".join(lines)
    marks = "`" * max(3, _longest_run(body) + 1)
    return f"{marks}{language}\n{body}\n{marks}"


def mermaid(text: str) -> str:
    """Return one line as the label of a node in a diagram: text, whatever it holds.

    All but plain letters, digits and a few signs become numbers of characters. So nothing ends the
    label, the line or the fence around the diagram, and nothing is a directive or a tag.
    """
    return re.sub(r"[^A-Za-z0-9 ./_-]", lambda found: f"#{ord(found.group())};", one_line(text))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
