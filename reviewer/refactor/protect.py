"""What a refactoring may not write, and why: paths that leave the tree, and files not its own."""

import re

from reviewer.detectors.lockfiles import is_lockfile
from reviewer.refactor.tree import Overlay
from reviewer.text import printable
from reviewer.triage import hands_off

MAX_PATH_BYTES = 1_000
MAX_FILE_BYTES = 1_000_000
"""Nobody parses a larger file, so nobody could say that it still parses."""

_GIT = re.compile(r"\.git|git~\d+", re.IGNORECASE)
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_ORDERS = re.compile(
    r"(?:^|/)\.github/(?:workflows|actions)(?:/|$)|(?:^|/)\.github/rlm\.ya?ml$|"
    r"(?:^|/)action\.ya?ml$|(?:^|/)\.git(?:modules|attributes|config)$|"
    r"(?:^|/)\.(?:gitlab-ci|travis|drone)\.ya?ml$|(?:^|/)\.circleci(?:/|$)|(?:^|/)Jenkinsfile$|"
    r"(?:^|/)(?:\.github/|docs/)?CODEOWNERS$",
    re.IGNORECASE,
)
_SECRETS = re.compile(
    r"(?:^|/)(?:\.env(?:\.(?!example$|sample$|template$|dist$)[\w.-]+)?|\.netrc|\.npmrc|\.pypirc|"
    r"\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)|credentials|secrets?\.(?:ya?ml|json|toml|env))$|"
    r"\.(?:pem|key|p12|pfx|jks|keystore|kdbx|asc|gpg)$|(?:^|/)\.(?:ssh|aws|gnupg)/",
    re.IGNORECASE,
)


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
    if _ORDERS.search(path):
        return "it decides what runs, or who decides: that is changed by hand"
    if _SECRETS.search(path):
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
        return hands_off(path, b"")
    if len(blob.data) > MAX_FILE_BYTES:
        return f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB"
    if b"\0" in blob.data:
        return "it is binary"
    return hands_off(path, blob.data)


def shown(path: str) -> str:
    """Return a path for a message: on one line, with what is hidden made visible."""
    return printable(_HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", path))
