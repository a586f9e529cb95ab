import pytest

from reviewer.detectors.base import Note
from reviewer.detectors.leftovers import Conflicts, Leftovers
from reviewer.finding import Category, Finding
from reviewer.parsing.worker import Parsers
from tests.reviewer.detectors.sources import Files, findings, source


def run(
    parsers: Parsers, path: str, head: str | bytes, base: str | bytes | None = None
) -> list[Finding]:
    each = source(path, head, base)
    said: list[Finding | Note] = []
    for detector in (Conflicts(parsers), Leftovers(parsers)):
        if detector.wants(each.file):
            said += detector.run([each], Files.of(each))
    return findings(said)


def rules(found: list[Finding]) -> list[tuple[str, int | None]]:
    return [(each.source.split("/")[1], each.line) for each in found]


# Conflict markers --------------------------------------------------------------------------------

CONFLICT = "a = 1\n<<<<<<< HEAD\nb = 1\n=======\nb = 2\n>>>>>>> topic\nc = 3\n"


@pytest.mark.parametrize(
    "path", ["a.py", "a.go", "a.unknown", "config.yml", "notes.md", "Makefile", "yarn.lock"]
)
def test_a_whole_conflict_is_one_finding(parsers: Parsers, path: str) -> None:
    (finding,) = run(parsers, path, CONFLICT)
    assert (finding.start_line, finding.line) == (2, 6)
    assert finding.category is Category.LEFTOVER
    assert finding.evidence == "<<<<<<< HEAD\nb = 1\n=======\nb = 2\n>>>>>>> topic"


def test_each_conflict_counts_and_crlf_and_diff3_do_not_matter(parsers: Parsers) -> None:
    diff3 = "<<<<<<< ours\n1\n||||||| base\n0\n=======\n2\n>>>>>>> theirs\n"
    text = (diff3 + "x\n" + diff3).replace("\n", "\r\n")
    assert rules(run(parsers, "a.txt", text)) == [("markers", 7), ("markers", 15)]


def test_a_conflict_spread_over_two_hunks_is_placed_on_its_first_line(parsers: Parsers) -> None:
    kept = "".join(f"line {n}\n" for n in range(20))
    head = f"<<<<<<< HEAD\n{kept}=======\nother\n>>>>>>> topic\n"
    (finding,) = run(parsers, "a.txt", head, kept)
    assert (finding.start_line, finding.line) == (1, 1)


NO_CONFLICTS = [
    ("title.rst", "Title\n=======\n\ntext\n>>>>>>> x\n"),
    ("setext.md", "<<<<<<< odd\n\nTitle\n-------\n"),
    ("howto.md", f"Git writes\n\n```\n{CONFLICT}```\n\nand so on.\n"),
    ("docs/merge-conflicts.txt", CONFLICT),
    ("tests/test_conflict.py", CONFLICT),
    ("tests/fixtures/a.txt", CONFLICT),
    ("git.py", f'TEXT = """\n{CONFLICT}"""\n'),
    ("git.js", f"const text = `\n{CONFLICT}`;\n"),
    ("halves.txt", ">>>>>>> b\n=======\n<<<<<<< a\n"),
    ("unlabelled.txt", "<<<<<<<\n=======\n>>>>>>>\n"),
    ("indented.txt", "  <<<<<<< a\n  =======\n  >>>>>>> b\n"),
]


@pytest.mark.parametrize(("path", "text"), NO_CONFLICTS, ids=[each[0] for each in NO_CONFLICTS])
def test_what_only_looks_like_a_conflict_is_none(parsers: Parsers, path: str, text: str) -> None:
    assert run(parsers, path, text) == []


def test_a_conflict_that_was_there_is_not_reported(parsers: Parsers) -> None:
    assert run(parsers, "a.txt", CONFLICT + "d = 4\n", CONFLICT) == []


# Focused tests -----------------------------------------------------------------------------------

