"""The REST routes of the fake: one function for each operation, named by GitHub's own template.

A route answers a value (200), or an Answer. Who may call it stands in its decorator, in the words
of x-accepted-github-permissions; what it must not do, it raises as a Refusal.
"""

import base64
import gzip
import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.github import git, review_rules, shapes
from tests.github.apps import Access, Apps, FakeApp
from tests.github.errors import (
    Refusal,
    invalid_request,
    not_accessible,
    not_found,
    unprocessable,
    validation_failed,
)
from tests.github.quirks import quirk
from tests.github.state import (
    FakeCheckRun,
    FakeComment,
    FakePull,
    FakeRepo,
    Reaction,
    Review,
    ReviewComment,
    State,
    User,
)

MAX_PER_PAGE = 100
MAX_FILES = 3_000
MAX_DIFF_FILES, MAX_DIFF_LINES = 300, 20_000
MAX_COMMITS = 250
MAX_ANNOTATIONS = 50
MAX_SUMMARY_BYTES = 65_535
MAX_ACTIONS = 3
MAX_CONTENT_BYTES = 1_000_000
MAX_SARIF_BYTES = 10_000_000

ISSUES_WRITE = "issues=write; pull_requests=write"
ISSUES_READ = "issues=read; pull_requests=read"
APP = "the App itself, by a JWT"
ANYBODY = "anybody"


