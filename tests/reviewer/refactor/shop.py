"""A small repository to refactor, a model that plays planner and editor, and one run of the job."""

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.trees import GitTrees
from reviewer.git import open_repo
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.prices import load
from reviewer.refactor.job import Outcome, refactor
from reviewer.refactor.request import RefactorRequest
from reviewer.refactor.values import Plan
from reviewer.request import Caps
from reviewer.rlm.journal import Journal
from tests.model_server import Answer, ModelServer, Scripted, error, tool
from tests.repo import Repo

MODEL = "claude-sonnet-5-5"

FILES = {
    "shop/__init__.py": "",
    "shop/prices.py": (
        "import math\n\n\ndef net(items):\n    return sum(items)\n\n\n"
        "def rounded(value):\n    return math.floor(value)\n"
    ),
    "shop/cart.py": "from shop.prices import net\n\n\ndef total(items):\n    return net(items) * 2\n",
    "shop/report.py": (
        "from shop import prices\nfrom shop.cart import total\n\n\n"
        "def show(items):\n    print(prices.net(items), total(items))\n"
    ),
    "web/money.ts": "export function format(x: number): string {\n  return `${x}`;\n}\n",
    "web/view.ts": (
        'import { format } from "./money";\n\n'
        "export const tools = { format };\nexport const one = format(1);\n"
    ),
}


def make(path: Path, files: Mapping[str, str] = FILES) -> Repo:
    repo = Repo(path)
    for name, text in files.items():
        repo.write(name, text)
    repo.commit("the start")
    return repo


def prompt(request: dict[str, Any]) -> str:
    return "\n".join(
        str(block.get("text", ""))
        for message in request["messages"]
        if message["role"] == "user"
        for block in message["content"]
    )


def plans(request: dict[str, Any]) -> bool:
    return any("modules" in t["input_schema"].get("properties", {}) for t in request["tools"])


def module_of(request: dict[str, Any]) -> str:
    found = re.search(r"^Your part: (.*)$", prompt(request), re.M)
    assert found
    return found[1]


def refused(request: dict[str, Any]) -> str:
    """What the host said of the last submit; "" where there was none."""
    last = request["messages"][-1]["content"]
    return "\n".join(str(b.get("content", "")) for b in last if b["type"] == "tool_result")


def planned(**plan: Any) -> Answer:
    return tool("submit", {"summary": "As asked.", **plan})


def module(
    name: str,
    *files: str,
    new: tuple[str, ...] = (),
    what: str = "Do it.",
    gone: tuple[str, ...] = (),
) -> Any:
    made = {"name": name, "files": list(files), "new_files": list(new), "what": what}
    return made | ({"removed": list(gone)} if gone else {})


def edited(
    *replacements: tuple[str, str, str],
    message: str = "Edit the shop\n\nIt was asked for.",
    **more: Any,
) -> Answer:
    told = [{"path": path, "old": old, "new": new} for path, old, new in replacements]
    return tool("submit", {"replacements": told, "message": message, **more})


Edit = Callable[[dict[str, Any]], Scripted]


def script(plan: Answer, edits: Mapping[str, Scripted | Edit]) -> Edit:
    """A model that plans as told, and answers each module by its name."""

    def answer(request: dict[str, Any]) -> Scripted:
        if plans(request):
            return plan
        said = edits.get(module_of(request))
        if said is None:
            return error(400, "invalid_request_error", f"nobody edits {module_of(request)!r}")
        return said(request) if callable(said) else said

    return answer


def refactored(
    repo: Repo,
    server: ModelServer,
    *,
    instruction: str = "change it",
    paths: tuple[str, ...] = (),
    caps: Caps | None = None,
    plan_only: bool = False,
    plan: Plan | None = None,
    shown: list[Plan] | None = None,
    journal: Journal | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    commit = repo.sha("HEAD")
    request = RefactorRequest(
        instruction=instruction,
        commit=commit,
        paths=paths,
        model=MODEL,
        caps=caps or Caps(),
        plan_only=plan_only,
        plan=plan,
    )

    async def main() -> Outcome:
        with open_repo(repo.path) as opened, GitTrees(opened, commit) as trees:
            async with AnthropicModel(api_key="k", base_url=server.url) as model:
                return await refactor(
                    request,
                    trees.start,
                    trees,
                    model=model,
                    prices=load(None),
                    sink=lambda _event: None,
                    cancelled=cancelled,
                    planned=(shown if shown is not None else []).append,
                    journal=journal,
                )

    return asyncio.run(main())


def after(outcome: Outcome) -> dict[str, str | None]:
    """The files that the patch changes, as text."""
    return {
        edit.path: None if edit.after is None else edit.after.data.decode()
        for edit in outcome.patch.changed
    }
