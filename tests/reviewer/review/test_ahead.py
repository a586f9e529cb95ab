"""What a finder is told beside its hunks: who uses what they change, and the code around them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from reviewer.change import Change, Span, Status
from reviewer.context.provider import Provider
from reviewer.request import Effort
from reviewer.review.ahead import INTRO, LEAST_BYTES, MOST_BYTES, NAMES, USES
from reviewer.review.arrangement import arranged
from reviewer.review.docstrings import documented
from reviewer.review.finder import Finder
from reviewer.review.functions import Code
from reviewer.review.scope import BYTES_A_TOKEN, FindScope
from reviewer.rlm.run import WINDOW_TOKENS
from tests.model_server import ModelServer
from tests.reviewer.context.memory import MemoryObjects
from tests.reviewer.review.pulls import Texts, ends_of, resolver_of, spans_of
from tests.reviewer.review.test_job import prompt, repo, reviewed, submit
from tests.reviewer.review.values import change, changed

__all__ = ["repo"]  # the fixture

WINDOW = int(WINDOW_TOKENS * BYTES_A_TOKEN)
STEPS = "".join(f"    step_{n}(items)\n" for n in range(1, 9))
CART = f"def total(items):\n    seen = set()\n{STEPS}    return sum(items)\n\n\ndef size(items):\n    return 1\n"
OTHERS = {
    "shop/report.py": "from shop.cart import total\n\n\ndef show(items):\n    print(total(items))\n",
    "shop/till.py": "from shop.cart import size, total\n\n\ndef pay(items):\n    return total(items)\n",
}
RATED = CART.replace("total(items):", "total(items, rate):", 1).replace(
    "sum(items)", "sum(items) * rate"
)


def told(
    before: Texts, after: Texts, *, of: str = "", others: Texts = OTHERS, lens: str = "correctness"
) -> str:
    """Return what the finder of a change's spans (in the file `of`) is told beside them."""
    with finder(before, after, others) as (task, spans):
        scope = FindScope(tuple(s for s in spans if s.path == of or not of), lens)
        content = task.content(scope)
    assert len(content.encode()) <= WINDOW + LEAST_BYTES
    _, found, rest = content.partition(INTRO)
    return found + rest


@contextmanager
def finder(
    before: Texts, after: Texts, others: Texts = OTHERS
) -> Iterator[tuple[Finder, tuple[Span, ...]]]:
    objects = MemoryObjects({**others, **after}, {**others, **before})
    spans = spans_of(before, after)
    found = arranged(
        spans, ends_of(before, after), resolver_of({**others, **before}, after), WINDOW_TOKENS
    )
    with Provider(objects) as provider:
        yield (
            Finder(
                _change(before, after, spans),
                objects,
                [],
                code=Code(provider),
                borders=found.borders,
                nearby=found.nearby,
            ),
            spans,
        )


def _change(before: Texts, after: Texts, spans: tuple[Span, ...]) -> Change:
    files = []
    for path in sorted({span.path for span in spans}):
        file = changed(path, *(span.hunk for span in spans if span.path == path))
        if path not in after:
            file = replace(file, new_path=None, status=Status.DELETED)
        elif path not in before:
            file = replace(file, old_path=None, status=Status.ADDED)
        files.append(file)
    return change(*files)


# Who uses what is changed ------------------------------------------------------------------------


def test_a_changed_signature_comes_with_its_users_and_their_lines():
    text = told({"shop/cart.py": CART}, {"shop/cart.py": RATED})
    assert '- "shop/cart.py" function total: parameter added: (nothing) -> rate' in text
    assert '  "shop/report.py":5 in show (call): print(total(items))\n' in text
    assert '  "shop/till.py":5 in pay (call): return total(items)\n' in text
    assert "function size" not in text, "it does not change"


