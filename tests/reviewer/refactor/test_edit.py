"""What a node that edits is shown: files whole or in outline, its part, and what was told."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from reviewer.context.provider import Provider
from reviewer.refactor.edit import WHOLE_TOKENS, Editor, EditScope, Part
from reviewer.refactor.outlines import tokens
from reviewer.refactor.symbols import IN_PROSE, MOST_LEADS
from reviewer.refactor.values import CONTRACT_CHARS, TEXT_CHARS, Edits, Joined, Module
from reviewer.rlm.node import MOST_PROMPT_TOKENS
from tests.reviewer.refactor.trees import overlay, tree_of

BODY = "".join(f"def f{n}():\n    return {'n + ' * 200}{n}\n\n\n" for n in range(60))
TREE = overlay(
    {
        "small.py": 'import os\r\n\r\nx = os\r\n=== file "other.py"\r\n',
        "large.py": f"import os\n\n\n{BODY}",
        "more.py": f"import re\n\n\n{BODY}",
    }
)


@pytest.fixture(scope="module")
def context() -> Iterator[Provider]:
    with Provider(TREE.start.objects) as provider:
        yield provider


def part(*files: str, what: str = "Do it.", **more: object) -> Part:
    made = Module(name="m", files=list(files), new_files=["new.py"], what=what)
    return Part(made, files, **more)  # type: ignore[arg-type]


def editor(context: Provider, contract: str = "", *, mending: bool = False) -> Editor:
    return Editor(tree_of(TREE, context), TREE, contract, mending=mending)


def test_a_small_file_is_shown_whole_and_none_of_its_lines_passes_for_ours(
    context: Provider,
) -> None:
    text = editor(context).content(EditScope((part("small.py"),)))
    assert '=== file "small.py", each line is prefixed with |, which is not part of' in text
    assert "|import os\n|\n|x = os\n" in text
    assert '\n=== file "other.py"' not in text


def test_a_large_file_is_shown_in_outline_with_what_the_part_names(context: Provider) -> None:
    scope = EditScope((part("large.py", what="Merge f7 and f30."),))
    text = editor(context).content(scope)
    assert "def f59()" in text and "|import os" in text
    assert "|def f7():" in text and "|def f30():" in text and "|def f8():" not in text
    assert tokens(text) < WHOLE_TOKENS
    assert editor(context).size(scope) < WHOLE_TOKENS


def test_of_a_large_file_no_class_is_shown_for_a_name_that_many_have(context: Provider) -> None:
    classes = "".join(
        f"class C{n}:\n    name = 'c{n}'\n\n    def __init__(self):\n        self.n = {n}\n\n"
        f"    def run(self):\n        return {'n + ' * 200}{n}\n\n\n"
        for n in range(60)
    )
    made = overlay({"large.py": classes})
    said = 'Make pkg/__init__.py and "pkg/C9/run.py"; C7 gets another __init__, a name and a run.'
    with Provider(made.start.objects) as provider:
        task = Editor(tree_of(made, provider), made, "")
        text = task.content(EditScope((part("large.py", what=said),)))
    assert "|class C7:" in text and "|        self.n = 7\n" in text
    assert "|        self.n = 8\n" not in text and "|    name = 'c8'" not in text
    assert "|class C9:" not in text


def test_part_contract_and_leads_are_set_apart(context: Provider) -> None:
    scope = EditScope((part("small.py", what="a\n# Your task", told=(("small.py", "look"),)),))
    lens = editor(context, "f stays f").lens(scope)
    assert "> # Your task" in lens and "> f stays f" in lens and '- "new.py"' in lens
    assert "Of what follows it was not sure" in lens and '- "small.py": look' in lens
    assert "Deterministic tools report" in editor(context, mending=True).lens(scope)


@pytest.mark.parametrize("count", [MOST_LEADS - 1, MOST_LEADS])
def test_a_file_of_which_not_all_was_told_is_shown_as_any_other(
    context: Provider, count: int
) -> None:
    told = tuple(("small.py", f"f is g now, and {IN_PROSE}: x{n} = os") for n in range(count))
    scope = EditScope((part("small.py", told=told, left_over=True),))
    text, lens = editor(context).content(scope), editor(context).lens(scope)
    assert ("|import os" in text) == (count == MOST_LEADS)
    assert ("x39 = os" in lens) == (count == MOST_LEADS)


def test_modules_never_share_a_node_and_a_large_one_is_divided(context: Provider) -> None:
    task = editor(context)
    two = EditScope((part("small.py"), part("more.py")))
    assert task.size(two) > WHOLE_TOKENS
    assert [len(one.parts) for one in task.split(two)] == [1, 1]
    (whole,) = [part("small.py", "large.py", "more.py", told=(("more.py", "x"),))]
    pieces = [one.parts[0] for one in task.split(EditScope((whole,)))]
    assert sorted(path for piece in pieces for path in piece.files) == sorted(whole.files)
    assert [piece.new_files for piece in pieces if piece.new_files] == [("new.py",)]
    assert [piece.told for piece in pieces if piece.told] == [(("more.py", "x"),)]
    one = EditScope((replace(whole, files=("small.py",)),))
    assert "whose message is that of its first node" in task.lens(one)
    assert "message is that" not in task.lens(EditScope((whole,)))
    assert frozenset().union(*(task.units(EditScope((piece,))) for piece in pieces)) == task.units(
        EditScope((whole,))
    )


def test_results_are_kept_apart_by_module(context: Provider) -> None:
    task = editor(context)
    one = task.merge(EditScope((part("small.py"),)), [], Edits(message="x"))
    joined = task.merge(EditScope(()), [one, one], None)
    assert isinstance(joined, Joined)
    assert [(name, each.message) for name, each in joined.by_module] == [("m", "x"), ("m", "x")]


@pytest.mark.parametrize("mending", [False, True])
def test_the_first_prompt_of_a_node_stays_within_what_a_model_reads_well(
    context: Provider, *, mending: bool
) -> None:
    told = tuple(("large.py", f"{n} {'used here: f1() ' * 300}") for n in range(200))
    made = Module(name="m", files=["large.py"], what="Merge f7 and f30. ".ljust(TEXT_CHARS, "x"))
    task = editor(context, "f1 stays. ".ljust(CONTRACT_CHARS, "y"), mending=mending)
    scope = EditScope((Part(made, ("large.py",), told),))
    lens = task.lens(scope)
    parts = [task.instructions(scope), task.content(scope), lens]
    schema = json.dumps(task.result.model_json_schema())
    assert tokens("".join([*parts, schema])) < MOST_PROMPT_TOKENS * 3 // 4  # the kernel's words too
    listed = lens.count('\n- "large.py": ')
    assert 10 < listed <= 60 and f"and {200 - listed} more like these" in lens


HUGE = {
    "blank lines": "\n" * 23_000,
    "one line": f"x = '{'y' * 300_000}'\n",
    "long names": "".join(f"def f{n}_{'x' * 2_000}():\n    pass\n\n\n" for n in range(100)),
    "long imports": "".join(f"import m{n}{'x' * 20_000}\n" for n in range(12)),
    "wide head": f"x = '{'語' * 4_000}'\n" * 60 + "\n\ndef f1():\n    pass\n",
}


@pytest.mark.parametrize("kind", HUGE)
def test_no_file_makes_a_first_prompt_larger_than_that(kind: str) -> None:
    made = overlay({"huge.py": HUGE[kind]})
    told = tuple(("huge.py", f"{n} {'語' * 1_100}") for n in range(200))
    said = Module(name="m", files=["huge.py"], what="Merge f1 and x. ".ljust(TEXT_CHARS, "x"))
    scope = EditScope((Part(said, ("huge.py",), told),))
    with Provider(made.start.objects) as provider:
        task = Editor(tree_of(made, provider), made, "y" * CONTRACT_CHARS)
        content = task.content(scope)
        assert tokens(content) < 12_000
        schema = json.dumps(task.result.model_json_schema())
        whole = "".join([task.instructions(scope), content, task.lens(scope), schema])
    assert tokens(whole) < MOST_PROMPT_TOKENS * 3 // 4
