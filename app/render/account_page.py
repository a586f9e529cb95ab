"""What a run that writes came to, as one self-contained HTML file: the account, and the patches."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.accounts import Account
from app.render import words
from app.render.escape import code_line, cut, one_line, visible
from app.render.html import LINE_CHARS, LOADER, environment, style
from app.render.writing import why_partial
from reviewer.detectors.secrets import redacted
from reviewer.fix.values import Fixing
from reviewer.refactor.values import Refactoring

TEMPLATE = "account.html.j2"

MOST_LINES = 20_000
"""Of all patches together: nobody reads more in a page, and a browser has trouble with it."""

_MAIL = re.compile(r"^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\n", re.MULTILINE)
_SUBJECT = re.compile(r"^Subject: (?:\[PATCH[^\]\n]*\] )?(.*(?:\n[ \t].*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Commit:
    """`lines` are of its patch: what each is ("add", "del", "gap" or ""), and its text."""

    subject: str
    size: str
    lines: Sequence[tuple[str, str]]


def account_page(account: Account, text: str, mails: bytes | None) -> str:
    """Return an HTML document; every text in it is escaped.

    `text` is the account for people, `mails` the patch as `git am` takes it; None for one that is
    not handed out.
    """
    room, more = MOST_LINES, 0
    commits = []
    for subject, lines in _mails(mails or b""):
        shown = lines[:room]
        more += len(lines) - len(shown)
        room -= len(shown)
        added, gone = (sum(kind == one for kind, _ in lines) for one in ("add", "del"))
        commits.append(_Commit(subject, f" +{added:,} \N{MINUS SIGN}{gone:,}", shown))
    partial = account.status == "partial"
    return (
        environment(LOADER)
        .get_template(TEMPLATE)
        .render(
            css=Markup(style()),  # noqa: S704 - our own file
            task=_task(account),
            state=account.status,
            early=f"because {why_partial(account)}." if partial else "",
            commit=one_line(account.commit)[: words.NAME_DIGITS],
            text=visible(text).rstrip("\n"),
            withheld=mails is None,
            commits=commits,
            more=more,
        )
    )


def _task(account: Account) -> str:
    match account:
        case Refactoring():
            return "Refactoring"
        case Fixing():
            return "Fix"
    return "Tests"


def _mails(mails: bytes) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the subject of each commit, and the lines of its patch."""
    for mail in _MAIL.split(redacted(mails.decode("utf-8", "replace")))[1:]:
        head, _, patch = mail.partition("\ndiff --git ")
        found = _SUBJECT.search(head)
        subject = " ".join(found[1].split()) if found else "a commit"
        body = f"diff --git {patch}".removesuffix("\n").split("\n") if patch else []
        yield one_line(subject), list(_lines(body))


def _lines(body: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines of a patch, each with its kind; before the first hunk of a file is none."""
    within = False
    for line in body:
        within = line.startswith("@@") or (within and not line.startswith("diff --git "))
        kind = {"+": "add", "-": "del", "@": "gap"}.get(line[:1], "") if within else ""
        yield kind, cut(code_line(line), LINE_CHARS)
