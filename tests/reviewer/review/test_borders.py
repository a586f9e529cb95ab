"""What a change does to what others rely on, told from its lines and its two states."""

import dataclasses
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.context.differences import differences
from reviewer.review.borders import Border, borders, described, shared_keys
from reviewer.review.keys import keys_in, raised_in, words_in
from tests.examples import examples
from tests.reviewer.review.pulls import Texts, ends_of, spans_of


def found(before: Texts, after: Texts) -> tuple[Border, ...]:
    ends = ends_of(before, after)
    return borders(spans_of(before, after), ends, differences(ends))


def told(path: str, before: str, after: str) -> list[tuple[str, str, str, str, str]]:
    return [
        (each.symbol, each.kind, each.what, each.before, each.after)
        for each in found({path: before}, {path: after})
    ]


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        (
            "a.py",
            "def f(a): pass\n",
            "def f(a, b): pass\n",
            [("f", "function", "parameter added", "", "b (both, required)")],
        ),
        (
            "a.py",
            "def f(a) -> int: pass\n",
            "def f(a) -> str: pass\n",
            [("f", "function", "returns", "->int", "->str")],
        ),
        (
            "a.py",
            "class A:\n    name: str\n    size: int\n",
            "class A:\n    name: str = ''\n    length: int\n",
            [
                ("A.length", "field", "added", "", "a.py: A.length: length: int"),
                ("A.name", "field", "declaration", "name: str", "name: str = ''"),
                ("A.size", "field", "removed", "a.py: A.size: size: int", ""),
            ],
        ),
        (
            "a.go",
            'package a\n\ntype S struct {\n\tName string `json:"name"`\n}\n',
            'package a\n\ntype S struct {\n\tName string `json:"title"`\n}\n',
            [
                (
                    "S.Name",
                    "field",
                    "declaration",
                    'Name string `json:"name"`',
                    'Name string `json:"title"`',
                ),
                ("name", "serialised", "no longer used here", "name", ""),
                ("title", "serialised", "used here", "", "title"),
            ],
        ),
        (
            "a.ts",
            "export interface P {\n  a: string\n}\n",
            "export interface P {\n  a?: string\n}\n",
            [("P.a", "field", "declaration", "a: string", "a?: string")],
        ),
        (
            "a.py",
            "def f():\n    raise KeyError('x')\n",
            "def f():\n    raise errors.Missing('x')\n",
            [
                ("f", "error", "no longer raised here", "KeyError", ""),
                ("f", "error", "raised here", "", "errors.Missing"),
            ],
        ),
        (
            "a.js",
            'k(process.env.OLD_KEY)\nrouter.get("/users", f)\n',
            'k(process.env.NEW_KEY)\nrouter.get("/people", f)\n',
            [
                ("/people", "route", "used here", "", "/people"),
                ("/users", "route", "no longer used here", "/users", ""),
                ("NEW_KEY", "config", "used here", "", "NEW_KEY"),
                ("OLD_KEY", "config", "no longer used here", "OLD_KEY", ""),
            ],
        ),
        (
            "m.sql",
            "ALTER TABLE users ADD COLUMN age int;\n",
            "ALTER TABLE users ADD COLUMN born date;\n",
            [
                ("age", "schema", "no longer used here", "age", ""),
                ("born", "schema", "used here", "", "born"),
            ],
        ),
        ("a.py", "x = os.environ['A_KEY']\n", "y = os.environ['A_KEY']\n", []),
        ("a.py", "def f(a):\n    return 1\n", "def f(a):\n    return 2\n", []),
        ("a.go", "package a\n\nfunc f() {}\n", "package a\n\nfunc f(a int) {}\n", []),
    ],
    ids=[
        "parameter",
        "returns",
        "fields",
        "json tag",
        "interface",
        "raises",
        "keys",
        "columns",
        "a key that stays",
        "a body",
        "not exported",
    ],
)
def test_what_changes_at_a_border(
    path: str, before: str, after: str, expected: list[tuple[str, str, str, str, str]]
):
    seen = [each for each in told(path, before, after) if each[0] not in ("x", "y")]
    assert seen == expected


def errors(before: Texts, after: Texts) -> set[tuple[str, str, str, str]]:
    return {
        (each.symbol, each.what, each.before, each.after)
        for each in found(before, after)
        if each.kind == "error"
    }


def test_an_error_that_what_is_called_raises_now_is_still_raised():
    before = (
        "def pay(n):\n    if n < 0:\n        raise Bad(n)\n    return n\n\n\n"
        "class Till:\n    def check(self, n):\n        raise Bad(n)\n"
    )
    helper = "def checked(n):\n    if n < 0:\n        raise Bad(n)\n"
    after = before.replace("    if n < 0:\n        raise Bad(n)\n", "    checked(n)\n", 1)
    gone = ("pay", "no longer raised here", "Bad", "")
    still = ("pay", "raised by checked now, which it calls", "Bad", "Bad")
    assert errors({"a.py": before}, {"a.py": f"{after}\n\n{helper}"}) == {
        still,
        ("checked", "raised here", "", "Bad"),
    }
    own = {"b.py": "X = 1\n"}
    assert still in errors({"a.py": before, **own}, {"a.py": after, "b.py": helper})
    assert gone in errors({"a.py": before}, {"a.py": after}), "what that is, is not known"
    there = after.replace("checked(n)", "Till().check(n)")
    by = "raised by Till.check now, which it calls"
    assert errors({"a.py": before}, {"a.py": there}) == {("pay", by, "Bad", "Bad")}
    assert gone in errors(
        {"a.py": before},
        {"a.py": before.replace("        raise Bad(n)\n", "        return 0\n", 1)},
    )


