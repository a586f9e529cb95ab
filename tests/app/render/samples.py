"""Reviews to render: an ordinary one, the odd cases, and one that means harm."""

from collections.abc import Sequence
from typing import Any

from app.render.snippet import Snippets
from reviewer.finding import Category, Finding, Proof, Severity, Side
from reviewer.request import (
    ChangeInfo,
    Cost,
    Coverage,
    DependencyChange,
    Review,
    Skipped,
    StopReason,
)

REFUND = """\
from shop.gateway import Gateway, Timeout


def refund(gateway: Gateway, order: Order) -> Receipt:
    \"\"\"Give the money back, once.\"\"\"
    for attempt in range(3):
        try:
            return gateway.send(order.amount)
        except Timeout:
            log.warning("refund of %s timed out", order.id)
    raise RefundFailed(order.id)


def total(lines):
    return sum(line.price * line.count for line in lines)
"""

OLD_REFUND = REFUND.replace("order.amount", "order.amount, key=order.id")

FILES: dict[tuple[str, Side], str] = {
    ("shop/refund.py", "RIGHT"): REFUND,
    ("shop/refund.py", "LEFT"): OLD_REFUND,
    ("web/cart.ts", "RIGHT"): "export const first = (items: Item[]) =>\n\titems[0].price;\n",
}


def of_files(files: dict[tuple[str, Side], str]) -> Snippets:
    """Return snippets that read from texts, as a repository would answer."""

    def snippets(path: str, side: Side, start: int, end: int) -> Sequence[str] | None:
        text = files.get((path, side))
        return None if text is None else text.removesuffix("\n").split("\n")[start - 1 : end]

    return snippets


code = of_files(FILES)


def finding(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "path": "shop/refund.py",
        "start_line": 6,
        "line": 8,
        "category": Category.CORRECTNESS,
        "severity": Severity.HIGH,
        "confidence": 0.9,
        "title": "A refund that times out is sent again, without a key",
        "body": (
            "`gateway.send` may have moved the money before `Timeout` is raised. The loop then sends "
            "it again, and nothing tells the gateway that it is the same refund.\n\n"
            "- order 17, amount 20, the answer is lost: the customer gets 40\n"
            "- the old code gave `key=order.id`"
        ),
        "evidence": "            return gateway.send(order.amount)",
        "source": "model:correctness",
        "verified": True,
    }
    return Finding(**(fields | changes))


ORDINARY = (
    finding(
        start_line=8,
        line=8,
        suggestion="            return gateway.send(order.amount, key=order.id)\n",
    ),
    finding(
        path="web/cart.ts",
        start_line=2,
        line=2,
        severity=Severity.MEDIUM,
        title="An empty cart throws",
        body="`items[0]` is undefined for a new visitor.",
        suggestion="\titems[0]?.price ?? 0;",
        confidence=0.75,
    ),
    finding(
        path="deploy/prod.env",
        start_line=None,
        line=None,
        severity=Severity.CRITICAL,
        category=Category.SECRET,
        title="A private key is committed",
        body="Whoever can read the repository can use it. Revoke it first, then remove it.",
        evidence="",
        source="detector:secrets/private-key",
        confidence=1.0,
    ),
    finding(
        side="LEFT",
        start_line=8,
        line=8,
        category=Category.CONTRACT,
        severity=Severity.LOW,
        title="The idempotency key was removed",
        body="Callers rely on it.",
        evidence="            return gateway.send(order.amount, key=order.id)",
        source="detector:contract",
        preexisting=True,
    ),
    finding(
        start_line=14,
        line=15,
        category=Category.MAINTAINABILITY,
        severity=Severity.NIT,
        title="`total` has no types",
        body="Everything around it has.",
        evidence="def total(lines):",
        confidence=0.6,
    ),
)

CHANGE = ChangeInfo(
    base="b" * 40, head="c" * 40, merge_base="a" * 40, files=14, added=412, deleted=96
)