def test_what_callers_must_follow_comes_before_what_they_need_not():
    after = RATED.replace("return 1", "return len(items)").replace(
        "def total", "X = 1\n\n\ndef total"
    )
    swapped = after[after.index("def size") :] + "\n\n" + after[: after.index("def size")]
    before = CART[CART.index("def size") :] + "\n\n" + CART[: CART.index("def size")]
    others = {"a.py": "from shop.cart import size\n\n\ndef f():\n    return size([])\n", **OTHERS}
    text = told({"shop/cart.py": before}, {"shop/cart.py": swapped}, others=others)
    assert text.index("function total: parameter added") < text.index("size: its body changes")
    assert '  "a.py":5 in f (call): return size([])\n' in text


def test_what_is_gone_comes_with_who_still_uses_it():
    before = {"shop/cart.py": CART, "shop/till.py": OTHERS["shop/till.py"]}
    after = {
        "shop/cart.py": CART[CART.index("def size") :],
        "shop/till.py": OTHERS["shop/till.py"].replace("total(items)", "size(items)"),
    }
    text = told(before, after, of="shop/cart.py")
    assert "function total: removed" in text
    assert '  "shop/report.py":5 in show (call): print(total(items))\n' in text
    assert "in pay" not in text, "its line is gone"


def test_that_nobody_uses_it_is_said_too():
    text = told({"shop/cart.py": CART}, {"shop/cart.py": RATED}, others={})
    assert "-> rate (both, required); no sure use elsewhere\n" in text


def test_users_are_counted_where_they_are_cut():
    uses = "".join(f"def f{n}():\n    return total({n})\n\n\n" for n in range(40))
    others = {"shop/many.py": f"from shop.cart import total\n\n\n{uses}"}
    text = told({"shop/cart.py": CART}, {"shop/cart.py": RATED}, others=others)
    assert text.count('"shop/many.py":') == USES
    assert f"  … {40 - USES} more\n" in text


def test_users_in_source_come_before_those_in_tests():
    before = "class Cart:\n    def add(self, item):\n        return [item]\n"
    others = {
        "shop/test_cart.py": "from shop.cart import Cart\n\n\nclass Fake(Cart):\n"
        "    def twice(self):\n        self.add(2)\n",
        "shop/till.py": "from shop.cart import Cart\n\n\ndef pay(cart):\n    cart.add(1)\n",
    }
    after = before.replace("item):", "item, n):")
    text = told({"shop/cart.py": before}, {"shop/cart.py": after}, others=others)
    assert text.index('"shop/till.py":5 in pay (call, likely)') < text.index(
        '"shop/test_cart.py":6'
    )


def test_a_line_that_uses_several_names_is_told_once():
    others = {
        "shop/till.py": "from shop.cart import size, total\n\n\ndef pay(items):\n"
        "    return total(items) / size(items)\n\n\ndef count(items):\n    return size(items)\n"
    }
    after = RATED.replace("def size(items):", "def size(items, unit):")
    text = told({"shop/cart.py": CART}, {"shop/cart.py": after}, others=others)
    assert text.count("total(items) / size(items)") == 1
    assert '"shop/till.py":5 in pay (call; size, too): return total(items) / size(items)\n' in text
    assert '"shop/till.py":9 in count (call): return size(items)\n' in text


def test_names_of_which_the_same_is_told_stand_in_one_line():
    defs = "".join(f"def name_{n}(a):\n    return {n}\n\n\n" for n in range(3))
    text = told({"defs.py": defs}, {"defs.py": defs.replace("(a)", "(a, b)")}, others={})
    assert '- "defs.py" function name_0, name_1, name_2: parameter added: (nothing) -> b' in text
    assert text.count("parameter added") == 1


def test_what_is_told_where_not_all_uses_can_be_is_what_a_reader_has_not_seen():
    inside = "".join(f"\n\ndef in_{n}():\n    return total({n})\n" for n in range(9))
    many = "".join(f"\n\ndef many_{n}():\n    return total({n})\n" for n in range(9))
    head = "from shop.cart import total\n"
    others = {
        "shop/many.py": head + many,
        "shop/test_cart.py": head + many,
        "zoo.py": f"{head}\n\ndef feed():\n    return total([])\n",
    }
    text = told({"shop/cart.py": CART + inside}, {"shop/cart.py": RATED + inside}, others=others)
    users = [line for line in text.split("\n") if line.startswith("  ")]
    assert users[0].startswith('  "shop/many.py":5 in many_0')
    assert users[1].startswith('  "zoo.py":5 in feed')
    assert not any("shop/cart.py" in line or "test_cart" in line for line in users[:USES])
    assert users[USES] == "  … 20 more"


