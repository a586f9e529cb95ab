"""Which plan a job carries out: what a comment shows, what it carries, and who has written what."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.action_event import Comment
from app.action_plans import Waiting, planned_name, waiting
from app.action_step import Step, read_step
from app.action_work import Asked, Wish
from app.annotations import StepLog
from app.carried_plan import Unreadable, carried, shown
from app.github import own_comment
from app.github.client import Hub
from app.github.markers import Marker, Seal
from app.github.pulls import look_at
from app.github.stacked import branch_name
from app.github.urls import Server
from app.interrupt import Interrupts
from app.render.writing import plan_comment
from app.written import Written
from reviewer.refactor.values import Module, ModuleMove, Plan, Refactoring
from reviewer.request import Cost
from tests.app.test_action import BOT
from tests.github.hub import FakeGitHub
from tests.github.state import FakeComment, FakePull, FakeRepo

ORDER = "call f g\nand nothing else"
PLAN = Plan(
    summary="f is called g.", modules=[Module(name="all", files=["a.py", "b.py"], what="Rename.")]
)
START, BLOB = "c" * 40, "b" * 40
EDITED = "was edited after it was made"
NOT_WHOLE = "does not show just what it carries"
NOT_ASKED = "is gone, says something else"


@dataclass
class Thread:
    """A pull request on which alice has asked for a plan, which stands there."""

    fake: FakeGitHub
    repo: FakeRepo
    pull: FakePull
    hub: Hub
    step: Step
    asked: FakeComment
    plan: FakeComment

    def go(self, attempt: int = 1) -> Waiting | str:
        """Let alice start it; return what a job makes of that."""
        return self.look(self.pull.comment("alice", "/rlm go"), attempt)

    def look(self, comment: FakeComment, attempt: int = 1) -> Waiting | str:
        """Return what the job for a comment makes of it."""
        said = Comment(self.pull.number, comment.id, comment.body, "alice")
        wish = Wish(self.pull.number, f"comment:{comment.id}", said, asked=True, order="go")
        there = look_at(self.hub, self.repo.full_name, self.pull.number)
        environ = {"GITHUB_RUN_ATTEMPT": str(attempt)}
        return waiting(Asked(there, wish, environ, self.hub, self.step, Interrupts()))

    def carries(self, **change: Any) -> str:
        """Return the plan's comment in which something else is carried."""
        found = re.search(r"rlm-plan (\S+) -->", self.plan.body)
        assert found
        raw = json.loads(zlib.decompress(base64.b64decode(found[1])))
        small = zlib.compress(json.dumps(raw | change).encode())
        return self.plan.body.replace(found[1], base64.b64encode(small).decode())


@pytest.fixture
def thread(tmp_path: Path) -> Iterator[Thread]:
    with FakeGitHub(tmp_path / "hub") as fake:
        repo = fake.repository("octo/hello")
        repo.permit("alice", "write")
        base = repo.commit({"a.py": b"def f(): ...\n", "b.py": b"import a\n"})
        pull = repo.pull(base, repo.commit({"c.py": b""}, base), head_ref="topic")
        permissions = {"contents": "write", "pull_requests": "write"}
        token = fake.token(actor=BOT, repo=repo, permissions=permissions)
        environ = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": repo.full_name,
            "RUNNER_TEMP": str(tmp_path),
            "HOME": str(tmp_path),
        }
        step = read_step(environ, StepLog())
        with Hub(Server(fake.web, fake.api), SecretStr(token), actor=BOT, write_pause_s=0) as hub:
            asked = pull.comment("alice", f"Please:\n\n/rlm refactor {ORDER}")
            written = made()
            text = plan_comment(account_of(written), hidden=0)
            where = repo.full_name, pull.number
            about = planned_name(repo.id, pull.number, asked.id, 0)
            end = carried(written, (repo.id, pull.number), asked.id, 0)
            own_comment.put(hub, *where, text, about, None, hidden=end)
            yield Thread(fake, repo, pull, hub, step, asked, pull.comments[-1])


def made(plan: Plan = PLAN, blobs: str = BLOB) -> Written:
    account = Refactoring(
        status="planned",
        instruction=ORDER,
        commit=START,
        plan=plan,
        notes=["Look at `c.py`, too."],
        cost=Cost(model="m", usd=0.25, calls=1, seconds=1.125),
    )
    named = dict.fromkeys(plan.paths, blobs)
    return Written(task="refactor", start=START, account=account, named=named)


