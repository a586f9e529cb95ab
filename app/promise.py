"""What the messages of the commits of a local range promise: there is no title to read there."""

from reviewer.change import Change
from reviewer.errors import GiveUp
from reviewer.git import GitRepo
from reviewer.request import MOST_COMMITS, Promise
from reviewer.text import decode


def promise_of_range(repo: GitRepo, change: Change) -> Promise:
    """Return the messages of the commits that a range adds, the last ones, the oldest first."""
    try:
        _, out = repo.run(
            "log",
            "--no-merges",
            "--reverse",
            f"--max-count={MOST_COMMITS}",
            "--format=%B%x00",
            "--end-of-options",
            f"{change.merge_base}..{change.head}",
        )
    except GiveUp:  # a promise is no reason for a review not to be made
        return Promise()
    messages = (decode(one).strip() for one in out.split(b"\0"))
    return Promise.bounded(commits=[one for one in messages if one])
