"""What a refactoring may not write, and why: paths that leave the tree, and files not its own."""

import re

from reviewer.detectors.lockfiles import is_lockfile
from reviewer.refactor.tree import Overlay, Start
from reviewer.text import printable
from reviewer.triage import hands_off

MAX_PATH_BYTES = 1_000
MAX_FILE_BYTES = 1_000_000
"""Nobody parses a larger file, so nobody could say that it still parses."""

_GIT = re.compile(r"\.git|git~\d+", re.IGNORECASE)
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_DECIDES = (
    # GitHub's own: workflows, who owns what, what bots do, settings that an app applies.
    r"\.github/(?!(?:issue_template|pull_request_template)(?:/|\.)).*",
    r"\.git(?:modules|attributes|config|ignore_global)",
    r"(?:docs/)?codeowners|owners(?:_aliases)?|\.mergify\.ya?ml|\.?renovate(?:rc)?(?:\.json5?)?",
    r"action\.ya?ml",
    # What other services run, with their secrets, as soon as a branch is there.
    r"\.gitlab-ci\.ya?ml|\.gitlab/.*|\.travis\.ya?ml|\.drone\.(?:ya?ml|jsonnet|star)",
    r"\.circleci/.*|\.buildkite/.*|\.semaphore/.*|\.teamcity/.*|\.woodpecker(?:/.*|\.ya?ml)",
    r"\.cirrus\.(?:ya?ml|star)|\.?appveyor\.ya?ml|bitbucket-pipelines\.ya?ml|wercker\.ya?ml",
    r"\.?azure-pipelines(?:/.*|[\w.-]*\.ya?ml)|cloudbuild\.(?:ya?ml|json)|buildspec\.ya?ml",
    r"jenkinsfile[\w.-]*|\.?codefresh(?:/.*|\.ya?ml)|\.readthedocs\.ya?ml|netlify\.toml|vercel\.json",
    # What runs on the machine of whoever takes the branch out.
    r"\.pre-commit-(?:config|hooks)\.ya?ml|\.?lefthook(?:-local)?\.(?:ya?ml|toml|json)|\.husky/.*",
    r"\.devcontainer(?:/.*|\.json)|\.gitpod\.ya?ml|\.vscode/.*|\.idea/.*|\.envrc|\.lfsconfig",
    # What agents obey, ours too.
    r"agents\.md|claude(?:\.local)?\.md|gemini\.md|\.cursorrules|\.windsurfrules|\.clinerules(?:/.*)?",
    r"\.(?:claude|cursor|aider[\w.-]*|codex|gemini|mcp)(?:/.*|\.json)?",
)
_SECRET = (
    r"\.env(?:\.(?!(?:example|sample|template|dist)$)[\w.-]+)?",
    r"\.netrc|\.npmrc|\.yarnrc(?:\.yml)?|\.pypirc|\.htpasswd|\.git-credentials|\.pgpass|\.my\.cnf",
    r"id_(?:rsa|dsa|ecdsa|ed25519)|credentials(?:\.(?:json|ya?ml|toml|ini))?",
    r"secrets?\.(?:ya?ml|json|toml|env)|[^/]*\.tfvars(?:\.json)?|[^/]*\.tfstate",
    r"service[-_]account[\w.-]*\.json|[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|asc|gpg)",
    r"\.(?:ssh|aws|gnupg|kube|docker|azure|gcloud)/.*",
)


def _names(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Compile patterns of names that may stand in any folder."""
    return re.compile(f"(?:.*/)?(?:{'|'.join(patterns)})", re.IGNORECASE | re.DOTALL)


_ORDERS, _SECRETS = _names(_DECIDES), _names(_SECRET)


def no_path(path: str) -> str | None:
    """Return why this is no path of a file within a tree, None if it is one."""
    parts = path.split("/")
    if len(path.encode("utf-8", "surrogateescape")) > MAX_PATH_BYTES:
        return "the path is too long"
    if path.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        return "a path is relative to the root of the repository, without . and .."
    if "\\" in path or ":" in path or _HIDDEN.search(path):
        return "the path has a character that no path of ours has"
    # NTFS and HFS+ take more spellings than one for the folder that git itself lives in.
    if any(_GIT.fullmatch(part.rstrip(". ")) for part in parts):
        return "the path leads into git's own folder"
    if any(part != part.strip() or part.endswith(".") for part in parts):
        return "a name begins or ends with a space, or ends with a dot"
    return None


def not_ours(path: str) -> str | None:
    """Return why a file of that name is not touched, whatever is in it; None if it may be."""
    if _ORDERS.fullmatch(path):
        return "it decides what runs, or who decides: that is changed by hand"
    if _SECRETS.fullmatch(path):
        return "by its name it holds secrets"
    if is_lockfile(path):
        return "a lock file is written by its tool"
    return None


def refused(path: str, tree: Overlay) -> str | None:
    """Return why a file may not be written, edited or removed in a tree; None if it may be."""
    problem = no_path(path) or not_ours(path) or tree.blocked(path)
    if problem is not None:
        return problem
    blob = tree.blob(path)
    if blob is None and tree.mode(path) is not None:
        return "it cannot be read, or is too large"
    if blob is None:
        return generated(path, b"", tree.start)
    if len(blob.data) > MAX_FILE_BYTES:
        return f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB"
    if b"\0" in blob.data:
        return "it is binary"
    return generated(path, blob.data, tree.start)


def generated(path: str, data: bytes, start: Start) -> str | None:
    """Return why a file is not written by hand, by its name, its first lines or .gitattributes.

    Those are the start's: nothing that a refactoring makes changes what it may write.
    """
    return hands_off(path, data) or start.attributes.hands_off(path)


def shown(path: str) -> str:
    """Return a path for a message: on one line, with what is hidden made visible."""
    return printable(_HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", path))
