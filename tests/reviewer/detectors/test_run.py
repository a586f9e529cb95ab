import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from reviewer.change import Change, FileChange, Kind
from reviewer.detectors.base import Note, Source
from reviewer.detectors.names import DETECTORS
from reviewer.detectors.run import (
    MAX_CRASHES,
    MAX_PER_FILE,
    Detected,
    Registered,
    detect,
    registry,
    run_all,
)
from reviewer.errors import GiveUp
from reviewer.finding import Category, Finding, Severity
from reviewer.parsing.worker import Parsers
from reviewer.ports import Objects
from tests.reviewer.detectors.sources import Files, change, file_change

BASE = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"
HEAD = BASE.replace("five", "FIVE")


def never() -> bool:
    return False


def at(path: str, line: int | None, side: str = "RIGHT", title: str = "t") -> Finding:
    return Finding.model_validate(
        {
            "path": path,
            "side": side,
            "start_line": line,
            "line": line,
            "category": Category.LEFTOVER,
            "severity": Severity.LOW,
            "confidence": 0.9,
            "title": title,
            "body": "b",
            "source": "detector:stub/rule",
        }
    )


@dataclass(frozen=True)
class Stub:
    """A detector that says what it is told to say."""

    say: Callable[[Source], Iterable[Finding | Note]]
    name: str = "stub"
    seen: list[str] = field(default_factory=list, hash=False, compare=False)

    def wants(self, file: FileChange) -> bool:
        return not file.path.endswith(".unwanted")

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterable[Finding | Note]:
        for source in sources:
            yield from self.say(source)
            self.seen.append(source.file.path)


def run(
    files: dict[str, tuple[str | None, str | None]],
    *registered: Registered,
    scope: Sequence[str] | None = None,
    cancelled: Callable[[], bool] = never,
    too_large: Sequence[str] = (),
) -> Detected:
    changed = change(*(file_change(path, base, head) for path, (base, head) in files.items()))
    objects = Files(
        {path: head for path, (_, head) in files.items() if head is not None},
        {path: base for path, (base, _) in files.items() if base is not None},
        too_large,
    )
    chosen = [file for file in changed.files if scope is None or file.path in scope]
    return run_all(registered, changed, objects, chosen, cancelled)


def test_only_findings_on_changed_lines_are_kept() -> None:
    every = Stub(
        lambda source: [
            *(at(source.file.path, line) for line in range(1, 10)),
            *(at(source.file.path, line, "LEFT") for line in range(1, 10)),
            at(source.file.path, None, title="whole file"),
        ]
    )
    added = run({"a.txt": (BASE, HEAD)}, Registered(every, "scope"))
    assert [(each.side, each.line) for each in added.findings] == [
        ("RIGHT", None),
        ("LEFT", 5),
        ("RIGHT", 5),
    ]
    hunk = run({"a.txt": (BASE, HEAD)}, Registered(every, "scope", lines="hunk"))
    assert sorted(each.line for each in hunk.findings if each.line and each.side == "RIGHT") == [
        2, 3, 4, 5, 6, 7, 8,
    ]  # fmt: skip


def test_a_range_that_touches_a_changed_line_is_kept() -> None:
    wide = at("a.txt", 6).model_copy(update={"start_line": 4})
    beside = at("a.txt", 8).model_copy(update={"start_line": 6})
    said = run({"a.txt": (BASE, HEAD)}, Registered(Stub(lambda source: [beside, wide]), "scope"))
    assert said.findings == [wide]


def test_findings_come_once_and_in_order_of_place() -> None:
    twice = Stub(lambda source: [at(source.file.path, 2), at(source.file.path, 1)] * 2)
    said = run(
        {"b.txt": (None, "x\ny\n"), "a.txt": (None, "x\ny\n")},
        Registered(twice, "scope"),
        Registered(Stub(twice.say, name="other"), "scope"),
    )
    places = [(each.path, each.line) for each in said.findings]
    assert places == [("a.txt", 1), ("a.txt", 2), ("b.txt", 1), ("b.txt", 2)]


def test_reach_and_wants_decide_who_sees_a_file() -> None:
    scope, text = Stub(lambda source: []), Stub(lambda source: [], name="text")
    files = dict.fromkeys(("in.py", "out.py", "a.unwanted"), (None, "x\n"))
    said = run(files, Registered(scope, "scope"), Registered(text, "text"), scope=["in.py"])
    assert scope.seen == ["in.py"]
    assert text.seen == ["in.py", "out.py"]
    assert said.checked == {"in.py", "out.py"}


def test_a_crash_costs_one_file_and_is_said() -> None:
    def picky(source: Source) -> Iterable[Finding]:
        if source.file.path == "c.txt":
            raise KeyError("boom")
        yield at(source.file.path, 1)

    files = {f"{name}.txt": (None, "x\n") for name in "abcdefgh"}
    said = run(
        files,
        Registered(Stub(picky), "scope"),
        Registered(Stub(lambda source: [at(source.file.path, 1, title="u")], "other"), "scope"),
    )
    assert sorted(each.path for each in said.findings if each.title == "t") == [
        f"{name}.txt" for name in "abdefgh"
    ]
    assert len([each for each in said.findings if each.title == "u"]) == 8
    (note,) = said.notes
    assert "stub" in note and "c.txt" in note and "KeyError" in note


