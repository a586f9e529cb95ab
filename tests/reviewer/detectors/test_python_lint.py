import subprocess
import textwrap
from pathlib import Path

import pytest

from reviewer.detectors.programs import find_program
from reviewer.detectors.python_lint import SETTINGS, PythonLint
from reviewer.detectors.python_rules import OURS, RULES
from reviewer.finding import Category, Finding
from tests.reviewer.detectors.sources import Files, findings, notes, source


def lint(
    head: str, base: str | None = None, path: str = "shop/cart.py", *, ours: bool = False
) -> list[Finding]:
    head = textwrap.dedent(head)
    one = source(path, head, None if base is None else textwrap.dedent(base))
    return findings(list(PythonLint(ours).run([one], Files.of(one))))


def rules(found: list[Finding]) -> list[str]:
    return [each.source.rpartition("/")[2] for each in found]


def test_every_rule_of_the_table_is_one_that_ruff_knows_and_runs() -> None:
    done = subprocess.run(
        [
            *(find_program("ruff"), "check", "--no-cache", "--config", SETTINGS),
            *("--select", ",".join(RULES | OURS), "--show-settings", "--", SETTINGS.parent),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    enabled = done.stdout.partition("linter.rules.enabled = [")[2].partition("]")[0]
    missing = [code for code in RULES | OURS if f"({code})" not in enabled]
    assert missing == []


def test_an_undefined_name_is_said_once_with_all_its_lines() -> None:
    [found] = lint(
        """\
        def started(then):
            return time.monotonic() - then

        def later():
            return time.monotonic()
        """,
        base="\n",
    )
    assert rules([found]) == ["F821"]
    assert (found.side, found.line) == ("RIGHT", 2)
    assert "Also on line 5" in found.body
    assert found.evidence == "    return time.monotonic() - then"


def test_a_removed_import_is_reported_on_the_line_that_removed_it() -> None:
    base = (
        "import os\nimport json\n\n\ndef home():\n    return os.environ['HOME']\n" + "x = 1\n" * 20
    )
    [found] = lint(base.replace("import os\n", ""), base)
    assert (found.side, found.line, found.start_line) == ("LEFT", 1, 1)
    assert found.evidence == "import os"
    assert "still used on line 5" in found.body


def test_a_name_that_was_undefined_before_is_injected_from_elsewhere() -> None:
    base = "env = Environment()\n"
    assert lint(base + "other = Environment(1)\n", base) == []


@pytest.mark.parametrize(
    "head",
    [
        "from typing import Any\n\n\ndef f(x: 'Foo bar') -> Any: ...\n",  # notation in a string
        "import sys\n\nif sys.version_info[0] == 2:\n    text = unicode\n",
        "globals().update({'made': 1})\nprint(made)\n",
        "# Databricks notebook source\nspark.sql('select 1')\n",
        "from os import *\nprint(path)\n",
        "print(_('hello'), __file__, WindowsError)\n",
    ],
)
def test_names_that_come_from_where_ruff_cannot_see(head: str) -> None:
    assert lint(head) == []


def test_a_sketch_in_the_documentation_is_not_a_program() -> None:
    assert lint("db = connect()\n", path="docs_src/tutorial007.py") == []
    assert rules(lint("db = connect()\n", path="examples/app.py")) == ["F821"]


LISTED = '__all__ = ["K", "m"]\n\n\nclass K:\n    pass\n'
M = "\n\ndef m():\n    pass\n"


@pytest.mark.parametrize("path", ["shop/cart.py", "shop/__init__.py"])
def test_of_our_own_a_name_that_is_listed_and_not_defined_any_more(path: str) -> None:
    [found] = lint(LISTED, LISTED + M, path, ours=True)
    assert rules([found]) == ["F822"]
    assert (found.side, found.line, found.evidence) == ("LEFT", 8, "def m():")
    assert "named on line 1" in found.body
    assert lint(LISTED, LISTED + M, path) == []  # an author may well mean it


def test_of_our_own_a_name_that_is_listed_and_never_defined() -> None:
    head = LISTED.replace('"m"', '"m", "n"') + M
    assert rules(lint(head, LISTED + M, ours=True)) == ["F822"]
    assert lint(head, LISTED + M, "shop/__init__.py", ours=True) == []  # perhaps a module


@pytest.mark.parametrize(
    "head",
    [
        LISTED + "\n\ndef __getattr__(name):\n    return name\n",
        LISTED + "\n\nfrom other import m\n",
        LISTED + "\n\nfrom other import *\n",
        LISTED.replace(', "m"', ""),
    ],
)
def test_a_listed_name_that_comes_from_elsewhere(head: str) -> None:
    assert lint(head, LISTED + M, ours=True) == []


def test_what_was_listed_without_a_definition_before_is_nothing_new() -> None:
    assert lint(LISTED + "x = 1\n", LISTED, ours=True) == []


def test_of_our_own_a_quoted_annotation_that_lost_its_name() -> None:
    base = "class Net:\n    other: 'Net | None' = None\n\n    def f(self) -> 'Net':\n        pass\n"
    head = base.replace("class Net", "class Total")
    [found] = lint(head, base, ours=True)
    assert rules([found]) == ["F821"] and "annotation in quotes" in found.body
    assert (found.side, found.line) == ("LEFT", 1)
    assert lint(head, base) == []
    assert lint("x: 'Foo bar' = 1\ny: 'batch n' = 1\n", "x = 1\n", ours=True) == []


def test_only_what_the_change_brought() -> None:
    base = "def f(a):\n    assert (a, 'always')\n\n\nprint(1)\n"
    assert rules(lint(base)) == ["F631"]
    assert lint(base + "print(2)\n", base) == []


def test_reformatting_moving_and_silencing_make_no_new_alarm() -> None:
    base = "x = 1\nprint('{0}'.format(x, x))\n"
    assert rules(lint(base)) == ["F523"]
    assert lint('x = 1\n\n\nprint("{0}".format( x, x))  # noqa: E501\n', base) == []


def test_rewriting_a_line_carries_its_old_alarm_over() -> None:
    base = "import os\n\n\ndef edit(name):\n    os.system('vi ' + name)\n"
    assert lint(base.replace("'vi ' + name", "f'vi {name}'"), base) == []
    assert rules(lint(base + "    os.system('rm ' + name)\n", base)) == ["S605"]


def test_a_noqa_silences_correctness_but_not_security() -> None:
    head = (
        "import requests\n\nassert (1, 2)  # noqa: F631\nrequests.get('u', verify=False)  # noqa\n"
    )
    assert rules(lint(head)) == ["S501"]
    assert RULES["S501"].category is Category.SECURITY


@pytest.mark.parametrize("path", ["tests/test_cart.py", "docs/conf.py", "scripts/release.py"])
def test_security_rules_stay_out_of_tests_and_tools(path: str) -> None:
    assert lint("import requests\n\nrequests.get('u', verify=False)\n", path=path) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    items.append(1)\n", ["B006"]),
        ("    items[0] = 1\n", ["B006"]),
        ("    self.items = items\n", ["B006"]),
        ("    return items\n", ["B006"]),
        ("    items += [1]\n", ["B006"]),
        ("    items = list(items)\n    items.append(1)\n", []),
        ("    return len(items)\n", []),
        ("    pass\n\n\ndef other(items):\n    items.append(1)\n", []),
    ],
)
def test_a_mutable_default_is_a_defect_where_the_function_changes_it(
    body: str, expected: list[str]
) -> None:
    assert rules(lint("def add(self, items=[]):\n" + body)) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("def test_a():\n    assert 1\n\n\ndef test_a():\n    assert 2\n", ["F811"]),
        ("@app.get('/')\ndef a():\n    pass\n\n\n@app.get('/b')\ndef a():\n    pass\n", []),
        ("try:\n    from a import f\nexcept ImportError:\n    def f():\n        pass\n", []),
    ],
)
def test_a_definition_that_replaces_another(head: str, expected: list[str]) -> None:
    assert rules(lint("app = object()\n\n\n" + head)) == expected


