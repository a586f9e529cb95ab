import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.render.markdown import LIMIT_BYTES
from app.render.outgoing import size
from app.render.refactoring import plan_text
from app.render.writing import (
    FILES_SHOWN,
    PATHS_SHOWN,
    can_start,
    commit_message,
    no_branch_lead,
    opened_lead,
    patch_block,
    plain,
    plan_comment,
    result_comment,
    stacked_body,
    stacked_title,
    undone_comment,
)
from reviewer.finding import Severity
from reviewer.fix.values import Closed, ClosedWith, Fixing, Open
from reviewer.refactor.values import (
    CommitInfo,
    FileInfo,
    Left,
    Module,
    Move,
    Plan,
    Refactoring,
    Rename,
    Unneeded,
)
from reviewer.request import Cost, StopReason
from tests.app.render.samples import HOSTILE, HOSTILE_BLOCK, finding
from tests.app.render.test_escape import REFERENCE, read
from tests.app.render.test_markdown import OURS, TAG

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
URL = "https://github.com/octo/hello/pull/18"

PLAN = Plan(
    summary="f is called g. Callers follow.",
    contract="g(x) keeps its arguments.",
    renames=[Rename(path="a.py", symbol="f", to="g")],
    moves=[Move(path="a.py", symbol="T", to="t.py")],
    modules=[Module(name="core", files=["a.py"], new_files=["t.py"], what="rename it there")],
)
COMMITS = [
    CommitInfo(
        module="core",
        by="host",
        message="Rename f to g\n\nIt is clearer.",
        files=[FileInfo(path="a.py", status="modified"), FileInfo(path="t.py", status="added")],
    )
]


def refactoring(**changes: object) -> Refactoring:
    made = Refactoring(
        instruction="rename f",
        commit="c" * 40,
        plan=PLAN,
        commits=COMMITS,
        left=[Left(module="docs", what="README", why="nobody came to it")],
        cost=Cost(model="claude", usd=0.5, calls=2),
    )
    return made.model_copy(update=changes)


def fixing(**changes: object) -> Fixing:
    about = {"severity": Severity.HIGH, "line": 3}
    made = Fixing(
        commit="c" * 40,
        reviewed="d" * 40,
        closed=[
            Closed(
                id="0a1b2c3d4e5f", path="a.py", title="It leaks", message="Close it", tries=1,
                files=[FileInfo(path="a.py", status="modified")], **about,
            )
        ],
        open=[
            Open(id="1a1b2c3d4e5f", path="b.py", title="It races", state="refused", why="no proof",
                 **about)
        ],
    )  # fmt: skip
    return made.model_copy(update=changes)


# The plan


def test_a_plan_says_what_is_done_where_and_how_it_is_started():
    text = plan_comment(refactoring(commits=[], status="planned"))
    assert "f is called g. Callers follow." in text
    assert "- rename `f` to `g` (`a.py`)" in text
    assert "- move `T` from `a.py` to `t.py`" in text
    assert "1. **core**: rename it there\n   `a.py`, `t.py` (new)" in text
    assert "g(x) keeps its arguments." in text.replace("\\", "")
    assert "`/rlm go`" in text
    assert "within 7 days" in text


GONE = PLAN.model_copy(
    update={
        "modules": [
            Module(name="drop *it*", files=["tests/test_a`.py"], removed=["tests/test_a`.py"],
                   what="tidy"),
            Module(name="keep", files=[f"{n}.py" for n in range(14)], removed=["13.py"], what="x"),
        ]
    }
)  # fmt: skip


def test_a_plan_says_which_files_go_and_warns_of_tests():
    text = plan_comment(refactoring(commits=[], status="planned", plan=GONE))
    first = text.partition("f is called g")[0]
    assert "> [!WARNING]\n> Tests go: ``tests/test_a`.py``.\n" in first
    assert r"> Of these modules no file stays: drop \*it\*." in first
    assert "   ``tests/test_a`.py`` (**removed**)" in text
    assert "   `13.py` (**removed**), `0.py`" in text
    shown = " ".join(plan_text(GONE).split())
    assert "Warning: tests go: tests/test_a`.py" in shown
    assert "Warning: of these modules no file stays: drop *it*" in shown
    assert "13.py (removed)" in shown and "and 1 more" in shown