FOCUSED = [
    ("a.test.ts", "it.only('a', () => {});", "it.only"),
    ("a.spec.js", "describe.only('a', () => {});", "describe.only"),
    ("__tests__/a.tsx", "test.only.each([1])('a %i', () => {});", "test.only"),
    ("e2e/a.ts", "test.describe.only('a', () => {});", "test.describe.only"),
    ("test/a.js", "context\n  .only('a', function () {});", "context.only"),
    ("a.spec.ts", "fit('a', () => {});", "fit"),
    ("a.spec.ts", "fdescribe(`a`, function () {});", "fdescribe"),
    ("a_spec.rb", "fit 'a' do\nend", "fit"),
    ("a_spec.rb", "it 'a', focus: true do\nend", "focus"),
    ("a_spec.rb", "RSpec.describe A, :focus do\nend", "focus"),
    ("a_test.go", 'package a\n\nimport . "ginkgo"\n\nvar _ = FDescribe("a", func() {})', "FDescribe"),
    ("a_test.go", 'package a\n\nimport "x/ginkgo"\n\nvar _ = ginkgo.FIt("a", f)', "ginkgo.FIt"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "name"), FOCUSED)
def test_focused_tests_are_reported(parsers: Parsers, path: str, text: str, name: str) -> None:
    (finding,) = run(parsers, path, text + "\n")
    assert (finding.category, finding.title) == (Category.TESTS, f"Focused test: {name}")
    assert name.rsplit(".", maxsplit=1)[-1] in finding.evidence


NOT_FOCUSED = [
    ("src/a.ts", "it.only('a', () => {});"),
    ("a.test.ts", "// it.only('a', () => {});"),
    ("a.test.ts", "const s = \"it.only('a')\";"),
    ("a.test.ts", "query.only('a', 'b'); if (test.only) f();"),
    ("a.test.ts", "test.only = f;"),
    ("a.test.ts", "function only(...args) { it.only(...args); }"),
    ("testing/bdd.ts", "it.only('a', () => {});"),
    ("a.test.ts", "model.fit('a', () => {}); fit(x, y);"),
    ("a.test.ts", "import { fit } from './curve';\nfit('a', () => {});"),
    ("a.test.ts", "// eslint-disable-next-line no-only-tests/no-only-tests\nit.only('a', f);"),
    ("tests/fixtures/a.test.ts", "it.only('a', () => {});"),
    ("a.rb", "fit 'a' do\nend"),
    ("a_spec.rb", "config.filter_run :focus"),
    ("a_spec.rb", "click(focus: true)"),
    ("a_spec.rb", "fit 'text'"),
    ("a_test.go", 'package a\n\nvar _ = FIt("a", f)'),
]


@pytest.mark.parametrize(("path", "text"), NOT_FOCUSED)
def test_what_only_looks_focused_is_not(parsers: Parsers, path: str, text: str) -> None:
    assert run(parsers, path, text + "\n") == []


# Debuggers ---------------------------------------------------------------------------------------

DEBUGGERS = [
    ("a.py", "def f():\n    breakpoint()\n", 2),
    ("a.py", "import pdb; pdb.set_trace()\n", 1),
    ("a.py", "import ipdb\nipdb.set_trace(context=5)\n", 2),
    ("tests/test_a.py", "def test_a():\n    breakpoint()\n", 2),
    ("a.js", "function f() {\n  debugger;\n}\n", 2),
    ("a.tsx", "const a = () => { debugger; return <p/>; };\n", 1),
    ("a.rb", "def f\n  binding.pry\nend\n", 2),
    ("a.rb", "x.each do |y|\n  byebug\nend\n", 2),
    ("a.rb", "binding.irb if x > 1\n", 1),
    ("a.go", "package a\n\nfunc f() {\n\truntime.Breakpoint()\n}\n", 4),
    ("a.php", "<?php\nfunction f($x) {\n    dd($x);\n}\n", 3),
    ("a.php", "<?php\n\\dd(1);\n", 2),
    ("a.php", "<?php\nvar_dump($x);\ndie();\n", 2),
    ("a.php", "<?php\nvar_dump($x);\nexit;\n", 2),
    ("src/a.rs", "fn f(x: u8) -> u8 {\n    dbg!(x)\n}\n", 2),
]


