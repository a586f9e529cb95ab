"""Names of files that are not ours to write, and of those that only look like them."""

import pytest

from reviewer.refactor.protect import not_ours

KEPT = """
    azure-pipelines.yml .azure-pipelines/x.yml .buildkite/pipeline.yml bitbucket-pipelines.yml
    .woodpecker.yml .woodpecker/a.yml .cirrus.yml .cirrus.star appveyor.yml
    .semaphore/semaphore.yml .teamcity/settings.kts cloudbuild.yaml .gitlab/ci/a.yml
    Jenkinsfile.prod ci/Jenkinsfile .github/settings.yml .mergify.yml OWNERS
    .github/dependabot.yml renovate.json .pre-commit-config.yaml .husky/pre-commit
    .devcontainer/devcontainer.json .vscode/tasks.json .envrc .lfsconfig AGENTS.md a/CLAUDE.md
    .github/copilot-instructions.md .git-credentials .docker/config.json .kube/config
    prod.tfvars credentials.json .github/workflows/a.yml .gitattributes CODEOWNERS
    docs/CODEOWNERS .env .env.local x/.env deploy.pem .cursor/rules/a.md
    sub/.github/workflows/x.yml .gitlab-ci.yml action.yml .mcp.json .claude
"""

OPEN = """
    .github/ISSUE_TEMPLATE/bug.md .github/pull_request_template.md src/credentials.py
    .env.example owners.py src/actions.py keys/key.py docs/agents.md.txt secrets.py .gitignore
    vscode/x.py tests/test_env.py key Makefile pyproject.toml src/azure.py cloud/build.yaml
    monkey.py .dockerignore .claudex README.md
"""


@pytest.mark.parametrize("path", KEPT.split())
def test_what_decides_or_runs_or_is_secret_is_left_alone(path: str) -> None:
    assert not_ours(path)
    assert not_ours(f"some/folder/{path}")
    assert not_ours(path.upper())


@pytest.mark.parametrize("path", OPEN.split())
def test_what_only_looks_like_it_may_be_written(path: str) -> None:
    assert not_ours(path) is None
