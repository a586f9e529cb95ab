"""What a result does that a refactoring seldom needs: it reads the environment, runs programs, or
reaches the network, in lines that were not there before. Pure.

By the text, so it proves nothing: it shows people lines to look at. A plan or an edit that obeys a
hidden order is seen by it, whatever the model says of it.
"""

import re
from collections.abc import Iterable, Iterator

from reviewer.detectors.secrets import redacted
from reviewer.languages import is_prose, language_of
from reviewer.refactor.patch import FileEdit
from reviewer.refactor.protect import shown
from reviewer.text import decode, printable

SHOWN = 12
LINE_CHARS = 120

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "reads the environment",
        re.compile(
            r"\bos\.environb?\b|\bgetenvb?\s*\(|\bprocess\.env\b|\bimport\.meta\.env\b|"
            r"\bDeno\.env\b|\bSystem\.getenv\b|\b[Ee]nv::vars?(?:_os)?\b|\bENV(?:\[|\.fetch)|"
            r"\bos\.(?:Getenv|LookupEnv|Environ)\b|\bEnvironment\.GetEnvironmentVariables?\b|"
            r"\$_ENV\b|\$_SERVER\b|/proc/(?:self|\d+)/environ|\bfrom os import [^\n]*environ\b"
        ),
    ),
    (
        "runs a program",
        re.compile(
            r"\bsubprocess\b|\bos\.(?:system|popen|exec\w+|spawn\w+)\s*\(|\bchild_process\b|"
            r"\bexec\.Command\b|\bProcessBuilder\b|\bgetRuntime\(\)\s*\.exec\b|\bpty\.spawn\b|"
            r"\b(?:std::process::)?Command::new\b|\bProcess\.Start\b|\b(?:shell_exec|proc_open)\b"
        ),
    ),
    (
        "reaches the network",
        re.compile(
            r"\burllib\.request\b|\burlopen\s*\(|\brequests\.(?:get|post|put|request|Session)\b|"
            r"\bhttpx\.\w+|\baiohttp\b|\bsocket\.(?:socket|create_connection)\b|\bhttp\.client\b|"
            r"\bsmtplib\b|\bftplib\b|\bfetch\s*\(\s*[\"'`]https?:|\bXMLHttpRequest\b|"
            r"\baxios\b|\bhttp\.(?:Get|Post|NewRequest)\b|\bnet\.Dial\b|\bHttpClient\b|"
            r"\bTcpStream::connect\b|\breqwest\b|\bNet::HTTP\b|\bcurl_exec\b"
        ),
    ),
)


def reaching(changed: Iterable[FileEdit]) -> list[str]:
    """Return a sentence for each new line of code that reads, runs or reaches so, in path order.

    A line that a file of the change had before is not new: it was moved, or stayed.
    """
    edits = list(changed)
    there = {line for each in edits for line in _lines(each, new=False)}
    found = [said for each in edits for said in _said(each, there)]
    more = f"And {len(found) - SHOWN} more lines like these are new."
    return [*found[:SHOWN], *([more] if len(found) > SHOWN else [])]


def _said(each: FileEdit, there: set[str]) -> Iterator[str]:
    if language_of(each.path) is None or is_prose(each.path):
        return
    for number, line in enumerate(_lines(each, new=True), 1):
        kind = next((what for what, known in _KINDS if known.search(line)), None)
        if kind is not None and line not in there:
            text = redacted(printable(line))[:LINE_CHARS]
            yield f"New in {shown(each.path)}:{number}, a line that {kind}: {text}"


def _lines(each: FileEdit, *, new: bool) -> list[str]:
    blob = each.after if new else each.before
    return [] if blob is None else [line.strip() for line in decode(blob.data).split("\n")]
