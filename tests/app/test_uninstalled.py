"""Installations that are gone without a word: noticed, looked at twice, and forgotten."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.github.auth import AppAuth
from app.github.urls import Server
from app.jobs import Gone
from app.measures import COUNTS, RECONCILED
from app.store import GITHUB, OPEN, NewJob, NewRun, Store
from app.uninstalled import EVERY_S, SURE_S, Uninstalled
from tests.github.apps import FakeInstallation
from tests.github.hub import FakeApp, FakeGitHub

NOW = 1_800_000_000.0


class Scene:
    """An App with two installations, of which both have had a run."""

    def __init__(self, fake: FakeGitHub, store: Store) -> None:
        self.fake, self.store = fake, store
        self.app: FakeApp = fake.app("rlm-review")
        self.here, self.gone = (
            self.app.install(fake.repository(name)) for name in ("octo/hello", "bob/other")
        )
        for of in (self.here, self.gone):
            assert self.begins(of)
            job = store.claim(GITHUB, "w", 60)
            assert job is not None
            store.ended(job, f"{of.id:016d}", "posted")

    def begins(self, of: FakeInstallation) -> bool:
        """Begin a run; say whether that was done."""
        (repo,) = of.repositories
        run = NewRun(
            f"{of.id:016d}", of.id, repo.id, repo.full_name, 1, "x", "{}", "b" * 40, "a" * 40
        )
        return self.store.begin(run, NewJob(GITHUB, OPEN, f"run:{run.id}", "{}"))

    def uninstall(self) -> None:
        del self.app.installations[self.gone.id]

    def looks(self) -> Uninstalled:
        server = Server(self.fake.web, self.fake.api)
        auth = AppAuth(server, str(self.app.id), SecretStr(self.app.pem))
        return Uninstalled(auth, self.store)

    def told(self) -> list[int]:
        """The installations that are to be forgotten."""
        found = []
        while job := self.store.claim(GITHUB, "w", 60):
            assert job.kind == Gone.kind
            found.append(Gone.model_validate_json(job.payload).installation)
            self.store.done(job)
        return found


def noticed(store: Store) -> float:
    """Return how many were counted that nobody had told of."""
    COUNTS.bring(store)
    return store.measures().get((RECONCILED.name, "installation"), (0.0, 0.0))[0]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with closing(Store(tmp_path / "store.sqlite3")) as store, FakeGitHub(tmp_path) as fake:
        yield Scene(fake, store)


def test_an_installation_that_is_gone_for_two_looks_is_forgotten_once(scene: Scene) -> None:
    looks = scene.looks()
    assert looks.round(NOW) == 0
    scene.uninstall()
    assert looks.round(NOW + 600) == 0, "it is looked once a day"
    assert looks.round(NOW + EVERY_S) == 0, "one answer may be wrong"
    assert scene.told() == []
    before = noticed(scene.store)
    assert looks.round(NOW + EVERY_S + SURE_S) == 1
    assert noticed(scene.store) == before + 1
    assert looks.round(NOW + EVERY_S + SURE_S + 600) == 0
    assert scene.told() == [scene.gone.id]


def test_one_that_is_there_at_the_second_look_stays(scene: Scene) -> None:
    kept = dict(scene.app.installations)
    scene.uninstall()
    looks = scene.looks()
    assert looks.round(NOW) == 0
    scene.app.installations.update(kept)
    assert looks.round(NOW + SURE_S) == looks.round(NOW + 2 * EVERY_S) == 0
    assert scene.told() == []


def test_one_that_was_forgotten_by_mistake_is_served_again(scene: Scene) -> None:
    scene.uninstall()
    for one in (scene.here, scene.gone):
        scene.store.forget_installation(one.id)
    assert not scene.begins(scene.here) and not scene.begins(scene.gone)
    looks = scene.looks()
    assert looks.round(NOW) == 0
    assert scene.begins(scene.here) and not scene.begins(scene.gone)
    # What every server has to remove of what was before is noted still.
    noted = {one.installation: (one.whole, one.repositories) for one in scene.store.to_forget()}
    assert noted == {scene.here.id: (False, ("octo/hello",)), scene.gone.id: (True, ("bob/other",))}


def test_one_that_is_suspended_is_there(scene: Scene) -> None:
    scene.gone.suspended = True
    looks = scene.looks()
    assert looks.round(NOW) == looks.round(NOW + SURE_S) == 0
    assert scene.told() == []


def test_nothing_is_asked_between_the_looks_and_one_request_a_day_is_enough(scene: Scene) -> None:
    looks = scene.looks()
    looks.round(NOW)
    asked = len(scene.fake.asked("GET", ""))
    for minute in range(10, 24 * 60, 10):
        looks.round(NOW + 60 * minute)
    assert len(scene.fake.asked("GET", "")) == asked
    looks.round(NOW + EVERY_S)
    assert len(scene.fake.asked("GET", "")) == asked + 1