def test_what_code_relies_on_comes_before_what_tests_alone_use():
    before = "def first():\n    return 1\n\n\ndef second():\n    return 1\n"
    others = {
        "a.py": "from shop.till import second\n\n\ndef go():\n    return second()\n",
        "test_a.py": "from shop.till import first\n\n\ndef test_it():\n    assert first()\n"
        "    assert first() == 1\n",
    }
    after = before.replace("return 1", "return 2")
    text = told({"shop/till.py": before}, {"shop/till.py": after}, others=others)
    assert text.index("function second: its body") < text.index("function first: its body")
    assert "in test_it (call): assert first()\n  … 1 more\n" in text


def test_a_name_that_its_own_code_alone_uses_has_no_users():
    before = "def down(n):\n    log()\n" + STEPS + "    return down(n - 1)\n"
    after = before.replace("log()", "log(n)")
    assert "(call)" not in told({"a.py": before}, {"a.py": after}, others={})


def test_the_body_of_a_constructor_lists_no_users_of_its_class():
    before = "class Till:\n    def __init__(self, open):\n        print(open)\n"
    others = {"shop/front.py": "from shop.till import Till\n\n\ndef go():\n    return Till(1)\n"}
    after = before.replace("print(open)", "print(bool(open))")
    assert "Till(1)" not in told({"shop/till.py": before}, {"shop/till.py": after}, others=others)
    after = before.replace("(self, open)", "(self, open, key)")
    text = told({"shop/till.py": before}, {"shop/till.py": after}, others=others)
    assert "in go (call): return Till(1)" in text


def test_the_user_in_another_part_is_told_what_changes():
    before = {"shop/cart.py": CART, "shop/till.py": OTHERS["shop/till.py"]}
    after = {
        "shop/cart.py": RATED,
        "shop/till.py": OTHERS["shop/till.py"].replace("return total", "return 2 * total"),
    }
    text = told(before, after, of="shop/till.py", lens="contracts")
    assert '- "shop/cart.py" function total: parameter added: (nothing) -> rate' in text
    assert "What other hunks of the change do" in text


# Who assigns the fields that are used ------------------------------------------------------------

JOB = (
    "class Job:\n    def __init__(self, name):\n        self.state = 'new'\n        self.name = name\n\n"
    f"    def run(self, items):\n{STEPS.replace('    step', '        step')}        self.name = 'run'\n\n"
    "    def end(self, items):\n        return items\n"
)


def test_who_sets_a_field_that_added_lines_read_is_told():
    others = {
        "till.py": "from job import Job\n\n\ndef halt(job: Job):\n    job.state = 'late'\n"
        "    print(job.state)\n",
        "box.py": "def other(box):\n    box.state = 1\n",
        "test_job.py": "from job import Job\n\n\ndef test_it():\n    job = Job()\n    job.state = 'x'\n",
    }
    after = JOB.replace("return items\n", "return self.state\n")
    text = told({"job.py": JOB}, {"job.py": after}, others=others)
    assert "lines of these hunks use are assigned outside of them:\n" in text
    assert '- "job.py" field Job.state: is set\n' in text
    assert "in Job (write): self.state = 'new'\n" in text
    assert """  "till.py":5 in halt (write, likely): job.state = 'late'\n""" in text
    assert "print(job.state)" not in text and "box.state" not in text and "'x'" not in text
    assert "field Job.name" not in text, "no added line uses it"


