"""The testing of a change that is too much for one node: in parts, and a file at a time."""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.render import testing as rendered
from app.render.writing import account_markdown
from app.trees import GitTrees
from reviewer.git import open_repo
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.prices import load
from reviewer.request import Caps, StopReason
from reviewer.testing import values
from reviewer.testing.finder import Target
from reviewer.testing.job import Outcome, write_tests
from reviewer.testing.request import TestingRequest as Request
from reviewer.testing.rounds import AT_ONCE, MOST_TARGETS, apart, grouped
from tests.model_server import Answer, ModelServer, Scripted, error, tool
from tests.repo import Repo
from tests.reviewer.refactor.shop import MODEL, prompt

RULES = 120
"""Functions of one module: some 7,000 tokens of hunks, so that two do not fit a window."""


def code(module: str, by: int) -> str:
    functions = (
        f"def rule_{module}_{number}(value):\n"
        f'    """Return what the rule with the number {number} of the module {module} says."""\n'
        f"    return value * {by} + {number}\n"
        for number in range(RULES)
    )
    return "\n\n".join(functions)


def first_test(module: str) -> str:
    return f"from rules import {module}\n\n\ndef test_first():\n    assert {module}.rule_{module}_0(0) == 0\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose last commit alters every rule of two modules."""
    repo = Repo(tmp_path / "work")
    repo.write("rules/__init__.py", "")
    for by in (2, 3):
        for module in ("one", "two"):
            repo.write(f"rules/{module}.py", code(module, by))
            repo.write(f"tests/test_{module}.py", first_test(module))
        repo.commit()
    return repo


def asks(request: dict[str, Any], field: str) -> bool:
    return any(field in t["input_schema"].get("properties", {}) for t in request["tools"])


def found(request: dict[str, Any], every: int) -> Answer:
    """List every so-manieth rule that is shown."""
    if len(request["messages"]) == 1:
        return tool("python", {"code": "print(len(await grep('rule_one_0', 'tests')))"})
    told, hunk = [], ""
    shown = str(request["messages"][0]["content"][0]["text"])
    rule = ""
    for line in shown.split("\n"):
        if named := re.match(r"--- hunk (\S+)", line):
            hunk = named[1]
        if named := re.search(r"def (rule_\w+)\(", line):
            rule = named[1]
        if line.startswith("+    return") and int(rule.rpartition("_")[2]) % every == 0:
            module = rule.split("_")[1]
            told.append(
                {
                    "kind": "altered",
                    "hunk": hunk,
                    "quote": line[1:],
                    "what": f"{rule} says more",
                    "case": f"{rule}(1)",
                    "test_file": f"tests/test_{module}.py",
                }
            )
    return tool("submit", {"behaviours": told[:20]})


def wrote(request: dict[str, Any]) -> Answer:
    text = prompt(request)
    known = re.findall(r"^> ([0-9a-f]{12}) \(altered\): (rule_(\w+?)_(\d+)) says", text, re.M)
    module = known[0][2]
    last = f"    assert {module}.rule_{module}_0(0) == 0\n"
    new = "".join(
        f"\n\ndef test_{rule}():\n    assert {module}.{rule}(1) == {3 + int(number)}\n"
        for _, rule, _, number in known
    )
    return tool(
        "submit",
        {
            "message": f"Test {len(known)} rules",
            "replacements": [{"path": f"tests/test_{module}.py", "old": last, "new": last + new}],
            "tests": [{"behaviour": one, "names": [f"test_{rule}"]} for one, rule, *_ in known],
        },
    )


def proved(request: dict[str, Any]) -> Answer:
    text = prompt(request)
    (one,) = re.findall(r"^The behaviour (\S+):$", text, re.M)
    path, quote = re.findall(r'^> By "(.*)":\n>\n>     (.*)$', text, re.M)[0]
    told = {"behaviour": one, "now": "It is.", "before": "It is less.", "verdict": "proves"}
    return tool("submit", {"looks": [{**told, "path": path, "quote": quote}]})


def model(request: dict[str, Any], every: int = 60) -> Scripted:
    if asks(request, "behaviours"):
        return found(request, every)
    return proved(request) if asks(request, "looks") else wrote(request)


def run(repo: Repo, server: ModelServer, caps: Caps | None = None) -> Outcome:
    request = Request(
        commit=repo.sha("HEAD"), base=repo.sha("HEAD~1"), model=MODEL, caps=caps or Caps()
    )

    async def main() -> Outcome:
        with open_repo(repo.path) as opened, GitTrees(opened, request.commit) as trees:
            async with AnthropicModel(api_key="k", base_url=server.url) as client:
                return await write_tests(
                    request,
                    trees.start,
                    trees,
                    model=client,
                    prices=load(None),
                    sink=lambda _event: None,
                    cancelled=lambda: False,
                )

    return asyncio.run(main())


def test_a_large_change_is_read_in_parts_and_what_they_find_is_joined(repo: Repo) -> None:
    with ModelServer(model) as server:
        done = run(repo, server).testing
        nodes = [body for body in server.calls if asks(body, "behaviours")]
    assert len({str(body["messages"][0]) for body in nodes}) >= 2
    assert done.status == "complete" and done.left == [] and done.notes == []
    what = {one.what for file in done.written for one in file.tests}
    assert what == {f"rule_{module}_{n} says more" for module in ("one", "two") for n in (0, 60)}
    assert [file.path for file in done.written] == ["tests/test_one.py", "tests/test_two.py"]