@dataclass
class Answer:
    """What goes back: JSON, or text of another type, or nothing at all."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request that found its route."""

    state: State
    apps: Apps
    access: Access
    arguments: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    accept: str
    path: str
    wording: int
    method: str
    secret: str = ""  # of an App that logs in with its client id

    def reads(self, repo: FakeRepo) -> bool:
        """Has the asker a role there? That a repository is public gives nobody one."""
        user = self.access.user
        if user is None or repo.deleted:
            return False
        return repo.permissions.get(user.login.lower(), "none") != "none"

    @property
    @quirk("what one may not see is not there", "25 a repository or pull request that is gone")
    def repo(self) -> FakeRepo:
        """The repository of the path; not found, if the asker may not know of it."""
        name = f"{self.arguments['owner']}/{self.arguments['repo']}".lower()
        repo = self.state.repositories.get(name)
        moved = self.state.moved.get(name)
        if repo is None and moved is not None and not moved.deleted:
            repo = moved
        if repo is None or not self.access.sees(repo):
            raise not_found()
        return repo

    @property
    @quirk("25 a repository or pull request that is gone")
    def pull(self) -> FakePull:
        """The pull request of the path."""
        pull = self.repo.pulls.get(_number(self.arguments["pull_number"]))
        if pull is None or pull.is_issue or pull.vanished:
            raise not_found()
        return pull

    @property
    @quirk("25 a repository or pull request that is gone")
    def issue(self) -> FakePull:
        """The issue of the path, which a pull request is too."""
        issue = self.repo.pulls.get(_number(self.arguments["issue_number"]))
        if issue is None or issue.vanished:
            raise not_found()
        return issue

    @property
    @quirk("25 a repository or pull request that is gone")
    def comment(self) -> FakeComment:
        """The comment of the path, in a conversation."""
        number = _number(self.arguments["comment_id"])
        for pull in self.repo.pulls.values():
            for comment in pull.comments:
                if comment.id == number and not pull.vanished:
                    return comment
        raise not_found()

    @property
    @quirk("11 a stray pending review", "25 a repository or pull request that is gone")
    def review_comment(self) -> ReviewComment:
        """The comment of the path, on lines; a pending one only for its author."""
        number = _number(self.arguments["comment_id"])
        for pull in self.repo.pulls.values():
            for review in pull.all_reviews:
                for comment in review.comments:
                    if comment.id == number and self._visible(review):
                        return comment
        raise not_found()

    @property
    @quirk("11 a stray pending review")
    def review(self) -> Review:
        """The review of the path."""
        number = _number(self.arguments["review_id"])
        for review in self.pull.all_reviews:
            if review.id == number and self._visible(review):
                return review
        raise not_found()

    @property
    @quirk("what one may not see is not there")
    def check_run(self) -> FakeCheckRun:
        """The check run of the path."""
        number = _number(self.arguments["check_run_id"])
        for run in self.repo.check_runs:
            if run.id == number:
                return run
        raise not_found()

    @property
    def user(self) -> User:
        """Whoever writes; a writing route has made sure that there is one."""
        assert self.access.user is not None
        return self.access.user

    def app_of(self, slug: str | None) -> FakeApp | None:
        """Find an App."""
        return self.apps.by_slug.get(slug or "")

    def visible_reviews(self) -> list[Review]:
        """The reviews that the asker sees: pending ones are their authors' own."""
        return [review for review in self.pull.all_reviews if self._visible(review)]

    @quirk("11 a stray pending review")
    def _visible(self, review: Review) -> bool:
        return review.state != "PENDING" or review.user is self.access.user

    @quirk("pages are addressed by the repository's number")
    def page(self, items: Iterable[Any], shape: Callable[[Any], Any], key: str = "") -> Answer:
        """Answer one page of a list, with the addresses of the others in the header Link.

        GitHub writes those by the number of the repository, not by its name.
        """
        every = list(items)
        size = max(1, min(int(self.query.get("per_page", "30")), MAX_PER_PAGE))
        number = max(1, int(self.query.get("page", "1")))
        last = max(1, -(-len(every) // size))
        shown = [shape(item) for item in every[(number - 1) * size : number * size]]
        links = []
        if number > 1:
            links += [("prev", min(number - 1, last)), ("first", 1)]
        if number < last:
            links += [("next", number + 1), ("last", last)]
        parts = []
        for relation, target in links:
            query = urlencode({**self.query, "page": target})
            parts.append(f'<{self.state.api}{self._by_number()}?{query}>; rel="{relation}"')
        headers = {"Link": ", ".join(parts)} if parts else {}
        body = {"total_count": len(every), key: shown} if key else shown
        return Answer(200, body, headers)

    def _by_number(self) -> str:
        if "owner" not in self.arguments:
            return self.path
        start = f"/repos/{self.arguments['owner']}/{self.arguments['repo']}"
        return f"/repositories/{self.repo.id}{self.path.removeprefix(start)}"


@dataclass(frozen=True)
class Route:
    """A function with who may call it."""

    run: Callable[[Call], Any]
    needs: str


ROUTES: dict[tuple[str, str], Route] = {}

R = "/repos/{owner}/{repo}"
PULL = R + "/pulls/{pull_number}"
REVIEW = PULL + "/reviews/{review_id}"


def route(method: str, template: str, needs: str) -> Callable[[Callable[[Call], Any]], Any]:
    """Make a function the answer to an operation."""

    def add(run: Callable[[Call], Any]) -> Callable[[Call], Any]:
        ROUTES[method, template] = Route(run, needs)
        return run

    return add


def dispatch(call: Call, found: Route, *, writes: bool) -> Answer:
    """Run a route for whoever may; raise the Refusal that the others get."""
    _check_access(call, found.needs, writes=writes)
    answer = found.run(call)
    return answer if isinstance(answer, Answer) else Answer(200, answer)


@quirk("24 a permission that was not accepted, or in part")
def _check_access(call: Call, needs: str, *, writes: bool) -> None:
    access = call.access
    if needs == APP:
        if not access.as_app:
            raise Refusal(401, "A JSON web token could not be decoded")
        return
    if needs == ANYBODY:
        return
    if access.as_app:
        raise Refusal(401, "Bad credentials")
    repo = call.repo if "owner" in call.arguments else None
    if writes and access.user is None:
        raise Refusal(401, "Requires authentication")
    if access.repositories is None:  # a person, or nobody: roles count, not permissions
        return
    if not writes and repo is not None and not repo.private:
        return
    if repo is not None and not access.covers(repo):
        raise not_accessible(needs)
    options = [option.split("=") for option in needs.split("; ")]
    if "issue_number" in call.arguments and call.issue.is_issue:
        options = [option for option in options if option[0] != "pull_requests"]
    if not any(access.has(permission, level) for permission, level in options):
        raise not_accessible(needs)


@quirk("what one may not see is not there")
def _number(text: str) -> int:
    if not text.isdigit():
        raise not_found()
    return int(text)


# Repositories and users.


@route("GET", R, "metadata=read")
def get_repository(call: Call) -> Any:
    role = call.repo.role(call.access.user) if call.access.user else None
    return shapes.repository(call.repo, role, full=True)


@route("GET", R + "/collaborators/{username}/permission", "metadata=read")
@quirk("22 who may only read")
def get_permission(call: Call) -> Any:
    login = call.arguments["username"]
    if call.access.repositories is None:
        if call.access.user is None:
            raise Refusal(401, "Requires authentication")
        if not shapes.may_write(call.repo, call.access.user):
            raise Refusal(403, "Must have push access to view collaborator permission.")
    elif not call.access.covers(call.repo):
        raise not_accessible("metadata=read")
    user = call.state.users.get(login.lower())
    if user is None or user.type != "User":
        raise Refusal(404, f"{login} is not a user")
    return shapes.permission(call.repo, user)


@route("GET", "/users/{username}", ANYBODY)
@quirk("what one may not see is not there")
def get_user(call: Call) -> Any:
    user = call.state.users.get(call.arguments["username"].lower())
    if user is None:
        raise not_found()
    return shapes.public_user(call.state, user)


@route("GET", "/user", ANYBODY)
@quirk("an App sees what both it and the person may")
def get_authenticated_user(call: Call) -> Any:
    if call.access.app is not None:
        raise not_accessible("")
    if call.access.user is None:
        raise Refusal(401, "Requires authentication")
    return shapes.public_user(call.state, call.access.user)


@route("GET", "/user/installations", ANYBODY)
def list_installations_of_user(call: Call) -> Any:
    app = _app_of_user(call)
    seen = [one for one in app.installations.values() if any(map(call.reads, one.repositories))]
    return call.page(seen, shapes.installation, "installations")


@route("GET", "/user/installations/{installation_id}/repositories", ANYBODY)
@quirk("an App sees what both it and the person may")
def list_repositories_of_user(call: Call) -> Any:
    app = _app_of_user(call)
    found = app.installations.get(_number(call.arguments["installation_id"]))
    if found is None or not any(map(call.reads, found.repositories)):
        raise not_found()
    visible = [repo for repo in found.repositories if call.reads(repo)]
    return call.page(visible, shapes.repository, "repositories")


@quirk("an App sees what both it and the person may")
def _app_of_user(call: Call) -> FakeApp:
    """Return the App that acts for somebody: no other token is answered here."""
    if call.access.through is None:
        raise Refusal(
            403,
            "You must authenticate with an access token authorized to a GitHub App "
            "in order to list installations",
        )
    return call.access.through


@route("DELETE", "/applications/{client_id}/token", ANYBODY)
def delete_user_token(call: Call) -> Any:
    call.apps.revoke(
        call.arguments["client_id"], call.secret, (call.body or {}).get("access_token")
    )
    return Answer(204)


@route("GET", "/rate_limit", ANYBODY)
def get_rate_limit(call: Call) -> Any:
    rate = {
        "limit": 5000,
        "used": 0,
        "remaining": 5000,
        "reset": int(call.state.now()) + 3600,
    }
    return {"resources": {"core": rate, "search": rate}, "rate": rate}


# Apps.


@route("GET", "/app", APP)
def get_app(call: Call) -> Any:
    app = call.access.app
    assert app is not None
    return {**shapes.integration(app), "installations_count": len(app.installations)}


@route("GET", "/app/hook/config", APP)
def get_hook(call: Call) -> Any:
    assert call.access.app is not None
    return {name: value for name, value in call.access.app.hook.items() if value}


@route("GET", "/app/hook/deliveries", APP)
def list_deliveries(call: Call) -> Any:
    assert call.access.app is not None
    # By its documentation: what is neither 200 to 399 nor 400 to 599 is listed without a filter
    # alone, and an answer that leads elsewhere counts as a success.
    outcomes = {None: range(1_000), "success": range(200, 400), "failure": range(400, 600)}
    of = outcomes[call.query.get("status")]
    every = [one for one in reversed(call.access.app.deliveries) if one.status in of]
    # Pages here have a cursor in place of a number: the delivery that the next one begins with.
    cursor = call.query.get("cursor")
    if cursor is not None:
        every = [one for one in every if one.id <= int(cursor.removeprefix("v1_"))]
    size = min(int(call.query.get("per_page", "30")), MAX_PER_PAGE)
    headers = {}
    if len(every) > size:
        query = urlencode({**call.query, "cursor": f"v1_{every[size].id}"})
        headers["Link"] = f'<{call.state.api}{call.path}?{query}>; rel="next"'
    return Answer(200, [shapes.delivery(one) for one in every[:size]], headers)


@route("POST", "/app/hook/deliveries/{delivery_id}/attempts", APP)
@quirk("2 a redelivery has the same GUID")
def redeliver(call: Call) -> Any:
    app = call.access.app
    assert app is not None
    number = _number(call.arguments["delivery_id"])
    found = next((one for one in app.deliveries if one.id == number), None)
    if found is None:
        raise not_found()
    # GitHub answers first and delivers then.
    threading.Thread(target=found.again, args=(found,), daemon=True).start()
    return Answer(202, {})


@route("GET", "/app/installations", APP)
def list_installations(call: Call) -> Any:
    assert call.access.app is not None
    return call.page(call.access.app.installations.values(), shapes.installation)


@route("GET", "/app/installations/{installation_id}", APP)
@quirk("an App that is suspended or uninstalled gets nothing")
def get_installation(call: Call) -> Any:
    assert call.access.app is not None
    found = call.access.app.installations.get(_number(call.arguments["installation_id"]))
    if found is None:
        raise not_found()
    return shapes.installation(found)


@route("GET", R + "/installation", APP)
@quirk("an App that is suspended or uninstalled gets nothing")
def get_repository_installation(call: Call) -> Any:
    assert call.access.app is not None
    name = f"{call.arguments['owner']}/{call.arguments['repo']}".lower()
    for found in call.access.app.installations.values():
        if any(repo.full_name.lower() == name for repo in found.repositories):
            return shapes.installation(found)
    raise not_found()


@route("POST", "/app/installations/{installation_id}/access_tokens", APP)
def create_token(call: Call) -> Any:
    assert call.access.app is not None
    number = _number(call.arguments["installation_id"])
    wanted = call.body or {}
    record, token = call.apps.installation_token(call.access.app, number, wanted)
    narrowed = "repository_ids" in wanted or "repositories" in wanted
    repositories = [shapes.repository(repo) for repo in record.access.repositories or ()]
    return Answer(
        201,
        {
            "token": token,
            "expires_at": shapes.stamp(record.expires),
            "permissions": dict(record.access.permissions),
            "repository_selection": "selected",
            **({"repositories": repositories} if narrowed else {}),
        },
    )


@route("GET", "/installation/repositories", "metadata=read")
@quirk("24 a permission that was not accepted, or in part")
def list_installation_repositories(call: Call) -> Any:
    if call.access.repositories is None:
        raise Refusal(403, "You must authenticate with an installation access token")
    visible = [repo for repo in call.access.repositories if call.access.covers(repo)]
    return call.page(visible, shapes.repository, "repositories")


@route("DELETE", "/installation/token", "metadata=read")
@quirk("a revoked token is a bad one")
def revoke_token(call: Call) -> Any:
    if call.access.token is not None:
        call.apps.tokens.pop(call.access.token, None)
    return Answer(204)


@route("POST", "/app-manifests/{code}/conversions", ANYBODY)
def convert_manifest(call: Call) -> Any:
    app = call.apps.convert(call.arguments["code"])
    return Answer(
        201,
        {
            **shapes.integration(app),
            "client_secret": app.client_secret,
            "webhook_secret": app.webhook_secret,
            "pem": app.pem,
        },
    )


# Pull requests.


@route("GET", R + "/pulls", "pull_requests=read")
def list_pulls(call: Call) -> Any:
    wanted = call.query.get("state", "open")
    found = [
        pull
        for pull in call.repo.pulls.values()
        if not pull.is_issue
        and not pull.vanished
        and wanted in ("all", pull.state)
        and call.query.get("base", pull.base_ref) == pull.base_ref
    ]
    if "head" in call.query:
        found = [p for p in found if shapes.pull(p)["head"]["label"] == call.query["head"]]
    by = call.query.get("sort", "created")
    down = call.query.get("direction", "desc" if by == "created" else "asc") == "desc"
    # What is of one moment stays in the order of its numbers.
    found.sort(key=lambda pull: (pull.updated if by == "updated" else pull.created, pull.number))
    return call.page(reversed(found) if down else found, shapes.pull)


@route("GET", PULL, "pull_requests=read")
@quirk("whether it can be merged is not known at the first look")
def get_pull(call: Call) -> Any:
    pull = call.pull
    if "diff" in call.accept or "patch" in call.accept:
        return _diff_text(pull)
    answer = shapes.pull(pull, full=True)
    if pull.mergeable is None and pull.closed_at is None:
        pull.mergeable = True  # the first look starts the computation
    return answer


@quirk("13 a diff that GitHub refuses (406)")
def _diff_text(pull: FakePull) -> Answer:
    files = pull.files()
    lines = sum(len((file.patch or "").split("\n")) for file in files)
    too_many = (
        f"files ({MAX_DIFF_FILES})"
        if len(files) > MAX_DIFF_FILES
        else f"lines ({MAX_DIFF_LINES})"
        if lines > MAX_DIFF_LINES
        else None
    )
    if too_many is not None:
        raise Refusal(
            406,
            f"Sorry, the diff exceeded the maximum number of {too_many}. Consider using 'List pull"
            " requests files' API or locally cloning the repository instead.",
            [{"resource": "PullRequest", "field": "diff", "code": "too_large"}],
        )
    text = pull.repo.git("diff", "-U3", "--find-renames", "--no-color", pull.merge_base, pull.head)
    return Answer(200, text + "\n", {"Content-Type": "application/vnd.github.diff; charset=utf-8"})


@route("GET", PULL + "/files", "pull_requests=read")
@quirk("15 3,001 files")
def list_files(call: Call) -> Any:
    pull = call.pull
    return call.page(
        pull.files()[:MAX_FILES], lambda file: shapes.diff_entry(pull.repo, pull.head, file)
    )


@route("GET", PULL + "/commits", "pull_requests=read")
def list_commits(call: Call) -> Any:
    pull = call.pull
    return call.page(pull.commits()[:MAX_COMMITS], lambda sha: shapes.commit(pull.repo, sha))


@route("GET", R + "/commits/{commit_sha}/pulls", "pull_requests=read")
def list_pulls_of_commit(call: Call) -> Any:
    sha = call.arguments["commit_sha"]
    found = [
        pull
        for pull in call.repo.pulls.values()
        if not pull.is_issue and not pull.vanished and sha in pull.commits()
    ]
    return call.page(found, shapes.pull)


@route("GET", R + "/commits/{ref}", "contents=read")
@quirk("what one may not see is not there")
def get_commit(call: Call) -> Any:
    repo, sha = call.repo, call.arguments["ref"]
    if not repo.has_commit(sha):
        raise Refusal(422, f"No commit found for SHA: {sha}")
    sha = repo.git("rev-parse", f"{sha}^{{commit}}")
    files = git.diff(repo.folder, f"{sha}^", sha) if git.parents(repo.folder, sha)[0] else []
    stats = {
        "additions": sum(file.additions for file in files),
        "deletions": sum(file.deletions for file in files),
    }
    return {
        **shapes.commit(repo, sha),
        "stats": {**stats, "total": sum(stats.values())},
        "files": [shapes.diff_entry(repo, sha, file) for file in files],
    }


@route("GET", R + "/compare/{basehead}", "contents=read")
@quirk("27 the base is not the merge base")
def compare(call: Call) -> Any:
    repo = call.repo
    base, dots, head = call.arguments["basehead"].partition("...")
    if not dots or not repo.has_commit(base) or not repo.has_commit(head):
        raise not_found()
    base, head = (repo.git("rev-parse", f"{name}^{{commit}}") for name in (base, head))
    start = git.merge_base(repo.folder, base, head)
    if start is None:
        raise Refusal(404, f"No common ancestor between {base} and {head}.")
    ahead = git.commits(repo.folder, base, head)
    behind = git.commits(repo.folder, head, base)
    words = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    address = f"{repo.html_url}/compare/{base}...{head}"
    size = int(call.query.get("per_page", MAX_COMMITS))
    first = (int(call.query.get("page", 1)) - 1) * size
    return {
        "url": f"{call.state.api}/repos/{repo.full_name}/compare/{base}...{head}",
        "html_url": address,
        "permalink_url": address,
        "diff_url": f"{address}.diff",
        "patch_url": f"{address}.patch",
        "base_commit": shapes.commit(repo, base),
        "merge_base_commit": shapes.commit(repo, start),
        "status": words.get((bool(ahead), bool(behind)), "diverged"),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [shapes.commit(repo, sha) for sha in ahead[first : first + size]],
        "files": [
            shapes.diff_entry(repo, head, file) for file in repo.diff(base, head)[:MAX_DIFF_FILES]
        ],
    }


@route("GET", R + "/contents/{path}", "contents=read")
@quirk("a file of more than a megabyte is listed and not shown")
def read_contents(call: Call) -> Any:
    repo, path = call.repo, call.arguments["path"]
    ref = call.query.get("ref", f"refs/heads/{repo.default_branch}")
    listed = git.entry(repo.folder, ref, path)
    if listed is None:
        raise not_found()
    kind, sha = listed
    assert kind == "blob", "the fake lists no folders"
    data = git.git(repo.folder, "cat-file", "blob", sha)
    is_large = len(data) > MAX_CONTENT_BYTES
    api = f"{call.state.api}/repos/{repo.full_name}"
    links = {"self": f"{api}/contents/{path}", "git": f"{api}/git/blobs/{sha}", "html": None}
    return {
        "type": "file",
        "encoding": "none" if is_large else "base64",
        "size": len(data),
        "name": path.rpartition("/")[2],
        "path": path,
        "content": "" if is_large else base64.encodebytes(data).decode(),
        "sha": sha,
        "url": links["self"],
        "git_url": links["git"],
        "html_url": links["html"],
        "download_url": None,
        "_links": links,
    }


# Reviews.


@route("GET", PULL + "/reviews", "pull_requests=read")
def list_reviews(call: Call) -> Any:
    return call.page(call.visible_reviews(), shapes.review)


@route("POST", PULL + "/reviews", "pull_requests=write")
def create_review(call: Call) -> Any:
    return shapes.review(review_rules.create(call.pull, call.user, call.body or {}, call.wording))


@route("GET", REVIEW, "pull_requests=read")
def get_review(call: Call) -> Any:
    return shapes.review(call.review)


@route("PUT", REVIEW, "pull_requests=write")
@quirk("who may not write to a repository edits only their own words")
def update_review(call: Call) -> Any:
    review = call.review
    if review.user is not call.user:
        raise Refusal(403, "Must be the author of the review to edit it.")
    review.body = review_rules.check_body(call.body["body"])
    return shapes.review(review)


@route("DELETE", REVIEW, "pull_requests=write")
@quirk("a submitted review stays")
def delete_review(call: Call) -> Any:
    review = call.review
    if review.state != "PENDING":
        raise unprocessable(review_rules.NOT_PENDING)
    review.pull.all_reviews.remove(review)
    return shapes.review(review)


@route("POST", REVIEW + "/events", "pull_requests=write")
@quirk("11 a stray pending review")
def submit_review(call: Call) -> Any:
    review, event = call.review, call.body["event"]
    text = review_rules.check_body(call.body.get("body") or "")
    if review.state != "PENDING" or review.user is not call.user:
        raise unprocessable("Can not submit a review that is not pending")
    review_rules.check_event(
        review.pull, call.user, event, text or review.body, bool(review.comments)
    )
    review_rules.submit(review, event, text)
    return shapes.review(review)


@route("PUT", REVIEW + "/dismissals", "pull_requests=write")
@quirk("a submitted review stays")
def dismiss_review(call: Call) -> Any:
    review = call.review
    if review.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise unprocessable("Can not dismiss a commented pull request review")
    review.state = "DISMISSED"
    return shapes.review(review)


@route("GET", REVIEW + "/comments", "pull_requests=read")
def list_comments_of_review(call: Call) -> Any:
    return call.page(call.review.comments, shapes.review_comment_of_review)


@route("GET", PULL + "/comments", "pull_requests=read")
def list_review_comments(call: Call) -> Any:
    return call.page(call.pull.review_comments, shapes.review_comment)


@route("POST", PULL + "/comments", "pull_requests=write")
@quirk(
    "10 a 422 in every wording",
    "11 a stray pending review",
    "a review is of a commit of its pull request",
)
def create_review_comment(call: Call) -> Any:
    pull, body = call.pull, call.body
    review_rules.check_locked(pull, call.user, review=False)
    if "in_reply_to" in body:
        return _reply(call, pull, int(body["in_reply_to"]), body["body"])
    if any(review.user is call.user for review in pull.pending):
        raise validation_failed(
            "PullRequestReview", "custom", "user_id", f"user_id {review_rules.ONE_PENDING[5:]}"
        )
    head = body["commit_id"]
    if head != pull.head and head not in pull.commits():
        raise validation_failed(
            "PullRequestReviewComment",
            "custom",
            "commit_id",
            "commit_id is not part of the pull request",
        )
    review = Review(call.state.next_id(), pull, call.user, "", "COMMENTED", head, call.state.now())
    try:
        comment = review_rules.add_comment(review, body, pull.files(head), call.wording)
    except Refusal as refusal:
        if not refusal.errors:
            raise
        path = "path" in str(refusal.errors[0]).lower()
        field_name, text = ("path", "is invalid") if path else ("line", "must be part of the diff")
        raise validation_failed(
            "PullRequestReviewComment",
            "custom",
            f"pull_request_review_thread.{field_name}",
            f"pull_request_review_thread.{field_name} {text}",
        ) from refusal
    pull.all_reviews.append(review)
    return Answer(201, shapes.review_comment(comment))


@route("POST", PULL + "/comments/{comment_id}/replies", "pull_requests=write")
def create_reply(call: Call) -> Any:
    review_rules.check_locked(call.pull, call.user, review=False)
    return _reply(call, call.pull, _number(call.arguments["comment_id"]), call.body["body"])


@quirk("an answer hangs on the first comment of its thread")
def _reply(call: Call, pull: FakePull, to: int, body: str) -> Answer:
    above = next((comment for comment in pull.review_comments if comment.id == to), None)
    if above is None or above.in_reply_to is not None:  # replies hang on the first comment only
        raise not_found()
    reply = review_rules.answer(above, call.user, body)
    return Answer(201, shapes.review_comment(reply))


@route("GET", R + "/pulls/comments/{comment_id}", "pull_requests=read")
def get_review_comment(call: Call) -> Any:
    return shapes.review_comment(call.review_comment)


@route("PATCH", R + "/pulls/comments/{comment_id}", "pull_requests=write")
def update_review_comment(call: Call) -> Any:
    comment = call.review_comment
    _check_author(call, comment.user)
    comment.body = review_rules.check_body(call.body["body"])
    comment.updated = call.state.now()
    return shapes.review_comment(comment)


@route("DELETE", R + "/pulls/comments/{comment_id}", "pull_requests=write")
def delete_review_comment(call: Call) -> Any:
    comment = call.review_comment
    _check_author(call, comment.user)
    comment.review.comments.remove(comment)
    return Answer(204)


@quirk("who may not write to a repository edits only their own words")
def _check_author(call: Call, author: User) -> None:
    """A person changes their own words, and with write access those of others; an App may both."""
    if (
        call.access.app is None
        and author is not call.user
        and not shapes.may_write(call.repo, call.user)
    ):
        raise Refusal(403, "Must have admin rights to Repository.")


# The conversation.


@route("GET", R + "/issues/{issue_number}", ISSUES_READ)
def get_issue(call: Call) -> Any:
    return shapes.issue(call.issue)


@route("GET", R + "/issues/{issue_number}/comments", ISSUES_READ)
def list_comments(call: Call) -> Any:
    return call.page(call.issue.comments, lambda it: _comment(call, it))


@route("POST", R + "/issues/{issue_number}/comments", ISSUES_WRITE)
def create_comment(call: Call) -> Any:
    issue = call.issue
    review_rules.check_locked(issue, call.user, review=False)
    app = call.access.app.slug if call.access.app else None
    return Answer(201, _comment(call, issue.add_comment(call.user, _comment_body(call), app)))


@route("GET", R + "/issues/comments/{comment_id}", ISSUES_READ)
def get_comment(call: Call) -> Any:
    return _comment(call, call.comment)


@route("PATCH", R + "/issues/comments/{comment_id}", ISSUES_WRITE)
def update_comment(call: Call) -> Any:
    comment = call.comment
    _check_author(call, comment.user)
    comment.edit(_comment_body(call))
    return _comment(call, comment)


@route("DELETE", R + "/issues/comments/{comment_id}", ISSUES_WRITE)
def delete_comment(call: Call) -> Any:
    comment = call.comment
    _check_author(call, comment.user)
    comment.pull.comments.remove(comment)
    return Answer(204)


def _comment(call: Call, it: FakeComment) -> Any:
    return shapes.comment(it, call.app_of(it.app))


@quirk("17 bytes, not characters")
def _comment_body(call: Call) -> str:
    body = str(call.body["body"])
    if len(body) > review_rules.MAX_BODY_CHARS:
        raise validation_failed("IssueComment", "unprocessable", "data", review_rules.TOO_LONG)
    if not body.strip():
        raise validation_failed("IssueComment", "unprocessable", "data", "Body cannot be blank")
    return body


@route("GET", R + "/issues/comments/{comment_id}/reactions", ISSUES_READ)
def list_reactions(call: Call) -> Any:
    return call.page(call.comment.reactions, lambda it: shapes.reaction(call.state, it))


@route("POST", R + "/issues/comments/{comment_id}/reactions", ISSUES_WRITE)
def create_reaction(call: Call) -> Any:
    return _react(call, call.comment.reactions)


@route("DELETE", R + "/issues/comments/{comment_id}/reactions/{reaction_id}", ISSUES_WRITE)
def delete_reaction(call: Call) -> Any:
    return _take_back(call, call.comment.reactions)


@route("GET", R + "/pulls/comments/{comment_id}/reactions", "pull_requests=read")
def list_review_reactions(call: Call) -> Any:
    return call.page(call.review_comment.reactions, lambda it: shapes.reaction(call.state, it))


@route("POST", R + "/pulls/comments/{comment_id}/reactions", "pull_requests=write")
def create_review_reaction(call: Call) -> Any:
    return _react(call, call.review_comment.reactions)


@quirk("a second reaction of a kind is the first one")
def _react(call: Call, reactions: list[Reaction]) -> Answer:
    """One reaction of a kind by a user: a second request answers 200 with the first one."""
    content = call.body.get("content")
    if content not in shapes.REACTIONS:
        raise Refusal(
            422,
            "Validation Failed",
            [{"resource": "Reaction", "code": "invalid", "field": "content"}],
        )
    for old in reactions:
        if old.user is call.user and old.content == content:
            return Answer(200, shapes.reaction(call.state, old))
    new = Reaction(call.state.next_id(), call.user, content, call.state.now())
    reactions.append(new)
    return Answer(201, shapes.reaction(call.state, new))


@quirk("a second reaction of a kind is the first one")
def _take_back(call: Call, reactions: list[Reaction]) -> Answer:
    number = _number(call.arguments["reaction_id"])
    for old in reactions:
        if old.id == number and old.user is call.user:
            reactions.remove(old)
            return Answer(204)
    raise not_found()


# Checks.


@route("POST", R + "/check-runs", "checks=write")
@quirk("Apps alone write checks, and each its own")
def create_check_run(call: Call) -> Any:
    app, body, repo = _checks_app(call), call.body, call.repo
    if not repo.has_commit(body["head_sha"]):
        raise Refusal(422, f"No commit found for SHA: {body['head_sha']}")
    run = FakeCheckRun(
        call.state.next_id(),
        repo,
        app.slug,
        repo.suite(app.slug, body["head_sha"]),
        body["name"],
        body["head_sha"],
        "queued",
        shapes.stamp(call.state.now()),
    )
    _fill(call, run, body)
    repo.check_runs.append(run)
    return Answer(201, shapes.check_run(run, app))


@route("PATCH", R + "/check-runs/{check_run_id}", "checks=write")
@quirk("Apps alone write checks, and each its own")
def update_check_run(call: Call) -> Any:
    app, run = _checks_app(call), call.check_run
    if run.app != app.slug:
        raise Refusal(
            403,
            "Invalid app_id `check_run` can only be modified by the GitHub App that created it.",
        )
    _fill(call, run, call.body)
    return shapes.check_run(run, app)


@quirk("Apps alone write checks, and each its own")
def _checks_app(call: Call) -> FakeApp:
    if call.access.app is None:
        raise Refusal(403, "You must authenticate via a GitHub App.")
    return call.access.app


@quirk("a conclusion completes a check run")
def _fill(call: Call, run: FakeCheckRun, body: Mapping[str, Any]) -> None:
    """Take over what a request says, all of it or nothing."""
    output, actions = body.get("output") or {}, body.get("actions")
    _check_output(output)
    if actions is not None and len(actions) > MAX_ACTIONS:
        raise invalid_request(f"No more than 3 items are allowed; {len(actions)} were supplied.")
    status, conclusion = body.get("status"), body.get("conclusion")
    if status == "completed" and conclusion is None and run.conclusion is None:
        raise invalid_request('"conclusion" wasn\'t supplied.')
    run.name = body.get("name", run.name)
    run.details_url = body.get("details_url", run.details_url)
    run.external_id = body.get("external_id", run.external_id)
    run.started = body.get("started_at", run.started)
    run.status = status or run.status
    if status is not None and status != "completed":
        run.conclusion = run.completed = None
    if conclusion is not None:
        run.status, run.conclusion = "completed", conclusion
        run.completed = body.get("completed_at") or shapes.stamp(call.state.now())
    if output:
        run.title, run.summary = output.get("title", run.title), output["summary"]
        run.text = output.get("text", run.text)
        run.annotations += output.get("annotations", [])
    if actions is not None:
        run.actions = actions


@quirk("17 bytes, not characters", "18 51 annotations")
def _check_output(output: Mapping[str, Any]) -> None:
    annotations = output.get("annotations", [])
    if len(annotations) > MAX_ANNOTATIONS:
        raise invalid_request(
            f"No more than 50 items are allowed; {len(annotations)} were supplied."
        )
    for name in ("summary", "text"):
        size = len(output.get(name) or "")
        if size > MAX_SUMMARY_BYTES:
            raise invalid_request(f"Only 65535 characters are allowed; {size} were supplied.")
        if len((output.get(name) or "").encode()) > MAX_SUMMARY_BYTES:
            raise validation_failed(
                "CheckRun", "custom", name, f"{name} exceeds a maximum bytesize of 65535"
            )
    for annotation in annotations:
        columns = {"start_column", "end_column"} & annotation.keys()
        if columns and annotation["start_line"] != annotation["end_line"]:
            raise invalid_request("start_column and end_column need start_line and end_line equal.")


@route("GET", R + "/check-runs/{check_run_id}", "checks=read")
def get_check_run(call: Call) -> Any:
    return shapes.check_run(call.check_run, call.app_of(call.check_run.app))


@route("GET", R + "/check-runs/{check_run_id}/annotations", "checks=read")
def list_annotations(call: Call) -> Any:
    run = call.check_run
    return call.page(run.annotations, lambda it: shapes.annotation(call.repo, run.head_sha, it))


@route("GET", R + "/commits/{ref}/check-runs", "checks=read")
@quirk("check runs are found by name and App")
def list_check_runs(call: Call) -> Any:
    repo, ref = call.repo, call.arguments["ref"]
    if not repo.has_commit(ref):
        raise Refusal(422, f"No commit found for SHA: {ref}")
    sha = repo.git("rev-parse", f"{ref}^{{commit}}")
    return _check_runs(call, [run for run in repo.check_runs if run.head_sha == sha])


@route("GET", R + "/check-suites/{check_suite_id}/check-runs", "checks=read")
def list_check_runs_of_suite(call: Call) -> Any:
    suite = _number(call.arguments["check_suite_id"])
    return _check_runs(call, [run for run in call.repo.check_runs if run.suite == suite])


@quirk("check runs are found by name and App")
def _check_runs(call: Call, runs: list[FakeCheckRun]) -> Answer:
    query = call.query
    found = []
    for run in runs:
        app = call.app_of(run.app)
        if (
            query.get("check_name", run.name) == run.name
            and query.get("status", run.status) == run.status
            and query.get("app_id", str(app.id if app else "")) == str(app.id if app else "")
        ):
            found.append(run)
    if query.get("filter", "latest") == "latest":
        found = list({(run.suite, run.name): run for run in found}.values())
    found.sort(key=lambda run: -run.id)
    return call.page(found, lambda it: shapes.check_run(it, call.app_of(it.app)), "check_runs")


# Code scanning.


@route("POST", R + "/code-scanning/sarifs", "security_events=write")
@quirk("code scanning where allowed")
def upload_sarif(call: Call) -> Any:
    body, repo = call.body, call.repo
    if not repo.code_scanning:
        raise Refusal(
            403, "Code Security must be enabled for this repository to use code scanning."
        )
    if not repo.has_commit(body["commit_sha"]):
        raise Refusal(400, "commit_sha is not a commit of this repository")
    raw = base64.b64decode(body["sarif"])
    if len(raw) > MAX_SARIF_BYTES:
        raise Refusal(413, "The SARIF file is too large.")
    document = json.loads(gzip.decompress(raw))
    number = str(uuid.uuid4())
    repo.sarifs.append({"commit": body["commit_sha"], "ref": body["ref"], "sarif": document})
    url = f"{call.state.api}/repos/{repo.full_name}/code-scanning/sarifs/{number}"
    return Answer(202, {"id": number, "url": url})


@quirk("git asks for a token where the repository is private")
def may_fetch(access: Access, repo: FakeRepo) -> None:
    """Let git read a repository; raise as GitHub's git server refuses."""
    if not access.sees(repo):
        raise Refusal(401 if access.user is None else 404, "Repository not found.")
    if repo.private and access.repositories is not None and not access.has("contents", "read"):
        raise Refusal(403, "Write access to repository not granted.")
