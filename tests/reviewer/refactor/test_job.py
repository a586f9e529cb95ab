"""The refactoring job from git to patch: a real repository, a scripted model over real HTTP."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from app.render.refactoring import refactoring_json, refactoring_text
from app.render.writing import account_markdown, stacked_body
from app.trees import GitTrees
from reviewer.git import open_repo
from reviewer.refactor.carry import IDLE_ROUNDS, MEND
from reviewer.refactor.gone import names_gone
from reviewer.refactor.outlines import tokens
from reviewer.refactor.values import Plan
from reviewer.request import Caps, StopReason
from reviewer.rlm.memory import MemoryJournal
from reviewer.rlm.node import MOST_PROMPT_TOKENS
from tests.model_server import Answer, ModelServer, Scripted, error, tool
from tests.reviewer.refactor.shop import (
    FILES,
    after,
    edited,
    make,
    module,
    module_of,
    planned,
    plans,
    prompt,
    refactored,
    refused,
    script,
)


def rename(path: str, symbol: str, to: str) -> dict[str, str]:
    return {"path": path, "symbol": symbol, "to": to}


NET_RENAME = rename("shop/prices.py", "net", "subtotal")
NET = planned(renames=[NET_RENAME])


# Done by host code -------------------------------------------------------------------------------


def test_a_rename_across_python_files_asks_no_node(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    with ModelServer(script(NET, {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert len(server.requests) == 1
    made = after(done)
    assert set(made) == {"shop/prices.py", "shop/cart.py", "shop/report.py"}
    assert made["shop/cart.py"] == (
        "from shop.prices import subtotal\n\n\ndef total(items):\n    return subtotal(items) * 2\n"
    )
    assert "prices.subtotal(items)" in str(made["shop/report.py"])
    (commit,) = done.refactoring.commits
    assert commit.by == "host" and commit.message.startswith("Rename net to subtotal\n\n")


def test_a_rename_in_typescript_keeps_the_keys_of_objects(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(renames=[rename("web/money.ts", "format", "display")])
    with ModelServer(script(plan, {})) as server:
        done = refactored(repo, server)
    assert after(done) == {
        "web/money.ts": "export function display(x: number): string {\n  return `${x}`;\n}\n",
        "web/view.ts": 'import { display } from "./money";\n\n'
        "export const tools = { format: display };\nexport const one = display(1);\n",
    }


def test_a_parameter_is_renamed_with_its_callers_and_before_its_function(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/cart.py", "from shop.prices import net\n\nprint(net(items=[1]))\n")
    repo.commit()
    renames = [NET_RENAME, rename("shop/prices.py", "net.items", "prices")]
    with ModelServer(script(planned(renames=renames), {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert len(server.requests) == 1
    made = after(done)
    assert str(made["shop/cart.py"]).endswith("print(subtotal(prices=[1]))\n")
    assert "def subtotal(prices):\n    return sum(prices)\n" in str(made["shop/prices.py"])
    titles = [one.message.partition("\n")[0] for one in done.refactoring.commits]
    assert titles == ["Rename net.items to prices", "Rename net to subtotal"]
    assert "Calls that certainly run it" in done.refactoring.commits[0].message


@pytest.mark.parametrize("done_by_node", [True, False])
def test_a_parameter_that_the_host_declines_is_a_nodes_and_looked_up(
    tmp_path: Path, done_by_node: bool
) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/cart.py", "from shop.prices import net\n\nnet(**{'items': [1]})\n")
    other = "class Other:\n    def net(self, prices):\n        pass\n"
    repo.write("shop/prices.py", FILES["shop/prices.py"] + f"\n\n{other}")
    repo.commit()
    plan = planned(renames=[rename("shop/prices.py", "net.items", "prices")])

    def edit(request: dict[str, Any]) -> Scripted:
        assert "passes keywords on" in prompt(request) and "net(**{" in prompt(request)
        if not done_by_node:
            return tool("submit", {"unneeded": "It is fine."})
        return edited(
            (
                "shop/prices.py",
                "net(items):\n    return sum(items)",
                "net(prices):\n    return sum(prices)",
            ),
            ("shop/cart.py", "'items'", "'prices'"),
        )

    with ModelServer(script(plan, {"Rename net.items to prices: what is left": edit})) as server:
        done = refactored(repo, server)
    if done_by_node:
        assert done.refactoring.status == "complete", done.refactoring
        return
    assert done.refactoring.status == "partial"
    assert [(one.what, one.why) for one in done.refactoring.left] == [
        ("the rename", "it is still called items")
    ]


def test_what_the_host_is_not_sure_of_goes_to_a_node(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/cart.py", 'from shop.prices import net\n\nNAMES = ["net"]\n')
    repo.commit()
    name = "Rename net to subtotal: what is left"
    mended = edited(("shop/cart.py", 'NAMES = ["net"]', 'NAMES = ["subtotal"]'))
    with ModelServer(script(NET, {name: mended})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert 'NAMES = ["subtotal"]' in str(after(done)["shop/cart.py"])
    told = prompt(server.requests[1].body)
    assert "the old name still stands here" in told
    assert done.refactoring.plan is not None
    assert f"what is to stay: {done.refactoring.plan.summary}" in told
    assert [one.by for one in done.refactoring.commits] == ["host", "model"]


def test_comments_with_the_old_name_in_many_files_are_one_letter_of_lines(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    filler = "".join(f"\n\ndef f{n}():\n    return {'1 + ' * 400}1\n" for n in range(12))
    for n in range(12):
        use = f"from shop.prices import net\n\n\n    # {n}: all that net({n}) has\nnet([{n}])\n{filler}"
        repo.write(f"shop/use{n}.py", use)
    repo.commit()

    def mends(request: dict[str, Any]) -> Scripted:
        told = prompt(request)
        assert told.count("is subtotal now") == 1 and told.count("=== file") == 12, told
        assert '=== file "shop/use7.py", of which these lines' in told
        assert "\n4|    # 7: all that net(7) has\n" in told and "def f1" not in told
        return edited(
            *(
                (f"shop/use{n}.py", f"    # {n}: all that net({n}) has", f"    # {n}: subtotal")
                for n in range(12)
            )
        )

    with ModelServer(script(NET, {"Rename net to subtotal: what is left": mends})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert len(server.requests) == 2
    assert "    # 7: subtotal\nsubtotal([7])\n" in str(after(done)["shop/use7.py"])


def test_documents_and_settings_that_still_have_the_name_are_named(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("docs/use.md", "Call `net(items)`, not `netto`.\n")
    repo.write("pyproject.toml", "[tool.mine]\nnet = 1\n")
    repo.write("docs/other.md", "The network.\n")
    repo.commit()
    with ModelServer(script(NET, {})) as server:
        done = refactored(repo, server)
    assert "The name net still stands in docs/use.md, pyproject.toml." in done.refactoring.notes


def test_code_that_nothing_here_reads_is_named_where_it_has_an_old_name(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    for path in ("a.dart", "b.lua", "c.sql", "d.css", "e.swift"):
        repo.write(path, "net(1)\n")
    repo.write("f.lua", "network(1)\n")
    repo.commit()
    with ModelServer(script(NET, {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.notes[-1] == (
        "The name net still stands in a.dart, b.lua, c.sql, d.css, e.swift."
    )


def test_a_name_that_a_node_took_away_or_that_was_moved_is_told_of_code_that_nothing_here_reads(
    tmp_path: Path,
) -> None:
    repo = make(tmp_path / "r")
    repo.write(
        "web/rare.ts", "export function rarely(): number { return 1; }\nexport const b = 1;\n"
    )
    repo.write("web/A.vue", "<script>\nimport { rarely } from './rare'\n</script>\n")
    repo.write("d.lua", "net(b)\n")
    repo.commit()
    plan = planned(
        moves=[{"path": "shop/prices.py", "symbol": "net", "to": "shop/sums.py"}],
        modules=[module("Cut", "web/rare.ts")],
    )
    cut = edited(("web/rare.ts", "export function rarely(): number { return 1; }\n", ""))
    with ModelServer(script(plan, {"Cut": cut})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    notes = [one for one in done.refactoring.notes if "still stands" in one]
    assert notes == [
        "The name net, which is in shop/sums.py now, still stands in d.lua.",
        "The name rarely, which is gone, still stands in web/A.vue.",
    ]


@pytest.mark.parametrize(
    ("path", "source", "is_told"),
    [
        ("web/A.vue", "import {\n  format,\n} from './money'", True),
        ("web/sub/A.svelte", "import * as m from '../money.ts'\nm.format(1)", True),
        ("web/A.vue", "import { format } from '@/money'", True),
        ("web/A.astro", "const { format } = await import('./money.js')", True),
        ("web/A.vue", "import { other } from './other'\nformat(1)", False),
        ("web/A.vue", "import { formats } from './money'", False),
    ],
)
def test_a_component_that_imports_what_is_renamed_is_a_nodes(
    tmp_path: Path, path: str, source: str, is_told: bool
) -> None:
    repo = make(tmp_path / "r")
    repo.write(path, f"<script>\n{source}\n</script>\n")
    repo.commit()
    line = next(one for one in source.split("\n") if "format" in one)

    def mends(request: dict[str, Any]) -> Scripted:
        assert "format of web/money.ts is display now" in prompt(request)
        assert line.strip() in prompt(request)
        return edited((path, line, line.replace("format", "display")))

    plan = planned(renames=[rename("web/money.ts", "format", "display")])
    name = "Rename format to display: what is left"
    with ModelServer(script(plan, {name: mends} if is_told else {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert len(server.requests) == 1 + is_told
    assert (path in after(done)) == is_told


def test_an_entry_point_is_renamed_in_the_same_commit(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("pyproject.toml", '[project.scripts]\nsum = "shop.prices:net"\n')
    repo.commit()
    with ModelServer(script(NET, {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert after(done)["pyproject.toml"] == '[project.scripts]\nsum = "shop.prices:subtotal"\n'
    assert len(done.patch.commits) == 1


INLINE = '[project]\nscripts = {sum = "shop.prices:net"}\n'


@pytest.mark.parametrize("mended", [True, False])
def test_an_entry_point_that_the_host_cannot_rename_is_a_nodes(
    mended: bool, tmp_path: Path
) -> None:
    repo = make(tmp_path / "r")
    repo.write("pyproject.toml", INLINE)
    repo.commit()

    def edit(request: dict[str, Any]) -> Scripted:
        assert "the entry point shop.prices:net is shop.prices:subtotal now" in prompt(request)
        if not mended:
            return tool("submit", {"unneeded": "It is a word."})
        return edited(("pyproject.toml", INLINE, INLINE.replace(":net", ":subtotal")))

    name = "Rename net to subtotal: what is left"
    with ModelServer(script(NET, {name: edit})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == ("complete" if mended else "partial")
    assert [(one.what, one.why) for one in done.refactoring.left] == (
        [] if mended else [("pyproject.toml", "shop.prices:net is not there any more")]
    )


def test_an_entry_point_whose_function_a_node_takes_away_is_left(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("setup.cfg", "[options.entry_points]\nx =\n    round = shop.prices:rounded\n")
    repo.commit()
    plan = planned(modules=[module("prices", "shop/prices.py")])
    gone = edited(
        ("shop/prices.py", "import math\n\n\n", ""),
        ("shop/prices.py", "\n\n\ndef rounded(value):\n    return math.floor(value)\n", "\n"),
    )
    with ModelServer(script(plan, {"prices": gone})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "partial"
    assert [one.why for one in done.refactoring.left] == [
        "shop.prices:rounded is not there any more"
    ]


def test_a_name_that_is_taken_is_left_to_a_node(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(renames=[rename("shop/prices.py", "net", "total")])
    name = "Rename net to total: what is left"
    with ModelServer(
        script(plan, {name: edited(left=[{"what": "net", "why": "total is another one"}])})
    ) as server:
        done = refactored(repo, server)
    assert done.patch.commits == ()
    assert done.refactoring.status == "partial"
    assert [one.why for one in done.refactoring.left] == [
        "total is another one",
        "it is still called net",
    ]
    assert "has the name total already" in " ".join(done.refactoring.notes)


TAKEN = planned(renames=[rename("shop/prices.py", "net", "total")])
LEFT = "Rename net to total: what is left"


def test_each_use_of_a_name_that_the_host_does_not_rename_is_told_in_some_letter(
    tmp_path: Path,
) -> None:
    repo = make(tmp_path / "r")
    for n in range(45):
        repo.write(f"shop/use{n}.py", f"from shop.prices import net\n\nnet([{n}])\nnet([{n}, 1])\n")
    repo.commit()
    told: list[str] = []

    def looks(request: dict[str, Any]) -> Scripted:
        told.append(prompt(request))
        return tool("submit", {"unneeded": "It is played here."})

    names = (LEFT, f"{LEFT} (2)")
    with ModelServer(script(TAKEN, dict.fromkeys(names, looks))) as server:
        refactored(repo, server)
    for n in range(45):
        mine = [text for text in told if f'=== file "shop/use{n}.py"' in text]
        assert len(mine) == 1, n
        for use in (f"net([{n}])", f"net([{n}, 1])", "from shop.prices import net"):
            assert re.search(rf'^- "shop/use{n}\.py": .*{re.escape(use)}$', mine[0], re.M), use
    assert max(text.count("used here") for text in told) <= 60
    assert not any("more like these" in text for text in told)


def test_the_stubs_of_what_is_not_moved_by_the_host_are_told(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/prices.pyi", "def net(items: list[int]) -> int: ...\n")
    repo.write("shop/sums.pyi", "x: int\n")
    repo.write("shop/sums.py", "x = 1\n")
    repo.commit()
    told = ""

    def looks(request: dict[str, Any]) -> Scripted:
        nonlocal told
        told = prompt(request)
        return tool("submit", {"unneeded": "It is played here."})

    plan = planned(moves=[{"path": "shop/prices.py", "symbol": "net", "to": "shop/sums.py"}])
    with ModelServer(script(plan, {"Move net to shop/sums.py: what is left": looks})) as server:
        done = refactored(repo, server)
    assert done.patch.commits == () and done.refactoring.status == "partial"
    assert re.search(r'^- "shop/prices\.pyi": .*still: def net\(items: list', told, re.M), told
    assert re.search(r'^- "shop/sums\.pyi": .*has a stub beside it', told, re.M), told
    assert re.search(r'^- "shop/cart\.py": .*used here', told, re.M), told


def test_a_file_with_more_uses_than_are_listed_says_so(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    uses = "".join(f"net([{n}])\n" for n in range(60))
    repo.write("shop/cart.py", f"from shop.prices import net\n\ntotal = 1\n{uses}")
    repo.commit()
    told = ""

    def looks(request: dict[str, Any]) -> Scripted:
        nonlocal told
        told = prompt(request)
        return tool("submit", {"unneeded": "It is played here."})

    with ModelServer(script(TAKEN, {LEFT: looks})) as server:
        refactored(repo, server)
    assert '- "shop/cart.py": more places of this file have it than are named here' in told


def test_a_use_that_nobody_may_edit_is_left(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("vendor/x.py", "from shop.prices import net\n\nnet([1])\n")
    repo.commit()
    done_so = edited(("shop/cart.py", "net(items) * 2", "net(items) + 0"))
    with ModelServer(script(TAKEN, {LEFT: done_so})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "partial" and done.refactoring.stopped is not None
    assert [(one.what, one.why) for one in done.refactoring.left] == [
        ("its uses in vendor/x.py", "it is vendored: it belongs to another project"),
        ("the rename", "it is still called net"),
    ]


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (
            {"renames": [rename("shop/prices.py", "net", "total")]},
            ("Rename net to total", "the rename", "it is still called net"),
        ),
        (
            {"moves": [{"path": "web/money.ts", "symbol": "format", "to": "web/fmt.ts"}]},
            ("Move format to web/fmt.ts", "the move", "format is still in web/money.ts"),
        ),
        (
            {"module_moves": [{"path": "shop/stubbed.py", "to": "shop/plain.py"}]},
            ("Move shop/stubbed.py to shop/plain.py", "the move", "shop/plain.py is not there"),
        ),
    ],
)
def test_what_the_host_declines_and_a_node_calls_unneeded_is_left(
    plan: dict[str, Any], says: tuple[str, str, str], tmp_path: Path
) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/stubbed.py", "X = 1\n")
    repo.write("shop/stubbed.pyi", "X: int\n")
    repo.commit()
    nothing = tool("submit", {"unneeded": "It is as it should be."})
    with ModelServer(script(planned(**plan), {f"{says[0]}: what is left": nothing})) as server:
        done = refactored(repo, server)
    assert [(one.module, one.what, one.why) for one in done.refactoring.left] == [says]
    assert done.refactoring.status == "partial" and done.refactoring.stopped is not None


def test_what_the_host_declines_and_a_node_does_is_done(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(
        renames=[rename("shop/prices.py", "net", "total")],
        moves=[{"path": "web/money.ts", "symbol": "format", "to": "web/fmt.ts"}],
    )
    does = edited(
        ("shop/prices.py", "def net(items)", "def total(items)"),
        ("shop/cart.py", "import net", "import total as net"),
        ("shop/report.py", "prices.net(", "prices.total("),
    )
    goes = edited(
        ("web/money.ts", FILES["web/money.ts"], 'export const currency = "EUR";\n'),
        ("web/view.ts", './money"', './fmt"'),
        new_files=[{"path": "web/fmt.ts", "text": FILES["web/money.ts"]}],
        message="Move format\n\nIt was asked for.",
    )
    move_left = "Move format to web/fmt.ts: what is left"
    with ModelServer(script(plan, {LEFT: does, move_left: goes})) as server:
        done = refactored(repo, server)
    assert done.refactoring.left == [], done.refactoring
    assert done.refactoring.status == "complete", done.refactoring


GOES = {
    "a.py": "class Base:\n    def go(self):\n        return 1\n",
    "b.py": "from a import Base\n\n\nclass Own(Base):\n    def go(self):\n        return 2\n",
}


def test_a_method_is_renamed_with_those_that_override_it(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", GOES)
    plan = planned(renames=[rename("a.py", "Base.go", "run"), rename("b.py", "Own.go", "run")])
    with ModelServer(script(plan, {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert after(done) == {path: text.replace("go", "run") for path, text in GOES.items()}
    (commit,) = done.patch.commits
    assert "So is what overrides it or is overridden: in Own." in " ".join(commit.message.split())
    assert not done.refactoring.notes


def test_a_family_that_is_to_have_two_names_is_left_to_nodes(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", GOES)
    plan = planned(renames=[rename("a.py", "Base.go", "run"), rename("b.py", "Own.go", "walk")])
    no = tool("submit", {"left": [{"what": "go", "why": "the two differ"}]})
    names = ("Rename Base.go to run: what is left", "Rename Own.go to walk: what is left")
    with ModelServer(script(plan, dict.fromkeys(names, no))) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "partial" and not done.patch.commits
    why = "another name, walk, is what Own.go of b.py is to have, and they are of one family"
    assert why in " ".join(done.refactoring.notes)


def test_a_method_that_something_else_may_have_is_left_to_a_node(tmp_path: Path) -> None:
    start = "from lib import Task\n\n\nclass Base(Task):\n"
    repo = make(tmp_path / "r", {**GOES, "a.py": GOES["a.py"].replace("class Base:\n", start)})
    plan = planned(renames=[rename("b.py", "Own.go", "run")])
    name = "Rename Own.go to run: what is left"
    why = {"what": "go", "why": "Task calls it"}
    with ModelServer(script(plan, {name: edited(left=[why])})) as server:
        done = refactored(repo, server)
    said = "class Base of a.py extends Task, which is not of this tree and may have go"
    assert said in prompt(server.requests[1].body)
    assert said in " ".join(done.refactoring.notes)
    assert done.refactoring.status == "partial"


def test_a_function_moves_with_its_imports_and_its_users(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/bill.py", "from shop.prices import net, rounded\n\nnet([rounded(1)])\n")
    repo.commit()
    plan = planned(moves=[{"path": "shop/prices.py", "symbol": "rounded", "to": "shop/numbers.py"}])
    with ModelServer(script(plan, {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert after(done) == {
        "shop/bill.py": "from shop.numbers import rounded\nfrom shop.prices import net\n\n"
        "net([rounded(1)])\n",
        "shop/numbers.py": "import math\n\n\ndef rounded(value):\n    return math.floor(value)\n",
        "shop/prices.py": "def net(items):\n    return sum(items)\n",
    }


# Done by nodes -----------------------------------------------------------------------------------

SPLIT = planned(
    contract="`rounded(value)` lives in shop/rounding.py.",
    modules=[
        module("rounding", "shop/prices.py", new=("shop/rounding.py",)),
        module("cart", "shop/cart.py", what="Round the total."),
    ],
)
OUT = edited(
    ("shop/prices.py", "import math\n\n\n", ""),
    ("shop/prices.py", "\n\n\ndef rounded(value):\n    return math.floor(value)\n", "\n"),
    new_files=[
        {
            "path": "shop/rounding.py",
            "text": "import math\n\n\ndef rounded(value):\n    return math.floor(value)\n",
        }
    ],
    message="Give rounding a module\n\nPrices are sums alone.",
)
ROUND = edited(
    (
        "shop/cart.py",
        "from shop.prices import net\n",
        "from shop.prices import net\nfrom shop.rounding import rounded\n",
    ),
    ("shop/cart.py", "return net(items) * 2", "return rounded(net(items) * 2)"),
    message="Round the total\n\nA part of a cent is nobody's.",
)


def test_a_file_of_typescript_moves_with_its_importers_and_asks_no_node(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    whole = {"path": "web/money.ts", "to": "web/shop/money.ts"}
    with ModelServer(script(planned(module_moves=[whole]), {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert len(server.requests) == 1
    made = after(done)
    assert set(made) == {"web/money.ts", "web/shop/money.ts", "web/view.ts"}
    assert made["web/money.ts"] is None and made["web/shop/money.ts"] == FILES["web/money.ts"]
    assert str(made["web/view.ts"]).startswith('import { format } from "./shop/money";\n')


def test_a_module_moves_with_its_importers_and_asks_no_node(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("setup.cfg", "[options.entry_points]\nx =\n    net = shop.prices:net\n")
    repo.commit()
    whole = {"path": "shop/prices.py", "to": "shop/money/sums.py"}
    with ModelServer(script(planned(module_moves=[whole]), {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert len(server.requests) == 1 and [one.by for one in done.patch.commits] == ["host"]
    made = after(done)
    assert made["shop/prices.py"] is None and "def net(" in str(made["shop/money/sums.py"])
    assert "from shop.money.sums import net" in str(made["shop/cart.py"])
    assert "from shop.money import sums\n" in str(made["shop/report.py"])
    assert made["setup.cfg"] == "[options.entry_points]\nx =\n    net = shop.money.sums:net\n"
    assert "move shop/prices.py to shop/money/sums.py" in refactoring_text(done.refactoring)


def test_a_module_that_the_host_does_not_move_is_a_nodes(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/money/sums.pyi", "X: int\n")
    repo.commit()
    whole = {"path": "shop/prices.py", "to": "shop/money/sums.py"}
    name = "Move shop/prices.py to shop/money/sums.py: what is left"

    def edit(request: dict[str, Any]) -> Scripted:
        assert "is there already" in prompt(request) and "It goes here." in prompt(request)
        return edited(
            ("shop/cart.py", "shop.prices", "shop.money.sums"),
            ("shop/report.py", "from shop import prices", "from shop.money import sums as prices"),
            renamed=[{"path": "shop/prices.py", "to": "shop/money/sums.py"}],
            message="Move the sums\n\nThey are about money.",
        )

    with ModelServer(script(planned(module_moves=[whole]), {name: edit})) as server:
        done = refactored(repo, server)
    assert not done.refactoring.left, done.refactoring
    assert after(done)["shop/prices.py"] is None


def test_modules_are_edited_apart_with_the_contract_between_them(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    shown: list[Plan] = []
    with ModelServer(script(SPLIT, {"rounding": OUT, "cart": ROUND})) as server:
        done = refactored(repo, server, shown=shown)
    assert done.refactoring.status == "complete", done.refactoring
    assert [one.summary for one in shown] == ["As asked."]
    told = {module_of(r.body): prompt(r.body) for r in server.requests if not plans(r.body)}
    assert "> `rounded(value)` lives in shop/rounding.py." in told["cart"]
    assert "Round the total." not in told["rounding"]
    assert '"shop/prices.py"' not in told["cart"]
    assert [(c.module, c.message) for c in done.patch.commits] == [
        ("rounding", "Give rounding a module\n\nPrices are sums alone."),
        ("cart", "Round the total\n\nA part of a cent is nobody's."),
    ]
    made = after(done)
    assert made["shop/prices.py"] == "def net(items):\n    return sum(items)\n"
    assert "rounded(net(items) * 2)" in str(made["shop/cart.py"])


def test_a_module_that_rightly_changes_nothing_is_done_and_listed(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    why = "It adds up nothing by itself."
    edits = {
        "rounding": OUT,
        "cart": ROUND,
        "report": tool("submit", {"unneeded": why}),
    }
    modules = [
        module("rounding", "shop/prices.py", new=("shop/rounding.py",)),
        module("cart", "shop/cart.py"),
        module("report", "shop/report.py"),
    ]
    with ModelServer(script(planned(modules=modules), edits)) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert [(one.module, one.why) for one in done.refactoring.unneeded] == [("report", why)]
    assert [one.module for one in done.patch.commits] == ["rounding", "cart"]
    assert f"- report: {why}" in " ".join(refactoring_text(done.refactoring).split())


def test_leads_that_mean_something_else_are_done_too(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/cart.py", 'from shop.prices import net\n\nprint("net", net([]))\n')
    repo.commit()
    name = "Rename net to subtotal: what is left"
    edits = {name: tool("submit", {"unneeded": "It is a word for people."})}
    with ModelServer(script(NET, edits)) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert [one.module for one in done.refactoring.unneeded] == [name]


def test_no_edits_and_no_reason_goes_back(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(modules=[module("cart", CARD)])

    def edit(request: dict[str, Any]) -> Scripted:
        said = "in unneeded if nothing has to change" in refused(request)
        return tool("submit", {"unneeded": "It is so."} if said else {})

    with ModelServer(script(plan, {"cart": edit})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert [one.why for one in done.refactoring.unneeded] == ["It is so."]


def test_what_two_plan_is_done_once(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    same = rename("shop/prices.py", "net", "subtotal")
    with ModelServer(script(planned(renames=[same, same]), {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert len(done.patch.commits) == 1 and not done.refactoring.left
    assert done.refactoring.plan is not None and len(done.refactoring.plan.renames) == 1


def test_a_broken_contract_goes_back_to_who_caused_it(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(modules=[module("prices", "shop/prices.py")])

    def edit(request: dict[str, Any]) -> Scripted:
        if "Mend it" not in prompt(request):
            return edited(("shop/prices.py", "def net(items):", "def subtotal(items):"))
        return edited(
            ("shop/cart.py", "from shop.prices import net", "from shop.prices import subtotal"),
            ("shop/cart.py", "net(items) * 2", "subtotal(items) * 2"),
            ("shop/report.py", "prices.net(", "prices.subtotal("),
        )

    with ModelServer(script(plan, {"prices": edit})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    again = prompt(server.requests[2].body)
    assert "was renamed to `subtotal`" in again and '"shop/cart.py"' in again
    assert set(after(done)) == {"shop/prices.py", "shop/cart.py", "shop/report.py"}
    assert len(done.patch.commits) == 1


def test_a_name_that_is_gone_and_still_listed_or_quoted_goes_back(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    listed = '__all__ = ["K", "m"]\n\n\nclass K:\n    pass\n'
    repo.write("pkg/a.py", f"{listed}\n\ndef m() -> 'K':\n    pass\n")
    repo.write("pkg/q.py", "class Q:\n    pass\n\n\ndef f() -> 'Q':\n    pass\n")
    repo.commit()
    plan = planned(modules=[module("less", "pkg/a.py", "pkg/q.py")])

    def edit(request: dict[str, Any]) -> Scripted:
        if "Mend it" not in prompt(request):
            return edited(
                ("pkg/a.py", "\n\ndef m() -> 'K':\n    pass\n", ""),
                ("pkg/q.py", "class Q:\n    pass\n", "X = 1\n"),
            )
        return edited(("pkg/a.py", ', "m"', ""), ("pkg/q.py", "-> 'Q'", "-> None"))

    with ModelServer(script(plan, {"less": edit})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    again = prompt(server.requests[2].body)
    assert "Undefined name `m` in `__all__`" in again and "Undefined name `Q`" in again
    assert str(after(done)["pkg/a.py"]).startswith('__all__ = ["K"]\n')


@pytest.mark.parametrize("mends", [True, False])
def test_a_method_that_objects_elsewhere_are_asked_for_goes_back(
    tmp_path: Path, mends: bool
) -> None:
    repo = make(tmp_path / "r")
    repo.write("a.py", "class A:\n    def go(self, n):\n        return n\n")
    repo.write("b.py", "from a import A\n\nx = A()\nx.go(1)\n")
    repo.write("c.py", "from a import A\n\n\ndef f(a: A):\n    return a.go(1)\n")
    repo.commit()
    plan = planned(modules=[module("run", "a.py")])

    def edit(request: dict[str, Any]) -> Scripted:
        if "Mend it" not in prompt(request):
            return edited(("a.py", "def go(", "def run("))
        if not mends:
            return tool("submit", {"unneeded": "It is fine."})
        return edited(("b.py", "x.go(1)", "x.run(1)"), ("c.py", "a.go(1)", "a.run(1)"))

    with ModelServer(script(plan, {"run": edit})) as server:
        done = refactored(repo, server)
    again = prompt(server.requests[2].body)
    assert "`A.go` was renamed to `run`" in again and '"b.py"' in again and '"c.py"' in again
    if mends:
        assert done.refactoring.status == "complete", done.refactoring
        return
    assert done.refactoring.status == "partial"
    (found,) = done.refactoring.findings
    assert found.source == "detector:contracts/name" and "`b.py:4`; `c.py:5`" in found.body


def test_who_removes_a_file_mends_what_needed_it(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    gone = module(
        "inline",
        "shop/prices.py",
        "shop/cart.py",
        what="Sum in the cart.",
        gone=("shop/prices.py",),
    )
    inlined = edited(
        (CARD, "from shop.prices import net\n\n\n", ""),
        (CARD, "net(items)", "sum(items)"),
        removed=["shop/prices.py"],
        message="Sum in the cart",
    )

    def edit(request: dict[str, Any]) -> Scripted:
        if "Mend it" not in prompt(request):
            return inlined
        return edited(
            ("shop/report.py", "from shop import prices\n", ""),
            ("shop/report.py", "prices.net(items)", "sum(items)"),
        )

    with ModelServer(script(planned(modules=[gone]), {"inline": edit})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    made = after(done)
    assert made["shop/prices.py"] is None and "sum(items)" in str(made["shop/report.py"])
    assert [one.module for one in done.patch.commits] == ["inline"]


@pytest.mark.parametrize(
    "edits",
    [
        {"removed": ["tests/test_cart.py"]},
        {"renamed": [{"path": "tests/test_cart.py", "to": "tests/old.txt"}]},
        {
            "replacements": [
                {"path": "tests/test_cart.py", "old": "def test_it():\n    pass\n", "new": ""}
            ]
        },
    ],
)
def test_a_file_that_the_plan_does_not_say_goes_stays(
    tmp_path: Path, edits: dict[str, Any]
) -> None:
    repo = make(tmp_path / "r")
    repo.write("tests/test_cart.py", "def test_it():\n    pass\n")
    repo.commit()
    plan = planned(modules=[module("tidy", "tests/test_cart.py", new=("tests/old.txt",))])
    said = tool("submit", {"message": "Tidy\n\nIt was untidy.", **edits})
    with ModelServer(script(plan, {"tidy": said})) as server:
        done = refactored(repo, server)
    assert done.patch.commits == () and done.refactoring.status == "partial"
    assert "names the files that go" in done.refactoring.left[0].why


def test_what_no_round_mends_is_reported(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(modules=[module("prices", "shop/prices.py")])

    def edit(request: dict[str, Any]) -> Scripted:
        if "Mend it" not in prompt(request):
            return edited(("shop/prices.py", "def net(items):", "def subtotal(items):"))
        return tool("submit", {"left": [{"what": "cart", "why": "It is fine."}]})

    with ModelServer(script(plan, {"prices": edit})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "partial"
    assert done.refactoring.stopped is StopReason.INCOMPLETE
    assert [one.category for one in done.refactoring.findings] == ["contract"]
    assert "prices: cart: It is fine." in done.refactoring.notes
    assert len(server.requests) == 3  # the same is not asked twice


SUMS = {
    "sums.py": "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(5)),
    "use.py": "import sums\n\n" + "".join(f"print(sums.f{n}())\n" for n in range(5)),
}


def mends(most: int) -> Callable[[dict[str, Any]], Scripted]:
    """An editor that takes all away and puts one back in each round, so many at the most."""
    rounds: list[str] = []

    def edit(request: dict[str, Any]) -> Scripted:
        if "Mend it" not in prompt(request):
            text = SUMS["sums.py"].removesuffix("\n\n")
            return edited(("sums.py", text, "none = 1\n"), message="Tidy\n\nNobody needs it.")
        rounds.append("")
        if len(rounds) > most:
            return tool("submit", {"left": [{"what": "the rest", "why": "No."}]})
        one = f"def f{len(rounds) - 1}():\n    return 0\n"
        return edited(("sums.py", "none = 1\n", f"{one}none = 1\n"))

    return edit


def worse(request: dict[str, Any]) -> Scripted:
    """An editor whose rounds change something, and mend nothing."""
    if "Mend it" not in prompt(request):
        return mends(0)(request)
    many = prompt(request).count("|none = 1")
    return edited(("sums.py", "none = 1\n", "none = 1\n" + "x = 1\n" * many))


TIMER = {
    "timer.py": "class Timer:\n    def __enter__(self):\n        return self\n\n"
    "    def finish(self):\n        return None\n",
    **SUMS,
}


def test_what_the_hosts_own_steps_broke_goes_to_a_node_of_its_own(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", TIMER)
    told: dict[str, str] = {}

    def mend(request: dict[str, Any]) -> Scripted:
        told["host"] = prompt(request)
        takes = "    def __exit__(self, kind, error, trace):"
        return edited(("timer.py", "    def __exit__(self):", takes), message="")

    def sums(request: dict[str, Any]) -> Scripted:
        if "Mend it" not in prompt(request):
            return edited(("sums.py", "def f4():\n    return 4\n\n\n", ""))
        told["node"] = prompt(request)
        return edited(("use.py", "print(sums.f4())\n", ""))

    # Nobody asks for a look at timer.py: the rename leaves no doubt, and its file is no module's.
    plan = planned(
        renames=[rename("timer.py", "Timer.finish", "__exit__")],
        modules=[module("sums", "sums.py")],
    )
    with ModelServer(script(plan, {"sums": sums, MEND: mend})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert "`__exit__` expects 4 parameters, 1 was given" in told["host"]
    assert "f4" in told["node"] and "__exit__" not in told["node"]
    assert "f4" not in told["host"] and '=== file "timer.py"' in told["host"]
    assert [(one.module, one.by) for one in done.refactoring.commits] == [
        ("Rename Timer.finish to __exit__", "host"),
        ("sums", "model"),
        (MEND, "model"),
    ]
    assert done.patch.commits[-1].message.startswith(f"{MEND}\n\nRenames and moves broke")
    assert "    def __exit__(self, kind, error, trace):\n" in str(after(done)["timer.py"])
    assert "f4" not in str(after(done)["use.py"])


def test_what_nobody_mends_of_the_hosts_own_steps_is_reported(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", TIMER)
    plan = planned(renames=[rename("timer.py", "Timer.finish", "__exit__")])
    said = tool("submit", {"left": [{"what": "__exit__", "why": "It has no error to take."}]})
    with ModelServer(script(plan, {MEND: said})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "partial" and len(server.requests) == 2
    assert [one.path for one in done.refactoring.findings] == ["timer.py"]
    assert f"{MEND}: __exit__: It has no error to take." in done.refactoring.notes


ENDED = "What tools report of the result went back"


def test_mending_goes_on_until_it_is_clean(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", SUMS)
    plan = planned(modules=[module("sums", "sums.py")])
    with ModelServer(script(plan, {"sums": mends(9)})) as server:
        done = refactored(repo, server)
    assert len(server.requests) == 2 + 5  # each round leaves one less
    assert done.refactoring.status == "complete", done.refactoring
    assert ENDED not in " ".join(done.refactoring.notes)


def test_mending_ends_where_it_gets_no_better(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", SUMS)
    plan = planned(modules=[module("sums", "sums.py")])
    with ModelServer(script(plan, {"sums": worse})) as server:
        done = refactored(repo, server)
    assert len(server.requests) == 2 + IDLE_ROUNDS and len(done.refactoring.findings) == 5
    assert done.refactoring.stopped is StopReason.INCOMPLETE
    assert f"{ENDED} 2 times, and no more: the last 2 rounds left no less of it." in (
        done.refactoring.notes
    )


def test_a_round_that_mends_something_gives_the_next_ones_their_time_again(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", SUMS)
    plan = planned(modules=[module("sums", "sums.py")])
    better, rounds = mends(1), iter("wbwww")

    def edit(request: dict[str, Any]) -> Scripted:
        if "Mend it" in prompt(request) and next(rounds) == "w":
            return worse(request)
        return better(request)

    with ModelServer(script(plan, {"sums": edit})) as server:
        done = refactored(repo, server)
    assert len(server.requests) == 2 + 4 and len(done.refactoring.findings) == 4


def test_mending_ends_with_the_budget_and_says_so(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", SUMS)
    plan = planned(modules=[module("sums", "sums.py")])
    with ModelServer(script(plan, {"sums": mends(9)})) as server:
        done = refactored(repo, server, caps=Caps(calls=4))
    assert len(server.requests) == 4 and len(done.refactoring.findings) == 3
    assert done.refactoring.stopped is StopReason.BUDGET
    assert f"{ENDED} 2 times, and no more: the budget is used up." in done.refactoring.notes


def test_mending_ends_where_a_round_changes_nothing(tmp_path: Path) -> None:
    repo = make(tmp_path / "r", SUMS)
    plan = planned(modules=[module("sums", "sums.py")])
    with ModelServer(script(plan, {"sums": mends(2)})) as server:
        done = refactored(repo, server)
    assert len(server.requests) == 2 + 3 and len(done.refactoring.findings) == 3
    assert f"{ENDED} 3 times, and no more: the last round changed nothing." in (
        done.refactoring.notes
    )


# What does not parse, and what runs at a time ---------------------------------------------------


def test_a_rename_after_which_a_file_does_not_parse_is_a_nodes(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    text = (
        "class Box {\n  static int size() { return 1; }\n  static int two() { return size(); }\n}\n"
    )
    repo.write("Box.java", text)
    repo.commit()
    # A word of a language that no list here has.
    plan = planned(renames=[rename("Box.java", "Box.size", "switch")])
    said: list[str] = []

    def edit(request: dict[str, Any]) -> Scripted:
        said.append(prompt(request))
        return tool("submit", {"unneeded": "It is fine."})

    with ModelServer(script(plan, {"Rename Box.size to switch: what is left": edit})) as server:
        done = refactored(repo, server)
    assert "of Box.java it would be true that it does not parse any more: line 3" in said[0]
    assert not done.patch.commits and done.refactoring.status == "partial"
    assert [one.why for one in done.refactoring.left] == ["it is still called size"]


def test_edits_that_do_not_parse_go_back(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")

    def edit(request: dict[str, Any]) -> Scripted:
        return edited((CARD, "* 2", "* 3" if refused(request) else "* ("))

    with ModelServer(script(planned(modules=[module("cart", CARD)]), {"cart": edit})) as server:
        done = refactored(repo, server)
    assert len(server.requests) == 3 and "does not parse" in refused(server.requests[2].body)
    assert done.refactoring.status == "complete" and "* 3" in str(after(done)[CARD])


def test_edits_that_never_parse_are_in_no_commit(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    broken = edited((CARD, "* 2", "* ("))
    with ModelServer(script(planned(modules=[module("cart", CARD)]), {"cart": broken})) as server:
        done = refactored(repo, server)
    assert done.patch.commits == () and done.refactoring.status == "partial"
    assert "does not parse" in done.refactoring.left[0].why


def test_modules_are_edited_at_the_same_time(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    both = Barrier(2, timeout=30)
    ahead = iter([True])

    def edit(path: str, old: str) -> Callable[[dict[str, Any]], Scripted]:
        def answer(_request: dict[str, Any]) -> Scripted:
            if not next(ahead, False):  # the first one warms what the others have in common
                both.wait()  # broken, and an error, where nobody else is asked meanwhile
            return edited((path, old, f"{old} "))

        return answer

    places = {"cart": (CARD, "* 2"), "report": ("shop/report.py", "):"), "web": (VIEW, "(1);")}
    plan = planned(modules=[module(name, path) for name, (path, _) in places.items()])
    with ModelServer(script(plan, {name: edit(*at) for name, at in places.items()})) as server:
        done = refactored(repo, server)
    assert not both.broken
    assert [one.module for one in done.patch.commits] == list(places)


# Messages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", ["Triple the total", "Edit it\n\nIt was asked for.", "Edit it"])
def test_a_message_without_a_reason_goes_back_once(tmp_path: Path, message: str) -> None:
    repo = make(tmp_path / "r")

    def edit(request: dict[str, Any]) -> Scripted:
        said = "Triple the total\n\nTwice is no more." if refused(request) else message
        return edited((CARD, "* 2", "* 3"), message=said)

    with ModelServer(script(planned(modules=[module("cart", CARD)]), {"cart": edit})) as server:
        done = refactored(repo, server)
    assert "a blank line, and why" in refused(server.requests[2].body)
    assert [one.message for one in done.patch.commits] == ["Triple the total\n\nTwice is no more."]


def test_a_message_that_stays_without_one_has_the_plans(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(modules=[module("cart", CARD, what="Totals are three of a kind now.")])
    edit = edited((CARD, "* 2", "* 3"), message="Triple the total")
    with ModelServer(script(plan, {"cart": edit})) as server:
        done = refactored(repo, server)
    assert len(server.requests) == 3 and done.refactoring.status == "complete"
    (commit,) = done.patch.commits
    assert commit.message == "Triple the total\n\nTotals are three of a kind now."


# Refused -----------------------------------------------------------------------------------------

CARD = "shop/cart.py"
VIEW = "web/view.ts"


def test_edits_that_do_not_fit_go_back_once(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")

    def edit(request: dict[str, Any]) -> Scripted:
        if refused(request):
            return edited((CARD, "* 2", "* 3"), message="Triple it")
        return edited((CARD, "items", "lines"), (CARD, "gross", "x"))

    plan = planned(modules=[module("cart", CARD)])
    with ModelServer(script(plan, {"cart": edit})) as server:
        done = refactored(repo, server)
    said = refused(server.requests[2].body)
    assert "stands 2 times" in said and "does not stand in" in said
    assert done.refactoring.status == "complete", done.refactoring
    assert set(after(done)) == {CARD} and "* 3" in str(after(done)[CARD])


def test_a_plan_that_does_not_fit_goes_back_and_is_never_done(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    with ModelServer(script(planned(modules=[module("m", "no/such.py")]), {})) as server:
        done = refactored(repo, server)
    assert "there is no such file" in refused(server.requests[1].body)
    assert done.patch.commits == () and done.refactoring.status == "partial"
    assert "there is no such file" in done.refactoring.left[0].why


def test_no_file_is_written_through_a_submodule(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.sha('HEAD')},other")
    repo.git("commit", "-q", "-m", "a submodule")
    plan = planned(modules=[module("a", CARD, new=("other/x.py",))])
    with ModelServer(script(plan, {})) as server:
        done = refactored(repo, server)
    assert "other is another repository" in done.refactoring.left[0].why


def test_edits_that_never_fit_are_left_out_and_said(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(modules=[module("cart", CARD), module("report", "shop/report.py")])
    edits = {
        "cart": edited((CARD, "no such text", "x")),
        "report": edited(("shop/report.py", "print(", "print(1, ")),
    }
    with ModelServer(script(plan, edits)) as server:
        done = refactored(repo, server)
    assert set(after(done)) == {"shop/report.py"}
    assert done.refactoring.status == "partial"
    assert [one.module for one in done.refactoring.left] == ["cart"]
    assert "were not taken" in done.refactoring.left[0].why


def test_who_gives_up_after_edits_that_did_not_fit_has_not_done_his_part(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")

    def edit(request: dict[str, Any]) -> Scripted:
        if "were not taken" in prompt(request):
            return tool("submit", {"left": [{"what": "cart", "why": "I cannot."}]})
        return edited((CARD, "no such text", "x"))

    plan = planned(modules=[module("cart", CARD)])
    with ModelServer(script(plan, {"cart": edit})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "partial" and done.patch.commits == ()
    assert "I cannot." in [one.why for one in done.refactoring.left]


def test_edits_that_did_not_fit_are_done_anew(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")

    def edit(request: dict[str, Any]) -> Scripted:
        if "were not taken" in prompt(request):
            return edited((CARD, "* 2", "* 3"), message="Triple it")
        return edited((CARD, "no such text", "x"))

    plan = planned(modules=[module("cart", CARD)])
    with ModelServer(script(plan, {"cart": edit})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert [one.message for one in done.patch.commits] == ["Triple it\n\nDo it."]


@pytest.mark.parametrize(
    "plan",
    [
        planned(refusal="It asks for the environment as well."),
        planned(questions=["Which of the two totals?"], modules=[module("cart", CARD)]),
    ],
)
def test_a_refusal_or_a_question_changes_nothing(plan: Answer, tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    with ModelServer(script(plan, {})) as server:
        done = refactored(repo, server)
    assert (done.refactoring.status, done.patch.commits) == ("declined", ())
    assert len(server.requests) == 1


def test_a_plan_alone_does_nothing(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    with ModelServer(script(NET, {})) as server:
        done = refactored(repo, server, plan_only=True)
    assert (done.refactoring.status, done.patch.commits) == ("planned", ())


def test_modules_stay_within_the_paths_that_were_named(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(modules=[module("cart", CARD)])
    with ModelServer(script(plan, {})) as server:
        done = refactored(repo, server, paths=("web",))
    assert '"shop/cart.py"' not in prompt(server.requests[0].body).split("instruction:")[0]
    assert "outside of the paths" in done.refactoring.left[0].why


# What a run can meet -----------------------------------------------------------------------------


def test_out_of_budget_says_what_was_left(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(modules=[module("cart", CARD), module("report", "shop/report.py")])
    with ModelServer(script(plan, {"cart": edited((CARD, "* 2", "* 3"))})) as server:
        done = refactored(repo, server, caps=Caps(calls=1))
    assert done.refactoring.stopped is StopReason.BUDGET
    assert done.refactoring.plan is None or {one.module for one in done.refactoring.left} == {
        "cart",
        "report",
    }
    assert done.refactoring.left


def test_one_module_without_an_answer_costs_only_itself(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(modules=[module("cart", CARD), module("report", "shop/report.py")])
    edits = {"cart": edited((CARD, "* 2", "* 3")), "report": Answer(stop="refusal")}
    with ModelServer(script(plan, edits)) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "partial"
    assert [one.module for one in done.patch.commits] == ["cart"]
    assert [(one.module, one.what) for one in done.refactoring.left] == [("report", "all of it")]


def test_a_refused_key_is_a_partial_result(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    with ModelServer(lambda _: error(401)) as server:
        done = refactored(repo, server)
    assert (done.refactoring.status, done.refactoring.stopped) == ("partial", StopReason.MODEL)


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    journal = MemoryJournal()
    with ModelServer(script(SPLIT, {"rounding": OUT, "cart": ROUND})) as server:
        first = refactored(repo, server, journal=journal)
        asked = len(server.requests)
        again = refactored(repo, server, journal=journal)
    assert len(server.requests) == asked
    assert again.patch == first.patch
    assert again.refactoring.cost.replayed_calls == asked


def test_many_files_are_planned_in_parts_and_the_parts_in_one(tmp_path: Path) -> None:
    body = "".join(f"def f{n}(a, b, c, d):\n    return a\n\n\n" for n in range(70))
    files = {f"p{k}/m{n}.py": body for k in range(4) for n in range(14)}
    repo = make(tmp_path / "r", files)
    seen: list[str] = []

    def answer(request: dict[str, Any]) -> Scripted:
        seen.append(prompt(request))
        if "Hand in the one plan" in seen[-1]:
            return planned(refusal="No.")
        return planned(modules=[module("m", "p0/m0.py")])

    with ModelServer(answer) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "declined"
    assert len(seen) > 3 and "Hand in the one plan" in seen[-1]


def test_no_letter_about_parts_outgrows_the_most_of_a_prompt(tmp_path: Path) -> None:
    body = "".join(f"def f{n}(a, b, c, d):\n    return a\n\n\n" for n in range(70))
    repo = make(tmp_path / "r", {f"p{k}/m{n}.py": body for k in range(4) for n in range(14)})

    def answer(request: dict[str, Any]) -> Scripted:
        asked = prompt(request)
        if "Hand in the one plan" in asked:
            return planned(modules=[module("m", "p0/m0.py")])
        files = re.findall(r'"(p\d/m\d+\.py)"', asked.split("The user's instruction")[0])
        files = list(dict.fromkeys(files))
        assert files
        return planned(
            contract="c" * 8_000,
            modules=[module(one, one, what=f"{one} " + "w" * 3_900) for one in files],
        )

    with ModelServer(answer) as server:
        done = refactored(repo, server, plan_only=True)
    (last,) = [one.body for one in server.requests if "Hand in the one" in prompt(one.body)]
    assert tokens(json.dumps(last)) < MOST_PROMPT_TOKENS
    assert done.refactoring.status == "planned", done.refactoring
    assert any(
        note.startswith("The plan was made without all of: module p0/m0.py; ")
        for note in done.refactoring.notes
    )


def test_names_that_a_patch_takes_away_are_known(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    plan = planned(
        renames=[rename("shop/prices.py", "net", "subtotal")],
        moves=[{"path": "web/money.ts", "symbol": "format", "to": "web/display.ts"}],
        modules=[module("cart", CARD, "shop/report.py", gone=(CARD,))],
    )
    edit = edited(
        ("shop/report.py", "from shop.cart import total\n", ""),
        ("shop/report.py", ", total(items)", ""),
        removed=[CARD],
        message="Drop the cart\n\nNobody needs it.",
    )
    name = "Move format to web/display.ts: what is left"
    edits = {"cart": edit, name: tool("submit", {"unneeded": "It stays."})}
    with ModelServer(script(plan, edits)) as server:
        done = refactored(repo, server)
    with open_repo(repo.path) as opened, GitTrees(opened, repo.sha("HEAD")) as trees:
        found = names_gone(done.patch, done.refactoring.plan, trees)
    assert found == ("cart", "format", "net", "total")


def test_a_function_goes_with_the_constants_that_it_alone_uses(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    text = (
        "import math\n\nBASE = 10\nSTEP = BASE * 2\nKEPT = 1\n\n\ndef helper(x):\n    return x + STEP\n"
        "\n\ndef rounded(x):\n    return math.floor(helper(x))\n\n\ndef stays():\n    return KEPT\n"
    )
    repo.write("shop/prices.py", text)
    repo.write(
        "shop/cart.py", "from shop.prices import rounded\n\n\ndef total():\n    rounded(1)\n"
    )
    repo.write("shop/report.py", "")
    repo.commit()
    moves = [
        {"path": "shop/prices.py", "symbol": name, "to": "shop/steps.py"}
        for name in ("rounded", "helper")
    ]
    with ModelServer(script(planned(moves=moves), {})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    assert len(server.requests) == 1 and len(done.patch.commits) == 1
    made = after(done)
    assert made["shop/prices.py"] == "KEPT = 1\n\n\ndef stays():\n    return KEPT\n"
    assert made["shop/steps.py"] == (
        "import math\n\nBASE = 10\n\n\nSTEP = BASE * 2\n\n\ndef helper(x):\n    return x + STEP\n"
        "\n\ndef rounded(x):\n    return math.floor(helper(x))\n"
    )
    assert str(made["shop/cart.py"]).startswith("from shop.steps import rounded\n")


@pytest.mark.parametrize(
    "other", ["X = STEP\n", "def g():\n    global STEP\n    STEP = 2\n", "STEP += 1\n"]
)
def test_a_constant_that_something_else_needs_keeps_its_user(tmp_path: Path, other: str) -> None:
    repo = make(tmp_path / "r", {"a.py": f"STEP = 1\n\n\ndef f():\n    return STEP\n\n\n{other}"})
    plan = planned(moves=[{"path": "a.py", "symbol": "f", "to": "b.py"}])
    name = "Move f to b.py: what is left"
    with ModelServer(script(plan, {name: tool("submit", {"unneeded": "It stays."})})) as server:
        done = refactored(repo, server)
    assert done.patch.commits == () and "it needs STEP" in " ".join(done.refactoring.notes)


# A plan that was made before ---------------------------------------------------------------------


def test_a_given_plan_is_carried_out_as_it_stands_and_nobody_is_asked_for_another(
    tmp_path: Path,
) -> None:
    repo = make(tmp_path / "r")
    given = Plan.model_validate(
        {
            "summary": "As it was shown.",
            "renames": [rename("shop/prices.py", "net", "subtotal")],
            "modules": [module("triple", "shop/cart.py")],
        }
    )
    triple = edited(("shop/cart.py", "* 2", "* 3"))
    with ModelServer(script(NET, {"triple": triple})) as server:
        done = refactored(repo, server, plan=given)
    assert done.refactoring.status == "complete", done.refactoring
    assert done.refactoring.plan == given
    assert not any(plans(one.body) for one in server.requests)
    assert "subtotal(items) * 3" in str(after(done)["shop/cart.py"])


@pytest.mark.parametrize(
    "changes",
    [
        {"renames": [rename("shop/prices.py", "gone", "subtotal")]},
        {"modules": [module("m", "shop/gone.py")]},
        {"modules": [module("m", new=(".github/workflows/ci.yml",))]},
        {"modules": [module("m", new=("../outside.py",))]},
        {"modules": [module("m", new=(".git/hooks/post-merge",))]},
    ],
)
def test_a_given_plan_that_does_not_fit_does_nothing(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    repo = make(tmp_path / "r")
    fits = {"modules": [module("triple", "shop/cart.py")]}
    mixed = {"modules": fits["modules"] + changes.get("modules", [])}
    given = Plan.model_validate({"summary": "As shown.", **changes, **mixed})
    with ModelServer(script(NET, {})) as server:
        done = refactored(repo, server, plan=given)
    assert server.requests == [] and done.patch.commits == ()
    assert done.refactoring.status == "partial"
    (left,) = done.refactoring.left
    assert "does not fit the repository" in left.why


# Code that is there is moved, never typed again --------------------------------------------------

LONG = "".join(
    f"\n\ndef price_{n}(items):\n    total = {n}\n    for item in items:\n"
    f"        total += item.price * {n}\n    return total\n"
    for n in range(6)
)
MOVED = module("Move it", "shop/long.py", new=("shop/tall.py",), gone=("shop/long.py",))


def test_a_file_that_is_typed_again_goes_back_and_is_renamed(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/long.py", LONG)
    repo.commit()
    retyped = {
        "removed": ["shop/long.py"],
        "new_files": [{"path": "shop/tall.py", "text": LONG.replace("price_3", "price_three")}],
    }
    renamed = {"renamed": [{"path": "shop/long.py", "to": "shop/tall.py"}]}

    def edits(request: dict[str, Any]) -> Scripted:
        told = refused(request)
        if not told:
            return edited(**retyped)
        assert 'repeat what "shop/long.py" has or had' in told and "`renamed`" in told
        return edited(("shop/long.py", "def price_3(", "def price_three("), **renamed)

    with ModelServer(script(planned(modules=[MOVED]), {"Move it": edits})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "complete", done.refactoring
    made = LONG.replace("price_3", "price_three")
    assert after(done) == {"shop/long.py": None, "shop/tall.py": made}
    assert len(server.requests) == 3


def test_a_file_that_is_typed_again_and_again_is_left_out_and_said(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("shop/long.py", LONG)
    repo.commit()
    retyped = edited(removed=["shop/long.py"], new_files=[{"path": "shop/tall.py", "text": LONG}])
    with ModelServer(script(planned(modules=[MOVED]), {"Move it": retyped})) as server:
        done = refactored(repo, server)
    assert done.refactoring.status == "partial" and after(done) == {}
    assert 'repeat what "shop/long.py" has or had' in done.refactoring.left[0].why


def test_what_nothing_can_parse_is_named_in_every_format(tmp_path: Path) -> None:
    repo = make(tmp_path / "r")
    repo.write("web/list.vue", "<template>{{ net }}</template>\n")
    repo.commit()
    parts = [module("View", "web/list.vue", "shop/cart.py")]
    said = edited(
        ("web/list.vue", "{{ net }}", "{{ sum }}"), ("shop/cart.py", "items) * 2", "items) * 3")
    )
    with ModelServer(script(planned(modules=parts), {"View": said})) as server:
        done = refactored(repo, server).refactoring
    assert done.status == "complete"
    assert [one.path for one in done.unchecked] == ["web/list.vue"]
    for text in (
        refactoring_text(done),
        json.loads(refactoring_json(done, b""))["notes"][0],
        account_markdown(done),
        stacked_body(done, 1),
    ):
        assert "Not checked: web/list.vue: no parser for it." in text.replace("\\", "")


KOTLIN = "package n\n\nfun sum(x: Int): Int = x\nfun other() = 1\n"


@pytest.mark.parametrize(
    ("old", "new", "is_told"),
    [
        ("fun sum(x: Int): Int = x\n", "", True),
        ("fun sum(x: Int)", "fun sum(x: Int, y: Int)", True),
        ("= 1\n", "= 2\n\nfun more() = 3\n", False),
    ],
)
def test_definitions_whose_users_no_detector_follows_are_named_in_every_format(
    tmp_path: Path, old: str, new: str, is_told: bool
) -> None:
    repo = make(tmp_path / "r")
    repo.write("src/A.kt", KOTLIN)
    repo.write("src/C.kt", "package m\n\nimport n.sum\n\nfun g(): Int = sum(1)\n")
    repo.commit()
    parts = [module("Sum", "src/A.kt", "shop/cart.py")]
    said = edited(("src/A.kt", old, new), ("shop/cart.py", "items) * 2", "items) * 3"))
    with ModelServer(script(planned(modules=parts), {"Sum": said})) as server:
        done = refactored(repo, server).refactoring
    assert done.status == "complete", done
    assert [(one.path, one.why) for one in done.unchecked] == (
        [("src/A.kt", "no detector follows what others use of it")] if is_told else []
    )
    for text in (
        refactoring_text(done),
        " ".join(json.loads(refactoring_json(done, b""))["notes"]),
        account_markdown(done),
        stacked_body(done, 1),
    ):
        one_line = " ".join(text.replace("\\", "").split())
        told = "Not checked: src/A.kt: no detector follows what others use of it." in one_line
        assert told == is_told


def test_keywords_of_a_field_that_the_host_does_not_rename_are_told_with_the_reason(
    tmp_path: Path,
) -> None:
    repo = make(tmp_path / "r")
    model = "from pydantic import BaseModel\n\n\nclass User(BaseModel):\n    name: str\n"
    repo.write("shop/user.py", model)
    repo.write("shop/new.py", 'from shop.user import User\n\nUSER = User(name="a")\n')
    repo.commit()
    plan = planned(renames=[rename("shop/user.py", "User.name", "title")])
    mended = edited(
        ("shop/user.py", "    name: str", "    title: str"),
        ("shop/new.py", 'User(name="a")', 'User(title="a")'),
    )
    with ModelServer(script(plan, {"Rename User.name to title: what is left": mended})) as server:
        done = refactored(repo, server)
    told = prompt(server.requests[1].body)
    assert "which is not of this tree and may have name" in told
    assert (
        "likely used here (an argument of its class, which may be the field): USER = User(" in told
    )
    assert done.refactoring.status == "complete", done.refactoring
