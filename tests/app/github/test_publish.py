import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.github import check_runs
from app.github.client import Hub
from app.github.errors import Limited, Unsure
from app.github.markers import Marker, Seal
from app.github.publish import Publication, Published, publish
from app.github.remarks import Remark, told_before
from app.github.reviews import shows
from app.github.urls import Server
from app.render.comment import render_comment
from app.report import Anchor, Excerpt, Report
from app.store import Dismissed
from reviewer.errors import RetryLater
from reviewer.finding import Finding, Place, Severity
from reviewer.policy import DEFAULT_INLINE, MAX_INLINE
from reviewer.request import Coverage, Effort, Looked, Skipped, Withheld
from tests.app.render.samples import finding, hostile, review
from tests.app.render.test_escape import REFERENCE, read
from tests.app.render.test_markdown import OURS, TAG
from tests.github.hub import FakeGitHub

ACTOR = "rlm-review[bot]"
ACTION = "github-actions[bot]"
KEY = b"k" * 32
NAME = "octo/hello"
RUN, SECOND, THIRD = "0123456789abcdef", "1123456789abcdef", "2123456789abcdef"

OLD = [f"line {n}" for n in range(1, 61)]
NEW = [*OLD[:9], "line ten", *OLD[11:49], "line fifty", *OLD[50:]]  # 10 and 50 changed, 11 gone

MISPLACED = [
    "Pull request review thread line must be part of the diff",
    "Pull request review thread line must be part of the diff, Pull request review thread start line "
    "must be part of the same hunk as the line., and Pull request review thread diff hunk can't be blank",
    "Pull request review thread start line must precede the end line.",
    "Pull request review thread path is invalid and Pull request review thread diff hunk can't be blank",
    "Line could not be resolved",
    "Path could not be resolved",
    "Review comments is invalid and Review threads is invalid",
    {"field": "pull_request_review_thread.line", "message": "must be part of the diff"},
]


def text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def at(start: int, line: int | None = None, **changes: Any) -> Finding:
    return finding(**({"path": "a.txt", "start_line": start, "line": line or start} | changes))


TEN = at(10, title="Ten is a word", suggestion="line 10\n")
GONE = at(11, title="Eleven is missed", side="LEFT", severity=Severity.MEDIUM)
FIFTY = at(48, 50, title="Fifty is a word", severity=Severity.LOW)
NIT = at(12, title="Twelve is dull", severity=Severity.NIT)
WHOLE = finding(path="a.txt", start_line=None, line=None, title="All of it", body="Whole file.")
FINDINGS = [FIFTY, NIT, WHOLE, TEN, GONE]


def report(findings: list[Finding] = FINDINGS, **changes: Any) -> Report:
    fields = {"findings": findings, "dependencies": [], "notes": []} | changes
    anchors = {
        one.id: Anchor(
            side=one.side,
            start_line=one.start_line,
            line=one.line,
            suggest=one.suggestion is not None,
        )
        for one in findings
        if one.start_line is not None and one.line is not None
    }
    code = {
        one.id: Excerpt(start=a.start_line, lines=["x"])
        for one in findings
        if (a := anchors.get(one.id))
    }
    return Report(review=review(**fields), anchors=anchors, code=code)


def waived(name: str, **about: str) -> Dismissed:
    """Return that Alice has dismissed a finding of that id."""
    values = {"finding": name, "path": "a.txt", "title": "", "who": "alice", "url": ""} | about
    return Dismissed(**values)


class Scene:
    """A pull request on the fake GitHub, and whoever publishes there."""

    def __init__(self, fake: FakeGitHub, key: bytes | None = KEY, actor: str = ACTOR) -> None:
        self.fake, self.key, self.actor = fake, key, actor
        self.repo = fake.repository(NAME)
        fake.app("rlm-review")
        self.tokens: list[str] = []
        self.base = self.repo.commit({"a.txt": text(OLD)})
        self.pull = self.repo.pull(
            base=self.base, head=self.repo.commit({"a.txt": text(NEW)}, self.base)
        )

    def hub(self, actor: str | None = None, **permissions: str) -> Hub:
        wanted = {"checks": "write", "pull_requests": "write"} | permissions
        actor = actor or self.actor
        token = self.fake.token(actor=actor, repo=self.repo, permissions=wanted)
        self.tokens.append(token)
        server = Server(self.fake.web, self.fake.api)
        return Hub(server, SecretStr(token), actor=actor, write_pause_s=0)

    def what(
        self,
        hub: Hub | None,
        made: Report | None = None,
        run: str = RUN,
        *,
        head: str = "",
        repeat: bool = False,
        **said: Any,
    ) -> Publication:
        """Return what to publish, its check run created by `hub`, if there is one."""
        head, number, check_run = head or self.pull.head, self.pull.number, None
        if hub is not None:
            check_run = check_runs.ensure(hub, NAME, head, run, number, "Reviewing", "It began.")
        return Publication(run, NAME, number, head, made or report(), check_run, repeat, **said)

    def publish(
        self,
        made: Report | None = None,
        run: str = RUN,
        *,
        hub: Hub | None = None,
        check: bool = True,
        **more: Any,
    ) -> Published:
        with hub or self.hub() as ours, self.hub() as other:
            what = self.what(other if check else None, made, run, **more)
            return publish(ours, what, key=self.key)

    def push(self) -> None:
        """Push a commit that touches another file and leaves every line where it is."""
        files = {"a.txt": text(NEW), "b.txt": b"more\n"}
        self.pull.push(self.repo.commit(files, self.pull.head))

    @property
    def inline(self) -> list[tuple[str, int | None, int | None, str]]:
        return [(c.side, c.start_line, c.line, title_of(c.body)) for c in self.pull.review_comments]

    @property
    def stickies(self) -> list[str]:
        return [c.body for c in self.pull.comments if c.user.login == self.actor]

    @property
    def checks(self) -> list[tuple[str, str | None]]:
        return [(run.status, run.conclusion) for run in self.repo.check_runs]

    def posts(self) -> int:
        return sum(r.method == "POST" and r.path.endswith("/reviews") for r in self.fake.requests)

    def whole(self) -> None:
        """Assert that all of it stands there, once."""
        assert sorted(title for *_, title in self.inline) == [
            "Eleven is missed",
            "Fifty is a word",
            "Ten is a word",
        ]
        assert len(self.pull.reviews) == 1
        assert self.pull.pending == []
        assert len(self.stickies) == 1
        assert self.checks == [("completed", "neutral")]


