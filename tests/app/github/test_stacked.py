from collections.abc import Iterator
from pathlib import Path

import pytest

from app.github import stacked
from app.github.errors import Limited
from app.github.stacked import Delivered, Delivery, branch_name, deliver
from app.written import Written
from reviewer.errors import RetryLater
from reviewer.fix.values import Fixing
from reviewer.refactor.patch import Blob, Commit, Patch
from reviewer.refactor.values import Refactoring
from reviewer.testing.values import Testing
from tests.app.github.writers import ACTOR, BASE, KEY, NAME, RUN, Scene, commits_of, result_of
from tests.github.hub import FakeGitHub

BRANCH = "rlm-refactor-1-0123456789"
PAGE = "https://rlm.example.org/runs/0123456789abcdef"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def give(
    scene: Scene,
    written: Written | None = None,
    *,
    server: bool = True,
    page: str = PAGE,
    **permissions: str,
) -> Delivered:
    what = Delivery(
        RUN,
        NAME,
        scene.pull.number,
        written or scene.written(),
        server,
        scene.repo.id,
        page,
        f"{page}/patch" if page else "",
    )
    with scene.hub(**permissions) as hub:
        return deliver(hub, what, key=KEY)


def nothing_is_left(scene: Scene) -> None:
    assert scene.branches() == {}
    assert [one for one in scene.stacked if one.state == "open"] == []


# A stacked pull request


def test_a_pull_request_stands_on_top_of_the_other_and_says_all_of_it(scene):
    done = give(scene)
    (pull,) = scene.stacked
    assert (done.outcome, done.number, done.branch, done.head) == (
        "stacked", pull.number, BRANCH, pull.head,
    )  # fmt: skip
    assert scene.files(pull.head) == result_of(scene.commits)
    assert pull.base_ref == "topic"
    assert pull.title == "Refactor: f is called g"
    assert f"Stacked on #{scene.pull.number}" in (pull.body or "")
    for text in (pull.body or "", done.text):
        assert "Do part 1: `a.py`, `blank` (new), `latin.txt`, `pkg/gone.py` (deleted)" in text
        assert "docs: the README: nobody came to it" in text
    assert f"[#{pull.number}]({scene.fake.web}/{NAME}/pull/{pull.number})" in done.text
    assert "`/rlm undo`" in done.text
    assert f"({PAGE})" in (pull.body or "")


@pytest.mark.parametrize("task", ["tests", "fix", "refactor"])
@pytest.mark.parametrize("writes", [True, False])
def test_that_the_base_is_another_one_by_now_is_said(scene, task, writes):
    patch = Patch(scene.head, tuple(scene.commits))
    testing = Testing(base=scene.base, commit=scene.head)
    fixing = Fixing(commit=scene.head, reviewed=scene.head)
    refactoring = Refactoring(instruction="rename f", commit=scene.head)
    account = {"tests": testing, "fix": fixing, "refactor": refactoring}[task]
    written = Written.of(task, account, patch, write=writes)
    what = Delivery(RUN, NAME, scene.pull.number, written, True, scene.repo.id, base=scene.base)
    if not writes:
        with scene.hub() as hub:
            assert "has changed meanwhile" not in deliver(hub, what, key=KEY).text
    scene.pull.retarget("release", scene.head)
    with scene.hub() as hub:
        done = deliver(hub, what, key=KEY)
    assert done.outcome == ("stacked" if writes else "patch")
    said = f"has changed meanwhile (`{scene.base[:10]}` then, `{scene.head[:10]}` now)"
    for text in [done.text, *(one.body or "" for one in scene.stacked)]:
        assert said in text and f"`/rlm {task}`" in text and "makes it anew" in text


def test_the_branch_is_named_by_us_alone():
    assert branch_name("refactor", 1, RUN) == BRANCH
    assert branch_name("fix", 17, "ab") == "rlm-fix-17-ab"


def test_messages_reach_the_branch_unable_to_do_anything(scene):
    (commit,) = commits_of({"a.py": Blob(b"g = 1\n")})
    orders = "Fixes #1 for @alice [skip ci]\n\n/rlm review\nCo-authored-by: Eve <e@x.org>"
    written = scene.written([Commit("m", "model", orders, commit.files)])
    done = give(scene, written)
    message = scene.repo.git("log", "-1", "--format=%B", done.head)
    assert message == (
        "Fixes # 1 for @ alice (skip ci)\n\n/ rlm review\nCo-authored-by - Eve <e@ x.org>"
    )
    assert scene.repo.git("log", "-1", "--format=%(trailers)", done.head) == ""


