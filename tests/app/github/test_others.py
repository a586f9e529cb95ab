"""What somebody else said at the same place is not said again, and anything else is no reason."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.annotations import annotations
from app.github import others
from app.github.annotated import NOT_READ
from app.github.between import Heads
from app.github.others import (
    MOST_POINTS,
    Mention,
    Saying,
    Weight,
    mentioned_by_others,
    said_by_others,
)
from app.render.markdown import SaidBy, render_markdown
from app.render.snippet import no_code
from app.report import Anchor
from reviewer.finding import Category, Finding, Severity
from tests.app.github.test_publish import (
    ACTION,
    NAME,
    NEW,
    OLD,
    SECOND,
    THIRD,
    Scene,
    at,
    report,
    text,
)
from tests.app.render.samples import HOSTILE, finding, review
from tests.app.render.test_escape import REFERENCE, read
from tests.composite import parse_line
from tests.github import ci
from tests.github.hub import FakeGitHub

SAME = (
    "**Potential issue**: the refund is retried after a timeout without an idempotency key, so the "
    "gateway may send the money again."
)
OTHERS = [
    "typo?",
    "nit: again",
    "Should we log the refund amount here too? The gateway team asked for it.",
    "nit: the name of this loop variable does not follow our conventions",
    "> A refund that times out is sent again, without a key\n\nI do not think so, see above.",
    "Fine.<!-- A refund that times out is sent again without a key, the gateway may send it -->",
    "",
]


def saying(text: str = SAME, **changes: Any) -> Saying:
    values = {
        "login": "alice",
        "path": "shop/refund.py",
        "side": "RIGHT",
        "start_line": 7,
        "line": 7,
        "text": text,
        "url": "https://hub.test/octo/hello/pull/1#discussion_r1",
        "weight": Weight.MEMBER,
    }
    return Saying(**(values | changes))


def said(one: Finding, *sayings: Saying) -> list[str]:
    anchor = Anchor(side=one.side, start_line=one.start_line or 1, line=one.line or 1)
    return [found.login for found in said_by_others([one], {one.id: anchor}, sayings).values()]


def test_the_claim_in_other_words_at_its_place_is_said() -> None:
    assert said(finding(), saying()) == ["alice"]


@pytest.mark.parametrize("text", OTHERS)
def test_another_remark_about_the_same_lines_is_not_the_claim(text: str) -> None:
    assert said(finding(), saying(text)) == []


def test_a_wall_of_text_that_is_about_everything_is_not_the_claim() -> None:
    names = " ".join(f"word{n}" for n in range(2_000))
    assert said(finding(), saying(f"{names} refund times out sent again key")) == []


@pytest.mark.parametrize(
    ("start", "line", "near"),
    [(3, 3, True), (2, 2, False), (11, 11, True), (12, 12, False), (1, 40, True), (1, 3, True)],
)
def test_it_has_to_stand_within_three_lines(start: int, line: int, near: bool) -> None:
    assert bool(said(finding(), saying(start_line=start, line=line))) is near  # ours: 6 to 8


def test_it_has_to_stand_in_the_same_file_on_the_same_side() -> None:
    assert said(finding(), saying(path="shop/other.py")) == []
    assert said(finding(), saying(side="LEFT")) == []
    assert said(finding(side="LEFT"), saying(side="LEFT")) == ["alice"]


def test_a_finding_without_a_place_is_nobody_elses() -> None:
    assert said_by_others([finding()], {}, [saying()]) == {}


def test_the_first_who_said_it_is_named_and_two_findings_may_be_one_comment() -> None:
    assert said(finding(), saying(OTHERS[2]), saying(login="bob"), saying()) == ["bob"]
    one, two = finding(), finding(start_line=9, line=9)
    anchors = {
        each.id: Anchor(side="RIGHT", start_line=n, line=n) for each, n in ((one, 7), (two, 9))
    }
    assert len(said_by_others([one, two], anchors, [saying()])) == len({one.id, two.id})


def test_a_name_is_no_mention_and_does_nothing() -> None:
    one = finding()
    for login in ("octocat", "org/team", "coderabbitai[bot]", HOSTILE):
        others = {one.id: SaidBy(login, "https://hub.test/octo/hello/pull/1#discussion_r1")}
        text = render_markdown(review(findings=[one]), no_code, said_by=others)
        assert text.count("already said by `") == 2
        assert "[`shop/refund.py:6-8`](https://hub.test/octo/hello/pull/1#discussion_r1)" in text
        for token in read(text):
            if token.type in {"text", "text_special"}:
                assert not REFERENCE.search(token.content)
            assert token.type != "image"
        assert not re.search(r"@octo", text)


# On the pull request


CLAIM = at(
    10,
    title="The word ten breaks the parser of numbers",
    body="`parse` takes digits alone, so the word ten raises ValueError for every reader.",
    severity=Severity.MEDIUM,
)
LOW = CLAIM.model_copy(update={"severity": Severity.LOW})
THEIRS = "This breaks the parser: it takes digits alone, and the word ten raises a ValueError."


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def comment(scene: Scene, body: str, actor: str = "alice", line: int = 10, **place: object) -> int:
    """Have somebody comment on a line, and return the number of the comment."""
    where = {"path": "a.txt", "line": line, "side": "RIGHT", "body": body} | place
    with scene.hub(actor) as hub:
        path = f"/repos/{NAME}/pulls/{scene.pull.number}/reviews"
        hub.ask("comment", "POST", path, {"event": "COMMENT", "body": "x", "comments": [where]})
    return int(scene.pull.review_comments[-1].id)


def ours(scene: Scene) -> list[str]:
    return [c.body for c in scene.pull.review_comments if c.user.login == scene.actor]


@pytest.mark.parametrize("actor", ["alice", "other-reviewer[bot]"])
def test_what_a_person_or_a_bot_said_goes_to_the_summary(scene: Scene, actor: str) -> None:
    scene.fake.app("other-reviewer")
    scene.pull.repo.permissions["alice"] = "write"
    number = comment(scene, THEIRS, actor, line=12)
    scene.publish(report([CLAIM, at(50, title="Fifty is a word")]))
    assert [body.split("**")[1] for body in ours(scene)] == ["🟧 high: Fifty is a word"]
    (summary,) = scene.stickies
    address = f"{scene.pull.url}#discussion_r{number}"
    assert f"[`a.txt:10`]({address}) | {CLAIM.title} (already said by `{actor}`) |" in summary
    assert "digits alone, so the word ten raises" in summary  # our reason is not lost
    assert "@" not in summary


def test_what_a_stranger_said_keeps_nothing_back(scene: Scene) -> None:
    comment(scene, THEIRS, "alice", line=12)
    scene.publish(report([CLAIM]))
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]


def test_a_remark_about_something_else_keeps_nothing_back(scene: Scene) -> None:
    comment(scene, "Could you say in the description why the line about ten has changed?")
    scene.publish(report([CLAIM]))
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]


def talk(scene: Scene, body: str, actor: str = "alice") -> str:
    """Have somebody comment in the conversation; return what the address ends in."""
    with scene.hub(actor) as hub:
        hub.ask(
            "talk", "POST", f"/repos/{NAME}/issues/{scene.pull.number}/comments", {"body": body}
        )
    return f"issuecomment-{scene.pull.comments[-1].id}"


def review_as_a_whole(scene: Scene, body: str, actor: str = "alice") -> str:
    with scene.hub(actor) as hub:
        path = f"/repos/{NAME}/pulls/{scene.pull.number}/reviews"
        hub.ask("review", "POST", path, {"event": "COMMENT", "body": body})
    return f"pullrequestreview-{scene.pull.reviews[-1].id}"


def on_the_file(scene: Scene, body: str, actor: str = "alice", path: str = "a.txt") -> str:
    with scene.hub(actor) as hub:
        address = f"/repos/{NAME}/pulls/{scene.pull.number}/comments"
        whole = {"path": path, "subject_type": "file", "commit_id": scene.pull.head}
        hub.ask("comment", "POST", address, whole | {"body": body})
    return f"discussion_r{scene.pull.review_comments[-1].id}"


def outdated(scene: Scene, body: str, actor: str = "alice") -> str:
    """Have somebody comment on line ten, which a push then takes away and puts back."""
    number = comment(scene, body, actor)
    scene.pull.push(scene.repo.commit({"a.txt": text(OLD)}, scene.pull.head))
    scene.pull.push(scene.repo.commit({"a.txt": text(["top", *NEW])}, scene.pull.head))
    assert scene.pull.review_comments[-1].line is None
    return f"discussion_r{number}"


WAYS: list[tuple[Callable[..., str], str]] = [
    (talk, f"Thanks!\n\n- `a.txt`: {THEIRS}\n- Something else about the weather"),
    (review_as_a_whole, f"### a.txt\n\nNot yet.\n\n{THEIRS}"),
    (on_the_file, THEIRS),
    (outdated, THEIRS),
]


@pytest.fixture(params=WAYS, ids=lambda way: way[0].__name__)
def say(request: pytest.FixtureRequest) -> Callable[..., str]:
    way, body = request.param
    return partial(_say, way, body)


def _say(way: Callable[..., str], body: str, scene: Scene, actor: str = "alice") -> str:
    return way(scene, body, actor)


@pytest.mark.parametrize("actor", ["alice", "other-reviewer[bot]"])
def test_what_was_said_at_no_line_goes_to_the_summary_too(scene, say, actor):
    scene.fake.app("other-reviewer")
    scene.pull.repo.permissions["alice"] = "write"
    if actor != "alice" and say.args[0] is talk:
        say = partial(_say, *WAYS[1])  # an app has no word in the conversation
    where = say(scene, actor)
    scene.publish(report([CLAIM, at(50, title="Fifty is a word")]))
    assert [body.split("**")[1] for body in ours(scene)] == ["🟧 high: Fifty is a word"]
    (summary,) = scene.stickies
    address = f"{scene.pull.url}#{where}"
    assert f"[`a.txt:10`]({address}) | {CLAIM.title} (already said by `{actor}`) |" in summary
    assert "digits alone, so the word ten raises" in summary  # our reason is not lost


def test_neither_a_stranger_nor_who_made_the_change_keeps_anything_back(scene, say):
    say(scene)
    author = scene.pull.author.login
    scene.pull.repo.permissions[author] = "write"
    say(scene, author)
    comment(scene, THEIRS, author)
    scene.publish(report([CLAIM]))
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]


def test_an_app_in_the_conversation_may_repeat_the_author_and_keeps_nothing_back(scene):
    scene.fake.app("other-reviewer")
    talk(scene, WAYS[0][1], "other-reviewer[bot]")
    scene.publish(report([CLAIM]))
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]


WORKFLOW_BOTS = ["github-actions[bot]", "github-advanced-security[bot]", "reviewdog[bot]"]


@pytest.fixture
def bots(scene: Scene) -> Scene:
    """The scene, with apps that say what a workflow has them say, and one that judges."""
    scene.fake.apps.actions()
    for slug in ("github-advanced-security", "other-reviewer", "reviewdog"):
        scene.fake.app(slug)
    return scene


@pytest.mark.parametrize("actor", WORKFLOW_BOTS)
def test_what_a_workflow_has_a_bot_say_counts_for_what_is_low_alone(bots, actor):
    """Who may push can have it say anything, also in the text of a review or about a file."""
    comment(bots, THEIRS, actor)
    for way, body in WAYS[1:3]:
        way(bots, body, actor)
    bots.publish(report([CLAIM]))
    assert len(ours(bots)) == 1
    assert "already said" not in bots.stickies[0]


@pytest.mark.parametrize("way", [comment, review_as_a_whole, on_the_file, outdated])
@pytest.mark.parametrize("actor", WORKFLOW_BOTS)
def test_what_is_low_needs_not_be_said_after_it(bots, actor, way):
    way(bots, dict(WAYS).get(way, THEIRS), actor)
    bots.publish(report([LOW]), head=bots.pull.head)
    assert ours(bots) == []
    assert f"already said by `{actor}`" in bots.stickies[0]


@pytest.mark.parametrize(
    "grave",
    [
        {"severity": Severity.HIGH},
        {"severity": Severity.LOW, "category": Category.SECURITY},
    ],
    ids=str,
)
def test_what_is_high_or_grave_is_said_whatever_app_says_it(bots, grave):
    comment(bots, THEIRS, "other-reviewer[bot]")
    bots.publish(report([CLAIM.model_copy(update=grave)]))
    assert len(ours(bots)) == 1
    assert "already said" not in bots.stickies[0]


@pytest.mark.parametrize(
    "grave", [{"severity": Severity.CRITICAL}, {"category": Category.SECURITY}], ids=str
)
def test_what_is_grave_is_said_though_others_said_it_elsewhere(scene, say, grave):
    scene.pull.repo.permissions["alice"] = "write"
    say(scene)
    scene.publish(report([CLAIM.model_copy(update=grave)]))
    assert len(ours(scene)) == 1


def test_what_is_high_is_said_though_others_said_it_elsewhere(scene, say):
    scene.pull.repo.permissions["alice"] = "write"
    say(scene)
    scene.publish(report([CLAIM.model_copy(update={"severity": Severity.HIGH})]))
    assert len(ours(scene)) == 1


def test_what_we_said_at_a_line_is_ours_whoever_speaks_of_it_later(scene, say):
    scene.pull.repo.permissions["alice"] = "write"
    scene.publish(report([CLAIM]))
    say(scene)
    scene.publish(report([CLAIM]), SECOND, head=scene.pull.head)
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]


@pytest.mark.parametrize(("line", "told"), [(10, 1), (40, 0)])
def test_a_comment_on_lines_that_went_elsewhere_is_about_those(scene, line, told):
    scene.pull.repo.permissions["alice"] = "write"
    comment(scene, THEIRS)
    scene.pull.push(scene.repo.commit({"a.txt": text([*["top"] * 30, *NEW])}, scene.pull.head))
    scene.pull.review_comments[-1].line = None
    moved = CLAIM.model_copy(update={"start_line": line, "line": line})
    scene.publish(report([moved]), head=scene.pull.head)
    assert len(ours(scene)) == told
    assert ("already said by `alice`" in scene.stickies[0]) is (told == 0)


def test_our_own_summary_is_nobody_elses_and_another_program_with_our_login_is(tmp_path):
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake, None, ACTION)
        scene.publish(report([CLAIM]).model_copy(update={"inline_comments": 0}))
        assert (len(ours(scene)), len(scene.stickies)) == (0, 1)
        scene.publish(report([CLAIM]), SECOND)
        assert len(ours(scene)) == 1
        talk(scene, "a.txt: no reader of numbers takes the word fifty, which has no digits")
        fifty = at(
            50,
            title="The word fifty has no digits",
            body="No reader takes it.",
            severity=Severity.LOW,
        )
        said = "a.txt: no reader takes the word fifty as a number: it has no digits"
        review_as_a_whole(scene, said, ACTION)
        scene.publish(report([CLAIM, fifty]), THIRD)
        assert len(ours(scene)) == 1
        assert f"already said by `{ACTION}`" in scene.stickies[0]


REFUND = finding(severity=Severity.MEDIUM)
TOLD = "the refund that times out is sent again without a key, so the gateway pays twice."


def mentioned(one: Finding, *bodies: str, **place: Any) -> list[str]:
    """Return who mentions a finding, of bodies by "0", "1" and so on."""
    mentions = [
        Mention(**({"login": str(n), "text": body, "url": "", "weight": Weight.MEMBER} | place))
        for n, body in enumerate(bodies)
    ]
    return [told.login for told in mentioned_by_others([one], mentions, NO_HEADS).values()]


NO_HEADS = Heads(lambda: pytest.fail("nobody asks about heads"), NAME, "0" * 40)


@pytest.mark.parametrize(
    "body",
    [
        f"In shop/refund.py {TOLD}",
        f"`refund.py`: {TOLD}",
        f"# Findings\n\n## refund.py\n\nLines 6-8: {TOLD}\n\nMore.",
        f"- web/cart.ts is fine\n- shop/refund.py:6\n  - {TOLD}",
        f"refund.py: {TOLD}\n\n" + "\n\n".join(f"Point {n} is about tests" for n in range(99)),
    ],
)
def test_a_point_that_names_the_file_and_makes_the_claim_says_it(body):
    assert mentioned(REFUND, "Hello", body, body) == ["1"]


@pytest.mark.parametrize(
    "body",
    [
        f"refund.py: fixed, {TOLD}",
        f"refund.py: it's not true that {TOLD}",
        f"refund.py: it can’t be that {TOLD}",
        f"refund.py never did this: {TOLD}",
        f"| File | Note |\n|---|---|\n| refund.py | {TOLD} |",
        f"File | Note\n---|---\nrefund.py | {TOLD}",
        f"<table><tr><td>refund.py: {TOLD}</td></tr></table>",
        TOLD,  # of no file
        f"legacy/refund.py: {TOLD}",
        f"shop/refund.py looks good\n\n## web/cart.ts\n\n{TOLD}",
        "refund.py: the refund is sent twice",  # too little
        f"> refund.py: {TOLD}\n\nI do not think so.",
        "refund.py\n- a refund times out\n- mail is sent\n- again a key\n- the gateway moved",
        "refund.py: a refund that times out is logged again without the key of the gateway's order "
        "`order_key`, see `log_refund`: " + " ".join(f"word{n}" for n in range(200)),
    ],
)
def test_a_point_that_may_mean_another_claim_says_nothing(body):
    assert mentioned(REFUND, body) == []


def test_a_name_that_the_title_quotes_will_do_where_no_other_file_is_named():
    title = "`Gateway.send_all` sends a refund that times out again"
    one = finding(title=title, severity=Severity.MEDIUM)
    text = "`send_all` sends the refund again after it times out, and who tells the gateway?"
    assert mentioned(one, text) == ["0"]
    assert mentioned(one, f"shop/other.py: {text}") == []
    assert (
        mentioned(
            one.model_copy(update={"title": title.replace("_all", "")}), text.replace("_all", "")
        )
        == []
    )
    assert mentioned(one, text.replace("send_all", "send_one")) == []


def test_opposite_words_are_another_claim():
    title = "The last page of refunds is never fetched again"
    one = finding(title=title, body="", severity=Severity.MEDIUM)
    text = "refund.py: the {} page of refunds is never fetched again"
    assert mentioned(one, text.format("last")) == ["0"]
    assert mentioned(one, text.format("first")) == []


def test_a_title_that_names_a_kind_of_fault_alone_is_nobodys():
    assert mentioned(REFUND.model_copy(update={"title": "Missing key"}), f"refund.py: {TOLD}") == []


def test_a_comment_about_a_file_is_about_no_other():
    assert mentioned(REFUND, TOLD, path="shop/refund.py") == ["0"]
    assert mentioned(REFUND, f"refund.py: {TOLD}", path="shop/other.py") == []


def test_of_what_others_said_so_much_is_looked_at_the_newest_first():
    said = f"refund.py: {TOLD}"
    noise = "word\n\n" * MOST_POINTS
    assert mentioned(REFUND, said, noise) == []
    assert mentioned(REFUND, noise, said) == ["1"]
    assert mentioned(REFUND, said, *["x" * 60_000] * 9) == []


def test_the_words_of_a_point_are_looked_up_once_for_all_findings(monkeypatch):
    asked = []
    words = others.telling_words
    monkeypatch.setattr(others, "telling_words", lambda text: asked.append(text) or words(text))
    findings = [
        finding(start_line=n, line=n, severity=Severity.MEDIUM, evidence=str(n))
        for n in range(1, 41)
    ]
    noise = "\n\n".join(f"refund.py: point {n} speaks of other things here" for n in range(100))
    mentions = [Mention("alice", noise, "", Weight.MEMBER)]
    assert mentioned_by_others(findings, mentions, NO_HEADS) == {}
    assert len(asked) <= 100 + 2 * len(findings)


def test_an_answer_to_our_comment_does_not_make_it_theirs(scene: Scene) -> None:
    scene.publish(report([CLAIM]))
    with scene.hub("alice") as hub:
        thread = f"comments/{scene.pull.review_comments[0].id}"
        path = f"/repos/{NAME}/pulls/{scene.pull.number}/{thread}/replies"
        hub.ask("answer", "POST", path, {"body": THEIRS})
    scene.publish(report([CLAIM]), SECOND, repeat=True)
    assert len(ours(scene)) == 2
    assert "already said" not in scene.stickies[0]


def test_what_we_said_first_stays_ours_when_others_say_it_too(scene: Scene) -> None:
    scene.publish(report([CLAIM]))
    comment(scene, THEIRS)
    scene.publish(report([CLAIM]), SECOND)
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]
    assert "#discussion_r" in scene.stickies[0]


def test_what_others_said_takes_no_room_of_ours(scene: Scene) -> None:
    comment(scene, THEIRS)
    found = [
        CLAIM,
        *(at(50, title=f"Number {n} is a word", confidence=0.5 + n / 100) for n in range(10)),
    ]
    scene.publish(report(found))
    assert len(ours(scene)) == 10


def test_another_program_with_the_same_login_is_somebody_else(tmp_path: Path) -> None:
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake, None, ACTION)
        comment(scene, THEIRS, ACTION)
        scene.publish(report([LOW]))
        assert ours(scene) == [THEIRS]
        assert f"already said by `{ACTION}`" in scene.stickies[0]


def test_a_stranger_cannot_say_beforehand_what_is_not_to_be_said() -> None:
    assert said(finding(), saying(weight=Weight.NONE)) == []
    words = " ".join(f"word{number}" for number in range(200))
    assert said(finding(), saying(f"{SAME} {words}")) == []
    assert said(finding(), saying(start_line=1, line=90)) == []


def test_what_is_critical_is_said_whoever_said_it() -> None:
    grave = finding().model_copy(update={"severity": Severity.CRITICAL})
    assert said(grave, saying()) == []


# What checks say at lines

WHY = "This breaks the parser: it takes digits alone, and the word ten raises a ValueError."


def checks_say(scene: Scene, text: str = WHY, app: str = "linter", line: int = 10) -> str:
    """Have a check annotate a line of the head; return the address of the check."""
    for slug in ("linter", "github-advanced-security", "reviewdog", "circleci-checks"):
        scene.fake.app(slug)
    scene.fake.apps.actions()
    note = ci.annotation("a.txt", line, text, "warning")
    made = ci.check(scene.repo, scene.pull.head, "lint", app=app, annotations=(note,))
    return f"{scene.repo.html_url}/runs/{made.id}"


@pytest.mark.parametrize(
    ("app", "claim"),
    [("linter", CLAIM), ("linter", LOW), ("github-actions", LOW), ("reviewdog", LOW)],
)
def test_what_a_check_says_at_its_lines_goes_to_the_summary(scene, app, claim):
    address = checks_say(scene, app=app)
    scene.publish(report([claim, at(50, title="Fifty is a word")]))
    assert [body.split("**")[1] for body in ours(scene)] == ["🟧 high: Fifty is a word"]
    (summary,) = scene.stickies
    said = f"[`a.txt:10`]({address}) | {CLAIM.title} (already said by the check `lint`) |"
    assert said in summary
    assert CLAIM.body.split("`")[-1].strip() in summary  # our reason is not lost


@pytest.mark.parametrize("app", ["linter", "github-actions", "github-advanced-security"])
@pytest.mark.parametrize(
    "grave",
    [
        {"severity": Severity.HIGH},
        {"severity": Severity.CRITICAL},
        {"severity": Severity.LOW, "category": Category.SECURITY},
        {"severity": Severity.LOW, "category": Category.SECRET},
    ],
)
def test_what_is_grave_or_high_is_said_though_a_check_says_it(scene, app, grave):
    checks_say(scene, app=app)
    scene.publish(report([CLAIM.model_copy(update=grave)]))
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]
    assert not asked_for_checks(scene)


@pytest.mark.parametrize(
    "app",
    ["github-actions", "github-advanced-security", "reviewdog", "circleci-checks", "nobody"],
)
def test_a_workflow_which_the_author_can_change_keeps_back_nothing_medium(scene, app):
    checks_say(scene, app=app)
    scene.publish(report([CLAIM]))
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]


@pytest.mark.parametrize(
    ("text", "line"), [("The word ten is fine here.", 10), (WHY, 90), (WHY + "x" * 4_000, 10)]
)
def test_a_check_that_says_something_else_or_elsewhere_keeps_nothing_back(scene, text, line):
    checks_say(scene, text, line=line)
    scene.publish(report([CLAIM]))
    assert len(ours(scene)) == 1


@pytest.mark.parametrize(
    ("app", "name"), [("rlm-review", "anything"), ("github-advanced-security", "rlm")]
)
def test_our_own_checks_are_nobody_elses(scene, app, name):
    scene.fake.app("github-advanced-security")
    note = ci.annotation("a.txt", 10, WHY)
    ci.check(scene.repo, scene.pull.head, name, app=app, annotations=(note,))
    scene.publish(report([LOW]))
    assert len(ours(scene)) == 1
    assert "already said" not in scene.stickies[0]


@pytest.fixture
def action(tmp_path: Path) -> Iterator[Scene]:
    """A job of a workflow publishes: its actor is that of all other workflows."""
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake, None, ACTION)


def test_an_action_hears_what_other_workflows_print(action: Scene) -> None:
    address = checks_say(action, app="github-actions")
    action.publish(report([LOW]), hub=action.hub(checks="read"), check=False)
    assert ours(action) == []
    said = f"[`a.txt:10`]({address}) | {LOW.title} (already said by the check `lint`) |"
    assert said in action.stickies[0]


def test_what_an_action_printed_itself_in_another_run_is_nobody_elses(action: Scene) -> None:
    printed = parse_line(annotations([LOW])[0])
    assert printed is not None
    note = ci.annotation("a.txt", 10, printed.message) | {"title": printed.properties["title"]}
    action.fake.apps.actions()
    ci.check(action.repo, action.pull.head, "job", annotations=(note,))
    action.publish(report([LOW]), hub=action.hub(checks="read"), check=False)
    assert len(ours(action)) == 1
    assert "already said" not in action.stickies[0]


def test_an_action_that_may_not_read_checks_says_so_once(action: Scene) -> None:
    action.repo.private = True
    checks_say(action, app="github-actions")
    action.publish(report([LOW]), hub=action.hub(checks="none"), check=False)
    assert len(ours(action)) == 1
    assert action.stickies[0].count(NOT_READ) == 1


def test_what_we_said_first_stays_ours_when_a_check_says_it_too(scene: Scene) -> None:
    scene.publish(report([CLAIM]))
    checks_say(scene)
    scene.publish(report([CLAIM]), SECOND)
    assert "already said" not in scene.stickies[0]
    assert not asked_for_checks(scene)


def test_without_the_permission_checks_are_not_heard_and_that_is_said_once(tmp_path):
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake)
        scene.repo.private = True
        checks_say(scene)
        scene.publish(report([CLAIM]), hub=scene.hub(checks="none"), check=False)
        assert len(ours(scene)) == 1
        assert scene.stickies[0].count(NOT_READ) == 1


def test_of_what_checks_say_so_much_is_read_by_apps_that_judge_first(scene: Scene) -> None:
    scene.fake.apps.actions()
    other = tuple(ci.annotation("b.txt", n, "x") for n in range(1, 702))
    for n in range(30):
        ci.check(scene.repo, scene.pull.head, f"flood-{n}", annotations=other)
    checks_say(scene)
    scene.publish(report([CLAIM]))
    assert "already said by the check `lint`" in scene.stickies[0]
    assert asked_for_checks(scene) == 1 + 19 * 5


def asked_for_checks(scene: Scene) -> int:
    """Count the requests for annotations."""
    return sum(one.path.endswith("/annotations") for one in scene.fake.requests)