def title_of(body: str) -> str:
    found = re.match(r"\*\*\S+ \w+: (.*)\*\*", body)
    assert found, body
    return found[1]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


@pytest.fixture(params=[KEY, None], ids=["App", "Action"])
def either(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake, request.param, ACTION if request.param is None else ACTOR)


# One publication


def test_a_review_stands_at_its_lines_and_in_a_summary(either):
    published = either.publish()
    either.whole()
    assert either.inline == [
        ("RIGHT", None, 10, "Ten is a word"),
        ("LEFT", None, 11, "Eleven is missed"),
        ("RIGHT", 48, 50, "Fifty is a word"),
    ]
    (review,) = either.pull.reviews
    assert (review.state, review.commit, review.user.login) == (
        "COMMENTED",
        either.pull.head,
        either.actor,
    )
    assert review.body.startswith("3 of 5 findings. All are in the summary.")
    assert "```suggestion\nline 10\n```" in either.pull.review_comments[0].body
    (summary,) = either.stickies
    (check,) = either.repo.check_runs
    for where in (summary, check.summary):
        assert "| 🟧 high | [`a.txt:10`](http" in where
        assert where.count("<details><summary><b>") == 2  # the nit and the whole file
        assert "Reviewed 41 of 45 hunks" in where
        assert f"`{either.pull.head[:10]}`" in where
    assert check.annotations == []
    assert check.title == "5 findings: 2 high, 1 medium, 1 low, 1 nit"
    assert published.outcome == "posted"
    assert published.inline == 3
    assert published.concluded
    assert published.review.startswith(either.fake.web)
    assert published.summary.startswith(either.fake.web)
    assert published.problem == ""


def test_a_row_leads_to_its_comment(scene):
    scene.publish()
    links = re.findall(r"\[`a.txt:[\d-]+`\]\((\S+/pull/\S+)\)", scene.stickies[0])
    assert len(set(links)) == 3
    ids = {str(comment.id) for comment in scene.pull.review_comments}
    assert {re.search(r"\d+$", link)[0] for link in links} == ids  # type: ignore[index]


def test_publishing_a_run_again_changes_nothing(either):
    either.publish()
    before = len(either.fake.requests)
    again = either.publish()
    either.whole()
    assert again.outcome == "posted"
    reads = {"GET", "QUERY"}
    writes = [r for r in either.fake.requests[before:] if r.verb not in reads]
    assert [r.method for r in writes] == ["PATCH"]  # the check run, with the same words


def test_nothing_found_is_said_in_the_summary_alone(scene):
    published = scene.publish(report([], coverage=Coverage(hunks=3, reviewed=3)))
    assert scene.pull.reviews == []
    assert "No findings in the 3 hunks reviewed." in scene.stickies[0]
    assert scene.checks == [("completed", "success")]
    assert published.review == ""


def test_nits_alone_are_no_review(scene):
    scene.publish(report([NIT]))
    assert scene.posts() == 0
    assert "Twelve is dull" in scene.stickies[0]


def test_a_row_without_a_comment_leads_to_its_lines(scene):
    long = "deep/" * 120 + "a.txt"
    scene.publish(report([*FINDINGS, at(1, title="Nowhere", path=long, side="LEFT")]))
    files = f"{scene.fake.web}/{NAME}/blob/{scene.pull.head}"
    (summary,) = scene.stickies
    assert f"| ⬜ nit | [`a.txt:12`]({files}/a.txt?plain=1#L12) | Twelve is dull |" in summary
    assert f"| 🟧 high | [`a.txt`]({files}/a.txt?plain=1) | All of it |" in summary
    assert f"| `{long[:80]}" in summary  # no address is better than a long one