def test_what_goes_is_masked_as_all_of_a_plan_is():
    plan = Plan(
        summary="s", modules=[Module(name="m", what="w", files=["a.py"], removed=[f"{TOKEN}.py"])]
    )
    done = refactoring(plan=plan, status="planned", commits=[])
    assert not can_start(done) and TOKEN not in plan_comment(done)


def test_a_plan_that_is_none_is_not_offered():
    asks = PLAN.model_copy(update={"questions": ["Which g?"]})
    refuses = PLAN.model_copy(update={"refusal": "It would delete all tests."})
    nothing = Plan(summary="All is well.")
    for plan, said in ((asks, "Which g?"), (refuses, "It would delete all"), (nothing, "All is")):
        text = plan_comment(refactoring(plan=plan, status="declined"))
        assert said in text
        assert "/rlm go" not in text
    assert "There is no plan" in plan_comment(refactoring(plan=None))


def words_of(text):
    """What people read of Markdown, by words; the numbers of lists are read, too."""
    shown = "".join(
        token.info if token.type == "list_item_open" else token.content
        for token in read(text)
        if token.type in {"text", "text_special", "code_inline", "fence", "list_item_open"}
    )
    return re.sub(r"\W|_", "", html.unescape(shown).replace("\u200b", ""))


@pytest.mark.parametrize(
    "plan",
    [
        Plan(summary="s", modules=[Module(name="m", what="tidy the module. " * 200 + "HIDDEN")]),
        Plan(summary="s " * 1_900 + "HIDDEN", renames=PLAN.renames),
        Plan(summary="s", contract="It holds. " * 750 + "HIDDEN", renames=PLAN.renames),
        Plan(summary="s", contract="```HIDDEN\nx\n```", renames=PLAN.renames),
        Plan(summary="s", contract="```\n" + "x " * 400 + "HIDDEN\n```", renames=PLAN.renames),
        Plan(
            summary="s",
            modules=[Module(name="m", what="w", files=[*(f"{n}.py" for n in range(39)), "HIDDEN"])],
        ),
        Plan(
            summary="s",
            modules=[
                *(Module(name=f"m{n}", what="tidy it " * 50) for n in range(59)),
                Module(name="last", what="HIDDEN"),
            ],
        ),
    ],
)
def test_a_plan_that_is_started_is_shown_to_its_last_word(plan):
    done = refactoring(plan=plan, status="planned", commits=[])
    assert can_start(done)
    text = plan_comment(done)
    assert "HIDDEN" in words_of(text) and "`/rlm go`" in text
    assert "more" not in text and size(text) <= LIMIT_BYTES


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (
            Plan(
                summary="s",
                modules=[Module(name=f"m{n}", what="tidy it " * 400) for n in range(60)],
            ),
            "too large to be shown",
        ),
        (Plan(summary="s", contract="\u200b" * 8_000, renames=PLAN.renames), "too large"),
        (
            Plan(
                summary="s",
                modules=[Module(name="m", what="see sk-ant-remove-the-permission-check")],
            ),
            "a secret",
        ),
        (Plan(summary=f"use {TOKEN}", renames=PLAN.renames), "a secret"),
    ],
)
def test_a_plan_that_cannot_be_shown_whole_cannot_be_started(plan, why):
    done = refactoring(plan=plan, status="planned", commits=[])
    assert not can_start(done)
    text = plan_comment(done)
    assert why in text and "cannot be started" in text and "/rlm go" not in text
    assert size(text) <= LIMIT_BYTES and TOKEN not in text