def test_to_deliver_again_changes_nothing(scene):
    first = give(scene)
    since = len(scene.fake.requests)
    assert give(scene) == first
    assert not any("refs" in one or "pulls" in one for one in scene.writes(since))
    assert len(scene.stacked) == len(scene.branches()) == 1


def test_what_a_job_delivers_is_no_pull_request_of_another_workflow(scene):
    """It has the login of the job, and is made of a name that a stranger said, into `main`."""
    other = scene.repo.pull(scene.base, scene.tree(BASE, scene.head), author=ACTOR, head_ref=BRANCH)
    what = Delivery(RUN, NAME, scene.pull.number, scene.written(), True, scene.repo.id, by_job=True)
    with scene.hub() as hub:
        done, again = deliver(hub, what, key=None), deliver(hub, what, key=None)
    assert done == again
    assert (done.outcome, done.branch) == ("stacked", f"{BRANCH}-2")
    assert done.number != other.number
    (made,) = [one for one in scene.stacked if one.number != other.number]
    assert (made.number, made.base_ref) == (done.number, "topic")


POINTS = ["/git/blobs$", "/git/trees$", "/git/commits$", "/git/refs$", "/pulls$"]


CUTS = [(0, "after"), (1, "after"), (2, "after"), (3, "after"), (4, "after"), (5, "after"),
        (6, "after"), (5, "before"), (6, "before")]  # fmt: skip
"""Which write is cut, counted from 0: two trees with a blob, two commits, the reference, the pull
request. One that was not done at all leaves an object less, so only the last two are of interest."""


@pytest.mark.parametrize(("cut", "when"), CUTS)
def test_a_cut_at_every_write_leads_to_one_branch_and_one_pull_request(scene, cut, when):
    """The write is cut; the job is put back and goes on from what is there."""
    scene.commits = commits_of(
        {"a.py": Blob(b"g = 1\n")}, {"latin.txt": Blob(b"\xff"), "run.sh": None}
    )
    seen: list[str] = []
    fault = scene.fake.fault("POST", "/(git|pulls)", when=when, times=None)

    def count() -> None:
        fault.status = 502 if len(seen) == cut else None
        fault.body = {"message": "Bad Gateway"}
        seen.append("")

    fault.action = count
    try:
        done = give(scene)
    except RetryLater:
        done = give(scene)
    assert len(seen) > cut
    assert len([one for one in scene.writes() if "/reviews" not in one]) >= 7
    assert done.outcome == "stacked"
    assert list(scene.branches()) == [BRANCH]
    assert scene.files(done.head) == result_of(scene.commits)
    assert [one.head for one in scene.stacked] == [done.head]


def test_a_connection_cut_after_the_pull_request_leads_to_one(scene):
    scene.fake.fault("POST", "/pulls$", when="after", cut=True)
    assert give(scene).outcome == "stacked"
    assert len(scene.stacked) == 1


def test_a_pull_request_that_no_list_shows_yet_is_waited_for(scene):
    said = [
        {"resource": "PullRequest", "message": f"A pull request already exists for octo:{BRANCH}."}
    ]
    body = {"message": "Validation Failed", "errors": said}
    scene.fake.fault("POST", "/pulls$", status=422, body=body, when="after")
    scene.fake.fault("GET", "/pulls$", status=200, body=[], times=3)
    with pytest.raises(RetryLater):
        give(scene)
    assert list(scene.branches()) == [BRANCH]
    scene.fake.mend()
    assert give(scene).number == scene.stacked[0].number
    assert len(scene.stacked) == 1


@pytest.mark.parametrize("where", POINTS)
def test_a_limit_is_for_the_job_to_wait_out(scene, where):
    body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
    scene.fake.fault("POST", where, status=403, body=body, headers={"Retry-After": "60"})
    with pytest.raises(Limited):
        give(scene)
    assert give(scene).outcome == "stacked"
    assert len(scene.stacked) == len(scene.branches()) == 1


def test_what_was_closed_since_stays_closed(scene):
    give(scene)
    scene.stacked[0].close()
    scene.repo.delete_branch(BRANCH)
    again = give(scene)
    assert (again.outcome, again.head) == ("stacked", scene.stacked[0].head)
    assert "which is closed" in again.text
    assert len(scene.stacked) == 1
    assert scene.branches() == {}


def test_commits_that_people_put_on_top_are_not_taken_for_ours(scene):
    first = give(scene)
    theirs = scene.tree(BASE, first.head)
    scene.repo.git("update-ref", f"refs/heads/{BRANCH}", theirs)
    scene.stacked[0].push(theirs)
    again = give(scene)
    assert (again.number, again.head) == (first.number, first.head)
    assert len(scene.stacked) == 1