def forty_five() -> list[Finding]:
    return [
        at(10, title=f"Number {n:02}", severity=Severity.LOW if n < 10 else Severity.HIGH,
           confidence=0.5 + n / 100)
        for n in range(45)
    ]  # fmt: skip


def test_ten_comments_are_enough_the_worst_and_surest_first_and_nothing_is_lost(scene):
    found = forty_five()
    scene.publish(report(found))
    assert [title for *_, title in scene.inline] == [f"Number {n}" for n in range(44, 34, -1)]
    assert len(scene.inline) == DEFAULT_INLINE == 10
    assert scene.pull.reviews[0].body.startswith("10 of 45 findings.")
    (summary,) = scene.stickies
    rows = re.findall(r"^\| \S+ (\w+) \| .* \| (Number \d\d) \|$", summary, re.MULTILINE)
    assert len(rows) == 45
    assert [severity for severity, _ in rows] == ["high"] * 35 + ["low"] * 10
    assert summary.count("#discussion_r") == 10
    assert summary.count("/blob/") == 35


@pytest.mark.parametrize(("asked", "made"), [(0, 0), (3, 3), (200, MAX_INLINE)])
def test_another_number_of_comments_may_be_asked_for(scene, asked, made):
    with scene.hub() as hub, scene.hub() as other:
        made_up = report(forty_five()).model_copy(update={"inline_comments": asked})
        assert publish(hub, scene.what(other, made_up), key=KEY).inline == made
    assert len(scene.inline) == made
    assert len(scene.pull.reviews) == bool(made)
    assert all(f"Number {n:02}" in scene.stickies[0] for n in range(45))


def test_the_worst_have_comments_whatever_stands_there_already(either):
    found = forty_five()
    either.publish(report(found[:10]))  # the last of the report's order
    either.push()
    either.publish(report(found), SECOND)
    assert len(either.inline) == 20
    assert either.stickies[0].count("#discussion_r") == 20


def test_more_findings_than_comments_reviewed_again_say_nothing_new(either):
    either.publish(report(forty_five()))
    reviews = len(either.pull.all_reviews)
    for run in (SECOND, THIRD):
        either.push()
        either.publish(report(forty_five()), run)
    assert len(either.inline) == 10
    assert len(either.pull.all_reviews) == reviews


def test_a_place_that_cannot_be_is_not_asked_for(scene):
    made = report([at(10, title="A"), at(12, title="B", path="a\nb"), at(50, title="C")])
    upside_down = {made.review.findings[2].id: Anchor(side="RIGHT", start_line=50, line=49)}
    scene.publish(made.model_copy(update={"anchors": made.anchors | upside_down}))
    assert [title for *_, title in scene.inline] == ["A"]
    assert scene.posts() == 1


def test_hostile_text_is_published_and_does_nothing(scene):
    made = hostile()
    first, second = (one.model_copy(update={"path": "a.txt"}) for one in made.findings)
    found = [first, second.model_copy(update={"id": "b" * 12})]
    made = made.model_copy(update={"findings": found, "change": review().change})
    anchors = {one.id: Anchor(side="RIGHT", start_line=10, line=10, suggest=True) for one in found}
    scene.publish(Report(review=made, anchors=anchors, code={}))
    said = [c.body for c in scene.pull.review_comments] + scene.stickies
    assert len(said) == 3
    for body in said:
        assert not re.search(r"^/", body, re.MULTILINE)
        for token in read(body):
            assert token.type != "image"
            if token.type == "link_open":
                assert str(token.attrs["href"]).startswith(scene.pull.url)
            elif token.type in {"html_block", "html_inline"}:
                markup = re.sub(r"<!-- rlm-review .* -->", "", token.content)
                assert set(TAG.findall(markup)) <= OURS
            elif token.type in {"text", "text_special"}:
                assert not REFERENCE.search(token.content)


def test_no_secret_leaves_in_any_body(scene):
    token = "ghs_1234567_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjEyM30.c2lnbmF0dXJl-X_y"
    leaky = at(10, title=token, body=f"`{token}`\n\n```\n{token}\n```", suggestion=f"{token}\n")
    scene.publish(report([leaky], summary=token, notes=[token]))
    sent = "".join(str(r.body) for r in scene.fake.requests if r.body)
    assert "eyJhbGciOiJSUzI1NiJ9" not in sent
    assert "```suggestion" not in scene.pull.review_comments[0].body
    assert len(scene.pull.review_comments) == 1


def test_sixty_thousand_bytes_of_emoji_fit_everywhere(scene):
    long = "🟥 " * 4_000
    found = [at(10, title=f"{n} {long}", body=long, severity=Severity.NIT) for n in range(40)]
    skipped = [Skipped(path=f"{n}/{long}", hunks=1, reason=long) for n in range(50)]
    scene.publish(
        report(found, summary=long, coverage=Coverage(hunks=60, reviewed=10, skipped=skipped))
    )
    (summary,) = scene.stickies
    (check,) = scene.repo.check_runs
    assert 50_000 < len(summary.encode()) <= 60_000
    assert 50_000 < len(check.summary.encode()) <= 65_535
    assert "Not shown here" in summary
    assert summary.rstrip().endswith("-->")


# Interruptions