def test_a_part_of_a_plan_is_not_offered_to_be_started():
    done = refactoring(status="partial", stopped=StopReason.BUDGET, commits=[])
    text = plan_comment(done)
    assert not can_start(done)
    said = "cannot be started**: it is a part, because the budget did not cover more. Ask for less"
    assert said in text and "f is called g" in text
    assert "/rlm go" not in text and "Nothing is changed yet" not in text


def test_a_plan_that_its_comment_keeps_has_room_for_that_and_no_reactions():
    done = refactoring(status="planned", commits=[])
    text = plan_comment(done, hidden=0)
    assert "starts it with `/rlm go`, within 7 days" in text and "👍" not in text
    room = LIMIT_BYTES - size(text)
    assert can_start(done, hidden=room) and plan_comment(done, hidden=room) == text
    assert not can_start(done, hidden=room + 1)
    assert "too large to be shown" in plan_comment(done, hidden=room + 1)


@given(st.text("`~#*-+.1) \n\tax_", max_size=60))
@example("```a\nx\n```")
@example("~~~ x `a\n x")
@example("\n1. 1")
def test_no_word_of_a_plan_is_left_out(text):
    plan = Plan(summary="s", contract=f"a{text}", renames=PLAN.renames)
    done = refactoring(plan=plan, status="planned", commits=[], notes=[])
    contract = plan_comment(done).partition("</summary>")[2].partition("</details>")[0]
    assert words_of(contract) == re.sub(r"\W|_", "", f"a{text}")


# The result


def test_a_result_says_what_changed_and_what_was_left():
    text = result_comment(refactoring(), [opened_lead(18, URL, 1, "open")])
    assert text.startswith(f"## Refactoring: done\n\n[#18]({URL}) has 1 commit on top")
    assert "1. Rename f to g (by a program, not by a model): `a.py`, `t.py` (new)" in text
    assert "- docs: README: nobody came to it" in text
    assert "\\$0.5" in text


def test_what_rightly_was_not_changed_is_said_with_the_reason_in_both():
    done = refactoring(unneeded=[Unneeded(module="re@port", why="It has *none*.")])
    for text in (result_comment(done, []), stacked_body(done, 17)):
        assert "**Nothing to do in**\n\n- re" in text and r"It has \*none\*." in text
        assert "re@port" not in text


def test_a_result_that_would_add_a_secret_says_first_that_nothing_of_it_is_to_be_had():
    secret = finding(source="detector:secrets/github-token")
    for made in (refactoring(findings=[secret]), fixing(findings=[secret])):
        assert result_comment(made, []).split("\n\n")[1].startswith("**Nothing of it is handed")


def test_a_fix_names_what_is_closed_and_what_is_not():
    text = result_comment(fixing(), [])
    assert "- `a.py:3`: It leaks (`0a1b2c3d4e5f`)" in text
    assert "- `b.py:3`: It races (`1a1b2c3d4e5f`): no patch stood: no proof" in text
    assert stacked_title(fixing()) == "Fix: 1 finding"


@pytest.mark.parametrize(
    ("stopped", "said"),
    [(StopReason.BUDGET, "the budget did not cover more"), (StopReason.INCOMPLETE, "was left")],
)
def test_a_partial_result_says_why_on_top_of_both(stopped, said):
    done = refactoring(status="partial", stopped=stopped)
    assert said in result_comment(done, []).partition("\n")[0]
    assert said in stacked_body(done, 17).partition("\n\n")[0]


def test_what_the_detectors_say_and_what_was_noted_is_told():
    done = refactoring(findings=[finding(title="It does not parse")], notes=["Not all was read."])
    text = result_comment(done, [])
    assert "It does not parse" in text
    assert "- Not all was read." in text


def test_the_stacked_pull_request_refers_to_the_one_below():
    body = stacked_body(refactoring(), 17, "https://rlm.example.org/runs/1")
    assert body.startswith("Stacked on #17:")
    assert "No test was run here" in body
    assert "[How this was made](https://rlm.example.org/runs/1)" in body
    assert stacked_title(refactoring()) == "Refactor: f is called g"


