"""Entry points that follow what is renamed and moved, and those that are only said."""

from collections.abc import Mapping

import pytest

from reviewer.context.provider import Provider
from reviewer.refactor.entry_points import Followed, Ref, broken, entries, follow, rewritten
from reviewer.refactor.patch import Blob
from reviewer.refactor.values import ModuleMove, Move, Rename, Step
from tests.reviewer.context.memory import MemoryObjects
from tests.reviewer.refactor.trees import overlay

TOML = """\
[project]
name = "tool"

[project.scripts]  # what people type
tool = "tool.cli:main"
other = 'tool.cli:Other.run'
same = "tool.cli:main_loop"

[project.entry-points."tool.plugins"]
one = "tool.cli:main [extra]"

[tool.other]
said = "tool.cli:main"
"""
CFG = """\
[metadata]
name = tool

[options.entry_points]
console_scripts =
    tool = tool.cli:main
    other = tool.cli:Other.run [extra]
tool.plugins =
    one=tool.cli:main
[other]
said = tool.cli:main
"""
CODE = """\
from setuptools import setup

setup(
    entry_points={
        "console_scripts": ["tool = tool.cli:main", 'other=tool.cli:Other.run [extra]'],
    },
    description="tool.cli:main",
)
"""
CLI = (
    "def main():\n    pass\n\n\ndef main_loop():\n    pass\n\n\n"
    "class Other:\n    def run(self):\n        pass\n"
)
TREE = {
    "pyproject.toml": TOML,
    "setup.cfg": CFG,
    "setup.py": CODE,
    "src/tool/__init__.py": "",
    "src/tool/cli.py": CLI,
}
PATH = "src/tool/cli.py"


def followed(
    files: Mapping[str, str], one: Step, renamed: tuple[tuple[str, str], ...] = ()
) -> Followed:
    made = overlay(files)
    if isinstance(one, Rename):
        renamed = renamed or ((one.path, one.symbol),)
    with Provider(made.start.objects) as context:
        return follow(one, renamed, context, made)


def texts(done: Followed) -> dict[str, str]:
    return {path: blob.data.decode() for path, blob in done.files.items() if blob is not None}


def test_what_is_renamed_is_named_so_and_nothing_else_is_touched() -> None:
    done = followed(TREE, Rename(path=PATH, symbol="main", to="start"))
    assert not done.left
    toml = TOML.replace('tool = "tool.cli:main"', 'tool = "tool.cli:start"')
    assert texts(done) == {
        "pyproject.toml": toml.replace("tool.cli:main [", "tool.cli:start ["),
        "setup.cfg": CFG.replace("tool = tool.cli:main\n", "tool = tool.cli:start\n").replace(
            "one=tool.cli:main", "one=tool.cli:start"
        ),
        "setup.py": CODE.replace("tool = tool.cli:main", "tool = tool.cli:start"),
    }


@pytest.mark.parametrize(
    ("symbol", "to", "now"),
    [("Other", "Second", "Second.run"), ("Other.run", "go", "Other.go")],
)
def test_a_class_and_its_method(symbol: str, to: str, now: str) -> None:
    done = followed(TREE, Rename(path=PATH, symbol=symbol, to=to))
    assert texts(done) == {
        path: TREE[path].replace("Other.run", now)
        for path in ("pyproject.toml", "setup.cfg", "setup.py")
    }


@pytest.mark.parametrize(
    ("to", "module"),
    [("src/tool/run/shell.py", "tool.run.shell"), ("src/tool/run/__init__.py", "tool.run")],
)
def test_a_module_that_moves(to: str, module: str) -> None:
    made = texts(followed(TREE, ModuleMove(path=PATH, to=to)))
    assert f'tool = "{module}:main"' in made["pyproject.toml"]
    assert f'same = "{module}:main_loop"' in made["pyproject.toml"]
    assert 'said = "tool.cli:main"' in made["pyproject.toml"]
    assert f"other = {module}:Other.run [extra]\n" in made["setup.cfg"]
    assert f"'other={module}:Other.run [extra]'" in made["setup.py"]
    assert 'description="tool.cli:main"' in made["setup.py"]


