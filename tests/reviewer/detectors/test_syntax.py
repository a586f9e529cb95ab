import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.detectors.base import Source
from reviewer.detectors.syntax import SyntaxErrors
from reviewer.finding import Category, Finding
from reviewer.parsing.worker import MAX_FILE_BYTES, Parsers, Question, Unchecked
from tests.examples import examples
from tests.reviewer.detectors.sources import Files, file_change, findings, notes, source


def run(parsers: Parsers, *sources: Source) -> list[Finding]:
    detector = SyntaxErrors(parsers)
    wanted = [each for each in sources if detector.wants(each.file)]
    return findings(list(detector.run(wanted, Files.of(*wanted))))


# For each language: a whole small file, and a piece of it whose loss or replacement breaks it.
BREAKS = [
    ("a.py", "def f(x):\n    return g(x)\n\n\nprint(f(1))\n", "g(x)", "g(x"),
    ("a.js", "function f(x) {\n  return [x, 1];\n}\nf(2);\n", "1];", "1;"),
    ("a.jsx", "const a = () => <p>{b}</p>;\nrender(a);\n", "{b}</p>", "{b</p>"),
    ("a.ts", "export function f(x: number): string {\n  return `${x}`;\n}\n", "{\n  return", "\n  return"),
    ("a.tsx", "const a = (p: P) => <b>{p.x}</b>;\n", "</b>", ""),
    ("a.go", "package a\n\nfunc f(x int) int {\n\treturn x\n}\n", "x int)", "x int"),
    ("a.java", "class A {\n  int f(int x) {\n    return x;\n  }\n}\n", "return x;", "return x"),
    ("a.rs", "fn f(x: u8) -> u8 {\n    g(x)\n}\n", "g(x)", "g(x"),
    ("a.c", "int f(int x)\n{\n\treturn g(x);\n}\n", "g(x);", "g(x;"),
    ("a.h", "int f(int x);\nint g(int x);\n", "int g(int x)", "int g(int x"),
    ("a.cpp", "namespace n {\nint f(int x) { return x; }\n}\n", "x; }", "x;"),
    ("a.rb", "def f(x)\n  [x, 1]\nend\n\nf(2)\n", "1]\nend", "1\nend"),
    ("a.cs", "class A {\n  int F(int x) {\n    return x;\n  }\n}\n", "(int x)", "(int x"),
    ("a.php", "<?php\nfunction f($x) {\n    return [$x];\n}\n", "[$x];", "[$x;"),
    ("a.kt", "fun f(x: Int): Int {\n    return g(x)\n}\n", "g(x)", "g(x"),
    ("a.scala", "object A {\n  def f(x: Int) = g(x)\n}\n", "g(x)", "g(x"),
    ("a.sh", "f() {\n  echo \"$1\"\n}\nf 2\n", "\"\n}", "\""),
    ("a.swift", "func f(x: Int) -> Int {\n    return g(x)\n}\n", "g(x)", "g(x"),
    ("a.json", '{"a": [1, 2], "b": 3}\n', "2]", "2"),
    ("a.ipynb", '{"cells": [1, 2], "nbformat": 4}\n', "2]", "2"),
    ("b.ipynb", '{"cells": ["{{ x }} ${y}", 2], "nbformat": 4}\n', "2]", "2"),
    ("alembic.ini", "[a]\nb = %(levelname)-5.5s [%(name)s]\n\n[c]\nd = 2\n", "[c]", "[a]"),
    ("setup.cfg", "[a]\nb = 1\n\n[c]\nd = 2\n", "[c]", "[c"),
    ("tox.ini", "[a]\nb = 1\n\n[c]\nd = 2\n", "[c]", "[a]"),
    ("mypy.ini", "[a]\nb = 1\n", "[a]\n", ""),
    ("a.toml", "[a]\nb = 1\nc = [1, 2]\n", "b = 1", "b = "),
    ("a.yaml", "a:\n  - b: 1\n  - c: [1, 2]\nd: 3\n", "2]", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "good", "old", "new"), BREAKS, ids=[each[0] for each in BREAKS])
def test_reports_what_the_change_broke_on_a_line_it_touched(
    parsers: Parsers, path: str, good: str, old: str, new: str
) -> None:
    assert good.count(old) == 1
    broken = source(path, good.replace(old, new), good)
    found = run(parsers, broken)
    assert len(found) == 1, found
    (finding,) = found
    assert finding.category is Category.CORRECTNESS
    assert finding.line in broken.file.commentable[finding.side]
    assert finding.source.startswith("detector:syntax/")
    assert finding.title.startswith("Syntax error")
    shown = good.replace(old, new) if finding.side == "RIGHT" else good
    assert finding.evidence == shown.split("\n")[(finding.line or 0) - 1]
    # The good file is none, new or changed; nor is one that was as broken before.
    assert run(parsers, source(path, good)) == []
    assert run(parsers, source(path, good, good + "\n")) == []
    assert run(parsers, source(path, good.replace(old, new) + "\n", good.replace(old, new))) == []