def test_a_file_with_many_behaviours_is_added_to_again(repo: Repo) -> None:
    with ModelServer(lambda request: model(request, every=8)) as server:
        outcome = run(repo, server)
    done = outcome.testing
    assert done.status == "complete" and done.left == []
    count = Counter(file.path for file in done.written)
    assert count == {"tests/test_one.py": 2, "tests/test_two.py": 2}
    assert max(len(file.tests) for file in done.written) == MOST_TARGETS
    text = (outcome.patch.files["tests/test_one.py"] or pytest.fail()).data.decode()
    assert text.count("\ndef test_") == 1 + RULES // 8


def test_what_nobody_has_read_makes_it_partial(repo: Repo) -> None:
    def silent(request: dict[str, Any]) -> Scripted:
        if asks(request, "behaviours") and "rule_two_7(" in prompt(request):
            return error(400, "invalid_request_error", "no")
        return model(request)

    with ModelServer(silent) as server:
        done = run(repo, server).testing
    assert (done.status, done.stopped) == ("partial", StopReason.INCOMPLETE)
    assert [note for note in done.notes if "hunk(s) were not read" in note]
    assert any(file.path == "tests/test_one.py" for file in done.written)


@pytest.mark.parametrize("calls", [7, 14, 20])
def test_a_budget_that_ends_hands_out_what_was_looked_at(repo: Repo, calls: int) -> None:
    with ModelServer(lambda request: model(request, every=8)) as server:
        outcome = run(repo, server, Caps(calls=calls))
        looked = Counter(name for body in server.calls for name in _looked(body))
        assert len(server.calls) <= calls
    done = outcome.testing
    assert done.status == "partial" and len(outcome.patch.commits) == len(done.written)
    assert {one.state for one in done.left} <= {"missed"}
    assert all(looked[one.id] for file in done.written for one in file.tests)


def _looked(body: dict[str, Any]) -> list[str]:
    is_look = asks(body, "looks")
    return re.findall(r"^The behaviour (\S+):$", prompt(body), re.M) if is_look else []


def target(path: str, number: int) -> Target:
    made = Target.__new__(Target)
    object.__setattr__(made, "id", f"{path}{number}")
    object.__setattr__(made, "test_file", path)
    return made


def test_a_writer_is_offered_what_adds_and_nothing_else() -> None:
    schema = values.TestEdits.model_json_schema()
    assert set(schema["properties"]) == {"replacements", "new_files", "message", "left", "tests"}
    assert set(schema["$defs"]) == {"Replacement", "NewFile", "Undone", "TestsOf"}


def test_two_parts_of_one_file_are_never_worked_on_at_once() -> None:
    targets = [target("a", n) for n in range(MOST_TARGETS + 1)] + [target("b", 0)]
    files = grouped(targets)
    assert [(one.path, len(one.targets)) for one in files] == [
        ("a", MOST_TARGETS), ("a", 1), ("b", 1),
    ]  # fmt: skip
    assert [one.path for one in apart(files)] == ["a", "b"]
    many = grouped([target(f"t{n}", 0) for n in range(AT_ONCE + 3)])
    assert len(apart(many)) == AT_ONCE


def test_a_test_file_that_nothing_can_parse_is_named(tmp_path: Path) -> None:
    repo, path = Repo(tmp_path / "kit"), "skeleton/tests/test_one.py"
    for number in (1, 2):
        repo.write("skeleton/one.py", f"def rule_one_0(value):\n    return {number}\n")
        repo.write(path, "from one import rule_one_0\n\nassert rule_one_0(1) < 3\n")
        repo.commit()
    last = "assert rule_one_0(1) < 3\n"

    def say(request: dict[str, Any]) -> Scripted:
        if asks(request, "behaviours") and len(request["messages"]) == 1:
            return found(request, 1)
        if asks(request, "behaviours"):
            hunk = re.search(r"--- hunk (\S+)", str(request["messages"][0]["content"][0]["text"]))
            assert hunk
            one = {"kind": "altered", "hunk": hunk[1], "quote": "    return 2", "case": "(1): 2"}
            told = {**one, "what": "The rule says 2", "test_file": path}
            return tool("submit", {"behaviours": [told]})
        if asks(request, "looks"):
            return proved(request)
        (known,) = re.findall(r"^> ([0-9a-f]{12}) \(altered\)", prompt(request), re.M)
        new = f"{last}\n\ndef test_rule():\n    assert rule_one_0(1) == 2\n"
        tests = [{"behaviour": known, "names": ["test_rule"]}]
        edits = [{"path": path, "old": last, "new": new}]
        return tool("submit", {"message": "Test it", "replacements": edits, "tests": tests})

    with ModelServer(say) as server:
        done = run(repo, server).testing
    assert [one.path for one in done.written] == [path], done.left
    assert [one.path for one in done.unchecked] == [path]
    said = f"Not checked: {path}: a template, which "
    assert said in rendered.testing_text(done, 200)
    assert said in account_markdown(done).replace("\\", "")