def test_what_moves_is_said_once_with_both_places():
    text = "class A:\n    x: int = 1\n\n    def m(self, x):\n        return one(two(three(x)))\n"
    seen = found({"a.py": text, "b.py": "\n"}, {"a.py": "\n", "b.py": text})
    assert [(each.path, each.symbol, each.what) for each in seen] == [("b.py", "A", "moved")]
    assert (seen[0].before, seen[0].after) == ("a.py: A: class A", "b.py: A: class A")
    assert len(seen[0].spans) == 2


def test_a_border_names_its_spans_and_says_itself_in_a_line():
    before = {"a.py": "def f(a): pass\n" + "\n" * 20 + "def g(a): pass\n"}
    after = {"a.py": "def f(a, b): pass\n" + "\n" * 20 + "def g(b, a): pass\n"}
    spans = spans_of(before, after)
    one, other = found(before, after)[:2]
    assert one.spans == (spans[0].id,)
    assert other.spans == (spans[1].id,)
    assert one.describe() == "a.py: function f: parameter added: (nothing) -> b (both, required)"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('x = os.environ.get("API_KEY")', ["API_KEY"]),
        ("os.Getenv(`API_KEY`)", ["API_KEY"]),
        ('ENV.fetch("API_KEY")', ["API_KEY"]),
        ('env::var("API_KEY")', ["API_KEY"]),
        ("import.meta.env.API_KEY", ["API_KEY"]),
        ("if settings.DEBUG:", ["DEBUG"]),
        ('app.config["SECRET"]', ["SECRET"]),
        ('@app.route("/users/<id>", methods=["GET"])', ["/users/<id>"]),
        ('@GetMapping(value = "/x")', ["/x"]),
        ('    path("users/", views.users),', ["users/"]),
        ("get '/hello' do", ["/hello"]),
        ('http.HandleFunc("/x", h)', ["/x"]),
        ('[HttpGet("/a")]', ["/a"]),
        ('@JsonProperty("first_name")', ["first_name"]),
        ("ALTER TABLE shop.users DROP COLUMN IF EXISTS `age`;", ["shop.users", "age"]),
        ("create table if not exists people (", ["people"]),
        ("    add_column :users, :age, :integer", ["age"]),
        ("create_table 'people' do |t|", ["people"]),
        ("op.add_column('users', sa.Column('age', sa.Integer()))", ["age"]),
        ("op.drop_column('users', 'age')", ["age"]),
        ('    age = Column("age_in_years", Integer)', ["age_in_years"]),
        ("the table of columns, and a column('x')", []),
        ('d.get("name")', []),
        ('os.path.join("a", "b")', []),
        ("settings.debug", []),
    ],
)
def test_keys_of_a_line(line: str, expected: list[str]):
    assert [key.name for key in keys_in(line)] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("raise ValueError('x')", {"ValueError"}),
        ("throw new TypeError()", {"TypeError"}),
        ("throw std::runtime_error(x);", {"std::runtime_error"}),
        ("panic(ErrClosed)", {"ErrClosed"}),
        ("raise", set()),
        ("raise exc from None", set()),
        ("Callbacks that raise HTTP errors", set()),
        ("    } catch (e) { throw new Lost(e); }", {"Lost"}),
        ("    find(name) or raise Missing", {"Missing"}),
    ],
)
def test_errors_of_a_line(line: str, expected: set[str]):
    assert raised_in(line) == expected


def test_a_key_is_shared_by_the_spans_that_have_it():
    before = {"a.py": "\n", "b.yml": "\n", "c.md": "\n"}
    after = {
        "a.py": 'k = os.environ["SHOP_KEY"]\n',
        "b.yml": "SHOP_KEY: 1\n",
        "c.md": "Set `SHOP_KEY`, not OTHER_KEY.\n",
    }
    spans = spans_of(before, after)
    assert shared_keys(spans, found(before, after)) == {"SHOP_KEY": [0, 1, 2]}


TEXT = st.text(alphabet="ab.(){}[]\"'`=/: \n\x00é\udce9@RaiseENVget", max_size=200)


@settings(deadline=None, max_examples=examples(150))
@given(TEXT, TEXT)
def test_any_text_gives_borders_that_are_json_and_bounded(before: str, after: str):
    seen = found({"a.py": before, "b.ts": after}, {"a.py": after, "c.go": before})
    for each in seen:
        json.dumps(dataclasses.asdict(each))
        assert "\n" not in each.describe()
        each.describe().encode()
        assert max(len(each.before), len(each.after)) <= 300
    assert seen == found({"b.ts": after, "a.py": before}, {"c.go": before, "a.py": after})


@pytest.mark.parametrize(
    "piece",
    [
        "settings(",
        " ",
        '"',
        "get ",
        "A",
        "@Get(",
        '.get("',
        "a.",
        "raise ",
        "/",
        "\\",
        "DROP TABLE ",
    ],
)
def test_a_line_made_to_take_long_does_not(piece: str):
    line = piece * (2_000_000 // len(piece))
    began = time.process_time()
    keys_in(line)
    list(words_in(line))
    raised_in(line)
    assert time.process_time() - began < 0.5


def test_what_is_done_alike_in_many_files_is_one_line_and_the_odd_one_another():
    def border(path: str, after: str) -> Border:
        return Border(path, "assigned", "function", "parameters", "(who, ticket)", after, ())

    same = [border(f"lang_{n}.ts", "(ticket, who)") for n in range(200) if n != 143]
    lines = described([*same[:143], border("lang_143.ts", "(who)"), *same[143:]])
    assert len(lines) == 2
    assert lines[0].startswith("lang_0.ts: ") and lines[0].endswith("(alike in 198 more files)")
    assert "lang_143.ts" in lines[1]
