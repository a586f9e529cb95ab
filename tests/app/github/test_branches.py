import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from app.github.branches import (
    MOST_NAMES,
    Opened,
    Pushed,
    Undone,
    make_branch,
    open_stacked,
    ours_below,
    push_commits,
    rebased,
    tip_of,
    undo,
)
from app.github.errors import Forbidden, Limited, NotThere, Refused, Unsure
from app.github.git_trees import Trees
from app.written import Written
from reviewer.errors import GiveUp, RetryLater
from reviewer.refactor.patch import Blob
from tests.app.github.writers import (
    ACTOR,
    AFTER,
    BASE,
    NAME,
    Scene,
    commits_of,
    result_of,
)
from tests.github.git import ENV
from tests.github.hub import FakeGitHub

BRANCH = "rlm-refactor-1-0123456789"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def make(scene: Scene, written: Written | None = None, *, onto: str = "", **permissions: str):
    made = written or scene.written()
    with scene.hub(**permissions) as hub:
        return make_branch(hub, NAME, made.commits, onto=onto or scene.pull.head, name=BRANCH)


# A branch


def test_a_branch_has_every_commit_and_every_byte_of_the_patch(scene, tmp_path):
    made = make(scene)
    assert made.branch == BRANCH
    assert scene.branches() == {BRANCH: made.head}
    assert scene.files(made.head) == result_of(scene.commits)
    assert scene.files(f"{made.head}^") == result_of(scene.commits[:1])
    log = scene.repo.git("log", "--format=%s", f"{scene.head}..{made.head}")
    assert log.splitlines() == ["Do part 2", "Do part 1"]
    # Whoever checks it out has it, modes and all.
    target = tmp_path / "out"
    clone = ["git", "clone", "-q", "-b", BRANCH, str(scene.repo.folder), str(target)]
    subprocess.run(clone, env=ENV, check=True)
    assert (target / "pkg/b.py").stat().st_mode & 0o111
    assert not (target / "run.sh").stat().st_mode & 0o111
    assert not (target / "pkg/gone.py").exists()
    assert (target / "latin.txt").read_bytes() == AFTER["latin.txt"].data  # type: ignore[union-attr]
    assert (target / "pkg/new/__init__.py").read_bytes() == b""


def test_commits_are_the_apps_and_signed_for(scene):
    made = make(scene)
    with scene.hub() as hub:
        for name in (made.head, f"{made.head}^"):
            sha = scene.repo.git("rev-parse", name)
            shown = hub.ask("look", "GET", f"/repos/{NAME}/commits/{sha}")
            assert shown["author"]["login"] == ACTOR
            assert shown["commit"]["verification"]["verified"] is True
    bodies = [r.body for r in scene.fake.asked("POST", "/git/commits$")]
    assert all(body.keys() == {"message", "tree", "parents"} for body in bodies)


def test_text_goes_with_its_tree_and_other_bytes_by_themselves(scene):
    make(scene)
    blobs = scene.fake.asked("POST", "/git/blobs$")
    # What is no UTF-8, what is empty, and what is blank; a mode alone needs no bytes.
    assert len(blobs) == 3
    assert len(scene.fake.asked("POST", "/git/trees$")) == 2


def test_a_file_and_a_folder_change_places(scene):
    to_folder = {"a.py": None, "a.py/inner.py": Blob(b"x = 1\n")}
    back = {"pkg/b.py": None, "pkg/gone.py": None, "pkg": Blob(b"a file now\n")}
    commits = commits_of(to_folder, back)
    made = make(scene, scene.written(commits))
    assert scene.files(made.head) == result_of(commits)


NAMES = st.sampled_from(["a.py", "b", "dir/a", "dir/b", "dir/sub/c", "dir/sub", "new/x", "b/y"])
BLOBS = st.builds(Blob, st.binary(max_size=12), st.sampled_from(["100644", "100755"]))


def consistent(paths: Mapping[str, object]) -> bool:
    """Is no path below another one?"""
    return not any(one.startswith(f"{other}/") for one in paths for other in paths)