STEPS = range(1, 12)
"""Publishing a first review takes so many requests, one of which creates the check run."""


@pytest.mark.parametrize("how", ["stopped", "lost", "refused"])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_is_interrupted_is_completed_by_another_call(either, step, how):
    """Stopped: nothing comes after it, as after a kill. Lost: applied, and the answer cut off."""
    if either.key is None:
        step = min(step, len(STEPS) - 1)  # an Action reads no threads
    with either.hub() as hub:
        what = either.what(hub)
        token = either.tokens[-1]
        start = len(either.fake.requests)

        def disturb(index: int, _: object, phase: str) -> None:
            if (index - start, phase) != (step, "before"):
                return
            if how == "stopped":
                either.fake.expire(token)
            elif how == "lost":
                either.fake.fault(when="after", cut=True)
            else:
                either.fake.fault(status=502)

        either.fake.on_request(disturb)
        try:
            publish(hub, what, key=either.key)
        except RetryLater:
            pass
        else:
            assert how != "stopped"
        assert len(either.fake.requests) - start >= step
    with either.hub() as hub:
        published = publish(hub, what, key=either.key)
    either.whole()
    assert (published.outcome, published.inline, published.problem) == ("posted", 3, "")


def test_publishing_has_no_more_steps_than_were_interrupted(scene):
    with scene.hub() as hub:
        what = scene.what(hub)
        before = len(scene.fake.requests)
        publish(hub, what, key=KEY)
    assert len(scene.fake.requests) - before == len(STEPS)


def test_a_lost_answer_does_not_post_twice_and_is_not_even_noticed(scene):
    scene.fake.fault(method="POST", path=r"/reviews$", status=502, when="after")
    assert scene.publish().problem == ""
    scene.whole()
    assert scene.posts() == 1


def test_a_review_that_was_not_made_is_made_by_the_next_call(scene):
    scene.fake.fault(method="POST", path=r"/reviews$", status=502, when="before")
    with pytest.raises(Unsure):
        scene.publish()
    assert scene.pull.reviews == []
    assert scene.checks == [("in_progress", None)]
    scene.publish()
    scene.whole()


def test_a_lost_answer_to_the_summary_does_not_double_it(scene):
    scene.fake.fault(method="POST", path=r"/comments$", status=502, when="after")
    scene.publish()
    scene.whole()


@pytest.mark.parametrize("path", [r"/reviews$", r"/issues/\d+/comments$", r"/check-runs/\d+$"])
def test_a_rate_limit_is_passed_on_and_the_next_call_completes(scene, path):
    scene.publish(report([]), THIRD)  # so that the summary is there to be read on every path
    scene.pull.comments.clear()
    scene.repo.check_runs.clear()
    body = {"message": "You have exceeded a secondary rate limit."}
    scene.fake.fault(
        path=path, status=403, body=body, headers={"Retry-After": "30"}, **method_of(path)
    )
    with pytest.raises(Limited) as caught:
        scene.publish()
    assert 30 <= caught.value.after_s < 40
    scene.publish()
    scene.whole()


def method_of(path: str) -> dict[str, str]:
    return {"method": "PATCH" if "check" in path else "POST"}


# What GitHub refuses


def refuse(scene: Scene, *errors: object, times: int = 1) -> None:
    body = {
        "message": "Unprocessable Entity",
        "errors": list(errors),
        "documentation_url": "https://docs.github.com/rest",
        "status": "422",
    }
    scene.fake.fault(method="POST", path=r"/reviews$", status=422, body=body, times=times)


@pytest.mark.parametrize("wording", [2025, 2026])
def test_only_what_github_shows_is_posted_when_it_refuses_a_line(scene, wording):
    scene.fake.wording = wording
    found = [
        TEN,
        at(30, title="Outside"),
        at(13, 46, title="Two hunks"),
        at(3, title="No such file", path="b.txt"),
        at(11, title="Left", side="LEFT"),
        at(60, title="Left outside", side="LEFT"),
    ]
    published = scene.publish(report(found))
    assert sorted(title for *_, title in scene.inline) == ["Left", "Ten is a word"]
    assert scene.posts() == 2
    assert published.problem == "GitHub has no place for 4 comments."
    assert scene.stickies[0].count("<details><summary><b>") == 4
    (check,) = scene.repo.check_runs
    assert "GitHub has no place for 4 comments." in check.summary
    assert [one["title"] for one in check.annotations] == [
        "high: Two hunks",
        "high: Outside",
        "high: No such file",
    ]


@pytest.mark.parametrize("said", MISPLACED, ids=str)
def test_every_wording_of_a_line_refused_is_known(scene, said):
    refuse(scene, said)
    scene.publish()
    scene.whole()


@pytest.mark.parametrize("said", MISPLACED[:1])
def test_what_is_refused_twice_goes_to_the_summary_and_the_check_run(scene, said):
    refuse(scene, said, times=2)
    published = scene.publish()
    assert scene.posts() == 2
    assert scene.pull.reviews == []
    assert scene.stickies[0].count("<details><summary><b>") == 5
    (check,) = scene.repo.check_runs
    assert [one["title"] for one in check.annotations] == [
        "high: Ten is a word",
        "low: Fifty is a word",
    ]
    assert published.outcome == "posted"
    assert "422" in published.problem


