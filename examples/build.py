"""Build the example: a git repository with the branches `main` and `feature/coupons`.

    python examples/build.py FOLDER

`shop/base` is the tree of main; `shop/head` holds the files that the pull request adds or changes.
The commits are the same on every machine: fixed dates, fixed author, none of the user's git
configuration. A file `NAME.in` becomes NAME with its {{placeholders}} filled in: what a reviewer
should find there (a key, invisible characters) is better not stored in this repository itself.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

SHOP = Path(__file__).parent / "shop"
BASE_BRANCH = "main"
HEAD_BRANCH = "feature/coupons"
MARKER = "rlm-example"  # in .git: this folder was built here and may be built anew

PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}")
CHARACTERS = {"rlo": "\u202e", "lri": "\u2066", "pdi": "\u2069", "zwnj": "\u200c", "zwj": "\u200d"}
HOSTS = {"npm": "https://registry.npmjs.org", "other_host": "http://npm.fastmirror.example"}

BASE_COMMIT = ("2026-03-02T09:12:00+00:00", "Sell lamps")
HEAD_COMMITS = (
    (
        "2026-03-09T10:31:00+00:00",
        "Page through orders, sort and search them",
        ("backend/shop/orders.py", "web/src/api.gen.ts", "web/src/api.ts", "web/src/orders.ts"),
    ),
    (
        "2026-03-10T15:04:00+00:00",
        "Redeem coupons and give points at checkout\n\nThe provider takes minor units from now on.",
        (
            "backend/pyproject.toml",
            "backend/shop/checkout.py",
            "backend/shop/coupons.py",
            "backend/shop/db.py",
            "backend/shop/loyalty.py",
            "backend/shop/payments.py",
            "backend/shop/pricing.py",
            "backend/shop/settings.py",
            "backend/tests/test_p",
            "web/src/checkout.ts",
            "web/tests/cart",
        ),
    ),
    (
        "2026-03-10T18:20:00+00:00",
        "Take articles back, show points, report sales",
        (
            "backend/",
            "web/src/loyalty.ts",
            "web/src/money.ts",
            "web/src/reports.ts",
            "web/src/returns.ts",
            "web/tests/",
        ),
    ),
    (
        "2026-03-11T16:47:00+00:00",
        "Persian storefront, QR codes, and a preview of each pull request",
        (".github/", "scripts/", "web/"),
    ),
)
AUTHOR = ("Robin Example", "robin@lantern.example")


def main(arguments: list[str]) -> int:
    """Build into the folder that is named; refuse one that holds anything else."""
    if len(arguments) != 1:
        print("usage: build.py FOLDER", file=sys.stderr)
        return 2
    target = Path(arguments[0]).absolute()
    if target.exists() and any(target.iterdir()) and not (target / ".git" / MARKER).exists():
        print(f"{target} holds something else; name another folder", file=sys.stderr)
        return 2
    build(target)
    return 0


def build(target: Path) -> None:
    """Make or remake the repository; it appears under its name when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as temporary:
        tree = Path(temporary) / "shop"
        _commit_all(tree)
        shutil.rmtree(target, ignore_errors=True)
        tree.rename(target)


def _commit_all(tree: Path) -> None:
    tree.mkdir()
    _git(tree, "init", "--quiet", "--template=")
    _git(tree, "symbolic-ref", "HEAD", f"refs/heads/{BASE_BRANCH}")
    _copy(rendered(SHOP / "base"), tree)
    _commit(tree, *BASE_COMMIT)
    _git(tree, "checkout", "--quiet", "-b", HEAD_BRANCH)
    left = rendered(SHOP / "head")
    for date, message, prefixes in HEAD_COMMITS:
        _copy({path: left.pop(path) for path in sorted(left) if path.startswith(prefixes)}, tree)
        _commit(tree, date, message)
    if left:
        raise SystemExit(f"in no commit of the pull request: {', '.join(left)}")
    # So that `rlm review` inside the folder, without an argument, reviews the pull request.
    _git(tree, "config", f"branch.{HEAD_BRANCH}.remote", ".")
    _git(tree, "config", f"branch.{HEAD_BRANCH}.merge", f"refs/heads/{BASE_BRANCH}")
    (tree / ".git" / MARKER).touch()


def rendered(folder: Path) -> dict[str, tuple[str, bool]]:
    """Return each file's path, text and whether it is executable."""
    files = {}
    for source in sorted(folder.rglob("*")):
        if source.is_file():
            text = source.read_text(encoding="utf-8")
            path = source.relative_to(folder).as_posix()
            if path.endswith(".in"):
                path = path.removesuffix(".in")
                text = PLACEHOLDER.sub(lambda found: _value(found[1]), text)
            files[path] = (text, path.endswith(".sh"))
    return files


def _value(name: str) -> str:
    if name in CHARACTERS:
        return CHARACTERS[name]
    if name in HOSTS:
        return HOSTS[name]
    digest = hashlib.sha512(name.encode()).digest()
    if name.startswith("sri:"):
        return "sha512-" + base64.b64encode(digest).decode()
    if name == "payment_key":
        # A provider's format around digits that no provider ever issued.
        return "_".join(("sk", "live", re.sub(r"\W", "", base64.b64encode(digest).decode())[:24]))
    raise SystemExit(f"unknown placeholder: {name}")


def _copy(files: dict[str, tuple[str, bool]], tree: Path) -> None:
    for path, (text, executable) in files.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        target.chmod(0o755 if executable else 0o644)


def _commit(tree: Path, date: str, message: str) -> None:
    _git(tree, "add", "--all", "--force", "--", ".")
    _git(tree, "commit", "--quiet", "--no-verify", f"--message={message}", date=date)


def _git(tree: Path, *arguments: str, date: str = "") -> None:
    name, email = AUTHOR
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(tree),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_DEFAULT_HASH": "sha1",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
        "GIT_COMMITTER_DATE": date,
    }
    settings = ("core.autocrlf=false", "core.fileMode=true", "gc.auto=0")
    options = [word for setting in settings for word in ("-c", setting)]
    # Without a date (no commit is made) the two variables must not be there: empty is an error.
    environment = {key: value for key, value in environment.items() if value}
    subprocess.run(["git", *options, *arguments], cwd=tree, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