# Messages and titles

ACTIVE = re.compile(
    r"@\w|#\w|\bGH-\d|://|\[[^\]\n]*\b(?:skip|no|ci)\b[^\]\n]*\]|\*{3}NO_CI\*{3}"
    r"|(?:^|\n)\s*/\w|(?:^|\n)\s*[\w]+-[\w-]+\s*:",
    re.IGNORECASE,
)

awkward = st.lists(
    st.sampled_from("ab1 \n/#@*[]()-:.")
    | st.sampled_from(
        ["GH-1", "://", "[skip ci]", "Co-authored-by:", "/rlm", "Fixes #", "***NO_CI***"]
    )
    | st.sampled_from(["\u202e", "\r\n", "\u2028", "[ci skip", "no]", "skip-checks: true"]),
    max_size=40,
).map("".join)


@given(awkward | st.text())
@example("[ci skip[skip ci]no]")
@example("[ci skip[ano]")
@example("[ci skip[skip ci]\r\nno]")
def test_a_message_and_a_title_do_nothing(text):
    message = commit_message(text)
    assert not ACTIVE.search(message), message
    assert message == commit_message(message)
    subject, *rest = message.split("\n")
    assert subject.strip() and len(subject) <= 100
    assert not rest or rest[0] == ""
    title = stacked_title(refactoring(plan=Plan(summary=text or "x")))
    assert "\n" not in title and len(title) <= 120
    assert not ACTIVE.search(title), title


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Fixes #12 and GH-3", "Fixes # 12 and GH- 3"),
        ("closes octo/hello#1", "closes octo/hello# 1"),
        ("see https://github.com/o/r/issues/1", "see https: //github.com/o/r/issues/1"),
        ("for @alice and @org/team", "for @ alice and @ org/team"),
        ("Quick [skip ci] [CI SKIP] [no ci] [skip actions]", "Quick (skip ci) (CI SKIP) (no ci) (skip actions)"),
        ("a[0] and [x for x in y]", "a[0] and [x for x in y]"),
        ("x\n\nSigned-off-by: A <a@b.c>", "x\n\nSigned-off-by - A <a@ b.c>"),
        ("x\n\nskip-checks:true", "x\n\nskip-checks -true"),
        ("/rlm review", "/ rlm review"),
        ("Use a/b and 1 / 2", "Use a/b and 1 / 2"),
        ("", "Change files"),
        ("one\ntwo", "one\n\ntwo"),
    ],
)  # fmt: skip
def test_a_sign_that_would_do_something_has_a_space_behind_it(text, shown):
    assert commit_message(text) == shown


def test_a_secret_reaches_no_message_no_title_and_no_text():
    bad = refactoring(
        plan=PLAN.model_copy(update={"summary": f"use {TOKEN}", "contract": TOKEN}),
        notes=[TOKEN],
    )
    for text in (
        commit_message(f"use {TOKEN}\n\n{TOKEN}"),
        stacked_title(bad),
        stacked_body(bad, 1),
        result_comment(bad, []),
        plan_comment(bad),
        no_branch_lead("refused", TOKEN),
        patch_block(f"+{TOKEN}\n"),
    ):
        assert TOKEN not in text.replace("\\", "")


# Hostile words