def test_a_422_about_something_else_is_not_taken_for_a_bad_line(scene):
    refuse(scene, "Validation failed: this looks like spam on every line of every path")
    published = scene.publish()
    assert scene.posts() == 1
    assert "spam" in published.problem
    assert len(scene.stickies) == 1
    assert scene.checks == [("completed", "neutral")]


def test_a_review_that_is_there_in_spite_of_a_422_is_not_posted_again(scene):
    body = {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]}
    scene.fake.fault(method="POST", path=r"/reviews$", status=422, body=body, when="after")
    scene.publish()
    scene.whole()


def pending(scene: Scene, body: str, actor: str | None = None) -> None:
    """Leave a pending review behind, as a crash between two steps would."""
    with scene.hub(actor) as hub:
        path = f"/repos/{NAME}/pulls/{scene.pull.number}/reviews"
        hub.ask("leave a review pending", "POST", path, {"body": body})


@pytest.mark.parametrize("body", ["stray", "ours"])
def test_a_stray_pending_review_of_ours_is_removed(scene, body):
    seal = Seal(KEY, scene.repo.id, scene.pull.number)
    pending(scene, body if body == "stray" else seal.write(Marker(kind="review", run=RUN)))
    assert len(scene.pull.pending) == 1
    assert scene.publish().problem == ""
    scene.whole()


def test_a_persons_pending_review_is_left_alone(tmp_path):
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake, None, "alice")
        scene.repo.permit("alice", "write")
        pending(scene, "my draft")
        published = scene.publish(check=False)
        assert [one.body for one in scene.pull.pending] == ["my draft"]
        assert "one pending review" in published.problem
        assert len(scene.stickies) == 1


def test_without_permission_to_comment_the_check_run_has_it_all(scene):
    hub = scene.hub(pull_requests="read")
    published = scene.publish(hub=hub)
    assert published.outcome == "refused"
    assert published.concluded
    assert "Resource not accessible by integration" in published.problem
    (check,) = scene.repo.check_runs
    assert len(check.annotations) == 2
    assert "not accessible" in check.summary


def test_where_nothing_can_be_written_the_caller_is_told(scene):
    published = scene.publish(hub=scene.hub(pull_requests="read"), check=False)
    assert (published.outcome, published.concluded) == ("refused", False)
    assert (published.review, published.summary) == ("", "")
    assert "Resource not accessible by integration" in published.problem


# The state of the pull request


def test_a_locked_conversation_is_answered_by_the_check_run(scene):
    scene.pull.locked = True
    published = scene.publish()
    assert (published.outcome, published.concluded) == ("locked", True)
    assert (scene.pull.reviews, scene.stickies) == ([], [])
    (check,) = scene.repo.check_runs
    assert "The conversation is locked" in check.summary
    assert len(check.annotations) == 2


def test_a_conversation_locked_at_the_last_moment_too(scene):
    scene.fake.fault(
        method="POST",
        path=r"/(reviews|comments)$",
        times=2,
        status=403,
        body={"message": "Unable to create comment because issue is locked."},
    )
    assert scene.publish().outcome == "refused"
    assert scene.checks == [("completed", "neutral")]
    assert len(scene.repo.check_runs[0].annotations) == 2


def test_a_head_that_moved_gets_no_review_of_the_old_one(scene):
    old = scene.pull.head
    scene.push()
    published = scene.publish(head=old)
    assert published.outcome == "stale"
    assert (scene.pull.reviews, scene.stickies) == ([], [])
    (check,) = scene.repo.check_runs
    assert (check.head_sha, check.conclusion) == (old, "neutral")
    assert check.title == "Superseded: the pull request has newer commits"
    assert "Ten is a word" in check.summary


def test_a_head_that_moves_while_a_review_is_posted_is_noticed(scene):
    old = scene.pull.head
    scene.fake.fault(
        method="POST",
        path=r"/reviews$",
        status=422,
        body={"message": "Unprocessable Entity", "errors": ["The commitOID is not part of it"]},
        action=scene.push,
    )
    assert scene.publish(head=old).outcome == "stale"
    assert (scene.pull.reviews, scene.stickies) == ([], [])


@pytest.mark.parametrize("merged", [False, True])
def test_nothing_is_said_at_lines_of_a_closed_pull_request(scene, merged):
    scene.pull.close(merged=merged)
    published = scene.publish()
    assert published.outcome == ("merged" if merged else "closed")
    assert scene.pull.reviews == []
    assert len(scene.stickies) == merged
    assert scene.checks == [("completed", "neutral")]


@pytest.mark.parametrize("unasked", [True, False])
def test_a_draft_is_told_what_somebody_asked_for_alone(scene, unasked):
    scene.pull.draft = True
    published = scene.publish(unasked=unasked)
    assert published.outcome == ("draft" if unasked else "posted")
    assert len(scene.pull.reviews) == len(scene.stickies) == (not unasked)
    assert scene.checks == [("completed", "neutral")]
    assert ("became a draft" in scene.repo.check_runs[0].summary) == unasked


