"""JSON as GitHub answers it: complete objects, so that a client may read any field of them."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.github import git
from tests.github.apps import Delivery, FakeApp, FakeInstallation
from tests.github.git import FileDiff
from tests.github.quirks import quirk
from tests.github.state import (
    WRITERS,
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

Json = dict[str, Any]

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
_ROLES = ("read", "triage", "write", "maintain", "admin")
_MERGE_OPTIONS = (
    "allow_squash_merge",
    "allow_merge_commit",
    "allow_rebase_merge",
)

# Addresses under a repository's own, with the parts that the reader fills in.
_REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def stamp(seconds: float) -> str:
    """Write a time as GitHub does, in whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node(kind: str, number: int) -> str:
    """Make a GraphQL id."""
    return f"{kind}_{base64.urlsafe_b64encode(str(number).encode()).decode().rstrip('=')}"


def user(state: State, who: User) -> Json:
    """Show an account as other objects hold it."""
    name = who.login.replace("[", "%5B").replace("]", "%5D")
    api = f"{state.api}/users/{name}"
    page = who.login.removesuffix("[bot]")
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node({"Bot": "BOT", "Organization": "O"}.get(who.type, "U"), who.id),
        "avatar_url": f"{state.web}/avatars/u/{who.id}?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{state.web}/apps/{page}" if who.type == "Bot" else f"{state.web}/{page}",
        **{name: api + path for name, path in _USER_URLS.items()},
        "type": who.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(state: State, who: User) -> Json:
    """Show an account's own page."""
    return {
        **user(state, who),
        "name": None,
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }


