import pytest

from reviewer.detectors.contracts.detector import Contracts
from reviewer.detectors.contracts.trees import Clock
from reviewer.finding import MOST_PLACES, Category
from tests.reviewer.context.plain import Trees
from tests.reviewer.detectors.contracts.cases import (
    CASES,
    COMMON,
    GO,
    JAVA,
    PYTHON,
    READER,
    RUBY,
    SCRIPT,
    Edits,
)
from tests.reviewer.detectors.contracts.changes import breaks
from tests.reviewer.detectors.sources import Files, notes, source


def edited(base: dict[str, str], edits: Edits) -> dict[str, str | None]:
    texts: dict[str, str | None] = {}
    for path, pairs in edits.items():
        text = base.get(path, "")
        for old, new in pairs:
            assert old in text, f"{path} has no {old!r}"
            text = text.replace(old, new) if old else new
        texts[path] = text
    return texts


@pytest.mark.parametrize(("name", "base", "edits", "said"), CASES, ids=[each[0] for each in CASES])
def test_says_what_breaks_and_nothing_else(
    name: str, base: dict[str, str], edits: Edits, said: tuple[str, ...]
) -> None:
    found = breaks(base, edited(base, edits))
    assert len(found) == len(said), [each.title for each in found]
    for each, part in zip(found, said, strict=True):
        assert part in f"{each.title} {each.body}"
        assert each.category is Category.CONTRACT
        assert each.source.startswith("detector:contracts/")


@pytest.mark.parametrize(
    ("base", "old", "new"),
    [
        (PYTHON, "pkg/text.py", "pkg/words.py"),
        (SCRIPT, "src/text.ts", "src/words.ts"),
        (COMMON, "lib/text.js", "lib/words.js"),
        (RUBY, "lib/shop/reader.rb", "lib/shop/book.rb"),
    ],
)
def test_a_file_that_is_gone_from_where_it_is_imported(
    base: dict[str, str], old: str, new: str
) -> None:
    (moved,) = breaks(base, {new: base[old]}, renamed={new: old})
    assert (moved.path, moved.line) == (new, None)
    assert f"`{old}` was moved to {new}" in moved.title


def test_a_removed_file_is_one_finding_with_all_its_places() -> None:
    callers = {f"use{number}.py": "from pkg.text import parse\n" for number in range(5)}
    (removed,) = breaks({**PYTHON, **callers}, {"pkg/text.py": None})
    assert "`pkg/text.py` was removed" in removed.title
    assert "`cli.py:1`" in removed.body
    assert "and 3 more" in removed.body
    others = [(place.path, place.side, place.line) for place in removed.places]
    assert others == [(path, "RIGHT", 1) for path in sorted(["cli.py", *callers])], (
        "whoever reads or mends it by program has all of them"
    )


def test_each_place_has_the_id_that_the_finding_had_if_it_stood_there() -> None:
    edits = {"pkg/text.py": PYTHON["pkg/text.py"].replace("def parse(", "def parse_it(")}
    caller = "from pkg.text import parse\n"
    added = {"a.py": caller, "b.py": f"{caller}{caller}"}
    (at_cause,) = breaks({**PYTHON, **added}, edits)
    (at_caller,) = breaks(PYTHON, {**edits, **added})
    assert (at_cause.path, at_caller.path) == ("pkg/text.py", "a.py")
    ids = [[one.id, *(place.id for place in one.places)] for one in (at_cause, at_caller)]
    assert sorted(ids[0]) == sorted(ids[1]), "a push that adds a caller makes nothing new of it"
    assert len(set(ids[0])) == len(ids[0]) == 5


def test_no_more_places_are_listed_than_a_finding_may_have() -> None:
    callers = {f"use{number}.py": "from pkg.text import parse\n" for number in range(120)}
    (removed,) = breaks({**PYTHON, **callers}, {"pkg/text.py": None})
    assert len(removed.places) == MOST_PLACES
    assert "and 118 more" in removed.body


def test_no_line_without_text_is_quoted() -> None:
    text = "def parse(text, strict=False):\n    return text\n"
    new = "def parse(\n\n    text\n):\n    return text\n"
    base = {
        **PYTHON,
        "pkg/text.py": PYTHON["pkg/text.py"].replace(
            text, "def parse(\n    text, strict=False\n):\n    return text\n"
        ),
    }
    (found,) = breaks(base, {"pkg/text.py": PYTHON["pkg/text.py"].replace(text, new)})
    assert found.evidence.strip() == "text"