def test_a_comparison_for_its_exception_is_wanted() -> None:
    body = "import pytest\n\n\ndef test_order(a, b):\n    with pytest.raises(TypeError):\n        a < b\n"
    assert lint(body, path="tests/test_a.py") == []
    assert rules(lint(body + "    len(a) > 0\n", path="tests/test_a.py")) == ["B015"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cur.execute(f\"SELECT * FROM users WHERE name = '{name}'\")", ["S608"]),
        ('cur.execute("SELECT * FROM users WHERE id = %s" % user_id)', ["S608"]),
        ('cur.execute(f"SELECT * FROM {TABLE} WHERE id = %s", [name])', []),
        ('cur.execute(f"SELECT * FROM t WHERE id IN ({placeholders})", [name])', []),
        ('cur.execute("SELECT * FROM t WHERE id = %s", [name])', []),
    ],
)
def test_a_value_in_sql_but_not_the_name_of_a_table(line: str, expected: list[str]) -> None:
    head = f"TABLE = 'users'\n\n\ndef find(cur, name, user_id, placeholders):\n    {line}\n"
    assert rules(lint(head)) == expected


def test_a_shell_command_that_never_varies_is_safe() -> None:
    head = "import subprocess\n\n\ndef f(x):\n    subprocess.run('ls | wc', shell=True)\n"
    assert lint(head) == []
    assert rules(lint(head.replace("'ls | wc'", "f'ls {x}'"))) == ["S602"]