def test_a_new_broken_file_is_reported_once_at_its_first_error(parsers: Parsers) -> None:
    (finding,) = run(parsers, source("a.py", "x = 1\n\ndef f(:\n    pass\n\ndef g(:\n    pass\n"))
    assert (finding.line, finding.evidence) == (3, "def f(:")


def test_what_a_deletion_breaks_is_reported_where_it_was_deleted(parsers: Parsers) -> None:
    rest = "".join(f"  line{n}();\n" for n in range(40))
    good = f"function f() {{\n  if (x) {{\n    a();\n  }}\n{rest}}}\n"
    (finding,) = run(parsers, source("a.js", good.replace("    a();\n  }\n", "    a();\n"), good))
    assert (finding.side, finding.line, finding.evidence) == ("LEFT", 4, "  }")
    assert "line" in finding.body


def test_python_errors_that_the_grammar_accepts_are_still_found(parsers: Parsers) -> None:
    good = "def f():\n    return g(1, a=2)\n"
    assert len(run(parsers, source("a.py", "def f():\n    return g(a=2, 1)\n", good))) == 1
    assert len(run(parsers, source("a.py", "def f():\nreturn g(1, a=2)\n", good))) == 1


NEWER_OR_OTHER = [
    ("pep701.py", 'x = f"{d["k"]}"\n'),
    ("pep695.py", "type A[T] = list[T]\n\ndef f[T](x: T) -> T:\n    return x\n"),
    ("pep750.py", 'x = t"{a}"\n'),
    ("pep758.py", "try:\n    f()\nexcept A, B:\n    pass\n"),
    ("lazy.py", "lazy import json\n"),
    ("two.py", 'print "hello"\ntry:\n    f()\nexcept A, e:\n    raise B, e\n'),
    ("deep.py", "x = " + "[" * 300 + "]" * 300 + "\n"),
    ("nul.py", "x = 1\n\0"),
    ("tsconfig.json", '{\n  // why\n  "a": [1, 2,],\n}\n'),
    ("anything.json", '{\n  /* why */ "a": "// no comment", "b": ",]",\n}\n'),
    ("lines.json", '{"a": 1}\n{"a": 2}\n'),
    ("stream.json", '{\n  "a": 1\n}\n{\n  "a": 2\n}\n'),
    ("filled.json", '{"a": {{ value }}, "b": 1}\n'),
    ("bom.json", '\ufeff{"a": 1}\n'),
    ("empty.json", "\n"),
    ("tox.ini", "[a]\ndeps =\n  {[base]deps}\n  b>1\n# c\n; d\n"),
    ("alembic.ini", "[a]\nb = %(here)s/c\nd: ${e:f}\n"),
    ("setup.cfg", "[a]\nb = {{ c }}\n{% if d %}\ne\n{% endif %}\n"),
    ("php.ini", "; of another kind\nextension\nzend = {\n"),
    ("one_one.toml", "a = {\n  b = 1,\n}\n"),
    ("escape.toml", 'a = "\\e[0m"\n'),
    ("many.yaml", "a: 1\n---\nb: 2\n...\n---\n- c\n"),
    ("tags.yaml", "a: !Ref b\nb: !Sub [x, y]\nc: !!python/name:os.system\n"),
    ("chart.yaml", "a:\n{{- if .Values.b }}\n  c: {{ .Values.d }}\n{{- end }}\n"),
    ("action.yml", "run: ${{ github.sha }}\nwith: [ a, b ]\n"),
    ("qt.ts", '<?xml version="1.0"?>\n<!DOCTYPE TS><TS version="2.1"><context/></TS>\n'),
    ("flow.js", "// @flow\nfunction f(x: number): string { return ''; }\n"),
    ("macro.c", "#if A\nint f(int a) {\n#else\nint f(int a, int b) {\n#endif\n return 1;\n}\n"),
    ("macro.cpp", "BEGIN_NAMESPACE(x\n#define Y )\nY\nint a;\n"),
    ("case.sh", "case $1 in\n  a) echo 1 ;;\n  (b) cat <<EOF\n(\nEOF\n  ;;\nesac\n"),
    ("page.php", "<p><?= $a ?></p>\n<?php if ($b): ?>\n<b>{{</b>\n<?php endif ?>\n"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text"), NEWER_OR_OTHER, ids=[each[0] for each in NEWER_OR_OTHER])
def test_newer_syntax_and_dialects_are_no_errors(parsers: Parsers, path: str, text: str) -> None:
    assert run(parsers, source(path, text)) == []


# Each was refused by its grammar in a public repository that compiles.
GRAMMAR_GAPS = [
    ("a.rs", "fn f() {\n    g(1);\n}\n", 'fn f() {\n    g(str![["a"]]);\n}\n'),
    ("A.java", "class A {\n  void f() {}\n}\n", "class A {\n  void f(B @C ... d) {}\n}\n"),
    ("a.ts", "interface A {\n  b: C;\n}\n", "interface A {\n  b?: import('c').C[]\n}\n"),
    ("a.ts", "interface A {\n  b: C;\n}\n", "interface A {\n  b?: C\n  in2?: D\n}\n"),
    ("a.tsx", "f(<p>b</p>);\n", "f(<p>b & c</p>);\n"),
    ("a.ts", "f();\n", "export type * as B from 'b';\nf();\n"),
    ("a.d.ts", "let a: B;\n", "let a: = B;\n"),
    ("a.ts", "f();\n", "using a: B = new B();\nf();\n"),
]


@pytest.mark.parametrize(("path", "base", "head"), GRAMMAR_GAPS)
def test_known_gaps_of_the_grammars_are_no_errors(
    parsers: Parsers, path: str, base: str, head: str
) -> None:
    assert run(parsers, source(path, head, base)) == []


@pytest.mark.parametrize("path", ["pep701.py", "pep750.py", "pep758.py", "lazy.py"])
def test_newer_syntax_is_no_error_in_a_file_that_was_clean(parsers: Parsers, path: str) -> None:
    text = dict(NEWER_OR_OTHER)[path]
    assert run(parsers, source(path, "x = 1\n" + text, "x = 1\n")) == []


@pytest.mark.parametrize(
    "path",
    [
        "tests/fixtures/a.py",
        "tests/data/bad_syntax.py",
        "pkg/testdata/a.go",
        "tests/ui/a.rs",
        "tests/invalid/a.json",
        "src/templates/a.py",
        "{{cookiecutter.name}}/a.py",
        "a.py.j2",
        "a.tmpl.py",
    ],
)
def test_templates_and_files_broken_on_purpose_are_not_wanted(parsers: Parsers, path: str) -> None:
    assert not SyntaxErrors(parsers).wants(file_change(path, None, "def f(:\n"))


def test_a_merge_conflict_is_left_to_the_leftovers(parsers: Parsers) -> None:
    text = "a = 1\n<<<<<<< HEAD\nb = 1\n=======\nb = 2\n>>>>>>> topic\n"
    assert run(parsers, source("a.py", text, "a = 1\n")) == []
    # A marker that lost its partners is not one that they report.
    assert len(run(parsers, source("a.py", "a = 1\n<<<<<<< HEAD\nb = 1\n", "a = 1\n"))) == 1


def test_a_change_of_language_is_a_new_file(parsers: Parsers) -> None:
    text = "export const a = (x: number) => x;\n"
    assert run(parsers, source("a.ts", text, text, old_path="a.js")) == []
    assert len(run(parsers, source("a.ts", text + "f((\n", text, old_path="a.txt"))) == 1


# The worker --------------------------------------------------------------------------------------


def test_a_file_too_large_to_parse_is_noted(parsers: Parsers) -> None:
    text = "x = 1\n" * (MAX_FILE_BYTES // 6 + 1) + "def f(:\n"
    said = list(SyntaxErrors(parsers).run([source("big.py", text)], Files({})))
    assert findings(said) == []
    assert notes(said) == ["big.py: syntax not checked, larger than 1 MB"]


def test_a_file_that_takes_too_long_costs_only_itself() -> None:
    slow = source("slow.rs", "a?b:" * 200_000)  # quadratic in the grammar's error recovery
    broken = source("broken.py", "def f(:\n")
    began = time.monotonic()
    with Parsers(timeout_s=1.0) as own:
        list(SyntaxErrors(own).run([broken, broken], Files({})))  # both workers are up
        said = list(SyntaxErrors(own).run([slow, broken], Files({})))
    assert [each.path for each in findings(said)] == ["broken.py"]
    assert notes(said) == ["slow.rs: syntax not checked, parsing took longer than 1 s"]
    assert time.monotonic() - began < 10


def test_a_dead_worker_is_replaced() -> None:
    with Parsers() as own:
        question = Question("check", (b"def f(:\n", None), ("python", "a.py"))
        assert own.ask(question)["line"] == 1
        with pytest.raises(Unchecked, match="crashed"):
            # An unknown function is a KeyError that the worker does not survive.
            own.ask(Question("no such function", (b"",)))
        assert own.ask(question)["line"] == 1
        assert own.ask(question)["line"] == 1


def test_the_time_for_all_files_is_bounded() -> None:
    question = Question("check", (b"x = 1\n", None), ("python", "a.py"))
    with Parsers(total_s=0.001) as own:
        assert own.ask(question) is None
        with pytest.raises(Unchecked, match="used up"):
            own.ask(question)


def test_no_worker_outlives_its_context() -> None:
    with Parsers() as own:
        own.ask(Question("check", (b"x = 1\n", None), ("python", "a.py")))
        processes = [each._process for each in own._all if each._process is not None]
        assert processes
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


@settings(max_examples=examples(200), deadline=None)
@given(
    path=st.sampled_from([each[0] for each in BREAKS]),
    head=st.binary(max_size=300),
    base=st.none() | st.binary(max_size=300),
)
def test_no_bytes_whatever_stop_the_detector(
    parsers: Parsers, path: str, head: bytes, base: bytes | None
) -> None:
    said = list(SyntaxErrors(parsers).run([source(path, head, base)], Files({})))
    assert notes(said) == []
    assert len(findings(said)) <= 1