def account_of(written: Written) -> Refactoring:
    assert isinstance(written.account, Refactoring)
    return written.account


def test_a_plan_is_taken_up_as_it_was_made(thread: Thread) -> None:
    found = thread.go()
    assert isinstance(found, Waiting) and found.written == made()
    assert found.run != found.name
    other = thread.go()  # whoever starts it, and however often: it is the same run
    assert isinstance(other, Waiting) and other.name == found.name


def test_a_plan_that_moves_files_is_held_to_both_ends_of_a_move() -> None:
    moves = [ModuleMove(path="a.py", to="pkg/a.py", shim=True)]
    plan = PLAN.model_copy(update={"modules": [], "module_moves": moves})
    assert plan.paths == ("a.py", "pkg/a.py")
    assert shown(f"Plan{carried(made(plan), (1, 2), 3, 0)}").plan.written(ORDER) == made(plan)
    away = plan.model_copy(update={"module_moves": [ModuleMove(path="a.py", to="../a.py")]})
    with pytest.raises(Unreadable):
        carried(made(away), (1, 2), 3, 0)


def test_what_was_edited_is_not_carried_out(thread: Thread) -> None:
    body, at = thread.plan.body, thread.plan.updated
    thread.plan.edit(body)
    thread.plan.updated = at + 60
    assert EDITED in str(thread.go())
    # Where the time does not tell: what people see is what is carried, or nothing is.
    thread.plan.updated = at
    bodies = [
        body.replace("Rename.", "Remove."),
        f"Look at this:\n\n{body}",
        body.replace("<!-- rlm-plan ", "<!-- rlm-plan AAAA"),
        re.sub(r"<!-- rlm-plan \S+ -->", "", body),
        thread.carries(plan=PLAN.model_copy(update={"contract": "Hidden."}).model_dump()),
        thread.carries(notes=[]),
        thread.carries(v=2),
        thread.carries(number=thread.pull.number + 1),
        thread.carries(repository=thread.repo.id + 1),
        thread.carries(at=1),
        thread.carries(comment=thread.asked.id + 1),
        body.replace('"run":"plan-', '"run":"plan-../'),
    ]
    for each in bodies:
        assert each != body
        thread.plan.body = each
        assert NOT_WHOLE in str(thread.go()), each
    thread.plan.body = body
    assert isinstance(thread.go(), Waiting)


def test_a_plan_that_another_workflow_was_made_to_say_beside_ours_starts_nothing(
    thread: Thread,
) -> None:
    """It has our login, and all that it says fits what alice asked for: only that it is another."""
    forged = PLAN.model_copy(update={"summary": "All tests are gone."})
    end = carried(made(forged), (thread.repo.id, thread.pull.number), thread.asked.id, 0)
    text = plan_comment(account_of(made(forged)), hidden=0)
    marker = thread.plan.body[thread.plan.body.rindex("\n\n<!-- rlm-review ") :]
    ours = thread.go()
    other = thread.pull.comment(BOT, text + end + marker)
    assert isinstance(ours, Waiting) and ours.written == made()
    assert thread.go() == ours, "nor does it keep ours from being started"
    # Alone it would be a plan like any other: it shows all that is carried out.
    thread.pull.comments.remove(thread.plan)
    found = thread.go()
    assert isinstance(found, Waiting) and "All tests are gone." in other.body
    # Nor is it one where ours came to a plan that nobody can start.
    thread.plan.body = thread.plan.body.replace('"run":"plan-', '"run":"unplanned-')
    thread.pull.comments.insert(0, thread.plan)
    assert NOT_WHOLE in str(thread.go())


def test_what_nobody_of_the_repository_asked_for_is_not_carried_out(thread: Thread) -> None:
    """Other workflows have our login, too, and say what strangers tell them."""
    body, text, author = thread.plan.body, thread.asked.body, thread.asked.user
    # Nobody sees these: they are held to the instruction.
    for change in ({"start": "f" * 40}, {"blobs": ["f" * 40, BLOB]}, {"digest": "f" * 64}):
        thread.plan.body = thread.carries(**change)
        assert NOT_ASKED in str(thread.go()), change
        thread.plan.body = body
    for other in ("/rlm refactor something else", f"> /rlm refactor {ORDER}", "/rlm tests"):
        thread.asked.body = other
        assert NOT_ASKED in str(thread.go()), other
    thread.asked.body, thread.asked.user = text, thread.fake.user("mallory")
    assert NOT_ASKED in str(thread.go())
    thread.asked.user = author
    assert isinstance(thread.go(), Waiting)
    thread.pull.comments.remove(thread.asked)
    assert NOT_ASKED in str(thread.go())


