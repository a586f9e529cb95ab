"""GraphQL of the fake: what we ask of GitHub's, executed by the reference implementation.

The types are GitHub's (its public schema of 2026-07), as far as they are asked for here; a field
that is not among them is refused, as GitHub refuses one that it has not.
"""

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from tests.github import shapes
from tests.github.apps import Access
from tests.github.quirks import quirk
from tests.github.rest import Answer
from tests.github.state import FakePull, FakeRepo, ReviewComment, State

SCHEMA: GraphQLSchema = build_schema("""
scalar URI
scalar BigInt
enum DiffSide { LEFT RIGHT }
enum PullRequestReviewThreadSubjectType { FILE LINE }
enum ReportedContentClassifiers { ABUSE DUPLICATE LOW_QUALITY OFF_TOPIC OUTDATED RESOLVED SPAM }
interface Actor { login: String! }
type User implements Actor { login: String! }
type Bot implements Actor { login: String! }
type Organization implements Actor { login: String! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Query {
  repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
}
type Repository { pullRequest(number: Int!): PullRequest }
type PullRequest {
  reviewThreads(first: Int, after: String): PullRequestReviewThreadConnection!
}
type PullRequestReviewThreadConnection {
  nodes: [PullRequestReviewThread]
  pageInfo: PageInfo!
  totalCount: Int!
}
type PullRequestReviewThread {
  id: ID!
  isResolved: Boolean!
  isOutdated: Boolean!
  path: String!
  line: Int
  startLine: Int
  diffSide: DiffSide!
  startDiffSide: DiffSide
  subjectType: PullRequestReviewThreadSubjectType!
  comments(first: Int, last: Int): PullRequestReviewCommentConnection!
}
type PullRequestReviewCommentConnection { nodes: [PullRequestReviewComment] }
type PullRequestReviewComment {
  id: ID!
  databaseId: Int
  fullDatabaseId: BigInt
  body: String!
  url: URI!
  isMinimized: Boolean!
  author: Actor
  reactions(first: Int, content: ReactionContent): ReactionConnection!
}
enum ReactionContent { CONFUSED EYES HEART HOORAY LAUGH ROCKET THUMBS_DOWN THUMBS_UP }
type ReactionConnection { nodes: [Reaction] }
type Reaction { content: ReactionContent! user: User }
input ResolveReviewThreadInput { threadId: ID! clientMutationId: String }
type ResolveReviewThreadPayload { thread: PullRequestReviewThread }
input MinimizeCommentInput {
  subjectId: ID!
  classifier: ReportedContentClassifiers!
  clientMutationId: String
}
type MinimizedComment { isMinimized: Boolean! minimizedReason: String }
type MinimizeCommentPayload { minimizedComment: MinimizedComment }
type Mutation {
  resolveReviewThread(input: ResolveReviewThreadInput!): ResolveReviewThreadPayload
  minimizeComment(input: MinimizeCommentInput!): MinimizeCommentPayload
}
""")

MAX_NODES = 100


@quirk("29 a thread that may not be resolved")
def execute(state: State, access: Access, body: Any) -> Answer:
    """Answer a query of whoever asks; `state.lock` is held."""
    if access.user is None and access.app is None:
        return Answer(401, {"message": "Requires authentication"})
    query = body.get("query", "") if isinstance(body, dict) else ""
    document, errors = _read(str(query))
    if document is None:
        done = ExecutionResult(errors=errors)
    else:
        done = execute_sync(
            SCHEMA,
            document,
            _Root(state, access),
            variable_values=body.get("variables") if isinstance(body, dict) else None,
        )
    answer: dict[str, Any] = {}
    if done.data is not None:
        answer["data"] = done.data
    if done.errors:
        answer["errors"] = [_shown(error) for error in done.errors]
        answer.setdefault("data", None)
    return Answer(200, answer)