def test_a_field_of_go_is_set_in_another_file_in_a_literal_and_by_a_step():
    before = "package shop\n\nfunc (b *Box[T]) Last() int {\n\treturn 0\n}\n"
    others = {
        "shop/box.go": "package shop\n\ntype Box[T any] struct {\n\tRow int\n}\n\n"
        "func (b *Box[T]) Next() int {\n\tb.Row++\n\tif b.Row == 3 {\n\t\treturn 1\n\t}\n"
        "\treturn 2\n}\n\nfunc New() *Box[int] {\n\treturn &Box[int]{\n\t\tRow: 7,\n\t}\n}\n",
        "shop/tin.go": "package shop\n\ntype Tin struct{ Row int }\n\n"
        "func Other() Tin {\n\treturn Tin{Row: 9}\n}\n",
    }
    after = before.replace("return 0", "return b.Row")
    text = told({"shop/last.go": before}, {"shop/last.go": after}, others=others)
    assert '- "shop/box.go" field Box.Row: is set\n' in text
    assert '  "shop/box.go":8 in Box.Next (attribute, likely): b.Row++\n' in text
    assert '  "shop/box.go":17 in New (keyword): Row: 7,\n' in text
    assert "b.Row == 3" not in text and "Row: 9" not in text


def test_a_field_of_an_unknown_receiver_is_not_told():
    after = JOB.replace("return items\n", "return items.state\n")
    assert "are assigned" not in told({"job.py": JOB}, {"job.py": after}, others={})


# Who lists the siblings of a new member of an enum -----------------------------------------------


def test_who_lists_the_members_of_an_enum_is_told_where_one_is_new():
    before = "import enum\n\n\nclass State(enum.Enum):\n    NEW = 1\n    PAID = 2\n    SENT = 3\n"
    head = "from state import State\n\n\n"
    others = {
        "till.py": f"{head}def show(state):\n    if state is State.PAID:\n        return 'paid'\n"
        "    return {State.NEW: 'new', State.SENT: 'sent'}[state]\n\n\n"
        "def pay(order):\n    order.state = State.PAID\n",
        "knows.py": f"{head}ALL = [State.NEW, State.PAID, State.SENT]\n\n\n"
        "def all():\n    return State.NEW, State.PAID, State.LATE\n",
        "test_it.py": f"{head}def test_it():\n    assert State.NEW != State.PAID\n",
    }
    after = before + "    LATE = 4\n    LOST = 5\n"
    text = told({"state.py": before}, {"state.py": after}, others=others)
    assert '- "state.py" member State.LATE: added\n' in text and "State.LOST" not in text
    assert '  "till.py":5 in show (attribute): if state is State.PAID:\n' in text
    assert '  "knows.py":4 (attribute): ALL = ' in text
    listed = text[text.index("Where code lists") :].split("\n\n")[0]
    assert "in pay" not in listed and "in all" not in listed and "test_it" not in listed


def test_the_constants_of_a_block_of_go_are_listed_by_a_switch():
    before = "package shop\n\ntype State int\n\nconst (\n\tNew State = iota\n\tPaid\n)\n"
    others = {
        "shop/show.go": "package shop\n\nfunc Show(s State) string {\n\tswitch s {\n"
        '\tcase New:\n\t\treturn "new"\n\tcase Paid:\n\t\treturn "paid"\n\t}\n\treturn ""\n}\n'
    }
    after = before.replace("\tPaid\n", "\tPaid\n\tLate\n")
    text = told({"shop/state.go": before}, {"shop/state.go": after}, others=others)
    assert (
        '- "shop/state.go" member Late: added\n  "shop/show.go":5 in Show (read): case New:' in text
    )


def test_a_constant_of_a_class_that_is_no_enum_has_no_siblings():
    before = "class Limits:\n    LEAST = 1\n    MOST = 2\n"
    others = {"a.py": "from limits import Limits\n\nprint(Limits.LEAST, Limits.MOST)\n"}
    after = before + "    MEAN = 3\n"
    assert "Where code lists" not in told(
        {"limits.py": before}, {"limits.py": after}, others=others
    )


# What is called ----------------------------------------------------------------------------------

