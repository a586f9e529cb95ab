"""What a run that writes came to as a page: only our own elements, whatever stands in it."""

import pytest

from app.render import account_page as pages
from app.render.account_page import account_page
from tests.app.render.samples import HOSTILE
from tests.app.render.test_html import ATTRIBUTES, TAGS, Page
from tests.app.render.test_writing import fixing, refactoring
from tests.reviewer.detectors.test_secrets import github_token

MAIL = (
    "From " + "a" * 40 + " Mon Sep 17 00:00:00 2001\nFrom: Ada <ada@example.org>\n"
    "Subject: [PATCH 1/2] {subject}\n\nWhy.\n---\n a.py | 2 +-\n\n"
    "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n-{text}\n+{text}\n+x\n"
)


def mail(subject: str = "Do it", text: str = "a") -> bytes:
    return MAIL.format(subject=subject, text=text).encode()


@pytest.mark.parametrize("account", [refactoring(), fixing()])
def test_hostile_words_are_words(account):
    one_line = HOSTILE.replace("\n", " ")
    read = Page(account_page(account, HOSTILE, mail(one_line, one_line)))
    assert read.open == []
    for tag, attributes in read.elements:
        assert tag in TAGS and set(attributes) <= ATTRIBUTES and "href" not in attributes
    assert "<script>alert(1)</script>" in read.text and "\x1b" not in "".join(read.texts)


def test_each_commit_has_its_patch_and_a_long_subject_is_whole():
    long = "A subject that is so long that it goes on\n in a second line of the mail"
    read = Page(account_page(refactoring(), "text", mail(long) + mail("And more")))
    assert "1. A subject that is so long that it goes on in a second line of the mail" in read.text
    assert "2. And more +2 \u22121" in read.text
    kinds = [attributes.get("class") for tag, attributes in read.elements if tag == "tr"]
    assert kinds == [None, None, None, "gap", "del", "add", "add"] * 2


def test_a_patch_that_is_not_handed_out_is_not_shown_and_secrets_are_masked():
    page = account_page(refactoring(), "text", None)
    assert "They are not handed over" in page and 'class="add"' not in page
    token = github_token()
    assert token not in account_page(refactoring(), "text", mail(text=token))


def test_a_page_has_an_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "MOST_LINES", 4)
    page = account_page(refactoring(), "text", mail() + mail())
    assert page.count("<tr") == 4 and "10 more lines" in page


def test_a_partial_result_says_so_first():
    page = account_page(refactoring(status="partial", stopped="budget"), "text", b"")
    assert page.index("Partial</b>because the budget") < page.index("<h1>Partial: 0 commits")
