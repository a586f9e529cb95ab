import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.detectors.added import MAX_QUOTED_CHARS
from reviewer.detectors.hidden import HiddenCharacters
from reviewer.finding import Finding, Severity
from reviewer.parsing.worker import Parsers
from tests.reviewer.detectors.sources import Files, findings, source


def run(
    parsers: Parsers, path: str, head: str | bytes, base: str | bytes | None = None
) -> list[Finding]:
    each = source(path, head, base)
    return findings(list(HiddenCharacters(parsers).run([each], Files.of(each))))


# The attacks, as published ("Trojan Source", ASCII smuggling, invisible payloads, look-alikes).
ATTACKS = [
    ("early-return.py", "bidi", "'''doc \u2067''' ;return\n", 1),
    ("stretched.js", "bidi", 'if (level != "user\u202e \u2066// admin\u2069 \u2066") {\n}\n', 1),
    ("comment.c", "bidi", "/*\u202e } \u2066if (admin)\u2069 \u2066 begin */\n", 1),
    ("override.rs", "bidi", "let a = \"\u202ex\u202c\";\n", 1),
    ("value.yaml", "bidi", "a: 1\nb: x\u202ey\n", 2),
    ("name.js", "invisible", "const a = 1;\nconst { b,\u3164} = c;\n", 2),
    ("zero.go", "invisible", "package a\n\nvar us\u200ber = 1\n", 3),
    ("Dockerfile", "invisible", "FROM al\u200bpine\n", 1),
    ("cyrillic.py", "homoglyph", "def is_\u0430dmin():\n    pass\n", 1),
    ("greek.java", "homoglyph", "class \u0391dmin {}\n", 1),
    ("AGENTS.md", "payload", "Be kind.\U000e0049\U000e0067\U000e006e\U000e006f\n", 1),
    ("translations/de.json", "payload", '{"a": "x\U000e0049\U000e0067"}\n', 1),
    ("glass.js", "payload", "f(`\ufe00\ufe01\ufe0f\ufe05\U000e0100\U000e0101\ufe02`);\n", 1),
    ("bits.py", "payload", "x = '\u200b\u200c\u200b\u200b\u200c\u200c\u200b'\n", 1),
]  # fmt: skip


@pytest.mark.parametrize(("path", "rule", "text", "line"), ATTACKS, ids=[a[0] for a in ATTACKS])
def test_attacks_are_reported_with_the_names_of_the_characters(
    parsers: Parsers, path: str, rule: str, text: str, line: int
) -> None:
    found = run(parsers, path, text)
    assert [(each.source, each.line) for each in found] == [(f"detector:hidden/{rule}", line)]
    (finding,) = found
    assert finding.severity is Severity.HIGH
    assert re.search(r"U\+[0-9A-F]{4,6} [A-Z]", finding.body)
    if rule != "homoglyph":
        assert re.search(r"<U\+[0-9A-F]{4,6}>", finding.evidence)
        assert finding.evidence.isascii()


# What people write.
INNOCENT = [
    ("family.py", "x = '\U0001f468\u200d\U0001f469\u200d\U0001f467'\n"),
    ("heart.js", "const a = '\u2764\ufe0f'; // \u2764\ufe0f\n"),
    ("flag.md", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\n"),
    ("bom.cs", "\ufeffclass A {}\n"),
    ("persian.py", "x = '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'\n"),
    ("hindi.kt", 'val x = "\u0915\u094d\u200d\u0937"\n'),
    ("isolate.ts", "const a = `\u2068${name}\u2069`;\n"),
    ("locales/he.json", '{"a": "\u05d0\u202bb"}\n'),
    ("i18n/ar.php", "<?php return ['a' => '\u0627\u202bb'];\n"),
    ("docs/bidi.md", "The mark \u202e turns text around.\n"),
    ("README.md", "a\u200bb\n"),
    ("tests/test_unicode.py", "x = '\u202ea'\n"),
    ("string.go", 'package a\n\nvar a = "x\u200by"\n'),
    ("comment.py", "# a\u200bb\u00adc\nx = 1\n"),
    ("russian.py", "def \u0443\u0434\u0430\u043b\u0438\u0442\u044c_id():\n    pass\n"),
    ("physics.py", "\u0394x = 1\n\u03b1_s = \u03c1_0 = \u03bda = 2\n"),
    ("words.js", "const a = 'M\u043eskva'; // \u0441om\n"),
    ("latin1.c", b"/* caf\xe9 \xad\xad */\nint a;\n"),
    ("data.bin.txt", b"\xff\xfe\x00\xe2\x80"),
]


@pytest.mark.parametrize(("path", "text"), INNOCENT, ids=[each[0] for each in INNOCENT])
def test_what_people_write_is_not_reported(parsers: Parsers, path: str, text: str | bytes) -> None:
    assert run(parsers, path, text) == []


def test_only_lines_of_the_change_count(parsers: Parsers) -> None:
    bad = "let a\u200bb = 1;\n"
    assert run(parsers, "a.js", bad + "let c = 1;\n", bad) == []
    (finding,) = run(parsers, "a.js", "let x = '\u20ac';\n" + bad, "let x = '\u20ac';\n")
    assert finding.line == 2


def test_no_name_of_a_folder_excuses_code(parsers: Parsers) -> None:
    for path in ("i18n/a.js", "src/unicode/a.js", "lang/a.js"):
        (finding,) = run(parsers, path, 'if (l != "user\u202e \u2066// admin\u2069 \u2066") {}\n')
        assert finding.source == "detector:hidden/bidi"


def test_a_file_name_can_hide_its_end(parsers: Parsers) -> None:
    (finding,) = run(parsers, "invoice\u202efdp.sh", "echo\n")
    assert (finding.line, finding.source) == (None, "detector:hidden/path")
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in finding.body
    assert run(parsers, "invoice\u202efdp.sh", "echo\n", "ls\n") == []  # it had that name before


@given(st.text(max_size=80), st.sampled_from(["a.py", "a.md", "a.yaml", "a"]))
def test_ascii_and_its_evidence_are_never_touched(text: str, path: str) -> None:
    with Parsers() as unused:  # starts no process before it is asked
        plain = text.encode("ascii", "ignore").decode()
        assert run(unused, path, plain) == []


@pytest.mark.parametrize("word", ["p\u0430y ", "x\u200b\u200b\u200b\u200b\u200b\u200b "])
def test_a_line_of_a_hundred_thousand_attacks_is_reported_once_and_soon(
    parsers: Parsers, word: str
) -> None:
    began = time.monotonic()
    found = run(parsers, "long.py", word * 100_000)
    assert time.monotonic() - began < 10
    assert len(found) == 1
    assert len(found[0].evidence) <= MAX_QUOTED_CHARS