def test_a_merged_pull_request_without_findings_is_left_in_peace(scene):
    scene.pull.close(merged=True)
    scene.publish(report([]))
    assert scene.stickies == []


def test_a_pull_request_that_is_gone_is_no_error(scene):
    with scene.hub() as hub:
        scene.pull.vanish()
        what = Publication(RUN, NAME, scene.pull.number, scene.pull.head, report(), None)
        assert publish(hub, what, key=KEY).outcome == "gone"


def test_a_repository_that_was_renamed_is_found_with_all_that_was_said(scene):
    scene.publish()
    scene.repo.rename("octo/goodbye")
    published = scene.publish(run=SECOND, check=False)
    assert published.outcome == "posted"
    assert f"{scene.fake.web}/octo/goodbye/" in published.summary
    assert len(scene.pull.reviews) == len(scene.stickies) == 1


def test_who_does_not_know_its_own_login_posts_nothing(scene):
    with scene.hub() as hub:
        hub.actor = None
        with pytest.raises(ValueError, match="its own login"):
            publish(hub, scene.what(None), key=KEY)
    assert scene.fake.requests == []


def test_a_repository_that_vanishes_mid_way_is_reported(scene):
    scene.fake.fault(
        method="POST",
        path=r"/reviews$",
        status=404,
        body={"message": "Not Found"},
        action=scene.repo.delete,
    )
    published = scene.publish()
    assert (published.outcome, published.concluded) == ("refused", False)
    assert "404" in published.problem


# What was said before


def test_a_second_run_says_nothing_twice(either):
    either.publish()
    either.publish(run=SECOND)
    assert len(either.pull.reviews) == 1
    assert len(either.stickies) == 1
    assert either.stickies[0].count("#discussion_r") == 3
    assert either.checks == [("completed", "neutral")] * 2


def test_a_push_edits_the_summary_and_says_what_is_new(either):
    either.publish()
    first = either.pull.comments[0].id
    either.push()
    either.publish(report([*FINDINGS, at(49, title="News")]), SECOND)
    assert [title for *_, title in either.inline][3:] == ["News"]
    assert [comment.id for comment in either.pull.comments] == [first]
    assert f"`{either.pull.head[:10]}`" in either.stickies[0]
    link = either.pull.reviews[1].body
    assert "1 of 6 findings. All are in [the summary](http" in link


def test_what_was_asked_for_again_is_said_again(scene):
    scene.publish()
    scene.publish(run=SECOND, repeat=True)
    scene.publish(run=SECOND, repeat=True)
    assert len(scene.inline) == 6
    assert len(scene.pull.reviews) == 2


def test_a_comment_that_was_deleted_is_made_anew(scene):
    scene.publish()
    scene.pull.comments.clear()
    scene.publish(run=SECOND)
    assert len(scene.stickies) == 1


def test_a_summary_deleted_while_it_is_edited_is_made_anew(scene):
    scene.publish()
    scene.fake.fault(
        method="PATCH",
        path=r"/issues/comments/\d+$",
        status=404,
        body={"message": "Not Found"},
        action=scene.pull.comments.clear,
    )
    scene.publish(run=SECOND, made=report([TEN]))
    assert len(scene.stickies) == 1


def test_the_summary_is_found_on_a_later_page(scene):
    for number in range(120):
        scene.pull.comment("alice", f"comment {number}")
    scene.publish()
    scene.publish(run=SECOND, made=report([TEN]))
    assert len(scene.stickies) == 1


def test_a_strangers_marker_counts_for_nothing(scene):
    seal = Seal(KEY, scene.repo.id, scene.pull.number)  # even if it were signed
    forged = [Marker(kind="summary", run=RUN), Marker(kind="review", run=RUN)]
    for marker in forged:
        scene.pull.comment("mallory", "hello" + seal.write(marker))
    pending(scene, "x", "mallory")
    with scene.hub("mallory") as hub:
        path = f"/repos/{NAME}/pulls/{scene.pull.number}"
        hub.ask("", "DELETE", f"{path}/reviews/{scene.pull.pending[0].id}")
        comments = [
            {
                "path": "a.txt",
                "line": 10,
                "side": "RIGHT",
                "body": seal.write(Marker(kind="finding", run=RUN, finding=one.id)),
            }
            for one in (TEN, GONE, FIFTY)
        ]
        body = {"event": "COMMENT", "body": seal.write(forged[1]), "comments": comments}
        hub.ask("", "POST", f"{path}/reviews", body)
    scene.publish()
    assert [c.user.login for c in scene.pull.review_comments] == ["mallory"] * 3 + [ACTOR] * 3
    assert len(scene.stickies) == 1
    assert [c.body[:5] for c in scene.pull.comments[:2]] == ["hello"] * 2


def test_an_unsigned_marker_of_our_own_actor_suppresses_nothing(tmp_path):
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake, KEY, ACTION)
        seal = Seal(None, scene.repo.id, scene.pull.number)
        with scene.hub() as hub:
            marker = seal.write(Marker(kind="finding", run=RUN, finding=TEN.id))
            comments = [
                {"path": "a.txt", "line": 10, "side": "RIGHT", "body": "All is well" + marker}
            ]
            body = {
                "event": "COMMENT",
                "body": seal.write(Marker(kind="review", run=RUN)),
                "comments": comments,
            }
            hub.ask("", "POST", f"/repos/{NAME}/pulls/{scene.pull.number}/reviews", body)
        scene.publish()
        assert len(scene.pull.review_comments) == 4