def test_a_name_that_is_taken_is_left_alone(scene):
    scene.repo.git("update-ref", f"refs/heads/{BRANCH}", scene.base)
    done = give(scene)
    assert done.branch == f"{BRANCH}-2"
    assert give(scene) == done
    assert scene.branches()[BRANCH] == scene.base


# A pull request that has moved on


def test_a_newer_head_is_built_upon_where_our_files_are_what_they_were(scene):
    files = {**BASE, "untouched.md": Blob(b"other\n")}
    scene.pull.push(scene.tree(files, scene.head))
    done = give(scene)
    assert done.outcome == "stacked"
    assert scene.files(done.head) == result_of(scene.commits, files)


def test_a_newer_head_with_another_version_is_a_conflict_that_is_said(scene):
    scene.pull.push(scene.tree({**BASE, "a.py": Blob(b"other\n")}, scene.head))
    done = give(scene)
    assert done.outcome == "patch"
    assert "these files are not what they were: `a.py`." in done.text
    assert "Nothing was applied" in done.text
    assert scene.pull.reviews == []
    nothing_is_left(scene)


@pytest.mark.parametrize("merged", [False, True])
def test_a_pull_request_that_was_closed_meanwhile_gets_nothing_on_top(scene, merged):
    scene.pull.close(merged=merged)
    done = give(scene)
    assert done.outcome == "patch"
    assert f"was {'merged' if merged else 'closed'} meanwhile" in done.text
    assert scene.pull.reviews == []
    nothing_is_left(scene)


def test_a_branch_that_is_deleted_while_we_write_is_said(scene):
    def go() -> None:
        scene.repo.git("update-ref", "-d", "refs/heads/topic")

    scene.fake.fault("POST", "/pulls$", action=go)
    done = give(scene)
    assert done.outcome == "patch"
    assert "the branch of this pull request is not there any more" in done.text
    nothing_is_left(scene)


def test_a_pull_request_that_is_gone_is_told_nothing(scene):
    scene.pull.vanish()
    assert give(scene) == Delivered("gone")


def test_a_repository_that_was_renamed_gets_it_under_its_new_name(scene):
    scene.repo.rename("octo/renamed")
    done = give(scene)
    assert done.outcome == "stacked"
    assert "/octo/renamed/pull/" in done.text


def test_another_repository_of_the_same_name_gets_nothing(scene):
    scene.repo.id += 1_000_000
    what = Delivery(RUN, NAME, 1, scene.written(), server_writes=True, repository_id=7)
    with scene.hub() as hub:
        assert deliver(hub, what, key=KEY).outcome == "gone"


# Permissions


def test_a_permission_that_is_lost_half_way_leaves_no_branch(scene):
    done = give(scene, pull_requests="read")
    assert done.outcome == "patch"
    assert "GitHub does not let us: Resource not accessible by integration" in done.text
    assert "```diff" in done.text or "/patch)" in done.text
    nothing_is_left(scene)
    made = [one for one in scene.writes() if one.startswith(("POST", "DELETE"))]
    assert any(one.endswith("/git/refs") for one in made)
    assert f"DELETE /repos/{NAME}/git/refs/heads/{BRANCH}" in made


def test_a_branch_that_cannot_be_removed_again_is_named(scene):
    refusal = {"message": "Resource not accessible by integration"}
    scene.fake.fault("POST", "/pulls$", status=403, body=refusal)
    scene.fake.fault("DELETE", "/git/refs/", status=403, body=refusal)
    done = give(scene)
    assert done.outcome == "patch"
    assert f"Our branch `{BRANCH}` could not be removed again" in done.text


def test_a_token_that_only_reads_leads_to_the_patch(scene):
    done = give(scene, contents="read")
    assert done.outcome == "patch"
    assert "GitHub does not let us" in done.text
    nothing_is_left(scene)


def test_a_rule_of_the_repository_leads_to_the_patch(scene):
    scene.repo.no_new_branches = True
    done = give(scene)
    assert "GitHub does not let us: Reference update failed" in done.text
    nothing_is_left(scene)


@pytest.mark.parametrize(
    ("server", "repository", "said"),
    [
        (False, True, "`RLM_WRITE=on`"),
        (True, False, "`write: on`"),
        (False, False, "`RLM_WRITE=on`"),
    ],
)
def test_a_switch_that_is_off_leads_to_the_patch(scene, server, repository, said):
    done = give(scene, scene.written(write=repository), server=server)
    assert done.outcome == "patch"
    assert said in done.text
    assert scene.writes() == [] or all("/reviews" in one for one in scene.writes())
    nothing_is_left(scene)


