"""`rlm config`, its schema, and docs/configuration.md: what they say is what holds."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reviewer.detectors.names import DETECTORS
from reviewer.policy import FILE, Policy, json_schema, keys
from reviewer.policy_file import parse
from tests.app.test_cli import User
from tests.repo import Repo
from tests.reviewer.test_policy_file import WHOLE

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "configuration.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def user(tmp_path: Path) -> User:
    (tmp_path / "home").mkdir()
    repo = Repo(tmp_path / "work")
    repo.write("AGENTS.md", "Mind the gap.\n")
    repo.commit()
    return User(repo, tmp_path / "home")


def rows(text: str) -> dict[str, list[str]]:
    """The shown keys, each with what holds and who said so."""
    found = (re.split(r" {2,}", line.strip()) for line in text.splitlines()[1:])
    return {key.partition(" ")[0]: [*key.partition(" ")[2:], *rest] for key, *rest in found}


def test_without_a_file_the_defaults_hold(user: User) -> None:
    ran = user.rlm("config")
    assert ran.code == 0, ran.err
    assert re.match(r"\.github/rlm\.yml at [0-9a-f]{12}, HEAD: none\n", ran.out)
    shown = rows(ran.out)
    assert set(keys()) < set(shown)
    assert {shown[key][-1] for key in keys()} == {"default"}
    assert shown["guidance"][-1] == "AGENTS.md"


def test_each_value_has_its_source(user: User) -> None:
    user.repo.write(FILE, WHOLE)
    user.repo.commit()
    ran = user.rlm("config", RLM_EFFORT="deep", RLM_BUDGET="0.25")
    shown = rows(ran.out)
    assert ran.code == 0
    assert shown["effort"][-2:] == ["deep", "RLM_EFFORT"]
    assert shown["budget"][-2:] == ["$0.25", "RLM_BUDGET"]
    assert shown["thresholds.severity"][-2:] == ["medium", FILE]
    assert shown["comments.language"][-2:] == ["no", FILE]
    assert shown["models.cheap"][-1] == "default"
    assert shown["checks"][-2:] == ["off: secrets", FILE]
    assert "Every query names the tenant." in " ".join(shown["instructions"])
    assert rows(user.rlm("config").out)["budget"][-2:] == ["$0.50", FILE]


def test_a_broken_file_fails_wherever_it_is(user: User) -> None:
    user.repo.write(FILE, "\ntreshold: 1\n")
    ran = user.rlm("config")
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == (
        f"{FILE} in the work tree, not in force yet: not used: line 2: there is no key 'treshold'; "
        "did you mean 'thresholds'?"
    )
    user.repo.commit()
    user.repo.write(FILE, "effort: quick\n")
    ran = user.rlm("config", "--repo", str(user.repo.path), cwd=user.home)
    assert ran.code == 1
    assert "HEAD: not used: line 2" in ran.out.splitlines()[0]
    assert ran.out.splitlines()[-1].endswith("not in force yet: sound")
    user.repo.commit()
    assert user.rlm("config").code == 0


def test_the_remotes_default_branch_is_in_force(user: User) -> None:
    user.repo.write(FILE, "effort: quick\n")
    user.repo.git("update-ref", "refs/remotes/origin/main", user.repo.commit())
    user.repo.write(FILE, "effort: deep\n")
    user.repo.commit()
    ran = user.rlm("config")
    assert "the remote's default branch: sound" in ran.out.splitlines()[0]
    assert rows(ran.out)["effort"][-2:] == ["quick", FILE]


@pytest.mark.parametrize(
    ("remotes", "told"),
    [
        (["https://github.com/octo/hello.git"], "octo/.github"),
        (["git@github.com:octo/hello.git", "git@github.com:fork/hello"], "octo/.github or fork/.gi"),
        (["ssh://git@ssh.github.com:443/octo/hello.git/"], "octo/.github"),
        (["https://me:secret@ghe.example.com/octo/hello"], "octo/.github"),
        (["https://sub.ghe.com/octo/.github", "https://gitlab.com/a/b", "/srv/github.com/a/b"], ""),
        (["https://github.com.example.com/a/b", "https://github.com/a/b/c", "x" * 9_000], ""),
    ],
)  # fmt: skip
def test_what_the_owner_says_is_not_read_and_that_is_said(
    user: User, remotes: list[str], told: str
) -> None:
    for number, address in enumerate(remotes):
        user.repo.git("config", f"remote.r{number}.url", address)
    ran = user.rlm("config", GH_HOST="ghe.example.com")
    assert ran.code == 0, ran.err
    said = [line for line in ran.out.splitlines() if "offline" in line]
    assert len(said) == bool(told)
    assert all(told in line and "secret" not in line for line in said)


def test_an_endless_file_of_the_work_tree_is_refused(user: User) -> None:
    user.repo.write(FILE, "x" * 10_000_000)
    ran = user.rlm("config")
    assert ran.code == 1 and "longer than" in ran.out
    user.repo.link(FILE, "/dev/zero")
    assert user.rlm("config").code == 0, "no file"


# The schema --------------------------------------------------------------------------------------


def test_the_published_schema_is_that_of_the_program(user: User) -> None:
    made = user.rlm("config", "--schema").out
    assert made == (DOCS / "rlm.schema.json").read_text("utf-8"), (
        "stale: rlm config --schema > docs/rlm.schema.json"
    )
    schema = json.loads(made)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == "urn:rlm:schema:rlm.yml"


@pytest.mark.parametrize("name", ["review", "refactor", "fix", "tests"])
def test_the_published_schema_of_a_result_is_that_of_the_program(name: str, user: User) -> None:
    made = user.rlm("config", "--schema", name).out
    assert made == (DOCS / f"{name}.schema.json").read_text("utf-8"), (
        f"stale: rlm config --schema {name} > docs/{name}.schema.json"
    )
    schema = json.loads(made)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:rlm:schema:{name}:1"
    assert set(schema["$defs"]["Cost"]["required"]) >= {"usd", "calls", "seconds", "input_tokens"}


@pytest.mark.parametrize(
    "text", [WHOLE.decode(), "checks: {secrets: 'off', hidden: 'on'}\n", "{}\n"]
)
def test_the_schema_takes_what_the_program_takes(text: str) -> None:
    value = yaml.load(text.replace("language: no", "language: 'no'"), yaml.SafeLoader)
    jsonschema.validate(value, json_schema())
    parse(text.encode())


@pytest.mark.parametrize("value", [{"treshold": 1}, {"checks": {"x": True}}, {"effort": "hard"}])
def test_the_schema_refuses_what_the_program_refuses(value: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, json_schema())


# The page ----------------------------------------------------------------------------------------


def described() -> Iterator[str]:
    yield from keys()
    yield from DETECTORS
    yield from ("instructions", "paths", "text")


def test_the_page_has_every_key_and_check() -> None:
    assert [name for name in described() if f"`{name}`" not in PAGE] == []


def test_the_examples_of_the_page_hold() -> None:
    assert len(EXAMPLES) >= 3
    whole = parse(EXAMPLES[0].encode())
    assert {key for key in keys() if not whole.sets(key)} == set(), "the first one has every key"
    for text in EXAMPLES:
        assert parse(text.encode()) != Policy()
        jsonschema.validate(yaml.safe_load(text), json_schema())