TAX = {
    "shop/tax.py": "def rate(country):\n    return RATES[country]\n\n\n"
    'def levy(items):\n    """Return the tax; raise Unknown for a country that is not ours.\n'
    '    """\n' + "    check(items)\n" * 12 + "    return 1\n\n\n"
    "class Duty:\n    def of(self, item):\n        return item\n",
}
ASKS = (
    "from shop import tax\nfrom shop.tax import levy\n\n\ndef pay(items, duty):\n    return items\n"
)


def test_what_added_lines_call_elsewhere_is_shown_where_it_is_sure():
    after = ASKS.replace("return items", "return levy(items) + tax.rate('x') + duty.of(1)")
    text = told({"shop/till.py": ASKS}, {"shop/till.py": after}, others=TAX)
    short = '--- called: function rate in "shop/tax.py"\n def rate(country):\n     return RATES[country]\n'
    assert short in text
    first = " def levy(items)\n" + " " * 5 + '"""Return the tax; raise Unknown for a country'
    assert f'--- called: function levy in "shop/tax.py"\n{first}' in text
    assert "check(items)" not in text, "it is long"
    assert "called: method of" not in text, "whose method it is, is not known"


def test_what_the_change_itself_changes_is_not_shown_as_called():
    before = {"shop/till.py": ASKS, **TAX}
    after = {
        "shop/till.py": ASKS.replace("return items", "return levy(items) + tax.rate('x')"),
        "shop/tax.py": TAX["shop/tax.py"].replace("RATES[country]", "RATES.get(country)"),
    }
    text = told(before, after, of="shop/till.py")
    assert "--- called: function levy" in text
    assert "--- called: function rate" not in text


def test_what_is_called_through_what_a_receiver_is_of_is_shown():
    others = {
        "shop/app.py": "class App:\n    def flush(self):\n        return KEPT.clear()\n",
        "shop/box.py": "class Box:\n    def flush(self):\n        return 1\n",
    }
    before = (
        "import typing as t\n\nif t.TYPE_CHECKING:\n    from shop.app import App\n\n\n"
        f"class Till:\n    def count(self):\n        return len(self.rows)\n\n{STEPS}\n\n"
        '    def end(self, app: "App", box):\n        return 1\n'
    )
    after = before.replace("return 1", "return self.count(), app.flush(), box.flush()")
    text = told({"shop/till.py": before}, {"shop/till.py": after}, others=others)
    flush = '--- called: method App.flush in "shop/app.py", likely\n     def flush(self):\n'
    assert f"{flush}         return KEPT.clear()\n" in text
    assert '--- called: method Till.count in "shop/till.py"\n     def count(self):\n' in text
    assert "Box.flush" not in text, "what box is, is not known"


def test_what_is_called_within_a_package_of_go_is_shown_with_its_comment():
    others = {
        "shop/tax.go": "package shop\n\n// rate is per cent.\n// It may be zero.\n"
        "func rate(n int) int {\n\treturn n * 100\n}\n\n// Find may return nil.\n"
        "func (d *DB) Find() *Row {\n"
        + "\tstep()\n" * 20
        + "\treturn nil\n}\n\ntype DB struct{}\n",
        "far/tax.go": "package far\n\nfunc rate(n int) int {\n\treturn n\n}\n",
    }
    before = "package shop\n\nfunc Pay(db *DB) int {\n\treturn 1\n}\n"
    after = before.replace("return 1", "return rate(db.Find().N)")
    text = told({"shop/pay.go": before}, {"shop/pay.go": after}, others=others)
    assert '--- called: function rate in "shop/tax.go"\n // rate is per cent.\n func rate(' in text
    assert " \treturn n * 100\n }\n" in text and "far/tax.go" not in text
    find = '--- called: method DB.Find in "shop/tax.go", likely\n // Find may return nil.\n func (d'
    assert find in text and "step()" not in text


def test_what_the_hunks_show_whole_is_not_shown_as_called():
    before = "def first(): return 1\n\ndef second():\n    return 2\n"
    after = before.replace("return 2", "return first()")
    assert "called:" not in told({"a.py": before}, {"a.py": after}, others={})


# The code around ---------------------------------------------------------------------------------