def test_a_detector_that_always_crashes_is_left_out_soon() -> None:
    calls: list[int] = []

    def broken(source: Source) -> Iterable[Finding]:
        calls.append(1)
        raise RuntimeError

    said = run(
        {f"{number}.txt": (None, "x\n") for number in range(500)},
        Registered(Stub(broken), "scope"),
    )
    assert len(calls) < 40
    assert len(said.notes) == MAX_CRASHES + 1
    assert "left out" in said.notes[-1]


def test_giving_up_is_no_crash_and_is_not_tried_again() -> None:
    calls: list[int] = []

    def gone(source: Source) -> Iterable[Finding]:
        calls.append(1)
        raise GiveUp("zizmor is not installed")

    said = run({f"{n}.txt": (None, "x\n") for n in range(9)}, Registered(Stub(gone), "scope"))
    assert len(calls) == 1
    assert said.notes == [
        "Detector stub did not run on 0.txt and 8 other files: zizmor is not installed"
    ]


def test_notes_of_detectors_and_unloadable_files_are_passed_on() -> None:
    noting = Stub(lambda source: [Note(f"{source.file.path}: too slow")])
    said = run(
        {"a.txt": (None, "x\n"), "big.txt": (None, "x\n")},
        Registered(noting, "scope"),
        too_large=["big.txt"],
    )
    assert said.notes == ["big.txt: too large for the detectors.", "a.txt: too slow"]
    assert said.checked == {"a.txt"}


def test_a_flood_is_cut_and_counted() -> None:
    flood = Stub(lambda source: [at(source.file.path, n) for n in range(1, 101)])
    said = run({"a.txt": (None, "x\n" * 100)}, Registered(flood, "scope"))
    assert len(said.findings) == MAX_PER_FILE
    assert said.notes == [f"a.txt: {100 - MAX_PER_FILE} more findings of detector stub left out."]


def test_a_cancelled_run_stops_with_a_note() -> None:
    stub = Stub(lambda source: [])
    said = run({"a.txt": (None, "x\n")}, Registered(stub, "scope"), cancelled=lambda: True)
    assert (stub.seen, said.checked) == ([], frozenset())
    assert "Stopped" in said.notes[0]


def test_detectors_run_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(source: Source) -> Iterable[Finding]:
        both.wait()
        yield at(source.file.path, 1)

    said = run(
        {"a.txt": (None, "x\n")},
        Registered(Stub(meet), "scope"),
        Registered(Stub(meet, name="other"), "scope"),
    )
    assert said.notes == []  # alone, either would have waited in vain and broken the barrier


def test_a_path_that_is_not_utf8_still_gets_its_findings() -> None:
    path = b"caf\xe9.txt".decode("utf-8", "surrogateescape")
    said = run(
        {path: (None, "x\n")}, Registered(Stub(lambda source: [at("caf\\xe9.txt", 1)]), "scope")
    )
    assert [each.path for each in said.findings] == ["caf\\xe9.txt"]


# With the real detectors -------------------------------------------------------------------------


def whole(*files: tuple[str, str | None, str | None]) -> tuple[Change, Files]:
    changed = change(*(file_change(path, base, head) for path, base, head in files))
    return changed, Files(
        {path: head for path, _, head in files if head is not None},
        {path: base for path, base, _ in files if base is not None},
    )


def test_every_detector_has_a_name_of_its_own() -> None:
    with Parsers() as unused:
        names = [each.detector.name for each in registry(unused)]
    assert [*names, "contracts"] == list(DETECTORS), "contracts need a context"


def test_a_detector_that_is_off_says_nothing() -> None:
    changed, objects = whole(
        ("a.py", "x = 1\n", "x = 1\nbreakpoint()\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n")
    )
    said = detect(changed, objects, changed.files, never, off={"conflicts", "syntax"})
    assert {each.source for each in said.findings} == {"detector:leftovers/debugger"}
    assert detect(changed, objects, changed.files, never, off=DETECTORS).checked == frozenset()


def test_the_detectors_together_find_planted_defects() -> None:
    changed, objects = whole(
        ("pkg/a.py", "def f():\n    return 1\n", "def f(:\n    return 1\n"),
        ("pkg/b.py", "x = 1\n", "x = 1\nbreakpoint()\n"),
        ("web/a.test.ts", None, "it.only('a', () => {});\n"),
        ("web/b.js", None, "const a = 1;\n/*\u202e } \u2066if (admin)\u2069 \u2066 */\n"),
        ("gen/api.pb.go", None, "package gen\n\nvar us\u200ber = 1\n"),
        ("README.md", "a\n", "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n"),
    )
    scope = [file for file in changed.files if not file.path.startswith("gen/")]
    said = detect(changed, objects, scope, never)
    ours = [
        (each.path, each.line, each.source)
        for each in said.findings
        if each.source.split(":")[1].split("/")[0] in {"syntax", "conflicts", "leftovers", "hidden"}
    ]
    assert ours == [
        ("README.md", 5, "detector:conflicts/markers"),
        ("gen/api.pb.go", 3, "detector:hidden/invisible"),
        ("pkg/a.py", 1, "detector:syntax/python"),
        ("pkg/b.py", 2, "detector:leftovers/debugger"),
        ("web/a.test.ts", 1, "detector:leftovers/focused-test"),
        ("web/b.js", 2, "detector:hidden/bidi"),
    ]
    assert said.notes == []
    assert said.checked == {file.path for file in changed.files}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TEXT])
def test_files_without_text_are_never_read(kind: Kind) -> None:
    file = file_change("a.py", "x", "y", kind=kind)
    said = detect(change(file), Files({}, {}, too_large=["a.py"]), [file], never)
    assert (said.findings, said.notes, said.checked) == ([], [], frozenset())
