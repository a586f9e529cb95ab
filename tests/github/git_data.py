"""The Git Data API of the fake, and the pull requests that are made of what it wrote.

Every object is real: written by git into the bare repository behind, so that a branch made here can
be checked out. Who gives no author and no committer as an App is signed for by GitHub, at the time
of the request; so the same request makes another commit each time.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.github import git, shapes
from tests.github.errors import Refusal, not_found, validation_failed
from tests.github.quirks import quirk
from tests.github.rest import PULL, Answer, Call, R, route
from tests.github.state import FakePull, FakeRepo

MAX_BODY_CHARS = 65_536
MAX_TITLE_CHARS = 256
MAX_TREE_ENTRIES = 100_000

_SHA = re.compile(r"[0-9a-f]{40}")
_BAD_PART = re.compile(r"(?:^|/)(?:\.{0,2}|\.git)(?:/|$)", re.IGNORECASE)

WEB_FLOW = "GitHub <noreply@github.com>"


# Objects.


@quirk("no commits")
def _there(repo: FakeRepo) -> FakeRepo:
    """A repository without a commit has no database to write to."""
    if not repo.pulls and not repo.git("for-each-ref", "--count=1", "refs/heads"):
        raise Refusal(409, "Git Repository is empty.")
    return repo


def _kind(repo: FakeRepo, sha: object) -> str | None:
    """Say what an object is; None where there is none of that name."""
    if not isinstance(sha, str) or not _SHA.fullmatch(sha):
        return None
    checked = repo.git("cat-file", "--batch-check=%(objecttype)", data=f"{sha}\n".encode())
    return None if checked.endswith("missing") else checked


@route("POST", R + "/git/blobs", "contents=write")
@quirk("a tree is its base with entries put in and taken out")
def create_blob(call: Call) -> Any:
    repo, body = _there(call.repo), call.body
    data = body["content"].encode()
    if body.get("encoding", "utf-8") == "base64":
        try:
            data = base64.b64decode(data, validate=True)
        except binascii.Error:
            raise Refusal(422, "content is not valid Base64") from None
    sha = repo.git("hash-object", "-w", "--stdin", data=data)
    return Answer(201, {"sha": sha, "url": f"{_api(repo)}/git/blobs/{sha}"})


@route("GET", R + "/git/blobs/{file_sha}", "contents=read")
@quirk("a tree is its base with entries put in and taken out")
def get_blob(call: Call) -> Any:
    repo, sha = call.repo, call.arguments["file_sha"]
    if _kind(repo, sha) != "blob":
        raise not_found()
    data = git.git(repo.folder, "cat-file", "blob", sha)
    return {
        "sha": sha,
        "node_id": shapes.node("B", int(sha[:12], 16)),
        "size": len(data),
        "url": f"{_api(repo)}/git/blobs/{sha}",
        "content": base64.encodebytes(data).decode(),
        "encoding": "base64",
    }


@route("POST", R + "/git/trees", "contents=write")
@quirk("a tree is its base with entries put in and taken out")
def create_tree(call: Call) -> Any:
    repo, body = _there(call.repo), call.body
    files: dict[str, tuple[str, str]] = {}
    base = body.get("base_tree")
    if base is not None:
        if _kind(repo, base) not in {"tree", "commit"}:
            raise Refusal(422, "base_tree is not a valid tree oid")
        files = _files(repo, base)
    if not body["tree"]:
        raise Refusal(422, "Invalid tree info")
    for entry in body["tree"]:
        _put(repo, files, entry)
    return Answer(201, _tree(repo, _written(repo, files), recursive=False))


@quirk("a tree is its base with entries put in and taken out", "30 links, submodules, LFS and .git")
def _put(repo: FakeRepo, files: dict[str, tuple[str, str]], entry: Mapping[str, Any]) -> None:
    """Put an entry into a tree, or take it out of it."""
    path = str(entry.get("path", ""))
    if _BAD_PART.search(path):
        raise Refusal(422, "tree.path contains a malformed path component")
    if "mode" not in entry:
        raise Refusal(422, "Must supply a valid tree.mode")
    if ("sha" in entry) == ("content" in entry):
        raise Refusal(
            422,
            "Must supply either tree.sha or tree.content. "
            "Request will be rejected if both are present.",
        )
    if "content" in entry:
        data = entry["content"].encode()
        sha: str | None = repo.git("hash-object", "-w", "--stdin", data=data)
    else:
        sha = entry["sha"]
    if sha is None:
        if path not in files:
            raise Refusal(422, "GitRPC::BadObjectState")
        del files[path]
        return
    if _kind(repo, sha) is None and entry["mode"] != "160000":
        raise Refusal(422, f"tree.sha {sha} is not a valid {entry.get('type', 'blob')}")
    # What is put below a file, or over a folder, takes its place.
    parts = path.split("/")
    for end in range(1, len(parts)):
        files.pop("/".join(parts[:end]), None)
    for other in [one for one in files if one.startswith(f"{path}/")]:
        del files[other]
    files[path] = (entry["mode"], sha)


def _files(repo: FakeRepo, tree: str) -> dict[str, tuple[str, str]]:
    listed = git.git(repo.folder, "ls-tree", "-r", "-z", tree).decode()
    found = {}
    for line in filter(None, listed.split("\0")):
        head, _, path = line.partition("\t")
        mode, _, sha = head.split(" ")
        found[path] = (mode, sha)
    return found


def _written(repo: FakeRepo, files: Mapping[str, tuple[str, str]]) -> str:
    """Write the tree that holds exactly these files, folder by folder."""
    here: list[tuple[str, str, str]] = []
    folders: dict[str, dict[str, tuple[str, str]]] = {}
    for path, (mode, sha) in files.items():
        name, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(name, {})[rest] = (mode, sha)
        else:
            here.append((mode, sha, name))
    here += [("040000", _written(repo, inner), name) for name, inner in folders.items()]
    kinds = {"040000": "tree", "160000": "commit"}
    lines = [f"{mode} {kinds.get(mode, 'blob')} {sha}\t{name}\0" for mode, sha, name in here]
    return repo.git("mktree", "-z", "--missing", data="".join(lines).encode())


@route("GET", R + "/git/trees/{tree_sha}", "contents=read")
@quirk("a tree is its base with entries put in and taken out")
def get_tree(call: Call) -> Any:
    repo, name = _there(call.repo), call.arguments["tree_sha"]
    if _kind(repo, name) not in {"tree", "commit"} and not _head(repo, name):
        raise not_found()
    tree = repo.git("rev-parse", f"{name}^{{tree}}")
    return _tree(repo, tree, recursive="recursive" in call.query)


def _tree(repo: FakeRepo, sha: str, *, recursive: bool) -> Any:
    options = ("-r", "-t") if recursive else ()
    listed = git.git(repo.folder, "ls-tree", "-l", "-z", *options, sha).decode()
    entries = []
    for line in filter(None, listed.split("\0")):
        head, _, path = line.partition("\t")
        mode, kind, name, size = head.split()
        known: dict[str, Any] = {"path": path, "mode": mode, "type": kind, "sha": name}
        if kind == "blob":
            known["size"] = int(size)
        if kind != "commit":
            known["url"] = f"{_api(repo)}/git/{kind}s/{name}"
        entries.append(known)
    return {
        "sha": sha,
        "url": f"{_api(repo)}/git/trees/{sha}",
        "tree": entries[:MAX_TREE_ENTRIES],
        "truncated": len(entries) > MAX_TREE_ENTRIES,
    }


@route("POST", R + "/git/commits", "contents=write")
@quirk("a commit without an author is the App's, and signed")
def create_commit(call: Call) -> Any:
    repo, body = _there(call.repo), call.body
    if _kind(repo, body["tree"]) != "tree":
        raise Refusal(422, "Tree SHA does not exist")
    parents = body.get("parents", [])
    if any(_kind(repo, parent) != "commit" for parent in parents):
        raise Refusal(422, "Parent SHA does not exist or is not a commit object")
    now = f"{int(call.state.now())} +0000"
    author, committer, signature = body.get("author"), body.get("committer"), ""
    who = f"{call.user.login} <{call.user.id}+{call.user.login}@users.noreply.github.com>"
    if author is None and committer is None and call.access.app is not None:
        lines = ["-----BEGIN PGP SIGNATURE-----", "", secrets.token_hex(24)]
        lines += ["-----END PGP SIGNATURE-----"]
        signature = "gpgsig " + "\n ".join(lines) + "\n"
        by = f"{WEB_FLOW} {now}"
    else:
        by = _person(committer or author, who, now)
    text = "".join(
        [
            f"tree {body['tree']}\n",
            *(f"parent {parent}\n" for parent in parents),
            f"author {_person(author, who, now)}\n",
            f"committer {by}\n",
            signature,
            f"\n{body['message']}",
        ]
    )
    sha = repo.git("hash-object", "-t", "commit", "-w", "--stdin", data=text.encode())
    return Answer(201, shapes.git_commit(repo, sha))


def _person(given: Mapping[str, str] | None, who: str, now: str) -> str:
    if given is None:
        return f"{who} {now}"
    date = given.get("date")
    seconds = (
        int(datetime.fromisoformat(date).timestamp()) if date else int(now.split(maxsplit=1)[0])
    )
    return f"{given['name']} <{given['email']}> {seconds} +0000"


@route("GET", R + "/git/commits/{commit_sha}", "contents=read")
@quirk("a commit without an author is the App's, and signed")
def get_git_commit(call: Call) -> Any:
    repo, sha = _there(call.repo), call.arguments["commit_sha"]
    if _kind(repo, sha) != "commit":
        raise not_found()
    return shapes.git_commit(repo, sha)


# References.


@route("GET", R + "/git/ref/{ref}", "contents=read")
@quirk("a reference moves forwards, where no rule forbids it")
def get_ref(call: Call) -> Any:
    repo, name = _there(call.repo), f"refs/{call.arguments['ref']}"
    if _target(repo, name) is None:
        raise not_found()
    return _ref(repo, name)


@route("POST", R + "/git/refs", "contents=write")
@quirk("a reference moves forwards, where no rule forbids it")
def create_ref(call: Call) -> Any:
    repo, name, sha = _there(call.repo), call.body["ref"], call.body["sha"]
    if not re.fullmatch(r"refs/[^/]+/.+", name):
        raise Refusal(422, f"{name} is not a valid ref name.")
    if _kind(repo, sha) is None:
        raise Refusal(422, "Object does not exist")
    if _target(repo, name) is not None:
        raise Refusal(422, "Reference already exists")
    every = repo.git("for-each-ref", "--format=%(refname)").split()
    # A branch "a" leaves no room for "a/b"; and a rule may forbid to make any.
    if repo.no_new_branches or any(
        one.startswith(f"{name}/") or name.startswith(f"{one}/") for one in every
    ):
        raise Refusal(422, "Reference update failed")
    repo.git("update-ref", name, sha)
    return Answer(201, _ref(repo, name))


@route("PATCH", R + "/git/refs/{ref}", "contents=write")
@quirk(
    "a reference moves forwards, where no rule forbids it", "a branch takes its pull requests along"
)
def update_ref(call: Call) -> Any:
    repo, name, sha = _there(call.repo), f"refs/{call.arguments['ref']}", call.body["sha"]
    before = _target(repo, name)
    if before is None:
        raise Refusal(422, "Reference does not exist")
    if _kind(repo, sha) != "commit":
        raise Refusal(422, "Object does not exist")
    if not call.body.get("force") and git.merge_base(repo.folder, before, sha) != before:
        raise Refusal(422, "Update is not a fast forward")
    repo.git("update-ref", name, sha)
    for pull in _from(repo, name):
        pull.push(sha)
    return _ref(repo, name)


@route("DELETE", R + "/git/refs/{ref}", "contents=write")
@quirk(
    "a reference moves forwards, where no rule forbids it", "a branch takes its pull requests along"
)
def delete_ref(call: Call) -> Any:
    repo, name = _there(call.repo), f"refs/{call.arguments['ref']}"
    if _target(repo, name) is None:
        raise Refusal(422, "Reference does not exist")
    if name == f"refs/heads/{repo.default_branch}":
        raise Refusal(422, "Cannot delete the default branch")
    repo.delete_branch(name.removeprefix("refs/heads/"))
    return Answer(204)


def _from(repo: FakeRepo, name: str) -> list[FakePull]:
    """List the open pull requests whose head is a branch."""
    return [
        pull
        for pull in repo.pulls.values()
        if pull.closed_at is None
        and pull.head_repo is repo
        and f"refs/heads/{pull.head_ref}" == name
    ]


def _target(repo: FakeRepo, name: str) -> str | None:
    listed = repo.git("for-each-ref", "--format=%(refname) %(objectname)", name).splitlines()
    return next((one.split()[1] for one in listed if one.split()[0] == name), None)


def _head(repo: FakeRepo, branch: str) -> str | None:
    return _target(repo, f"refs/heads/{branch}")


def _ref(repo: FakeRepo, name: str) -> Any:
    sha = _target(repo, name)
    assert sha is not None
    return {
        "ref": name,
        "node_id": shapes.node("REF", int(sha[:12], 16)),
        "url": f"{_api(repo)}/git/{name}",
        "object": {"sha": sha, "type": "commit", "url": f"{_api(repo)}/git/commits/{sha}"},
    }


def _api(repo: FakeRepo) -> str:
    return f"{repo.state.api}/repos/{repo.full_name}"


# Pull requests.


@route("POST", R + "/pulls", "pull_requests=write")
@quirk("a pull request needs two branches and a commit")
def create_pull(call: Call) -> Any:
    repo, body = call.repo, call.body
    if "issue" not in body and not str(body.get("title", "")).strip():
        raise Refusal(
            422,
            "Validation Failed",
            [{"resource": "PullRequest", "code": "missing_field", "field": "title"}],
        )
    _check_texts(body)
    owner, colon, name = body["head"].rpartition(":")
    if colon and owner.lower() != repo.owner.login.lower():
        raise _invalid("head")
    head, base = _head(repo, name), _head(repo, body["base"])
    if head is None:
        raise _invalid("head")
    if base is None:
        raise _invalid("base")
    label = f"{repo.owner.login}:{name}"
    for pull in _from(repo, f"refs/heads/{name}"):
        if pull.base_ref == body["base"]:
            raise _custom(f"A pull request already exists for {label}.")
    if not git.commits(repo.folder, base, head):
        raise _custom(f"No commits between {body['base']} and {name}")
    made = repo.pull(
        base,
        head,
        call.user.login,
        title=body["title"],
        body=body.get("body"),
        base_ref=body["base"],
        head_ref=name,
        draft=body.get("draft", False),
    )
    return Answer(201, shapes.pull(made, full=True))


@route("PATCH", PULL, "pull_requests=write")
@quirk("a pull request needs two branches and a commit")
def update_pull(call: Call) -> Any:
    pull, body = call.pull, call.body
    _check_texts(body)
    if "base" in body:
        base = _head(pull.repo, body["base"])
        if base is None:
            raise _invalid("base")
        pull.retarget(body["base"], base)
    pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
    if body.get("state") == "closed" and pull.closed_at is None:
        pull.close()
    if body.get("state") == "open" and pull.closed_at is not None:
        if pull.merged or _head(pull.repo, pull.head_ref) is None:
            raise validation_failed("PullRequest", "invalid", "state", "state cannot be changed.")
        pull.reopen()
    return shapes.pull(pull, full=True)


@quirk("17 bytes, not characters")
def _check_texts(body: Mapping[str, Any]) -> None:
    if len(body.get("body") or "") > MAX_BODY_CHARS:
        raise validation_failed(
            "Issue", "custom", "body", "body is too long (maximum is 65536 characters)"
        )
    if len(body.get("title") or "") > MAX_TITLE_CHARS:
        raise validation_failed(
            "Issue", "custom", "title", "title is too long (maximum is 256 characters)"
        )


def _invalid(field: str) -> Refusal:
    """Name an end of a pull request that is no branch; there is no message."""
    return Refusal(
        422,
        "Validation Failed",
        [{"resource": "PullRequest", "field": field, "code": "invalid"}],
    )


def _custom(message: str) -> Refusal:
    return Refusal(
        422,
        "Validation Failed",
        [{"resource": "PullRequest", "code": "custom", "message": message}],
    )