def test_the_function_around_a_hunk_is_shown_without_the_lines_of_the_hunk():
    after = CART.replace("return sum(items)", "return sum(items) + 1")
    text = told({"shop/cart.py": CART}, {"shop/cart.py": after})
    code = text[text.index("--- around ") :]
    assert ": function total\n def total(items):\n     seen = set()\n" in code
    assert "     step_5(items)\n" in code
    assert "step_7" not in code and "sum(items)" not in code, "the hunk has it"
    assert code.endswith("…\n")


def test_a_function_that_its_hunk_has_whole_is_not_shown_again():
    after = CART.replace("return 1", "return 2")
    assert "--- around" not in told({"shop/cart.py": CART}, {"shop/cart.py": after})


def test_of_a_long_function_what_is_near_the_hunk_is_shown():
    body = "".join(f"    line_{n:04}()\n" for n in range(3_000))
    before = f"def long():\n    '''It is long.'''\n{body}"
    text = told({"a.py": before}, {"a.py": before.replace("line_1500()", "other()")})
    code = text[text.index("--- around ") :].split("\n")
    assert code[1] == " def long():"
    assert " " * 5 + "line_1496()" in code and " " * 5 + "line_1504()" in code
    assert " " * 5 + "line_1400()" not in code


def test_what_a_class_is_stands_above_the_method_around_a_hunk():
    other = "".join(f"\n    def other_{n}(self):\n        return {n}\n" for n in range(9))
    steps = STEPS.replace("    step", "        step")
    before = (
        f'class Shelf(Board):\n    """A shelf keeps books.\n\n    For long.\n    """\n{other}\n'
        f"    def find(self, items):\n{steps}        return 1\n\n"
        f"    def last(self, items):\n{steps}        return 1\n"
    )
    after = before.replace("return 1\n", "return 7\n")
    text = told({"a.py": before}, {"a.py": after}, others={})
    shelf = (
        ': method Shelf.find\n class Shelf(Board):\n     """A shelf keeps books.\n…\n     def find('
    )
    assert shelf in text
    assert text.count("class Shelf") == 1 and "For long" not in text and "other_1" not in text


def test_what_a_type_of_go_is_stands_above_its_method():
    before = (
        "package shop\n\n// Box holds rows.\n// It is small.\ntype Box struct {\n\tRow int\n}\n\n"
        "func (b *Box) Last(items int) int {\n" + "\tstep(items)\n" * 9 + "\treturn 0\n}\n"
    )
    text = told({"a.go": before}, {"a.go": before.replace("return 0", "return 1")}, others={})
    box = "method Box.Last\n // Box holds rows.\n…\n type Box struct {\n…\n func (b *Box) Last("
    assert box in text


def test_of_a_test_less_is_shown_around_a_hunk():
    body = "".join(f"    line_{n:04}()\n" for n in range(40))
    before = f"def test_long():\n{body}"
    after = {"test_a.py": before.replace("line_0020()", "other()")}
    text = told({"test_a.py": before}, after, others={})
    assert "line_0012()" in text and "line_0005()" not in text
    after = {"a.py": before.replace("line_0020()", "other()")}
    assert "line_0005()" in told({"a.py": before}, after, others={})


def test_a_docstring_takes_no_room_and_a_string_that_is_used_does():
    doc = "".join(f"    It is so in case {n}.\n" for n in range(9))
    before = (
        f'class Shelf:\n    """A shelf.\n\n{doc}    """\n\n'
        f'    def find(\n        self, word="a:"\n    ) -> "Row":\n        """Find.\n\n{doc}        """\n'
        '        query = """\n            SELECT kept\n        """\n        row = self.run(query)\n'
        "        log(word)\n        tell(word)\n        end(word)\n        return row.first\n\n"
        f'    def one(self):\n        r"""One.\n\n{doc}        """\n        return 1\n'
    )
    after = before.replace("row.first", "row.last").replace("return 1", "return 2")
    text = told({"a.py": before}, {"a.py": after}, others={})
    code = text[text.index("--- around ") :]
    assert "SELECT kept" in code and "row = self.run(query)" in code and "def find(" in code
    assert "It is so" not in text and "Find." not in text
    assert "Shelf.one" not in text, "of it only documentation is not in the hunk"