def test_our_own_login_may_be_written_in_another_case(tmp_path):
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake)
        scene.publish()
        with scene.hub() as hub:
            hub.actor = "RLM-Review[bot]"
            scene.publish(hub=hub, run=SECOND, made=report([TEN]))
        assert len(scene.pull.reviews) == 1
        assert len(scene.stickies) == 1


# Pairs


def texts(*findings: Finding) -> dict[str, str]:
    here = Anchor(side="RIGHT", start_line=1, line=1)
    return {one.id: render_comment(one, here, lambda *_: None) for one in findings}


def remark(one: Finding, line: int | None, **changes: str) -> Remark:
    fields = {"path": one.path, "text": texts(one)[one.id], "url": str(line)} | changes
    return Remark(line=line, **fields)


def test_a_remark_tells_one_finding_and_the_one_at_its_line_first():
    first, second, third = (at(n, id=str(n) * 12) for n in (1, 2, 3))
    told = told_before(
        [first, second, third],
        texts(first, second, third),
        [remark(first, 3), remark(first, None)],
    )
    assert {name[0]: one.line for name, one in told.items()} == {"3": 3, "1": None}


def test_a_signed_id_tells_a_finding_whatever_its_words_are_now():
    old = at(1, id="a" * 12, title="Old words")
    new = at(1, id="a" * 12, title="New words")
    assert told_before([new], texts(new), [remark(old, 9)]) == {}
    assert list(told_before([new], {}, [remark(old, 9, finding="a" * 12)])) == [new.id]
    assert told_before([new], {}, [remark(old, 9, finding="a" * 12, path="b.txt")]) == {}


def test_what_was_said_at_one_of_the_places_is_said_wherever_the_finding_stands_now():
    old = at(1, id="a" * 12, path="z.txt")
    other = Place(id=old.id, path="z.txt", start_line=1, line=1)
    new = at(5, id="b" * 12, places=(other,))
    signed = remark(old, 1, finding=old.id)
    assert told_before([new], texts(new), [signed]) == {new.id: signed}
    read = remark(old, 1)
    assert told_before([new], texts(new), [read]) == {new.id: read}
    assert told_before([at(5, id="b" * 12)], texts(new), [signed, read]) == {}


def test_a_repeat_that_comes_or_goes_posts_nothing_new(either):
    def places(*numbers: int) -> tuple[Place, ...]:
        return tuple(Place(id=str(n) * 12, path="a.txt", start_line=n, line=n) for n in numbers)

    for run, others in ((RUN, ()), (SECOND, places(8, 9)), (THIRD, places(9))):
        either.publish(report([TEN.model_copy(update={"places": others})]), run)
    assert [title for *_, title in either.inline] == ["Ten is a word"]
    assert "(and at 1 other place)" in either.stickies[0]


# What people dismissed, and what is mended


def in_three() -> tuple[Finding, Report]:
    """Return a finding that is true of three lines, `a` of line 10, `b` and `c` of the next."""
    ids = ["a" * 12, "b" * 12, "c" * 12]
    lines = [10, 49, 50]
    places = tuple(
        Place(id=name, path="a.txt", start_line=n, line=n)
        for name, n in zip(ids[1:], lines[1:], strict=True)
    )
    one = at(10, id=ids[0], title="A word is no number", suggestion="10\n", places=places)
    made = report([one])
    anchors = {
        name: Anchor(side="RIGHT", start_line=n, line=n, suggest=n == 10)
        for name, n in zip(ids, lines, strict=True)
    }
    return one, made.model_copy(update={"anchors": anchors})


@pytest.mark.parametrize(
    ("gone", "line", "others", "note"),
    [
        ("a", 49, 1, "1 place of others not shown: dismissed by alice."),
        ("b", 10, 1, "1 place of others not shown: dismissed by alice."),
        ("bc", 10, 0, "2 places of others not shown: dismissed by alice."),
        ("abc", None, 0, "1 finding not shown: dismissed by alice."),
    ],
)
def test_a_pattern_is_dismissed_place_by_place(scene, gone, line, others, note):
    _, made = in_three()
    scene.publish(made, dismissed=[waived(letter * 12) for letter in gone])
    assert [at_line for _, _, at_line, _ in scene.inline] == ([line] if line else [])
    assert note in scene.stickies[0]
    assert (f"(and at {others} other place" in scene.stickies[0]) == bool(others)
    assert ("```suggestion" in str([c.body for c in scene.pull.review_comments])) == (line == 10)


@pytest.mark.parametrize("gone", ["a", "b"])
def test_a_broken_contract_is_dismissed_with_all_its_callers(scene, gone):
    one, made = in_three()
    broken = one.model_copy(update={"source": "detector:contracts/call"})
    made = made.model_copy(update={"review": made.review.model_copy(update={"findings": [broken]})})
    scene.publish(made, dismissed=[waived(gone * 12)])
    assert scene.inline == []
    assert "1 finding not shown: dismissed by alice." in scene.stickies[0]


