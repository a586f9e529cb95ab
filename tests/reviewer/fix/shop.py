"""One run of the fix job over the small repository of the refactorings, with a scripted model."""

import asyncio
from collections.abc import Callable
from typing import Any

from app.trees import GitTrees
from reviewer.fix.job import Outcome, fix
from reviewer.fix.request import FixRequest
from reviewer.git import open_repo
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.prices import load
from tests.model_server import ModelServer
from tests.repo import Repo
from tests.reviewer.refactor.shop import MODEL


def fixed(
    repo: Repo,
    server: ModelServer,
    cancelled: Callable[[], bool] = lambda: False,
    **request: Any,
) -> Outcome:
    """Fix the last commit of a repository."""
    commit = repo.sha("HEAD")
    asked = FixRequest.model_validate({"commit": commit, "model": MODEL, **request})

    async def main() -> Outcome:
        with open_repo(repo.path) as opened, GitTrees(opened, commit) as trees:
            async with AnthropicModel(api_key="k", base_url=server.url) as model:
                return await fix(
                    asked,
                    trees.start,
                    trees,
                    model=model,
                    prices=load(None),
                    sink=lambda _event: None,
                    cancelled=cancelled,
                )

    return asyncio.run(main())