def worst() -> list[str]:
    plan = Plan(
        summary=HOSTILE_BLOCK,
        contract=HOSTILE_BLOCK,
        renames=[Rename(path=HOSTILE, symbol=HOSTILE[:300], to=HOSTILE[:300])],
        moves=[Move(path=HOSTILE, symbol=HOSTILE[:300], to=HOSTILE)],
        modules=[
            Module(name=HOSTILE[:100], files=[HOSTILE], new_files=[HOSTILE], what=HOSTILE_BLOCK)
        ],
    )
    commit = CommitInfo(
        module="m", by="model", message=HOSTILE_BLOCK,
        files=[FileInfo(path=HOSTILE, status="added")],
    )  # fmt: skip
    left = Left(module=HOSTILE, what=HOSTILE_BLOCK, why=HOSTILE_BLOCK)
    bad = finding(title=HOSTILE, path=HOSTILE)
    done = refactoring(
        plan=plan, commits=[commit], left=[left], notes=[HOSTILE_BLOCK], findings=[bad],
        cost=Cost(model=HOSTILE, usd=1.0),
    )  # fmt: skip
    about = {"severity": Severity.LOW, "line": 1, "path": HOSTILE, "title": HOSTILE_BLOCK}
    mended = fixing(
        closed=[
            Closed(id=HOSTILE, message=HOSTILE_BLOCK, tries=1, files=[], **some, **about)
            for some in ({"test": HOSTILE}, {"no_test": HOSTILE_BLOCK})
        ],
        open=[Open(id=HOSTILE, state="missed", why=HOSTILE_BLOCK, **about)],
        notes=[HOSTILE_BLOCK],
    )
    asks = plan.model_copy(update={"questions": [HOSTILE_BLOCK]})
    refuses = plan.model_copy(update={"refusal": HOSTILE_BLOCK})
    return [
        plan_comment(done),
        plan_comment(done.model_copy(update={"plan": asks})),
        plan_comment(done.model_copy(update={"plan": refuses})),
        result_comment(done, []),
        result_comment(mended, []),
        stacked_body(done, 17).replace("#17", ""),  # ours
        stacked_body(mended, 17).replace("#17", ""),
        no_branch_lead("refused", HOSTILE_BLOCK, [HOSTILE]),
        undone_comment(18, URL, HOSTILE, "forbidden", "kept", HOSTILE_BLOCK).replace(
            f"[#18]({URL})", ""
        ),
        undone_comment(18, URL, HOSTILE, "closed", "forbidden", HOSTILE_BLOCK).replace(
            f"[#18]({URL})", ""
        ),
    ]


@pytest.mark.parametrize("text", worst())
def test_nothing_hostile_does_anything(text):
    tokens = read(text)
    kinds = {token.type for token in tokens}
    assert not kinds & {"link_open", "image", "blockquote_open", "hr", "code_block", "s_open"}
    for token in tokens:
        if token.type in {"html_block", "html_inline"}:
            assert set(TAG.findall(token.content)) <= OURS
            assert not REFERENCE.search(html.unescape(TAG.sub("", token.content)))
        elif token.type in {"text", "text_special"}:
            assert not REFERENCE.search(token.content)
    assert not re.search(r"^/", text, re.MULTILINE)
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f]", text
    )
    opened = sum(t.content.count("<details>") for t in tokens if t.type == "html_block")
    closed = sum(t.content.count("</details>") for t in tokens if t.type == "html_block")
    assert opened == closed <= 1


# Bounds


def test_what_is_long_is_cut_and_says_so():
    long = "word " * 900
    files = [FileInfo(path=f"dir/{n}.py", status="modified") for n in range(500)]
    commits = [
        CommitInfo(module="m", by="model", message=f"Do {n} {long}", files=files)
        for n in range(200)
    ]
    left = [Left(module="m", what=long, why=long)] * 200
    done = refactoring(commits=commits, left=left, notes=[long] * 200, findings=[finding()] * 200)
    patch = patch_block("+x\n" * 5_000)
    for text in (result_comment(done, ["lead"], patch), stacked_body(done, 17)):
        assert size(text) <= LIMIT_BYTES
        assert re.search(r"- … \d+ more", text)
        assert f"{500 - FILES_SHOWN} more" in text
        assert text.rstrip().endswith("</sub>")
    assert patch in result_comment(done, ["lead"], patch)
    assert "90 more" in no_branch_lead("conflict", paths=[f"{n}" for n in range(90 + PATHS_SHOWN)])