def test_what_only_looks_like_a_plan_keeps_none_from_being_started(thread: Thread) -> None:
    """Who has a workflow repeat what he says would stop all work for as long as he likes."""
    ours = thread.go()
    assert isinstance(ours, Waiting)
    here = thread.repo.id, thread.pull.number
    asked = thread.pull.comment("mallory", f"/rlm refactor {ORDER}")
    name = planned_name(*here, asked.id, 0)
    marker = Seal(None, 0, thread.pull.number).write(Marker(kind="reply", run=name))
    text, end = plan_comment(account_of(made()), hidden=0), carried(made(), here, asked.id, 0)
    thread.pull.comment(BOT, f"All is well.{marker}")
    assert thread.go() == ours, "it carries nothing"
    thread.pull.comments[-2].body = text + end + marker
    assert thread.go() == ours, "mallory asked for it, who may not write"
    other = marker.replace(name, planned_name(*here, asked.id + 1, 0))
    edited = thread.pull.comment(BOT, f"Plan{other}")
    edited.edit(f"Another{other}")
    edited.updated = edited.created + 60
    assert thread.go() == ours, "somebody has edited it"
    # The reason of the newest is told where none counts.
    thread.pull.comments.remove(thread.plan)
    assert EDITED in str(thread.go())


@pytest.mark.parametrize("kind", ["plan", "unplanned"])
def test_what_has_the_name_of_the_plan_and_came_later_keeps_it_from_nothing(
    thread: Thread, kind: str
) -> None:
    """A workflow that repeats the words of strangers can be made to say any marker."""
    ours = thread.go()
    assert isinstance(ours, Waiting)
    marker = thread.plan.body[thread.plan.body.rindex("\n\n<!-- rlm-review ") :]
    marker = marker.replace('"run":"plan-', f'"run":"{kind}-')
    for said in ("All is well.", thread.plan.body, thread.carries(notes=[])):
        thread.pull.comment(BOT, said.removesuffix(marker) + marker)
        assert thread.go() == ours, said
    # Somebody else's are none at all, wherever they stand.
    theirs = thread.pull.comment("mallory", thread.plan.body)
    thread.pull.comments.remove(theirs)
    thread.pull.comments.insert(0, theirs)
    assert thread.go() == ours
    # Where the plan itself is gone or edited, none of them takes its place unseen.
    thread.plan.edit(thread.plan.body)
    thread.plan.updated = thread.plan.created + 60
    assert not isinstance(thread.go(), Waiting)


def test_a_plan_of_somebody_else_is_none(thread: Thread) -> None:
    thread.pull.comments.remove(thread.plan)
    thread.pull.comment("mallory", thread.plan.body)
    assert "There is no plan that waits here" in str(thread.go())


def test_a_plan_waits_for_a_week_and_is_read_before_it_is_started(thread: Thread) -> None:
    plan = thread.plan
    plan.created = plan.updated = plan.created + 60
    assert "newer than this comment" in str(thread.go())
    plan.created = plan.updated = plan.created - 8 * 86_400
    assert "waited for more than a week" in str(thread.go())


def test_a_plan_that_came_to_something_is_started_already(thread: Thread) -> None:
    found = thread.go()
    assert isinstance(found, Waiting)
    where = thread.repo.full_name, thread.pull.number
    done = own_comment.put(thread.hub, *where, "The patch", f"written-{found.name}", None)
    said = str(thread.go())
    assert f"#issuecomment-{done.id}." in said
    assert "delete that comment and say `/rlm go` again" in said
    # The same job once more says nothing: what came of it stands below its comment.
    start = next(one for one in thread.pull.comments if one.body == "/rlm go")
    assert thread.look(start, attempt=2) == ""


def test_a_result_that_took_the_place_of_what_had_its_name_counts(thread: Thread) -> None:
    plan = thread.go()
    assert isinstance(plan, Waiting)
    del thread.pull.comments[2:]
    where, about = (thread.repo.full_name, thread.pull.number), f"written-{plan.name}"
    own_comment.put(thread.hub, *where, "All is well.", about, None)
    forged = thread.pull.comments[-1]
    assert thread.go() == plan
    own_comment.put(thread.hub, *where, "The patch", about, None)
    forged.updated += 60
    assert f"#issuecomment-{forged.id}." in str(thread.go())


