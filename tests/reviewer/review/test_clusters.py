"""What belongs together is read together: in the room that there is, and whatever else changes."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.change import Span
from reviewer.context.differences import Ends
from reviewer.context.values import Certainty
from reviewer.parsing.languages import STRATEGIES
from reviewer.parsing.symbols import Definition, DefKind, Extraction, Use, UseKind
from reviewer.review.arrangement import arranged
from reviewer.review.changed import EXTRACTED
from reviewer.review.clusters import Clusters, cluster
from reviewer.review.estimate import leaves
from reviewer.review.relations import MAX_USERS, Link, Relations, relations
from reviewer.review.scope import divide, size_of
from tests.examples import examples
from tests.reviewer.review.pulls import Texts, ends_of, resolver_of, spans_of
from tests.reviewer.review.values import hunk, whole

WINDOW = 500


def scopes(
    before: Texts, after: Texts, window: int = WINDOW, **others: str
) -> list[tuple[Span, ...]]:
    """Return the narrowest scopes of a change."""
    spans = spans_of(before, after)
    found = arranged(
        spans, ends_of(before, after), resolver_of(before, after, **others), window
    ).clusters
    return leaves(found.order, found.divide, window)


def paths(scope: tuple[Span, ...]) -> list[str]:
    return list(dict.fromkeys(span.path for span in scope))


def together(found: list[tuple[Span, ...]], *wanted: str) -> bool:
    return any(set(wanted) <= set(paths(scope)) for scope in found)


def filler(folder: str, suffix: str, count: int = 6) -> dict[str, str]:
    """Return files about nothing, so that a folder alone fills a window."""
    return {
        f"{folder}/{letter}{suffix}": "\n".join(f"// {letter} {n} of the filler" for n in range(30))
        for letter in "abcdefghijklmnop"[:count]
    }


LANGUAGES = {
    "python": (
        "app/core/zed.py",
        "def charge(amount):\n    return amount\n",
        "def charge(amount, rate):\n    return amount * rate\n",
        "web/views/a.py",
        "from app.core.zed import charge\n\n\ndef show():\n    return charge(1{})\n",
        {},
    ),
    "typescript": (
        "src/core/zed.ts",
        "export function charge(amount: number) { return amount }\n",
        "export function charge(amount: number, rate: number) { return amount * rate }\n",
        "ui/views/a.ts",
        'import {{ charge }} from "../../src/core/zed"\n\nexport const shown = charge(1{})\n',
        {},
    ),
    "go": (
        "core/zed.go",
        "package core\n\nfunc Charge(amount int) int { return amount }\n",
        "package core\n\nfunc Charge(amount, rate int) int { return amount * rate }\n",
        "web/views/a.go",
        'package views\n\nimport "example.org/shop/core"\n\nvar Shown = core.Charge(1{})\n',
        {"go_mod": "module example.org/shop\n"},
    ),
    "java": (
        "core/src/shop/core/Zed.java",
        "package shop.core;\n\npublic class Zed { static int charge(int a) { return a; } }\n",
        "package shop.core;\n\npublic class Zed { static int charge(int a, int b) { return a; } }\n",
        "web/src/shop/web/A.java",
        "package shop.web;\n\nimport shop.core.Zed;\n\nclass A {{ int x = Zed.charge(1{}); }}\n",
        {},
    ),
    "ruby": (
        "lib/core/zed.rb",
        "def charge_rate(amount)\n  amount\nend\n",
        "def charge_rate(amount, rate)\n  amount * rate\nend\n",
        "web/views/a.rb",
        'require_relative "../../lib/core/zed"\n\nputs charge_rate(1{})\n',
        {},
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_definition_sits_with_its_changed_caller(language: str):
    path, old, new, caller, use, others = LANGUAGES[language]
    folders = (path.rpartition("/")[0], caller.rpartition("/")[0])
    suffix = path[path.rindex(".") :]
    extra = {name: text for folder in folders for name, text in filler(folder, suffix).items()}
    extra = {name: text for name, text in extra.items() if name != caller}
    before = {path: old, caller: use.format("")}
    after = {path: new, caller: use.format(", 2"), **extra}
    found = scopes(before, after, **others)
    assert together(found, path, caller)
    by_folder = leaves(spans_of(before, after), divide, WINDOW)
    assert not together(by_folder, path, caller)
    scope = next(scope for scope in found if caller in paths(scope))
    assert paths(scope).index(path) < paths(scope).index(caller)


def test_a_module_sits_with_its_tests():
    extra = {**filler("src/shop", ".py"), **filler("tests", ".py")}
    before = {"src/shop/zed.py": "X = 1\n", "tests/test_zed.py": "def test_it():\n    pass\n"}
    after = {
        "src/shop/zed.py": "X = 2\n",
        "tests/test_zed.py": "def test_it():\n    assert True\n",
        **extra,
    }
    assert together(scopes(before, after), "src/shop/zed.py", "tests/test_zed.py")


def test_a_removed_definition_sits_with_who_no_longer_uses_it():
    before = {
        "a/core.py": "def charge_all(x):\n    return x\n",
        "z/use.py": "from a.core import charge_all\n\ncharge_all(1)\n",
    }
    after = {"z/use.py": "print(1)\n", **filler("a", ".py"), **filler("z", ".py")}
    assert together(scopes(before, after), "a/core.py", "z/use.py")


def test_a_setting_ties_the_files_that_share_it():
    before = {"a/conf.py": "import os\n", "z/deploy.yml": "environment:\n"}
    after = {
        "a/conf.py": 'import os\n\nKEY = os.environ["SHOP_API_KEY"]\n',
        "z/deploy.yml": "environment:\n  SHOP_API_KEY: secret\n",
        **filler("a", ".py"),
        **filler("z", ".yml"),
    }
    assert together(scopes(before, after), "a/conf.py", "z/deploy.yml")


def test_what_is_used_all_over_ties_nothing():
    users = {
        f"u{n:03}/use.py": f"from a.core import charge_all\n\ncharge_all({n})\n"
        for n in range(MAX_USERS + 5)
    }
    before = {"a/core.py": "def charge_all(x):\n    return x\n"}
    after = {"a/core.py": "def charge_all(x, y):\n    return x\n", **users}
    spans = spans_of(before, after)
    related = relations(spans, ends_of(before, after), (), resolver_of(before, after))
    assert related.links == ()


def test_files_of_no_known_language_are_packed_by_folder():
    after = {**filler("docs/x", ".md"), **filler("docs/y", ".md"), **filler("etc", ".conf")}
    found = scopes({}, after)
    for scope in found:
        assert size_of(scope) <= WINDOW
    order = [path for scope in found for path in paths(scope)]
    assert [path for path in order if path.startswith("docs/")] == sorted(
        path for path in after if path.startswith("docs/")
    )


def test_files_in_a_circle_are_in_the_order_of_their_names():
    text = "from {other} import {name}\n\n\ndef {own}(x):\n    return {name}(x)\n"
    after = {
        "b.py": text.format(other="a", name="first_one", own="second_one"),
        "a.py": text.format(other="b", name="second_one", own="first_one"),
    }
    assert [paths(scope) for scope in scopes({}, after)] == [["a.py", "b.py"]]


def test_what_comes_back_of_a_scope_without_clusters_is_divided_by_folder():
    spans = spans_of({}, {**filler("x", ".md"), **filler("y", ".md")})
    assert Clusters().divide(spans, WINDOW) == divide(spans, WINDOW)


def test_the_languages_that_are_read_are_those_that_have_a_strategy():
    assert STRATEGIES.keys() == EXTRACTED


# Properties ---------------------------------------------------------------------------------------


def made(count: int, seed: int = 0, files: int = 12) -> tuple[Span, ...]:
    """Return spans of several sizes in several files, in order."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        path = f"{'abc'[number * 3 // count]}/{number * files // count:03}.py"
        body = "\n".join(f"+line {number} {row}" for row in range(rng.randint(1, 15)))
        found.append(whole(hunk(path, body, 100 * number + 1, 100 * number + 1)))
    return tuple(found)


LINKS = st.lists(
    st.builds(
        Link,
        st.integers(0, 39),
        st.integers(0, 39),
        st.sampled_from([0.5, 1.0, 2.5, 4.0]),
        st.just(Certainty.EXACT),
        st.booleans(),
    ).filter(lambda link: link.definer != link.user),
    max_size=80,
)


@settings(deadline=None, max_examples=examples(100))
@given(LINKS, st.integers(0, 5))
def test_clusters_are_disjoint_complete_and_fit(links: list[Link], seed: int):
    spans = made(40, seed)
    found = cluster(spans, Relations(tuple(links)), WINDOW)
    assert sorted(span.id for span in found.order) == sorted(span.id for span in spans)
    parts = leaves(found.order, found.divide, WINDOW)
    assert [span for part in parts for span in part] == list(found.order)
    for part in parts:
        assert size_of(part) <= WINDOW or len(part) == 1
        shown = [span.path for span in part]
        assert len(paths(part)) == sum(
            one != other for one, other in zip(shown, [None, *shown], strict=False)
        )  # a file is shown once


@settings(deadline=None, max_examples=examples(50))
@given(LINKS, st.randoms(use_true_random=False))
def test_no_order_makes_a_difference(links: list[Link], rng: random.Random):
    spans = made(40)
    shuffled = list(links)
    rng.shuffle(shuffled)
    one = cluster(spans, Relations(tuple(links)), WINDOW)
    other = cluster(spans, Relations(tuple(shuffled)), WINDOW)
    assert one.order == other.order
    assert one.places == other.places


NAMES = ("alpha_one", "beta_two", "gamma_three", "delta_four", "Epsilon")
FILES = st.dictionaries(
    st.sampled_from([f"{folder}/{name}.py" for folder in "abc" for name in NAMES]),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=4),
    min_size=2,
    max_size=10,
)


def module(pairs: list[tuple[str, str]]) -> str:
    return "".join(
        f"from b.{used} import {used}\n\n\ndef {name}(x):\n    return {used}(x)\n\n\n"
        for name, used in pairs
    )


@settings(deadline=None, max_examples=examples(40))
@given(FILES, FILES, st.randoms(use_true_random=False))
def test_a_change_is_arranged_the_same_in_whatever_order_it_comes(
    old: dict[str, list[tuple[str, str]]],
    new: dict[str, list[tuple[str, str]]],
    rng: random.Random,
):
    before = {path: module(pairs) for path, pairs in old.items()}
    after = {path: module(pairs) for path, pairs in new.items()}
    spans, ends = list(spans_of(before, after)), list(ends_of(before, after))
    resolving = resolver_of(before, after)
    first = arranged(spans, ends, resolving, 150)
    rng.shuffle(spans)
    rng.shuffle(ends)
    assert arranged(spans, ends, resolving, 150) == first
    assert {span.id for span in first.clusters.order} == {span.id for span in spans}


def test_an_edit_leaves_the_scopes_that_it_does_not_touch():
    """Of folders that have nothing to do with each other, an edit in one moves none of the rest."""

    def folder(name: str) -> dict[str, str]:
        use = f"from {name}.core import charge_{name}\n\n\ndef show_{name}{{0}}(x):\n"
        return {
            f"{name}/core.py": f"def charge_{name}(x):\n    return x\n" * 4,
            **{
                f"{name}/use{n}.py": use.format(n) + f"    return charge_{name}({n})\n" * 12
                for n in range(5)
            },
        }

    after = {path: text for name in "abcdefgh" for path, text in folder(name).items()}
    edited = {**after, "d/use2.py": after["d/use2.py"] + "print(1)\n" * 8}
    first = {tuple(s.id for s in scope) for scope in scopes({}, after)}
    second = {tuple(s.id for s in scope) for scope in scopes({}, edited)}
    assert len(first) > 12
    assert len(second - first) <= 4


def test_a_tree_far_larger_than_a_window_is_narrow_and_keeps_ties_near():
    spans = made(3_000, files=600)
    pairs = [(n, n + 1_500) for n in range(0, 1_500, 10)]
    links = tuple(Link(one, other, 4.0, Certainty.EXACT, True) for one, other in pairs)
    found = cluster(spans, Relations(links), WINDOW)
    todo, widest, depth = [(found.order, 0)], 0, 0
    while todo:
        scope, level = todo.pop()
        if size_of(scope) <= WINDOW:
            continue
        parts = found.divide(scope, WINDOW)
        widest, depth = max(widest, len(parts)), max(depth, level)
        if len(parts) > 1:
            todo += [(part, level + 1) for part in parts]
    assert widest <= 40
    assert depth <= 5
    of = {s.id: n for n, part in enumerate(leaves(found.order, found.divide, WINDOW)) for s in part}
    assert sum(of[spans[a].id] == of[spans[b].id] for a, b in pairs) > 0.9 * len(pairs)


# Hostile input -------------------------------------------------------------------------------------


def test_one_name_used_and_defined_everywhere_costs_no_more_than_its_lines():
    count = 3_000
    spans, ends = [], []
    for number in range(count):
        path = f"d/{number}.py"
        one = hunk(path, "+def everywhere(x):\n+    return everywhere(everywhere)\n")
        spans.append(whole(one))
        what = Extraction(
            (Definition("everywhere", DefKind.FUNCTION, "", 1, 2, "def everywhere(x)"),),
            tuple(Use("everywhere", UseKind.CALL, 2, n) for n in range(20)),
        )
        ends.append(Ends(None, path, None, what))
    began = time.process_time()
    found = arranged(spans, ends, None, WINDOW)
    assert time.process_time() - began < 10
    assert len(found.clusters.order) == count


def test_odd_paths_and_deep_names():
    deep = (
        "class A:\n"
        + "".join(f"{' ' * n}class A:\n" for n in range(1, 150))
        + " " * 150
        + "x = 1\n"
    )
    after = {"caf\udce9/a\nb.py": deep, "-x.py": deep, "x.go": "package \x00 nothing {{{"}
    found = scopes({}, after)
    assert sorted(path for scope in found for path in paths(scope)) == sorted(after)


def test_all_tied_to_all():
    spans = made(400)
    ties = {(one, other): 1.0 for one in range(400) for other in range(one + 1, 400)}
    began = time.process_time()
    found = cluster(spans, Relations((), ties), WINDOW)
    assert time.process_time() - began < 10
    assert len(found.order) == 400