def repository(repo: FakeRepo, role: str | None = None, *, full: bool = False) -> Json:
    """Show a repository; `full` as its own address does."""
    state = repo.state
    api = f"{state.api}/repos/{repo.full_name}"
    open_pulls = sum(pull.closed_at is None for pull in repo.pulls.values())
    host = state.web.partition("://")[2]
    known = {
        "id": repo.id,
        "node_id": node("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(state, repo.owner),
        "html_url": repo.html_url,
        "description": None,
        "fork": repo.source is not None,
        "url": api,
        **{name: api + path for name, path in _REPOSITORY_URLS.items()},
        "created_at": stamp(repo.created),
        "updated_at": stamp(repo.created),
        "pushed_at": stamp(repo.created),
        "git_url": f"git://{host}/{repo.full_name}.git",
        "ssh_url": f"git@{host}:{repo.full_name}.git",
        "clone_url": f"{repo.html_url}.git",
        "svn_url": repo.html_url,
        "homepage": None,
        "size": 1,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 0,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": open_pulls,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "custom_properties": {},
        "visibility": "private" if repo.private else "public",
        "forks": 0,
        "open_issues": open_pulls,
        "watchers": 0,
        "default_branch": repo.default_branch,
    }
    if role is not None:
        names = dict(zip(("pull", "triage", "push", "maintain", "admin"), _ROLES, strict=True))
        rank = _ROLES.index(role) if role in _ROLES else -1
        known["permissions"] = {name: _ROLES.index(need) <= rank for name, need in names.items()}
    if full:
        known |= {"network_count": 0, "subscribers_count": 0}
        known |= dict.fromkeys(_MERGE_OPTIONS, True)
        if repo.source is not None:
            known |= {"parent": repository(repo.source), "source": repository(repo.source)}
    return known


def association(pull: FakePull, who: User) -> str:
    """Say how an account relates to a repository."""
    if who is pull.repo.owner:
        return "OWNER"
    if who.type == "User" and pull.repo.permissions.get(who.login.lower(), "none") != "none":
        return "COLLABORATOR"
    return "NONE" if who is not pull.author else "CONTRIBUTOR"


def branch(state: State, label: str, name: str, sha: str, repo: FakeRepo | None) -> Json:
    """Show one end of a pull request."""
    return {
        "label": f"{label}:{name}",
        "ref": name,
        "sha": sha,
        "user": user(state, state.user(label)),
        "repo": None if repo is None else repository(repo),
    }


def pull(it: FakePull, *, full: bool = False) -> Json:
    """Show a pull request; `full` as its own address does."""
    state, repo = it.repo.state, it.repo
    api = f"{state.api}/repos/{repo.full_name}"
    own, issue = f"{api}/pulls/{it.number}", f"{api}/issues/{it.number}"
    owner = it.head_repo.owner if it.head_repo else it.author
    links = {
        "self": own,
        "html": it.url,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{own}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{own}/commits",
        "statuses": f"{api}/statuses/{it.head}",
    }
    closed = None if it.closed_at is None else stamp(it.closed_at)
    known = {
        "url": own,
        "id": it.id,
        "node_id": node("PR", it.id),
        "html_url": it.url,
        "diff_url": f"{it.url}.diff",
        "patch_url": f"{it.url}.patch",
        "issue_url": issue,
        "number": it.number,
        "state": it.state,
        "locked": it.locked,
        "title": it.title,
        "user": user(state, it.author),
        "body": it.body,
        "created_at": stamp(it.created),
        "updated_at": stamp(it.updated),
        "closed_at": closed,
        "merged_at": closed if it.merged else None,
        "merge_commit_sha": it.head if it.merged else None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": None,
        "draft": it.draft,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "head": branch(state, owner.login, it.head_ref, it.head, it.head_repo),
        "base": branch(state, repo.owner.login, it.base_ref, it.base, repo),
        "_links": {name: {"href": address} for name, address in links.items()},
        "author_association": association(it, it.author),
        "auto_merge": None,
        "active_lock_reason": None,
    }
    if full:
        files = it.files()
        known |= {
            "merged": it.merged,
            "mergeable": it.mergeable,
            "rebaseable": it.mergeable,
            "mergeable_state": "unknown" if it.mergeable is None else "clean",
            "merged_by": user(state, repo.owner) if it.merged else None,
            "comments": len(it.comments),
            "review_comments": len(it.review_comments),
            "maintainer_can_modify": it.head_repo is not None and it.head_repo is not repo,
            "commits": len(it.commits()),
            "additions": sum(file.additions for file in files),
            "deletions": sum(file.deletions for file in files),
            "changed_files": len(files),
        }
    return known


def issue(it: FakePull) -> Json:
    """Show a pull request, or a plain issue, as an issue."""
    state = it.repo.state
    own = f"{state.api}/repos/{it.repo.full_name}/issues/{it.number}"
    known = {
        "url": own,
        "repository_url": f"{state.api}/repos/{it.repo.full_name}",
        "labels_url": f"{own}/labels{{/name}}",
        "comments_url": f"{own}/comments",
        "events_url": f"{own}/events",
        "timeline_url": f"{own}/timeline",
        "html_url": it.url,
        "id": it.issue_id,
        "node_id": node("I" if it.is_issue else "PR", it.issue_id),
        "number": it.number,
        "title": it.title,
        "user": user(state, it.author),
        "labels": [],
        "state": it.state,
        "state_reason": None,
        "locked": it.locked,
        "active_lock_reason": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(it.comments),
        "created_at": stamp(it.created),
        "updated_at": stamp(it.updated),
        "closed_at": None if it.closed_at is None else stamp(it.closed_at),
        "closed_by": None,
        "author_association": association(it, it.author),
        "body": it.body,
        "reactions": rollup(own, []),
        "performed_via_github_app": None,
    }
    if not it.is_issue:
        known["draft"] = it.draft
        known["pull_request"] = {
            "url": f"{state.api}/repos/{it.repo.full_name}/pulls/{it.number}",
            "html_url": it.url,
            "diff_url": f"{it.url}.diff",
            "patch_url": f"{it.url}.patch",
            "merged_at": pull(it)["merged_at"],
        }
    return known


def rollup(own: str, reactions: list[Reaction]) -> Json:
    """Count reactions."""
    counts = {name: sum(r.content == name for r in reactions) for name in REACTIONS}
    return {"url": f"{own}/reactions", "total_count": len(reactions), **counts}


def reaction(state: State, it: Reaction) -> Json:
    """Show a reaction."""
    return {
        "id": it.id,
        "node_id": node("REA", it.id),
        "user": user(state, it.user),
        "content": it.content,
        "created_at": stamp(it.created),
    }


def comment(it: FakeComment, app: FakeApp | None) -> Json:
    """Show a comment in the conversation."""
    state, repo = it.pull.repo.state, it.pull.repo
    own = f"{state.api}/repos/{repo.full_name}/issues/comments/{it.id}"
    return {
        "url": own,
        "html_url": f"{it.pull.url}#issuecomment-{it.id}",
        "issue_url": f"{state.api}/repos/{repo.full_name}/issues/{it.pull.number}",
        "id": it.id,
        "node_id": node("IC", it.id),
        "user": user(state, it.user),
        "created_at": stamp(it.created),
        "updated_at": stamp(it.updated),
        "body": it.body,
        "author_association": association(it.pull, it.user),
        "reactions": rollup(own, it.reactions),
        "performed_via_github_app": None if app is None else integration(app),
    }


def review(it: Review) -> Json:
    """Show a review; a pending one has no time of submission."""
    state = it.pull.repo.state
    api = f"{state.api}/repos/{it.pull.repo.full_name}/pulls/{it.pull.number}"
    page = f"{it.pull.url}#pullrequestreview-{it.id}"
    submitted = {} if it.submitted is None else {"submitted_at": stamp(it.submitted)}
    return {
        "id": it.id,
        "node_id": node("PRR", it.id),
        "user": user(state, it.user),
        "body": it.body,
        "state": it.state,
        "html_url": page,
        "pull_request_url": api,
        "author_association": association(it.pull, it.user),
        "_links": {"html": {"href": page}, "pull_request": {"href": api}},
        **submitted,
        "commit_id": it.commit,
    }


def position(it: ReviewComment) -> int | None:
    """Count how far down a comment's line stands in its file's patch, the old way."""
    if it.hunk is None or it.line is None:
        return None
    below = 0
    for hunk in next((f.hunks for f in it.review.pull.files() if f.path == it.path), ()):
        left, right = hunk.left.start, hunk.right.start
        for text in hunk.text.split("\n")[1:]:
            below += 1
            if text[:1] in (" ", "-") and it.side == "LEFT" and left == it.line:
                return below
            if text[:1] in (" ", "+") and it.side == "RIGHT" and right == it.line:
                return below
            left += text[:1] in (" ", "-")
            right += text[:1] in (" ", "+")
        below += 1
    return None


def review_comment(it: ReviewComment) -> Json:
    """Show a comment on lines."""
    repo, number = it.review.pull.repo, it.review.pull.number
    state = repo.state
    api = f"{state.api}/repos/{repo.full_name}/pulls"
    own, page = f"{api}/comments/{it.id}", f"{it.review.pull.url}#discussion_r{it.id}"
    place = position(it)
    known = {
        "url": own,
        "pull_request_review_id": it.review.id,
        "id": it.id,
        "node_id": node("PRRC", it.id),
        "diff_hunk": it.hunk.text if it.hunk else "",
        "path": it.path,
        "position": place if it.subject == "line" else 1,
        "original_position": place or 1,
        "commit_id": it.commit,
        "original_commit_id": it.original_commit,
        "user": user(state, it.user),
        "body": it.body,
        "created_at": stamp(it.created),
        "updated_at": stamp(it.updated),
        "html_url": page,
        "pull_request_url": f"{api}/{number}",
        "author_association": association(it.review.pull, it.user),
        "_links": {
            "self": {"href": own},
            "html": {"href": page},
            "pull_request": {"href": f"{api}/{number}"},
        },
        "reactions": rollup(own, it.reactions),
        "start_line": it.start_line,
        "original_start_line": it.original_start_line,
        "start_side": it.start_side,
        "line": it.line if it.subject == "line" else 1,
        "original_line": it.original_line if it.subject == "line" else 1,
        "side": it.side,
        "subject_type": it.subject,
    }
    if it.in_reply_to is not None:
        known["in_reply_to_id"] = it.in_reply_to
    return known


def review_comment_of_review(it: ReviewComment) -> Json:
    """Show a comment as the list of one review does: by position, without its lines."""
    known = review_comment(it)
    for name in ("line", "original_line", "start_line", "original_start_line", "start_side"):
        known.pop(name)
    known.pop("side"), known.pop("subject_type")
    return known


def integration(app: FakeApp) -> Json:
    """Show an App."""
    state = app.state
    return {
        "id": app.id,
        "client_id": app.client_id,
        "slug": app.slug,
        "node_id": node("A", app.id),
        "owner": user(state, app.owner),
        "name": app.name,
        "description": None,
        "external_url": app.html_url,
        "html_url": app.html_url,
        "created_at": stamp(app.created),
        "updated_at": stamp(app.created),
        "permissions": {"metadata": "read", **app.permissions},
        "events": app.events,
    }


def installation(it: FakeInstallation) -> Json:
    """Show an installation."""
    state = it.app.state
    suspended = stamp(state.now()) if it.suspended else None
    return {
        "id": it.id,
        "account": user(state, it.account),
        "repository_selection": "selected",
        "access_tokens_url": f"{state.api}/app/installations/{it.id}/access_tokens",
        "repositories_url": f"{state.api}/installation/repositories",
        "html_url": f"{state.web}/settings/installations/{it.id}",
        "app_id": it.app.id,
        "client_id": it.app.client_id,
        "app_slug": it.app.slug,
        "target_id": it.account.id,
        "target_type": it.account.type,
        "permissions": {"metadata": "read", **it.permissions},
        "events": it.app.events,
        "created_at": stamp(it.app.created),
        "updated_at": stamp(it.app.created),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None if suspended is None else user(state, it.account),
        "suspended_at": suspended,
    }


def delivery(it: Delivery) -> Json:
    """Show an attempt to deliver an event, as the list of them does."""
    repository = it.payload.get("repository") or {}
    installation = it.payload.get("installation") or {}
    return {
        "id": it.id,
        "guid": it.guid,
        "delivered_at": stamp(it.at),
        "redelivery": it.redelivery,
        "duration": 0.27,
        "status": _outcome(it.status),
        "status_code": it.status,
        "event": it.event,
        "action": it.payload.get("action"),
        "installation_id": installation.get("id"),
        "repository_id": repository.get("id"),
    }


def _outcome(status: int) -> str:
    if not status:
        return "failed to connect to host"
    return "OK" if 200 <= status < 300 else f"Invalid HTTP Response: {status}"


def check_run(it: FakeCheckRun, app: FakeApp | None) -> Json:
    """Show a check run. Of a fork's pull requests it knows nothing."""
    repo, state = it.repo, it.repo.state
    own = f"{state.api}/repos/{repo.full_name}/check-runs/{it.id}"
    return {
        "id": it.id,
        "name": it.name,
        "node_id": node("CR", it.id),
        "head_sha": it.head_sha,
        "external_id": it.external_id,
        "url": own,
        "html_url": f"{repo.html_url}/runs/{it.id}",
        "details_url": it.details_url or (app.html_url if app else None),
        "status": it.status,
        "conclusion": it.conclusion,
        "started_at": it.started,
        "completed_at": it.completed,
        "output": {
            "title": it.title,
            "summary": it.summary,
            "text": it.text,
            "annotations_count": len(it.annotations),
            "annotations_url": f"{own}/annotations",
        },
        "check_suite": {"id": it.suite},
        "app": None if app is None else integration(app),
        "pull_requests": [minimal_pull(pull) for pull in own_pulls(repo, it.head_sha)],
    }


@quirk("16 the check run of a fork names no pull request")
def own_pulls(repo: FakeRepo, head_sha: str) -> list[FakePull]:
    """List the open pull requests of a commit whose branch is in the repository itself."""
    return [
        pull
        for pull in repo.pulls.values()
        if pull.head == head_sha and pull.head_repo is repo and pull.closed_at is None
    ]


def minimal_pull(it: FakePull) -> Json:
    """Show a pull request as checks do."""
    state = it.repo.state

    def end(ref: str, sha: str, repo: FakeRepo) -> Json:
        address = f"{state.api}/repos/{repo.full_name}"
        return {
            "ref": ref,
            "sha": sha,
            "repo": {"id": repo.id, "url": address, "name": repo.name},
        }

    return {
        "url": f"{state.api}/repos/{it.repo.full_name}/pulls/{it.number}",
        "id": it.id,
        "number": it.number,
        "head": end(it.head_ref, it.head, it.head_repo or it.repo),
        "base": end(it.base_ref, it.base, it.repo),
    }


def annotation(repo: FakeRepo, head_sha: str, it: Mapping[str, Any]) -> Json:
    """Show an annotation of a check run."""
    empty = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))
    address = f"{repo.html_url}/blob/{head_sha}/{it['path']}"
    return {**empty, **it, "blob_href": address}


