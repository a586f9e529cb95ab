"""Renames of pytest's fixtures, whose users name them by a parameter."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reviewer.refactor.test_symbols import renamed, texts

CONF = "import pytest\n\n\n@pytest.fixture\ndef client():\n    return {'a': 1}\n"
FILES = {
    "tests/conftest.py": CONF
    + "\n\n@pytest.fixture()\ndef logged_in(client):\n    return client\n",
    "tests/test_a.py": (
        "import pytest\n\n\ndef test_x(client, logged_in):\n    assert client == dict(client, a=1)\n"
        "    assert f'{client}' and helper(client=client)\n\n\n"
        "class TestY:\n    def test_z(self, client):\n        assert client['a'] == 1\n\n\n"
        "def helper(client):\n    return client\n\n\n"
        '@pytest.mark.usefixtures("client")\ndef test_w(request):\n'
        "    assert request.getfixturevalue('client')\n"
    ),
    "tests/deep/test_b.py": "def test_b(client):\n    assert client\n",
    "other/test_c.py": "import pytest\n\n\n@pytest.fixture\ndef client():\n    return 2\n\n\n"
    "def test_c(client):\n    assert client == 2\n",
}
NEARER = {
    "tests/near/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef client(client):\n    return [client]\n",
    "tests/near/test_d.py": "def test_d(client):\n    assert client == [{'a': 1}]\n",
    "tests/test_own.py": CONF + "\n\ndef test_e(client):\n    assert client\n",
    "tests/test_given.py": "import pytest\n\n\n@pytest.mark.parametrize('client', [1])\n"
    "def test_f(client):\n    assert client == 1\n",
}


def test_who_takes_a_fixture_is_renamed_with_it() -> None:
    made = texts(renamed(FILES, "tests/conftest.py", "client", "http"))
    expected = FILES["tests/test_a.py"].replace("client", "http")
    expected = expected.replace(
        "def helper(http):\n    return http", "def helper(client):\n    return client"
    )
    assert made["tests/test_a.py"] == expected.replace("helper(http=", "helper(client=")
    assert made["tests/deep/test_b.py"] == "def test_b(http):\n    assert http\n"
    assert made["tests/conftest.py"] == FILES["tests/conftest.py"].replace("client", "http")
    assert set(made) == {"tests/conftest.py", "tests/test_a.py", "tests/deep/test_b.py"}


def test_what_takes_a_nearer_one_stays_and_what_may_take_either_is_told() -> None:
    done = renamed({**FILES, **NEARER}, "tests/conftest.py", "client", "http")
    assert set(texts(done)) == {"tests/conftest.py", "tests/test_a.py", "tests/deep/test_b.py"}
    assert {"tests/near/conftest.py", "tests/test_own.py", "tests/test_given.py"} <= set(done.leads)
    assert "tests/near/test_d.py" not in done.leads
    told = done.leads["tests/near/conftest.py"]
    assert any("perhaps taken here as a fixture: @pytest.fixture" in each for each in told)


WITHIN = [
    # A function, or a parameter of one, within the test
    "def test_h(client):\n    def client():\n        return 1\n\n    assert client()\n",
    "def test_h(client):\n    def of(client):\n        return client\n\n    assert of(1) and client\n",
]
OF_A_CLASS = (
    "class TestIt:\n    @pytest.fixture\n    def client(self):\n        return 1\n\n"
    "    def test_h(self, client):\n        assert client == 1\n"
)


@pytest.mark.parametrize(
    ("text", "told"), [*((each, ["test_h"]) for each in WITHIN), (OF_A_CLASS, ["test_g", "test_h"])]
)
def test_a_test_for_which_something_nearer_has_the_name_is_told(text: str, told: list[str]) -> None:
    own = f"{CONF}\n\ndef test_g(client):\n    assert client\n\n\n{text}"
    done = renamed({**FILES, "tests/test_own.py": own}, "tests/test_own.py", "client", "http")
    expected = own.replace("def client():\n    return {", "def http():\n    return {")
    if "test_g" not in told:
        expected = expected.replace(
            "test_g(client):\n    assert client", "test_g(http):\n    assert http"
        )
    assert texts(done)["tests/test_own.py"] == expected
    leads = [each for each in done.leads["tests/test_own.py"] if "perhaps taken here" in each]
    assert [
        name for name in ("test_g", "test_h") for each in leads if f"def {name}(" in each
    ] == told


def test_what_pytest_does_not_call_and_a_fixture_that_is_imported_nearer_stay() -> None:
    more = {
        "tests/lib.py": "def test_connection(client):\n    return client\n",
        "tests/run.py": "from tests.lib import test_connection\ntest_connection(client=3)\n",
        "tests/far/conftest.py": "from other.fixtures import client\n",
        "tests/far/test_g.py": "def test_g(client):\n    assert client\n",
    }
    done = renamed({**FILES, **more}, "tests/conftest.py", "client", "http")
    assert set(texts(done)) == {"tests/conftest.py", "tests/test_a.py", "tests/deep/test_b.py"}


def test_a_fixture_of_one_file_is_for_that_file() -> None:
    made = texts(renamed(FILES, "other/test_c.py", "client", "http"))
    assert made == {"other/test_c.py": FILES["other/test_c.py"].replace("client", "http")}


@pytest.mark.parametrize("decorator", ['@pytest.fixture(name="client")', "@functools.cache"])
def test_what_is_no_fixture_of_that_name_takes_no_parameter_along(decorator: str) -> None:
    files = {**FILES, "tests/conftest.py": CONF.replace("@pytest.fixture", decorator)}
    assert set(texts(renamed(files, "tests/conftest.py", "client", "http"))) == {
        "tests/conftest.py"
    }


def test_the_tests_pass_as_before(tmp_path: Path) -> None:
    files = {**FILES, **NEARER}
    del files["tests/near/conftest.py"], files["tests/near/test_d.py"]  # a node's
    made = texts(renamed(files, "tests/conftest.py", "client", "http"))
    for path, text in {**files, **made}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(tmp_path))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", "/dev/null", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0 and "7 passed" in ran.stdout, ran.stdout