@lru_cache(maxsize=64)
def _read(query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """Parse and validate a query, once for each: ours are few. None for one that is refused."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error]
    errors = validate(SCHEMA, document)
    return (None if errors else document), errors


class _Refused(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _shown(error: GraphQLError) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": error.message, "path": error.path}
    if isinstance(error.original_error, _Refused):
        shown["type"] = error.original_error.kind
    return shown


@dataclass
class _Root:
    """The resolvers: graphql-core calls what has the name of a field."""

    state: State
    access: Access

    @quirk("what one may not see is not there")
    def repository(self, _info: Any, owner: str, name: str, **_: Any) -> "_Repository":
        repo = self.state.repositories.get(f"{owner}/{name}".lower())
        if repo is None or not self.access.sees(repo):
            raise _Refused(
                "NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'."
            )
        return _Repository(self, repo)

    @quirk("29 a thread that may not be resolved")
    def resolveReviewThread(self, _info: Any, input: dict[str, Any]) -> dict[str, Any]:
        repo, comment = self.find("PRRT", input["threadId"])
        self.may(repo, "contents", "pull_requests")
        comment.resolved = True
        comment.resolved_with = self.access.token or ""
        return {"thread": _thread(repo, comment)}

    def minimizeComment(self, _info: Any, input: dict[str, Any]) -> dict[str, Any]:
        repo, comment = self.find("PRRC", input["subjectId"])
        self.may(repo, "pull_requests")
        comment.folded = input["classifier"]
        return {"minimizedComment": {"isMinimized": True, "minimizedReason": "resolved"}}

    @quirk("what one may not see is not there")
    def find(self, kind: str, name: str) -> tuple[FakeRepo, ReviewComment]:
        """Find a comment, or the first one of a thread, by its name in GraphQL."""
        for repo in self.state.repositories.values():
            if not self.access.sees(repo):
                continue
            for pull in repo.pulls.values():
                for comment in pull.review_comments:
                    if shapes.node(kind, comment.id) == name:
                        return repo, comment
        raise _Refused("NOT_FOUND", f"Could not resolve to a node with the global id of '{name}'")

    @quirk("29 a thread that may not be resolved")
    def may(self, repo: FakeRepo, *permissions: str) -> None:
        """Refuse whoever has not all of these, to write."""
        if self.access.repositories is None:
            allowed = self.access.user is not None and shapes.may_write(repo, self.access.user)
        else:
            allowed = self.access.covers(repo) and all(
                self.access.has(permission, "write") for permission in permissions
            )
        if not allowed:
            raise _Refused("FORBIDDEN", "Resource not accessible by integration")


@dataclass
class _Repository:
    root: _Root
    repo: FakeRepo

    @quirk("what one may not see is not there", "24 a permission that was not accepted, or in part")
    def pullRequest(self, _info: Any, number: int) -> "_Pull":
        pull = self.repo.pulls.get(number)
        if pull is None or pull.is_issue or pull.vanished:
            raise _Refused(
                "NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}."
            )
        access = self.root.access
        hidden = access.repositories is not None and self.repo.private
        if hidden and not access.has("pull_requests", "read"):
            raise _Refused("FORBIDDEN", "Resource not accessible by integration")
        return _Pull(self.repo, pull)


@dataclass
class _Pull:
    repo: FakeRepo
    pull: FakePull

    @quirk("GraphQL lists no more than a hundred")
    def reviewThreads(
        self, _info: Any, first: int | None = None, after: str | None = None
    ) -> dict[str, Any]:
        if first is None or not 1 <= first <= MAX_NODES:
            raise _Refused("EXCESSIVE_PAGINATION", "`first` must be between 1 and 100.")
        every = [comment for comment in self.pull.review_comments if comment.in_reply_to is None]
        start = 0 if after is None else int(base64.b64decode(after))
        end = min(start + first, len(every))
        cursor = base64.b64encode(str(end).encode()).decode()
        return {
            "nodes": [_thread(self.repo, comment) for comment in every[start:end]],
            "pageInfo": {
                "hasNextPage": end < len(every),
                "endCursor": cursor if end > start else None,
            },
            "totalCount": len(every),
        }


def _thread(repo: FakeRepo, first: ReviewComment) -> dict[str, Any]:
    pull = first.review.pull
    below = [comment for comment in pull.review_comments if comment.in_reply_to == first.id]
    chain = [first, *below]

    def comments(_info: Any, **window: int) -> dict[str, Any]:
        shown = chain[: window["first"]] if "first" in window else chain[-window["last"] :]
        return {"nodes": [_comment(repo, comment) for comment in shown]}

    return {
        "id": shapes.node("PRRT", first.id),
        "isResolved": first.resolved,
        "isOutdated": first.line is None and first.subject == "line",
        "path": first.path,
        "line": first.line,
        "startLine": first.start_line if first.line is not None else None,
        "diffSide": first.side,
        "startDiffSide": first.start_side if first.line is not None else None,
        "subjectType": first.subject.upper(),
        "comments": comments,
    }


_REACTIONS = {"+1": "THUMBS_UP", "-1": "THUMBS_DOWN"}


def _comment(repo: FakeRepo, comment: ReviewComment) -> dict[str, Any]:
    who = comment.user

    def reactions(_info: Any, first: int, content: str | None = None) -> dict[str, Any]:
        every = [
            {
                "content": _REACTIONS.get(one.content, one.content.upper()),
                "user": {"__typename": "User", "login": one.user.login},
            }
            for one in comment.reactions
        ]
        return {"nodes": [one for one in every if content in {None, one["content"]}][:first]}

    return {
        "id": shapes.node("PRRC", comment.id),
        "databaseId": comment.id,  # an error of GitHub's own, where it does not fit into 32 bits
        "fullDatabaseId": str(comment.id),
        "body": comment.body,
        "url": shapes.review_comment(comment)["html_url"],
        "isMinimized": bool(comment.folded),
        "reactions": reactions,
        "author": {"__typename": who.type, "login": who.login.removesuffix("[bot]")},
    }