# The patch


RENAME = {
    "a.py": Blob(b"def g():\n    return 1\n"),
    "pkg/b.py": Blob(b"from a import g\n\nprint(g())\n"),
}


@pytest.fixture
def forked(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        made = Scene(fake, fork="bob/hello")
        made.commits = commits_of(RENAME)
        yield made


def test_a_fork_gets_suggestions_and_the_patch(forked, tmp_path):
    done = give(forked)
    assert (done.outcome, done.suggestions) == ("patch", 2)
    assert "the fork, which is not ours to write to" in done.text
    (review,) = forked.pull.reviews
    assert [(one.path, one.start_line, one.line) for one in review.comments] == [
        ("a.py", None, 1), ("pkg/b.py", 1, 3),
    ]  # fmt: skip
    assert "```suggestion\ndef g():\n```" in review.comments[0].body
    assert "```suggestion\nfrom a import g\n\nprint(g())\n```" in review.comments[1].body
    patch = done.text.partition("```diff\n")[2].partition("\n```")[0]
    forked.repo.git("read-tree", forked.head)
    forked.repo.git("apply", "--cached", "-", data=f"{patch}\n".encode())
    assert forked.files(forked.repo.git("write-tree")) == result_of(forked.commits)
    nothing_is_left(forked)


def test_suggestions_are_posted_once(forked):
    first = give(forked)
    assert give(forked) == first
    assert len(forked.pull.reviews) == 1


def test_a_fork_that_was_deleted_is_one(forked):
    forked.pull.lose_fork()
    assert give(forked).outcome == "patch"


def test_what_the_pull_request_does_not_show_is_in_the_patch_alone(scene):
    # Only a.py differs between the two ends; b.py is as it was.
    base = scene.tree({**BASE, "a.py": Blob(b"older\n")}, scene.base)
    scene.pull.retarget("main", base)
    scene.pull.push(scene.tree(BASE, base))
    scene.head = scene.pull.head
    scene.commits = commits_of(RENAME)
    done = give(scene, server=False)
    assert done.suggestions == 1
    assert [one.path for one in scene.pull.review_comments] == ["a.py"]
    assert "+print(g())" in done.text


def test_no_more_than_ten_suggestions_stand_in_one_review(tmp_path):
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake, fork="bob/hello")
        files = {f"m{n:02}.py": Blob(b"f = 1\n") for n in range(14)}
        scene.pull.push(scene.tree({**BASE, **files}, scene.head))
        scene.head = scene.pull.head
        step = {path: Blob(b"g = 1\n") for path in files}
        scene.commits = commits_of(step, start={**BASE, **files})
        assert give(scene).suggestions == stacked.MOST_SUGGESTIONS == 10
        assert len(scene.pull.review_comments) == 10


def test_what_would_be_obeyed_is_not_suggested(forked):
    forked.commits = commits_of(
        {"a.py": Blob(b"/merge\n"), "pkg/b.py": Blob(b"x = '\xe2\x80\xae'\n")}
    )
    done = give(forked)
    assert done.suggestions == 0
    assert forked.pull.reviews == []
    assert "```diff" not in done.text  # hidden characters are not shown as another patch
    assert f"[The patch]({PAGE}/patch)" in done.text


def test_a_review_that_is_refused_costs_the_suggestions_alone(forked):
    forked.fake.fault("POST", "/reviews$", status=422, body={"message": "spammed"}, times=None)
    done = give(forked)
    assert (done.outcome, done.suggestions) == ("patch", 0)
    assert "```diff" in done.text


def test_a_conversation_that_is_locked_gets_no_suggestions(forked):
    forked.pull.locked = True
    assert give(forked).suggestions == 0


def test_a_large_patch_is_on_the_page_of_the_run(forked):
    text = b"".join(b"line %d of a long file\n" % n for n in range(3_000))
    forked.commits = commits_of({"long.txt": Blob(text)})
    assert f"[The patch]({PAGE}/patch)" in give(forked).text
    assert "too large for a comment" in give(forked, page="").text


def test_what_is_larger_than_can_be_handed_over_is_said(scene):
    written = scene.written(commits_of({"big": Blob(b"x" * 4_000_000)}))
    assert written.too_large
    done = give(scene, written)
    assert done.outcome == "patch"
    assert "larger than what can be handed over" in done.text
    nothing_is_left(scene)


def test_nothing_to_hand_over_is_only_said(scene):
    done = give(scene, scene.written([]))
    assert done.outcome == "nothing"
    assert scene.writes() == []