def test_stands_on_the_caller_where_the_change_adds_it() -> None:
    edits: Edits = {
        "pkg/text.py": (("def parse(", "def parse_it("),),
        "more.py": (("", "from pkg.text import parse\n"),),
    }
    (found,) = breaks(PYTHON, edited(PYTHON, edits))
    assert (found.path, found.side, found.line) == ("more.py", "RIGHT", 1)


def test_stands_on_the_deleted_line_of_what_is_gone() -> None:
    (found,) = breaks(PYTHON, edited(PYTHON, {"pkg/text.py": (("LIMIT = 3\n", ""),)}))
    assert (found.path, found.side, found.line) == ("pkg/text.py", "LEFT", 3)
    assert found.evidence == "LIMIT = 3"


def test_what_was_not_read_is_not_judged() -> None:
    refused = frozenset({"cli.py"})
    edits = edited(PYTHON, {"pkg/text.py": (("LIMIT = 3\n", ""),)})
    assert breaks(PYTHON, edits, refused=refused) == []


_MODULE = "export const x = 1;\nfunction parseText() {}\nparseText();\n"
_CHART = {"web/base.js": "class Chart {\n  static make() {}\n}\n", "web/use.js": "Chart.make();\n"}
_TOP = {"lib/a.rb": "def help_out\nend\n", "lib/b.rb": "require_relative 'a'\nhelp_out\n"}
_JAVA_CLASS = {
    "com/A.java": "package com;\n\nclass A {}\n",
    "com/B.java": "package com;\n\nclass B {\n    void f() { new A(); }\n}\n",
}


@pytest.mark.parametrize(
    ("base", "edits", "unread"),
    [
        (PYTHON, {"pkg/text.py": (("def step(", "def stride("),)}, "pkg/more.py"),
        (SCRIPT, {"src/text.ts": (("  stepOnce(c", "  strideOnce(c"),)}, "src/more.ts"),
        (
            {"src/own.ts": _MODULE},
            {"src/own.ts": (("function parseText() {}\n", ""),)},
            "src/x.d.ts",
        ),
        (_CHART, {"web/base.js": (("make()", "start()"),)}, "web/more.js"),
        (GO, {"text/text.go": ((" step(n int)", " stride(n int)"),)}, "text/more.go"),
        (JAVA, {READER: (("int stepOnce(int n) {", "int strideOnce(int n) {"),)}, "src/More.java"),
        (_JAVA_CLASS, {"com/A.java": (("class A", "class C"),)}, "com/More.java"),
        (RUBY, {"lib/shop/reader.rb": (("def step_once", "def stride_once"),)}, "lib/more.rb"),
        (RUBY, {"lib/shop/reader.rb": (("LIMIT = 3", "MOST = 3"),)}, "lib/more.rb"),
        (_TOP, {"lib/a.rb": (("def help_out", "def help_them"),)}, "lib/more.rb"),
    ],
)
def test_a_file_that_nobody_read_may_have_what_is_gone(
    base: dict[str, str], edits: Edits, unread: str
) -> None:
    base = {**base, unread: "\n"}
    head = edited(base, edits)
    assert len(breaks(base, head)) == 1
    assert breaks(base, head, refused=frozenset({unread})) == []


@pytest.mark.parametrize("maker_changes", [False, True])
def test_what_another_batch_changes_counts_as_changed(maker_changes: bool) -> None:
    """A detector is shown a large change in parts; here the part without the file of the maker."""
    path, maker = "lib/shop/reader.rb", "module Shop\n  class Reader\n{}  end\nend\n"
    made = maker.format("    define_method(word) { 1 }\n")
    base = {**RUBY, "lib/more.rb": maker.format("") if maker_changes else made}
    head = {**RUBY, "lib/more.rb": made, path: RUBY[path].replace("self.parse_all", "self.each")}
    trees = Trees(*({path: text.encode() for path, text in each.items()} for each in (head, base)))
    changed = source(path, head[path], base[path])
    said = list(Contracts(trees).run([changed], Files(head, base)))
    assert len(said) == (0 if maker_changes else 1)


def test_stops_when_its_time_is_used_up_and_says_so() -> None:
    head = {**PYTHON, "pkg/text.py": PYTHON["pkg/text.py"].replace("parse", "parse_it")}
    trees = Trees(
        *({path: text.encode() for path, text in each.items()} for each in (head, PYTHON))
    )
    detector = Contracts(trees, Clock(0.0))
    changed = source("pkg/text.py", head["pkg/text.py"], PYTHON["pkg/text.py"])
    said = list(detector.run([changed], Files(head, PYTHON)))
    assert notes(said) == [
        "Contracts: not every use of what changed was looked at, for lack of time."
    ]
    assert len(said) == 1