# The patch


def test_a_patch_is_folded_and_whole():
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-`````\n+/rlm\n"
    block = patch_block(text)
    assert block.startswith("<details>") and block.endswith("</details>")
    (code,) = [token for token in read(block) if token.type == "fence"]
    assert code.content == text


@pytest.mark.parametrize(
    "text", [None, "", "+\u202e\n", "+a\r\n", f"+{TOKEN}\n", "/merge\n", "+x\n" * 20_000]
)
def test_a_patch_that_a_comment_cannot_hold_as_it_is_stays_out(text):
    assert "diff" not in patch_block(text)
    assert patch_block(text, "https://rlm.example.org/runs/1/patch") == (
        "[The patch](https://rlm.example.org/runs/1/patch)"
    )


def test_undoing_is_told_as_it_went():
    def said(pull, branch):
        return undone_comment(18, URL, "rlm-fix-1-ab", pull, branch)

    assert (
        said("closed", "gone")
        == f"[#18]({URL}) is closed, and its branch `rlm-fix-1-ab` is deleted."
    )
    assert "has commits that are not ours" in said("closed", "foreign")
    assert "nothing of it to undo" in said("merged", "kept")
    assert said("gone", "gone").startswith("#18 is gone")


def test_plain_leaves_ordinary_text_alone():
    text = "Close files (a/b.py) -- 50% faster: see naïve — 日本語"
    assert plain(text) == text


def test_a_fix_of_what_checks_say_names_the_checks() -> None:
    closed = Closed(
        id="0" * 12, path="a.py", line=None, severity=Severity.HIGH, title="Checks fail: unit",
        message="Count once\n\n@alice the total was doubled", files=[], tries=1,
    )  # fmt: skip
    done = Fixing(commit="a" * 40, reviewed="", checks=["unit", "`x` @bob"], closed=[closed])
    text = result_comment(done, [])
    assert text.startswith("## Fix of what checks say: done")
    assert "**Mended**: what made `unit`, `` `x` @bob `` fail." in text
    assert "Count once" in text and "@alice" not in text
    left = Open(**closed.model_dump(exclude={"message", "files", "tries", "test", "no_test"}), state="declined",
                why="The registry was away.")  # fmt: skip
    text = result_comment(done.model_copy(update={"closed": [], "open": [left]}), [])
    assert text.startswith("## Fix of what checks say: not done")
    assert "no patch: The registry was away." in text


def test_what_another_patch_closes_is_told_as_closed_with_it() -> None:
    (left,) = fixing().open
    one = ClosedWith(**left.model_dump(exclude={"state", "why"}), by="0a1b2c3d4e5f", why="@bob saw")
    done = fixing(open=[], closed_with=[one])
    text = result_comment(done, [])
    assert "**Closed with others** (1 finding)" in text and "**Still open**" not in text
    told = "- `b.py:3`: It races (`1a1b2c3d4e5f`): closed with `0a1b2c3d4e5f`: "
    assert told in text and "@bob" not in text
    assert stacked_title(done) == "Fix: 2 findings"


def test_a_closed_finding_says_which_test_it_has_or_why_none() -> None:
    (one,) = fixing().closed
    assert "test" not in result_comment(fixing(), []).split("**Closed**")[1].split("**Still")[0]
    made = fixing(closed=[one.model_copy(update={"test": "tests/test_a.py"})])
    for how, seen in (
        ("read", "that it fails without the patch is what a reader says, and nobody has seen"),
        ("run", "seen failing without the patch"),
        ("no", "it passes without the patch, too"),
    ):
        text = result_comment(made.model_copy(update={"fails_before": how}), [])
        assert f"; test, in a commit of its own: `tests/test_a.py` ({seen})" in text
    none = fixing(closed=[one.model_copy(update={"no_test": "no test file belongs to a.py"})])
    assert "; no test: no test file belongs to a.py" in result_comment(none, [])