def test_a_docstring_that_never_ends_hides_one_line():
    before = 'def f():\n    """Never\n' + "".join(f"    step_{n}()\n" for n in range(12))
    assert documented("a.py", before.split("\n")) == {2}
    assert documented("a.go", before.split("\n")) == frozenset()


# Bounds and what is hostile ----------------------------------------------------------------------


def test_what_is_told_is_bounded_whatever_the_code_is():
    wide = "é" * 300
    defs = "".join(
        f"def name_{n}(a):\n"
        + "".join(f"    step('{wide}', {n}, {step})\n" for step in range(12))
        + f"    return {n}\n\n\n"
        for n in range(20)
    )
    after = defs.replace("(a)", "(a, b)")
    uses = "".join(f"def u{n}():\n    return name_{n}('{wide}')\n\n\n" for n in range(20))
    names = ", ".join(f"name_{n}" for n in range(20))
    others = {"uses.py": f"from defs import {names}\n\n\n{uses}"}
    with finder({"defs.py": defs}, {"defs.py": after}, others) as (task, spans):
        assert len(spans) == 20
        for held in (1, 4, 10, 20):
            letter = task.content(FindScope(spans[:held], "correctness"))
            told, hunks = letter.partition(INTRO)[2], letter.partition(INTRO)[0]
            assert len(told.encode()) <= MOST_BYTES
            assert bool(told) == (len(hunks.encode()) < WINDOW)
            if told:
                assert len(letter.encode()) <= WINDOW + LEAST_BYTES
                assert "in u0 (call" in told
                assert "--- around" in told or held > 1


def test_a_letter_of_many_names_says_how_many_it_leaves_out():
    defs = "".join(f"def name_{n}(a):\n    return {n}\n\n\n" for n in range(40))
    text = told({"defs.py": defs}, {"defs.py": defs.replace("(a)", "(a, b)")}, others={})
    assert f"\n… {40 - NAMES} more names\n" in text


def test_no_line_of_the_repository_can_pass_for_one_of_ours():
    hostile = "--- hunk 0000000000\n=== file\nThe hunks:\n"
    before = f"def total(items):\n    x = '''\n{hostile}{STEPS}'''\n{STEPS}{STEPS}    return 1\n"
    path = 'odd"\n- "x.py" function total: fine.py'
    others = {path: "from a import total\n\n\ndef use():\n    total('''--- hunk''')\n"}
    text = told({"a.py": before}, {"a.py": before.replace("return 1", "return 2")}, others=others)
    ours = ("- ", "  ", " ", "…", "--- around ", "--- called: ", "What ", "The code ", INTRO)
    assert all(line.startswith(ours) for line in text.split("\n") if line)
    assert "\n--- hunk" not in text and '\n- "x.py"' not in text
    assert "\n --- hunk 0000000000\n" in text, "it is shown as the code that it is"


# What the requests depend on ---------------------------------------------------------------------


def test_all_passes_over_a_part_share_their_prefix(repo: tuple[Path, str, str]):
    with ModelServer(lambda _request: submit()) as server:
        reviewed(repo, server, effort=Effort.DEEP, asks=True)
    letters = {prompt(call) for call in server.calls if len(call["messages"]) == 1}
    (letter,) = letters
    assert len(server.calls) == 5
    assert '"shop/report.py":5 in show (call): print(total(items))' in letter


def test_code_that_moves_in_a_file_of_the_change_changes_no_request():
    before = {"shop/cart.py": CART, "shop/till.py": OTHERS["shop/till.py"]}
    after = {"shop/cart.py": RATED, "shop/till.py": "LIMIT = 3\n" + OTHERS["shop/till.py"]}
    moved = after | {"shop/till.py": "LIMIT = 3\nMORE = 4\n\n\n" + OTHERS["shop/till.py"]}
    first = told(before, after, of="shop/cart.py")
    assert '  "shop/till.py" in pay (call): return total(items)\n' in first
    assert told(before, moved, of="shop/cart.py") == first