def test_what_has_the_name_of_a_result_starts_no_plan(thread: Thread) -> None:
    """The name of a result follows from the plan's: who reads that can have a workflow say it."""
    ours = thread.go()
    assert isinstance(ours, Waiting)
    del thread.pull.comments[2:]
    thread.pull.comment("mallory", "/rlm go")
    thread.pull.comment(BOT, "/rlm go")
    thread.pull.comment("alice", "> /rlm go\n\nNot yet.")
    marker = Seal(None, 0, thread.pull.number).write(
        Marker(kind="reply", run=f"written-{ours.name}")
    )
    thread.pull.comment(BOT, f"All is well.{marker}")
    assert thread.go() == ours, "nobody has started it who may"
    del thread.pull.comments[2:]
    # Nor in the time that a job takes to begin, which knows that it is the first for its comment.
    start = thread.pull.comment("alice", "/rlm go")
    forged = thread.pull.comment(BOT, f"All is well.{marker}")
    assert thread.look(start) == ours
    # After alice has started it a job cannot tell any more, and says what to do about it.
    assert f"#issuecomment-{forged.id}." in str(thread.go())
    thread.pull.comments.remove(forged)
    assert thread.go() == ours


def test_only_a_pull_request_on_top_of_this_one_has_started_a_plan(thread: Thread) -> None:
    """Workflows make branches of what strangers say, and open pull requests into the default."""
    plan = thread.go()
    assert isinstance(plan, Waiting)
    name, pull = branch_name("refactor", thread.pull.number, plan.name), thread.pull
    head = thread.repo.commit({"d.py": b""}, pull.head)
    thread.repo.pull(pull.base, head, author=BOT, head_ref=name)
    assert thread.go() == plan
    stacked = thread.repo.pull(
        pull.head, head, author=BOT, base_ref=pull.head_ref, head_ref=f"{name}-2"
    )
    assert f"is started already. `/rlm refactor` makes another one. {thread.fake.web}" in (
        said := str(thread.go())
    )
    assert said.endswith(f"/pull/{stacked.number}")
    stacked.base_ref = pull.base_ref
    assert thread.go() == plan
    pull.close(merged=True)  # then GitHub itself leads what is on top elsewhere
    assert "is started already" in str(thread.go())


def bomb() -> str:
    small = base64.b64encode(zlib.compress(b" " * 30_000_000, 9)).decode()
    return f"Plan\n\n<!-- rlm-plan {small} -->"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Plan",
        "Plan\n\n<!-- rlm-plan AAAA -->",
        "Plan\n\n<!-- rlm-plan A=== -->",
        f"Plan\n\n<!-- rlm-plan {base64.b64encode(zlib.compress(b'[' * 9_999)).decode()} -->",
        bomb(),
    ],
)
def test_what_is_no_plan_is_not_read(body: str) -> None:
    with pytest.raises(Unreadable):
        shown(body)


def test_a_plan_that_is_no_text_or_too_large_is_not_carried() -> None:
    long = [Module(name=f"m{n}", files=[f"{n}/{m}/{'x' * 900}" for m in range(40)], what="x")
            for n in range(20)]  # fmt: skip
    for change in ({"contract": "half of a pair: \ud800"}, {"modules": long}):
        with pytest.raises(Unreadable):
            carried(made(PLAN.model_copy(update=change)), (1, 2), 3, 0)


@pytest.mark.parametrize("path", ["../a.py", "/etc/passwd", ".github/workflows/a.yml", ".git/x"])
def test_paths_that_are_not_written_are_neither_carried_nor_read(path: str) -> None:
    plan = PLAN.model_copy(update={"modules": [Module(name="all", files=[path], what="Rename.")]})
    with pytest.raises(Unreadable):
        carried(made(plan), (1, 2), 3, 0)
    whole = carried(made(), (1, 2), 3, 0)
    raw = json.loads(zlib.decompress(base64.b64decode(whole.split()[2])))
    raw["plan"]["modules"][0]["files"][0] = path
    small = base64.b64encode(zlib.compress(json.dumps(raw).encode())).decode()
    assert shown(f"Plan{whole}").plan.plan == PLAN
    with pytest.raises(Unreadable):
        shown(f"Plan\n\n<!-- rlm-plan {small} -->")
