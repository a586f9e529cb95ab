"""The file with the App's secrets: who can read it, at which moment, and what becomes of damage."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.credentials import FILE, MAX_BYTES, Credentials, check_writable, load, save
from app.github.urls import Server
from reviewer.errors import TellUser

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"


def app(**changes: Any) -> Credentials:
    fields: dict[str, Any] = {
        "server_web": "https://github.com",
        "server_api": "https://api.github.com",
        "app_id": "1234",
        "slug": "rlm-review",
        "client_id": "Iv23li0123456789abcd",
        "client_secret": SecretStr("client-secret-0"),
        "webhook_secret": SecretStr("webhook-secret-0"),
        "pem": SecretStr(PEM),
        "html_url": "https://github.com/apps/rlm-review",
    }
    return Credentials(**{**fields, **changes})


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    for one in (app(), app(webhook_secret=None)):
        path = save(tmp_path, one)
        assert path == tmp_path / FILE
        loaded = load(tmp_path)
        assert loaded == one
        assert loaded.pem.get_secret_value() == PEM
        assert loaded.server == Server("https://github.com", "https://api.github.com")


def test_nothing_saved_is_none(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert load(tmp_path / "missing") is None


def test_file_and_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "state" / "rlm"
    code = (
        "import os, sys; os.umask(0)\n"
        "from pathlib import Path; from tests.app.test_credentials import app\n"
        "from app.credentials import save; save(Path(sys.argv[1]), app())\n"
    )
    subprocess.run([sys.executable, "-c", code, str(home)], check=True)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600
    assert load(home) == app()


def test_no_moment_at_which_another_user_can_read_it_or_it_is_half_there(tmp_path: Path) -> None:
    end = threading.Event()
    bad: list[str] = []
    looks = 0

    def watch() -> None:
        nonlocal looks
        while not end.is_set():
            for path in tmp_path.iterdir():
                try:
                    status = path.stat()
                    content = path.read_bytes() if path.name == FILE else b"{}"
                except FileNotFoundError:
                    continue
                looks += 1
                if status.st_mode & 0o077:
                    bad.append(f"{path.name} {status.st_mode:o}")
                json.loads(content)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(40):
        save(tmp_path, app(app_id=str(number)))
    end.set()
    watcher.join()
    assert bad == [] and looks > 0
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_secrets_show_in_the_file_and_nowhere_else(tmp_path: Path) -> None:
    one = app()
    for text in (repr(one), str(one), one.model_dump_json(), str(one.model_dump())):
        assert "secret-0" not in text and "MIIEow" not in text
    content = save(tmp_path, one).read_text()
    assert "client-secret-0" in content and "webhook-secret-0" in content and "MIIEow" in content


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = save(tmp_path, app())
    path.chmod(mode)
    with pytest.raises(TellUser, match="read by others") as told:
        load(tmp_path)
    assert f"chmod 600 {path}" in told.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, app())
    os.chown(path, 12_345, 12_345)
    with pytest.raises(TellUser, match="belongs to another user"):
        load(tmp_path)


def damage() -> list[bytes]:
    whole = app().model_dump_json(context="reveal").encode()
    changed = json.loads(whole)
    return [
        b"",
        b"{}",
        whole[: len(whole) // 2],
        whole[:-1],
        b"[]",
        b"\xff\xfe",
        json.dumps({**changed, "extra": "client-secret-0"}).encode(),
        json.dumps({**changed, "pem": ["client-secret-0"]}).encode(),
        json.dumps({**changed, "app_id": "client-secret-0 "}).encode(),
        whole + b" " * MAX_BYTES,
    ]


@pytest.mark.parametrize("number", range(10))
def test_a_damaged_file_is_told_without_what_is_in_it(tmp_path: Path, number: int) -> None:
    path = save(tmp_path, app())
    path.write_bytes(damage()[number])
    with pytest.raises(TellUser, match="not what rlm setup writes") as told:
        load(tmp_path)
    assert str(path) in told.value.problem and "rlm setup --force" in told.value.hint
    shown = f"{told.value.problem} {told.value.hint} {told.value.__cause__}"
    assert "secret-0" not in shown and "MIIEow" not in shown


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(TellUser, match="cannot be read"):
        load(tmp_path)
    with pytest.raises(TellUser, match="cannot be written"):
        save(tmp_path, app())
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_home_that_cannot_be_written_is_told_before_it_matters(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file" / "rlm"):
        for use in (check_writable, lambda home: save(home, app())):
            with pytest.raises(TellUser, match="cannot be written") as told:
                use(home)
            assert "RLM_HOME" in told.value.hint


def test_looking_whether_it_can_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "rlm")
    assert list((tmp_path / "rlm").iterdir()) == []