@quirk("14 files without a patch")
def diff_entry(repo: FakeRepo, head: str, it: FileDiff) -> Json:
    """Show a file of a pull request; no patch where it is binary, too large or only renamed."""
    known = {
        "sha": it.blob if it.blob != git.GONE else None,
        "filename": it.path,
        "status": it.status,
        "additions": it.additions,
        "deletions": it.deletions,
        "changes": it.additions + it.deletions,
        "blob_url": f"{repo.html_url}/blob/{head}/{it.path}",
        "raw_url": f"{repo.html_url}/raw/{head}/{it.path}",
        "contents_url": f"{repo.state.api}/repos/{repo.full_name}/contents/{it.path}?ref={head}",
    }
    if it.patch is not None:
        known["patch"] = it.patch
    if it.old_path is not None:
        known["previous_filename"] = it.old_path
    return known


def commit(repo: FakeRepo, sha: str) -> Json:
    """Show a commit."""
    known = git_commit(repo, sha)
    api = f"{repo.state.api}/repos/{repo.full_name}"
    return {
        "sha": sha,
        "node_id": known["node_id"],
        "commit": {
            **{name: known[name] for name in ("author", "committer", "message", "tree")},
            "url": known["url"],
            "comment_count": 0,
            "verification": known["verification"],
        },
        "url": f"{api}/commits/{sha}",
        "html_url": known["html_url"],
        "comments_url": f"{api}/commits/{sha}/comments",
        "author": _account(repo.state, known["author"]["email"]),
        "committer": _account(repo.state, known["committer"]["email"]),
        "parents": known["parents"],
    }