def test_a_grave_pattern_keeps_every_place_in_sight_and_says_which_is_dismissed(scene):
    one, made = in_three()
    grave = one.model_copy(update={"severity": Severity.CRITICAL})
    made = made.model_copy(update={"review": made.review.model_copy(update={"findings": [grave]})})
    scene.publish(made, dismissed=[waived("a" * 12)])
    assert [line for _, _, line, _ in scene.inline] == [49], "a new place is news"
    (summary,) = scene.stickies
    assert summary.count("A word is no number") >= 2 and "dismissed by `alice`" in summary


LOOKED = Looked(by=("model:correctness", "detector:secrets"), effort=Effort.STANDARD)


def mended(scene: Scene, looked: Looked, run: str = SECOND, **changes: Any) -> int:
    """Push a commit that changes line 10 back, review it, and return how many were closed."""
    lines = [*NEW[:9], f"line ten of {run}", *NEW[10:]]
    scene.pull.push(scene.repo.commit({"a.txt": text(lines)}, scene.pull.head))
    made = report([], **changes).model_copy(update={"looked": looked})
    return scene.publish(made, run).mended


def found_at_ten(scene: Scene, **changes: Any) -> None:
    made = report([TEN.model_copy(update=changes)]).model_copy(update={"looked": LOOKED})
    scene.publish(made)


TOLD = Withheld(ids=("f" * 12,), path="a.txt", title="Ten is a number, not a word")


@pytest.mark.parametrize(
    ("source", "looked", "coverage", "closed"),
    [
        ("model:correctness", LOOKED, (), 1),
        ("model:correctness", LOOKED.model_copy(update={"effort": Effort.DEEP}), (), 1),
        ("model:correctness", LOOKED.model_copy(update={"effort": Effort.QUICK}), (), 0),
        ("model:correctness", LOOKED.model_copy(update={"by": ("detector:secrets",)}), (), 0),
        ("model:contracts", LOOKED, (), 0),
        ("detector:secrets/aws", LOOKED.model_copy(update={"effort": Effort.QUICK}), (), 1),
        ("detector:python-lint/F821", LOOKED, (), 0),
        ("model:correctness", LOOKED, ("a.txt",), 0),
        ("model:correctness", LOOKED, ("b.txt",), 1),
        ("model:correctness", LOOKED.model_copy(update={"withheld": (TOLD,)}), (), 0),
        (
            "model:correctness",
            LOOKED.model_copy(update={"withheld": (TOLD.model_copy(update={"path": "b.txt"}),)}),
            (),
            1,
        ),
    ],
)
def test_a_thread_is_closed_only_by_who_looked_again(scene, source, looked, coverage, closed):
    found_at_ten(scene, source=source)
    skipped = [Skipped(path=path, hunks=1, reason="ignored") for path in coverage]
    covered = Coverage(hunks=1, reviewed=1 - len(skipped), skipped=skipped)
    assert mended(scene, looked, coverage=covered) == closed
    assert len(scene.pull.review_comments) == 1 + closed


def test_a_thread_that_somebody_opens_again_is_left_open(scene):
    found_at_ten(scene)
    assert mended(scene, LOOKED) == 1
    ours = scene.pull.review_comments[0]
    assert ours.folded
    ours.folded = ""
    assert mended(scene, LOOKED, THIRD) == 0
    assert not ours.folded and len(scene.pull.review_comments) == 2


def test_what_a_kill_left_said_and_open_is_closed_by_the_next_attempt(scene):
    found_at_ten(scene)
    scene.fake.fault(
        method="POST",
        path=r"/replies$",
        when="after",
        action=lambda: scene.fake.fault(path=r"graphql$", status=502, times=None),
    )
    with pytest.raises(RetryLater):
        mended(scene, LOOKED)
    assert not scene.pull.review_comments[0].folded
    scene.fake.mend()
    made = report([]).model_copy(update={"looked": LOOKED})
    assert scene.publish(made, SECOND).mended == 1
    assert scene.pull.review_comments[0].folded and len(scene.pull.review_comments) == 2


PATCH = "@@ -7,8 +7,7 @@ def f():\n line\n-@@ -100,9 +100,9 @@\n+x\n@@ -47 +46,7 @@\n a"


@pytest.mark.parametrize(
    ("side", "start", "line", "shown"),
    [
        ("RIGHT", None, 7, True),
        ("RIGHT", None, 13, True),
        ("RIGHT", None, 14, False),
        ("LEFT", None, 14, True),
        ("RIGHT", 7, 13, True),
        ("RIGHT", 13, 46, False),
        ("LEFT", None, 47, True),
        ("LEFT", None, 48, False),
        ("RIGHT", None, 100, False),
    ],
)
def test_a_patch_shows_the_lines_of_its_hunks(side, start, line, shown):
    comment = {"path": "a", "body": "b", "side": side, "line": line}
    if start:
        comment["start_line"] = start
    assert shows(PATCH, comment) is shown
    assert shows(None, comment) is False