def test_eval_of_what_comes_from_outside() -> None:
    assert rules(lint("def f(request):\n    return eval(request.args['q'])\n")) == ["S307"]
    assert lint("def f(rule):\n    return eval(rule.compiled)\n") == []


def test_configuration_of_the_repository_changes_nothing(tmp_path: Path) -> None:
    both = [
        source("pyproject.toml", "[tool.ruff.lint]\nignore = ['ALL']\n"),
        source("ruff.toml", "exclude = ['*']\n"),
        source("__init__.py", "assert (1, 'x')\n"),
    ]
    wanted = [each for each in both if PythonLint().wants(each.file)]
    assert [each.file.path for each in wanted] == ["__init__.py"]
    assert rules(findings(list(PythonLint().run(wanted, Files.of(*wanted))))) == ["F631"]


def test_hostile_names_and_broken_files_cost_the_others_nothing() -> None:
    many = [
        source("--config=evil.py", "assert (1, 'x')\n"),
        source("../../etc/passwd.py", "assert (1, 'x')\n"),
        source("a\nb\udcff.py", "assert (1, 'x')\n"),
        source("broken.py", "def f(:\n"),
        source("binary.py", b"\xff\xfe\x00assert (1, 'x')\n"),
        source("deep.py", "(" * 20_000),
        source("module.py", "assert (1, 'x')\n"),
    ]
    said = list(PythonLint().run(many, Files.of(*many)))
    assert [each.path for each in findings(said)] == [
        "--config=evil.py",
        "../../etc/passwd.py",
        "a\nb\\xff.py",
        "module.py",
    ]


def test_a_file_of_code_broken_on_purpose_is_left_alone() -> None:
    assert not PythonLint().wants(source("tests/fixtures/bad.py", "assert (1, 'x')\n").file)
    assert PythonLint().wants(source("tests/test_bad.py", "x = 1\n").file)


def test_many_files_go_through_in_chunks() -> None:
    many = [source(f"pkg/m{n}.py", f"def f{n}():\n    assert ({n}, 'x')\n") for n in range(1_100)]
    said = list(PythonLint().run(many, Files.of()))
    assert notes(said) == []
    assert [each.path for each in findings(said)] == [each.file.path for each in many]