def git_commit(repo: FakeRepo, sha: str) -> Json:
    """Show a commit as git's database holds it."""
    read = git.read_commit(repo.folder, sha)
    api = f"{repo.state.api}/repos/{repo.full_name}"
    signed = read.signature is not None
    return {
        "sha": sha,
        "node_id": node("C", int(sha[:12], 16)),
        "url": f"{api}/git/commits/{sha}",
        "html_url": f"{repo.html_url}/commit/{sha}",
        "author": _person(*read.author),
        "committer": _person(*read.committer),
        "message": read.message.rstrip("\n"),
        "tree": {"sha": read.tree, "url": f"{api}/git/trees/{read.tree}"},
        "parents": [
            {
                "sha": parent,
                "url": f"{api}/git/commits/{parent}",
                "html_url": f"{repo.html_url}/commit/{parent}",
            }
            for parent in read.parents
        ],
        "verification": {
            "verified": signed,
            "reason": "valid" if signed else "unsigned",
            "signature": read.signature,
            "payload": f"tree {read.tree}\n" if signed else None,
            "verified_at": stamp(read.committer[2]) if signed else None,
        },
    }


def _person(name: str, email: str, seconds: float) -> Json:
    return {"name": name, "email": email, "date": stamp(seconds)}


def _account(state: State, email: str) -> Json | None:
    """Show whose address this is, if it is one that GitHub itself gave."""
    if email == "noreply@github.com":
        return user(state, state.user("web-flow"))
    login = email.removesuffix("@users.noreply.github.com").partition("+")[2]
    known = state.users.get(login.lower())
    return None if known is None else user(state, known)


@quirk("22 who may only read")
def permission(repo: FakeRepo, who: User) -> Json:
    """Show a user's role: `permission` knows four words, `role_name` all of them."""
    role = repo.role(who)
    plain = {"maintain": "write", "triage": "read"}.get(role, role)
    known = user(repo.state, who) | {
        "permissions": repository(repo, role)["permissions"],
        "role_name": role,
    }
    return {"permission": plain, "role_name": role, "user": known}


def may_write(repo: FakeRepo, who: User | None) -> bool:
    """May the user push?"""
    return who is not None and repo.role(who) in WRITERS