@pytest.mark.parametrize(("path", "text", "line"), DEBUGGERS)
def test_debuggers_are_reported(parsers: Parsers, path: str, text: str, line: int) -> None:
    found = run(parsers, path, text)
    assert rules(found) == [("debugger", line)]
    assert found[0].evidence == text.split("\n")[line - 1]


def test_an_import_of_a_debugger_counts_only_if_nothing_uses_it(parsers: Parsers) -> None:
    assert rules(run(parsers, "a.py", "import pdb\n\nx = 1\n")) == [("debugger-import", 1)]
    assert run(parsers, "a.py", "import pdb\n\npdb.post_mortem()\n") == []


NO_DEBUGGERS = [
    ("a.py", "# breakpoint()\n'''\nbreakpoint()\n'''\nx = 'pdb.set_trace()'\n"),
    ("a.py", "if settings.DEBUG:\n    breakpoint()\n"),
    ("a.py", "breakpoint()  # noqa: T100\n"),
    ("a.py", "def breakpoint():\n    pass\n\n\nbreakpoint()\n"),
    ("a.py", "self.breakpoint()\ncss.breakpoint('md')\n"),
    ("celery/contrib/rdb.py", "def g():\n    debugger().set_trace()\n"),
    ("src/debugger/core.py", "breakpoint()\n"),
    ("docs/howto.py", "breakpoint()\n"),
    ("a.js", "// debugger;\nconst debuggerOn = 'debugger;';\n"),
    ("a.js", "if (process.env.DEBUG) {\n  debugger;\n}\n"),
    ("a.js", "debugger; // eslint-disable-line no-debugger\n"),
    ("a.js", "console.log(1);\n"),
    ("a.rb", "gem 'byebug'\nrequire 'pry'\nx = debugger\nlog(debugger)\n"),
    ("a.rb", "binding.local_variable_get(:a)\n"),
    ("a.php", "<?php\n$query->dd();\nCarbon::dd();\n// dd($x);\n"),
    ("a.php", "<?php\nfunction dd($x) {}\ndd(1);\n"),
    ("a.php", "<?php\nvar_dump($x);\nreturn 1;\n"),
    ("a.php", "<?php\nclass A {\n  public function ddBody() {\n    dd($this->body);\n  }\n}\n"),
    ("a.py", "def start_debugging():\n    breakpoint()\n"),
    ("src/a.rs", "#[cfg(test)]\nmod tests {\n    fn f() {\n        dbg!(1);\n    }\n}\n"),
    ("build.rs", "fn main() {\n    dbg!(1);\n}\n"),
    ("crates/x-test-lib/src/a.rs", "fn f() {\n    dbg!(1);\n}\n"),
    ("tests/a.rs", "fn f() {\n    dbg!(1);\n}\n"),
    ("src/a.rs", '// dbg!(x)\nconst A: &str = "dbg!(x)";\n'),
]


@pytest.mark.parametrize(("path", "text"), NO_DEBUGGERS)
def test_what_only_looks_like_a_debugger_is_none(parsers: Parsers, path: str, text: str) -> None:
    assert run(parsers, path, text) == []


def test_a_debugger_that_was_there_is_not_reported(parsers: Parsers) -> None:
    text = "def f():\n    breakpoint()\n"
    assert run(parsers, "a.py", text + "\n\nx = 1\n", text) == []
    # Neither when the change only reminds of it.
    assert run(parsers, "a.py", text + "# breakpoint() is above\n", text) == []