def test_a_function_that_moves_and_no_other() -> None:
    made = texts(followed(TREE, Move(path=PATH, symbol="main", to="src/tool/start.py")))
    assert 'tool = "tool.start:main"' in made["pyproject.toml"]
    assert 'same = "tool.cli:main_loop"' in made["pyproject.toml"]


def test_a_name_that_a_package_hands_on() -> None:
    files = {
        "pyproject.toml": '[project.scripts]\na = "tool:main"\nb = "tool:begin"\n',
        "tool/__init__.py": "from .cli import main\nfrom .cli import main as begin\n",
        "tool/cli.py": CLI,
    }
    done = followed(files, Rename(path="tool/cli.py", symbol="main", to="start"))
    assert texts(done) == {
        "pyproject.toml": '[project.scripts]\na = "tool:start"\nb = "tool:begin"\n'
    }
    assert not followed(files, ModuleMove(path="tool/cli.py", to="tool/shell.py")).files


def test_a_method_of_the_family_is_followed_too() -> None:
    files = {**TREE, "src/tool/base.py": "class Base:\n    def run(self):\n        pass\n"}
    one = Rename(path="src/tool/base.py", symbol="Base.run", to="go")
    done = followed(files, one, (("src/tool/base.py", "Base.run"), (PATH, "Other.run")))
    assert "tool.cli:Other.go" in texts(done)["pyproject.toml"]


def test_a_project_in_a_folder_of_its_own() -> None:
    files = {f"libs/a/{path}": text for path, text in TREE.items()}
    done = followed(files, ModuleMove(path=f"libs/a/{PATH}", to="libs/a/src/tool/shell.py"))
    assert 'tool = "tool.shell:main"' in texts(done)["libs/a/pyproject.toml"]


@pytest.mark.parametrize(
    "settings",
    ['[project]\nscripts = {a = "tool.cli:main"}\n', '[project]\nscripts.a = "tool.cli:main"\n'],
)
def test_what_is_not_exact_is_told(settings: str) -> None:
    files = {"pyproject.toml": settings, PATH: CLI}
    done = followed(files, Rename(path=PATH, symbol="main", to="start"))
    assert not done.files and not done.left
    assert done.leads == [
        (
            "pyproject.toml",
            "the entry point tool.cli:main is tool.cli:start now, and has to say so",
        )
    ]


def test_what_may_be_meant_in_a_folder_that_is_not_known_is_left() -> None:
    files = {"pyproject.toml": '[project.scripts]\na = "lib.cli:main"\n', PATH: CLI}
    done = followed(files, Rename(path=PATH, symbol="main", to="start"))
    assert not done.files and not done.leads
    why = "lib.cli:main may mean it, and no file is where that says"
    assert done.left == [("pyproject.toml", why)]


def test_a_move_out_of_the_project_is_told() -> None:
    done = followed(TREE, ModuleMove(path=PATH, to="elsewhere/cli.py"))
    assert not done.files and {path for path, _ in done.leads} == {
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
    }


@pytest.mark.parametrize("text", ["[project", "[project.scripts]\na = 1\nb = ['x:y']\n", ""])
def test_settings_that_say_nothing(text: str) -> None:
    assert entries("pyproject.toml", text) == []
    assert rewritten("setup.cfg", text, {Ref("a", "b"): Ref("c", "d")}) in (text, None)


def test_an_entry_point_that_named_something_and_does_not_any_more() -> None:
    cli = CLI.replace("main()", "start()").replace("run(", "go(")
    start = overlay(TREE)
    after = start.over({PATH: Blob(cli.encode())})
    with Provider(MemoryObjects({**TREE, PATH: cli}, TREE)) as context:
        found = broken(start, after, context)
    assert sorted(found) == [
        (path, ref)
        for path in ("pyproject.toml", "setup.cfg", "setup.py")
        for ref in ("tool.cli:Other.run", "tool.cli:main")
    ]