def review(**changes: Any) -> Review:
    fields: dict[str, Any] = {
        "change": CHANGE,
        "findings": list(ORDINARY),
        "summary": (
            "The change moves refunds to the **new gateway** and drops the idempotency key on the "
            "way.\n\n## Walkthrough\n\n- `shop/refund.py`: three attempts instead of one\n"
            "- `web/cart.ts`: the first price is shown"
        ),
        "notes": ["Guidelines were read from the base commit."],
        "coverage": Coverage(
            hunks=45,
            reviewed=41,
            skipped=[
                Skipped(path="poetry.lock", hunks=3, reason="lock file, shown as a table"),
                Skipped(path="static/app.min.js", hunks=1, reason="minified"),
                Skipped(path="static/logo.png", hunks=0, reason="binary"),
            ],
        ),
        "dependencies": [
            DependencyChange(
                path="poetry.lock", ecosystem="pypi", name="requests", old="2.31.0", new="2.32.3"
            ),
            DependencyChange(
                path="poetry.lock", ecosystem="pypi", name="tenacity", old=None, new="9"
            ),
        ],
        "cost": Cost(
            model="claude-haiku-5-5",
            usd=0.0412,
            calls=12,
            input_tokens=18_120,
            output_tokens=3_204,
            cache_read_tokens=30_000,
            cache_write_tokens=9_000,
            seconds=41.3,
        ),
    }
    return Review(**(fields | changes))


def empty() -> Review:
    return review(
        findings=[],
        summary="",
        notes=[],
        dependencies=[],
        coverage=Coverage(hunks=3, reviewed=3),
        cost=Cost(seconds=0.2),
    )


def unchanged() -> Review:
    """Return the review of a head that adds nothing to its base."""
    same = {"files": 0, "added": 0, "deleted": 0, "merge_base": CHANGE.head}
    return empty().model_copy(
        update={"change": CHANGE.model_copy(update=same), "coverage": Coverage(hunks=0, reviewed=0)}
    )


def partial() -> Review:
    return review(
        status="partial",
        stopped=StopReason.BUDGET,
        coverage=Coverage(
            hunks=45,
            reviewed=12,
            skipped=[Skipped(path="shop/tax.py", hunks=33, reason="the run ended before it")],
        ),
    )


HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m\x1b]8;;https://evil.test\x07click\x1b]8;;\x07 [red]rich[/red] "
    "</code></pre></details></summary><script>alert(1)</script><img src=x onerror=alert(2)> "
    '"onmouseover="alert(3) javascript:alert(4) {{ 7*7 }} {% raw %} {0} '
    "@octocat @org/team octocat#7 #1 GH-1 owner/repo#1 owner/repo@main "
    "![pixel](https://evil.test/p.png) [click](https://evil.test) <https://evil.test> "
    "https://evil.test/x www.evil.test someone@evil.test | cell | ```` ~~~ `tick "
    "\u202egnp.exe\u202c \u200b\u2066\u00ad\ufeff\U000e0041\U000e007f \r over\rwritten"
)

HOSTILE_BLOCK = (
    f"{HOSTILE}\n/rlm review --budget 1000\n  /approve\n# heading\n> quote\n---\n===\n"
    f"1. /close\n- /merge\n\n```\n/lgtm\n````\n<script>alert(5)</script>\n```\n"
    f"<!-- -->\n| a | b |\n|---|---|\n[ref]: https://evil.test\n`a``{HOSTILE}` `x```@octocat`` **@octocat**"
)


def hostile() -> Review:
    """Return a review in which every free text does its worst."""
    bad = finding(
        id=HOSTILE,
        path=f"a/{HOSTILE}",
        title=HOSTILE,
        body=HOSTILE_BLOCK,
        evidence=HOSTILE_BLOCK,
        suggestion=HOSTILE_BLOCK,
        source=f"model:{HOSTILE}",
        also_by=(HOSTILE,),
        trigger=HOSTILE_BLOCK,
        proof=Proof(path=HOSTILE, quote=HOSTILE_BLOCK),
    )
    return review(
        findings=[bad, bad.model_copy(update={"path": "shop/refund.py"})],
        summary=HOSTILE_BLOCK,
        notes=[HOSTILE_BLOCK],
        coverage=Coverage(
            hunks=2,
            reviewed=1,
            skipped=[Skipped(path=HOSTILE, hunks=1, reason=HOSTILE_BLOCK)],
        ),
        dependencies=[
            DependencyChange(
                path=HOSTILE, ecosystem=HOSTILE, name=HOSTILE, old=HOSTILE, new=HOSTILE_BLOCK
            )
        ],
        cost=Cost(model=HOSTILE, usd=1.0),
        change=ChangeInfo(
            base=HOSTILE, head=HOSTILE, merge_base=HOSTILE, files=1, added=1, deleted=1
        ),
    )


def hostile_code(path: str, side: Side, start: int, end: int) -> Sequence[str] | None:
    return [HOSTILE_BLOCK.replace("\n", "\\n")] * (end - start + 1)


def many(number: int) -> Review:
    severities = list(Severity)
    return review(
        findings=[
            finding(
                severity=severities[at % len(severities)],
                title=f"Finding number {at}",
                start_line=1 + at % 10,
                line=3 + at % 10,
            )
            for at in range(number)
        ]
    )