TREES = st.dictionaries(NAMES, BLOBS, max_size=5).filter(consistent)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One GitHub for many patches."""
    with FakeGitHub(tmp_path_factory.mktemp("shared")) as fake:
        yield Scene(fake)


@pytest.mark.parametrize(
    ("files", "requests"),
    [
        ({f"d{n % 7}/{n}.py": Blob(b"%d\n" % n) for n in range(205)}, 3),
        ({f"{n}.txt": Blob(b"word " * 36_000) for n in range(7)}, 2),
    ],
    ids=["many", "large"],
)
def test_a_large_commit_is_handed_over_in_parts(scene, files, requests):
    commits = commits_of(files)
    made = make(scene, scene.written(commits))
    assert len(scene.fake.asked("POST", "/git/trees$")) == requests
    assert scene.repo.git("rev-list", "--count", f"{scene.head}..{made.head}") == "1"
    assert scene.repo.git("rev-parse", f"{made.head}^{{tree}}") == scene.repo.git(
        "rev-parse", f"{scene.tree(result_of(commits))}^{{tree}}"
    )


E = Blob(b"")
SWAPS = {
    "before": {"a.py": E, "dir/a": E, "dir/sub": E},
    "then": [{"dir/sub/c": E, "a.py": E}, {"new/x": E, "dir/sub": E}],
}


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # smaller ones would take minutes to look for
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=TREES, then=st.lists(TREES, min_size=1, max_size=2))
@example(**SWAPS)
def test_whatever_the_patch_is_the_branch_has_exactly_what_it_makes(shared, before, then):
    before = before | {"untouched.md": Blob(b"# stays\n")}
    steps, now = [], dict(before)
    for files in then:
        after = files | {"untouched.md": Blob(b"# stays\n")}
        step = {path: after.get(path) for path in now | after if now.get(path) != after.get(path)}
        if step:
            steps.append(step)
        now = after
    if not steps:
        return
    head = shared.tree(before, shared.base)
    shared.head = head
    commits = commits_of(*steps, start=before)
    written = shared.written(commits)
    with shared.hub() as hub:
        name = f"rlm-refactor-{head[:12]}-{len(shared.branches())}"
        assert rebased(Trees(hub, NAME), written, head) == ("same", ())
        made = make_branch(hub, NAME, written.commits, onto=head, name=name)
        assert shared.files(made.head) == now
        assert make_branch(hub, NAME, written.commits, onto=head, name=name) == made


# Again


def test_the_same_branch_again_is_the_one_that_is_there(scene):
    first = make(scene)
    since = len(scene.fake.requests)
    assert make(scene) == first
    assert {one.rpartition("/")[2] for one in scene.writes(since)} <= {"trees", "blobs"}
    assert scene.branches() == {BRANCH: first.head}


def test_it_is_known_again_when_the_pull_request_has_moved_on_between_two_attempts(scene):
    first = make(scene)
    scene.pull.push(scene.tree({**BASE, "other.py": Blob(b"x\n")}, scene.head))
    assert make(scene) == first
    assert scene.branches() == {BRANCH: first.head}


@pytest.mark.parametrize("write", ["trees", "blobs", "commits", "refs"])
def test_a_lost_answer_leads_to_one_branch(scene, write):
    scene.fake.fault("POST", f"/git/{write}$", status=502, when="after")
    try:
        make(scene)
    except RetryLater:
        make(scene)
    made = scene.branches()
    assert list(made) == [BRANCH]
    assert scene.files(made[BRANCH]) == result_of(scene.commits)


def test_a_lost_answer_to_the_reference_is_looked_for_at_once(scene):
    scene.fake.fault("POST", "/git/refs$", status=502, when="after")
    made = make(scene)
    assert scene.branches() == {BRANCH: made.head}


def test_a_reference_that_was_not_made_is_for_the_next_attempt(scene):
    scene.fake.fault("POST", "/git/refs$", status=502, when="before")
    with pytest.raises(Unsure):
        make(scene)
    assert scene.branches() == {}
    assert make(scene).branch == BRANCH


# Names


def test_a_name_that_is_taken_leads_to_the_next_one(scene):
    scene.repo.git("update-ref", f"refs/heads/{BRANCH}", scene.base)
    made = make(scene)
    assert made.branch == f"{BRANCH}-2"
    assert scene.branches()[BRANCH] == scene.base
    assert make(scene) == made


def test_a_name_that_is_taken_meanwhile_leads_to_the_next_one(scene):
    def take() -> None:
        scene.repo.git("update-ref", f"refs/heads/{BRANCH}", scene.base)

    scene.fake.fault("POST", "/git/refs$", action=take)
    assert make(scene).branch == f"{BRANCH}-2"


def test_the_same_messages_over_other_files_are_not_ours(scene):
    theirs = commits_of({"a.py": Blob(b"evil = 1\n")}, {"a.py": Blob(b"worse = 1\n")})
    forged = make(scene, scene.written(theirs))
    made = make(scene)
    assert made.branch == f"{BRANCH}-2"
    assert scene.branches()[BRANCH] == forged.head


def test_no_name_that_is_left_is_an_end(scene):
    for name in (BRANCH, *(f"{BRANCH}-{n}" for n in range(2, MOST_NAMES + 1))):
        scene.repo.git("update-ref", f"refs/heads/{name}", scene.base)
    with pytest.raises(GiveUp, match="already"):
        make(scene)
    assert scene.fake.asked("POST", "/git/commits$") == []


# Refusals


def test_a_missing_permission_is_said_and_nothing_is_made(scene):
    with pytest.raises(Forbidden, match="contents=write"):
        make(scene, contents="read")
    assert scene.branches() == {}


def test_a_repository_that_is_hidden_is_not_there(scene):
    other = scene.fake.repository("octo/other", private=True)
    token_for_other = scene.fake.token(ACTOR, other, {"contents": "write"})
    scene.fake.apps.tokens[token_for_other].access.repositories = (other,)
    with scene.hub() as hub, pytest.raises(NotThere):
        make_branch(hub, "octo/other", scene.written().commits, onto=scene.head, name=BRANCH)


def test_a_rule_against_new_branches_is_an_answer(scene):
    scene.repo.no_new_branches = True
    with pytest.raises(Refused, match="Reference update failed"):
        make(scene)


LIMITS = [
    (403, {"message": "You have exceeded a secondary rate limit."}, {}),
    (429, {"message": "Too many requests"}, {"Retry-After": "7"}),
    (403, {"message": "API rate limit exceeded"}, {"x-ratelimit-remaining": "0"}),
]


@pytest.mark.parametrize(("status", "body", "headers"), LIMITS)
@pytest.mark.parametrize("write", ["trees", "commits", "refs"])
def test_a_limit_puts_the_job_back(scene, write, status, body, headers):
    scene.fake.fault("POST", f"/git/{write}$", status=status, body=body, headers=headers)
    with pytest.raises(Limited) as caught:
        make(scene)
    assert caught.value.after_s >= 1
    assert make(scene).branch == BRANCH


# A head that has moved


def test_a_patch_fits_the_commit_that_it_was_made_for(scene):
    with scene.hub() as hub:
        assert rebased(Trees(hub, NAME), scene.written(), scene.head) == ("same", ())


def test_it_fits_another_head_where_its_own_files_are_what_they_were(scene):
    new = scene.tree(
        {**BASE, "untouched.md": Blob(b"other\n"), "pkg/c.py": Blob(b"c\n")}, scene.head
    )
    with scene.hub() as hub:
        assert rebased(Trees(hub, NAME), scene.written(), new) == ("rebased", ())
    made = make(scene, onto=new)
    expected = {**BASE, "untouched.md": Blob(b"other\n"), "pkg/c.py": Blob(b"c\n")}
    assert scene.files(made.head) == result_of(scene.commits, expected)


CHANGED = {
    "another text": ({"a.py": Blob(b"other\n")}, ("a.py",)),
    "another mode": ({"run.sh": Blob(b"#!/bin/sh\n")}, ("run.sh",)),
    "gone": ({"pkg/gone.py": None}, ("pkg/gone.py",)),
    "made meanwhile": ({"blank": Blob(b"mine\n")}, ("blank",)),
    "a file where a folder goes": ({"pkg/new": Blob(b"x\n")}, ("pkg/new/__init__.py", "pkg/new/deep.py")),
    "a folder where a file is": ({"a.py": None, "a.py/x": Blob(b"x\n")}, ("a.py",)),
    "a link on the way": (
        {"pkg/new": Blob(b"/etc", "120000")},
        ("pkg/new/__init__.py", "pkg/new/deep.py"),
    ),
    "a link in its place": ({"a.py": Blob(BASE["a.py"].data, "120000")}, ("a.py",)),
}  # fmt: skip


@pytest.mark.parametrize(("change", "paths"), CHANGED.values(), ids=CHANGED.keys())
def test_it_does_not_fit_where_a_file_of_its_own_is_another(scene, change, paths):
    files = {path: blob for path, blob in (BASE | change).items() if blob is not None}
    new = scene.tree(files, scene.head)
    with scene.hub() as hub:
        assert rebased(Trees(hub, NAME), scene.written(), new) == ("conflict", paths)


@pytest.mark.parametrize(
    ("links", "paths"),
    [
        ({"pkg/new": Blob(b"/etc", "120000")}, ("pkg/new/__init__.py", "pkg/new/deep.py")),
        ({"a.py": Blob(BASE["a.py"].data, "120000")}, ("a.py",)),
    ],
    ids=["on the way", "in its place"],
)
def test_a_link_is_not_followed_at_the_start_either(scene, links, paths):
    scene.head = scene.tree({**BASE, **links}, scene.base)
    with scene.hub() as hub:
        assert rebased(Trees(hub, NAME), scene.written(), scene.head) == ("conflict", paths)


def test_folders_that_two_commits_share_are_read_once(scene):
    new = scene.tree({**BASE, "untouched.md": Blob(b"other\n")}, scene.head)
    with scene.hub() as hub:
        rebased(Trees(hub, NAME), scene.written(), new)
    trees = [r.path for r in scene.fake.asked("GET", "/git/trees/")]
    assert len(trees) == len(set(trees)) == 3  # two roots, and the folder pkg


# Further commits


def more(scene: Scene) -> Written:
    made = commits_of({"a.py": Blob(b"def k():\n    return 1\n")}, start=result_of(scene.commits))
    return scene.written(made)


def push(scene: Scene, onto: str) -> Pushed:
    with scene.hub() as hub:
        return push_commits(hub, NAME, BRANCH, more(scene).commits, onto=onto)


def test_further_commits_go_on_top_of_ours_once(scene):
    made = make(scene)
    first = push(scene, made.head)
    assert first.state == "pushed"
    assert scene.repo.git("rev-parse", f"{first.head}^") == made.head
    assert push(scene, made.head) == first
    assert scene.branches() == {BRANCH: first.head}


def test_a_push_whose_answer_is_lost_is_made_once(scene):
    made = make(scene)
    scene.fake.fault("PATCH", "/git/refs/", status=502, when="after")
    done = push(scene, made.head)
    assert scene.branches() == {BRANCH: done.head}


def test_somebody_elses_commits_are_never_overwritten(scene):
    made = make(scene)
    theirs = scene.tree(BASE, made.head)
    scene.repo.git("update-ref", f"refs/heads/{BRANCH}", theirs)
    assert push(scene, made.head) == Pushed("moved", theirs)
    assert scene.branches() == {BRANCH: theirs}


def test_a_push_that_comes_between_is_no_fast_forward(scene):
    made = make(scene)
    theirs = scene.tree(BASE, made.head)

    def come_between() -> None:
        scene.repo.git("update-ref", f"refs/heads/{BRANCH}", theirs)

    scene.fake.fault("PATCH", "/git/refs/", action=come_between)
    assert push(scene, made.head) == Pushed("moved", theirs)


def test_a_branch_that_is_gone_gets_no_more(scene):
    made = make(scene)
    scene.repo.delete_branch(BRANCH)
    assert push(scene, made.head) == Pushed("gone")


def test_our_last_commit_is_found_below_those_of_others(scene):
    made = make(scene)
    top = scene.tree(BASE, scene.tree(BASE, made.head))
    with scene.hub() as hub:
        assert ours_below(hub, NAME, scene.written().commits, top) == made.head
        assert ours_below(hub, NAME, scene.written().commits, scene.head) == ""


def seen_by_reader(scene: Scene, written: Written, tip: str) -> str:
    with scene.hub(contents="read") as hub:
        return ours_below(hub, NAME, written.commits, tip)


def test_who_may_only_read_knows_our_commits_too(scene):
    made = make(scene)
    written = scene.fake.asked("POST", "/git/trees$|/git/blobs$")
    top = scene.tree(BASE, made.head)
    assert seen_by_reader(scene, scene.written(), top) == made.head
    # Nothing was written: each time it was refused.
    after = scene.fake.asked("POST", "/git/trees$|/git/blobs$")
    assert {one.status for one in after[len(written) :]} == {403}


def test_who_may_only_read_follows_a_file_and_a_folder_that_change_places(scene):
    to_folder = {"a.py": None, "a.py/inner.py": Blob(b"x = 1\n")}
    back = {"pkg/b.py": None, "pkg/gone.py": None, "pkg": Blob(b"a file now\n")}
    written = scene.written(commits_of(to_folder, back))
    made = make(scene, written)
    assert seen_by_reader(scene, written, made.head) == made.head


@pytest.mark.parametrize(
    "change",
    [
        {"a.py": Blob(b"other\n")},
        {"a.py": None},
        {"beside.py": Blob(b"x = 1\n")},
        {"pkg/beside.py": Blob(b"x = 1\n")},
        {"far/away.py": Blob(b"x = 1\n")},
        {"pkg/b.py": Blob(AFTER["pkg/b.py"].data, "100644")},  # type: ignore[union-attr]
    ],
    ids=["bytes", "gone", "beside", "below", "elsewhere", "mode"],
)
def test_who_may_only_read_takes_no_other_commit_for_ours(scene, change):
    last, first = result_of(scene.commits), result_of(scene.commits[:1])
    changed = {path: blob for path, blob in (last | change).items() if blob is not None}
    for files, found in ((last, True), (changed, False)):
        tip = scene.pull.head
        for there, one in zip((first, files), scene.written().commits, strict=True):
            modes = {path: blob.mode for path, blob in there.items()}
            data = {path: blob.data for path, blob in there.items()}
            tip = scene.repo.commit(data, tip, message=one.message, modes=modes)
        assert seen_by_reader(scene, scene.written(), tip) == (tip if found else "")


# The pull request


def open_one(scene: Scene, **permissions: str) -> Opened:
    with scene.hub(**permissions) as hub:
        return open_stacked(hub, NAME, BRANCH, "topic", "Refactor: it", "All of it.")


def test_a_pull_request_goes_into_the_branch_of_the_other_one(scene):
    made = make(scene)
    found = open_one(scene)
    (pull,) = scene.stacked
    assert (pull.base_ref, pull.head_ref, pull.head) == ("topic", BRANCH, made.head)
    assert found == Opened(
        pull.number,
        BRANCH,
        f"{scene.fake.web}/{NAME}/pull/{pull.number}",
        "open",
        "topic",
        made.head,
        ours=True,
    )
    assert [one.path for one in pull.files()] == [
        path for path in sorted(result_of(scene.commits) | AFTER) if path in AFTER
    ]


def test_it_is_opened_once_also_where_the_answer_is_lost(scene):
    make(scene)
    scene.fake.fault("POST", "/pulls$", status=502, when="after")
    assert open_one(scene) == open_one(scene)
    assert len(scene.stacked) == 1


def test_one_that_was_closed_stays_closed(scene):
    make(scene)
    open_one(scene)
    scene.stacked[0].close()
    assert open_one(scene).state == "closed"
    assert len(scene.stacked) == 1


def test_one_that_somebody_opened_from_our_branch_is_taken(scene):
    made = make(scene)
    theirs = scene.repo.pull(scene.head, made.head, "alice", base_ref="topic", head_ref=BRANCH)
    found = open_one(scene)
    assert (found.number, found.ours) == (theirs.number, False)


def test_a_pull_request_of_a_fork_with_the_same_branch_is_another(scene):
    make(scene)
    scene.repo.pull(scene.base, scene.head, "octo", fork="mallory/hello", head_ref=BRANCH)
    assert open_one(scene).number == scene.stacked[0].number


# Undoing


def stack(scene: Scene) -> tuple[int, str]:
    made = make(scene)
    return open_one(scene).number, made.head


def undone(scene: Scene, number: int, head: str, **permissions: str) -> Undone:
    with scene.hub(**permissions) as hub:
        return undo(hub, NAME, number, BRANCH, head)


def test_undoing_closes_and_deletes_and_says_the_same_again(scene):
    number, head = stack(scene)
    first = undone(scene, number, head)
    assert first == Undone("closed", "gone")
    assert (scene.stacked[0].state, scene.branches()) == ("closed", {})
    since = len(scene.fake.requests)
    assert undone(scene, number, head) == first
    assert scene.writes(since) == []


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/pulls/"), ("DELETE", "/git/refs/")])
@pytest.mark.parametrize("when", ["before", "after"])
def test_undoing_goes_on_where_it_was_cut_off(scene, method, path, when):
    number, head = stack(scene)
    scene.fake.fault(method, path, status=502, when=when)
    try:
        done = undone(scene, number, head)
    except Unsure:
        done = undone(scene, number, head)
    assert done == Undone("closed", "gone")
    assert (scene.stacked[0].state, scene.branches()) == ("closed", {})


def test_a_branch_with_commits_of_others_stays(scene):
    number, head = stack(scene)
    theirs = scene.tree(BASE, head)
    scene.repo.git("update-ref", f"refs/heads/{BRANCH}", theirs)
    assert undone(scene, number, head) == Undone("closed", "foreign")
    assert scene.branches() == {BRANCH: theirs}


def test_a_commit_that_only_says_it_is_ours_is_not(scene):
    number, head = stack(scene)
    bot = scene.app.bot
    who = f"{bot.login} <{bot.id}+{bot.login}@users.noreply.github.com> 1700000000 +0000"
    tree = scene.repo.git("rev-parse", f"{head}^{{tree}}")
    text = f"tree {tree}\nparent {head}\nauthor {who}\ncommitter {who}\n\nforged\n"
    forged = scene.repo.git("hash-object", "-t", "commit", "-w", "--stdin", data=text.encode())
    scene.repo.git("update-ref", f"refs/heads/{BRANCH}", forged)
    assert undone(scene, number, head) == Undone("closed", "foreign")


def test_a_commit_of_ours_that_somebody_else_has_picked_is_theirs(scene):
    """`verified` speaks of the committer, and the author stays."""
    number, head = stack(scene)
    alice = scene.fake.user("alice")
    ours = scene.repo.git("cat-file", "commit", head)
    tree, author = (
        next(line for line in ours.splitlines() if line.startswith(name))
        for name in ("tree ", "author ")
    )
    by = f"alice <{alice.id}+alice@users.noreply.github.com> 1700000000 +0000"
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----"
    text = f"{tree}\nparent {head}\n{author}\ncommitter {by}\n{signature}\n\npicked\n"
    picked = scene.repo.git("hash-object", "-t", "commit", "-w", "--stdin", data=text.encode())
    scene.repo.git("update-ref", f"refs/heads/{BRANCH}", picked)
    assert undone(scene, number, head) == Undone("closed", "foreign")
    assert scene.branches() == {BRANCH: picked}


def test_further_commits_of_ours_go_with_it(scene):
    number, head = stack(scene)
    push(scene, head)  # and nobody noted it down
    assert undone(scene, number, head) == Undone("closed", "gone")


def test_one_that_was_merged_is_left_alone(scene):
    number, head = stack(scene)
    scene.stacked[0].close(merged=True)
    assert undone(scene, number, head) == Undone("merged", "kept")
    assert scene.branches() == {BRANCH: head}


def test_one_that_is_gone_leaves_its_branch_to_us(scene):
    number, head = stack(scene)
    scene.stacked[0].vanish()
    assert undone(scene, number, head) == Undone("gone", "gone")


def test_without_permission_to_close_nothing_is_undone(scene):
    number, head = stack(scene)
    done = undone(scene, number, head, pull_requests="read")
    assert (done.pull, done.branch) == ("forbidden", "kept")
    assert "not accessible" in done.why
    assert (scene.stacked[0].state, scene.branches()) == ("open", {BRANCH: head})


def test_without_permission_to_delete_the_branch_stays(scene):
    number, head = stack(scene)
    done = undone(scene, number, head, contents="read")
    assert (done.pull, done.branch) == ("closed", "forbidden")
    assert scene.branches() == {BRANCH: head}


def test_a_pull_request_of_somebody_else_is_never_closed(scene):
    make(scene)
    with scene.hub() as hub, pytest.raises(GiveUp, match="no pull request of ours"):
        undo(hub, NAME, scene.pull.number, BRANCH, scene.head)
    assert scene.pull.state == "open"


def test_a_branch_that_is_not_there_has_no_tip(scene):
    with scene.hub() as hub:
        assert tip_of(hub, NAME, "nowhere") is None
        assert tip_of(hub, NAME, "topic") == scene.head
