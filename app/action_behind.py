"""What a push means for the pull requests of ours on top of one, told by `rlm action` in its job.

Nothing is remembered from one job to the next: what we have opened is found on GitHub, and which
names it takes away is found in the files that its branch changes.
"""

import tempfile
from pathlib import Path

from app.action_step import Step
from app.action_work import is_fork, sentence
from app.behind import Above, Changes, tell_behind
from app.fix_steps import MOST_STACKED
from app.github.branches import opened_into
from app.github.client import Hub
from app.github.git_trees import Entry
from app.github.patches import MOST_BYTES, MOST_FILES, read_blob
from app.github.pulls import Pull, pull_at
from app.github.stacked import made_for
from app.plumbing import Plumbing
from app.trees import GitTrees
from reviewer.errors import RlmError
from reviewer.git import open_repo
from reviewer.languages import is_prose, language_of
from reviewer.refactor.gone import names_gone
from reviewer.refactor.patch import Blob, Patch, commit_of


def tell_above(pull: Pull, hub: Hub, step: Step) -> None:
    """Say on each open pull request of ours on top of one what a push to that one means for it; and
    on one of ours itself, for what it was told may be over by the push.

    What keeps it from being said is said in the log alone: nobody waits for this.
    """
    if pull.state != "open" or is_fork(pull):
        return  # on top of a fork's branch there is nothing of ours

    def names(on: str, changes: Changes) -> tuple[str, ...] | None:
        return _names(hub, pull.repository, on, changes)

    try:
        told = [(pull, above) for above in _above(pull, hub)[:MOST_STACKED]]
        for below, above in [*_itself(pull, hub), *told]:
            if why := tell_behind(hub, hub, below, above, names, None):
                step.log.tell("notice", f"#{above.number} is not told of the push: {sentence(why)}")
    except RlmError as error:
        why = sentence(str(error))
        step.log.tell("notice", f"What is on top is not told of the push: {why}")


def _above(pull: Pull, hub: Hub) -> list[Above]:
    """Return the open pull requests of ours on top, the newest first.

    Ours by who opened it and by the name of its branch: the login of a job's token is shared.
    """
    found = []
    for one in opened_into(hub, pull.repository, pull.head_ref):
        made = made_for(one.branch)
        if one.state == "open" and made is not None and made[1] == pull.number:
            about = f"behind-{pull.number}"
            found.append(Above(one.number, made[0], one.onto, one.head, about))
    return found


def _itself(pull: Pull, hub: Hub) -> list[tuple[Pull, Above]]:
    """Return a pull request of ours with the open one below it; none for any other."""
    made = made_for(pull.head_ref)
    if made is None or pull.author.lower() != (hub.actor or "").lower():
        return []
    below = pull_at(hub, pull.repository, made[1])
    if below is None or below.state != "open":
        return []
    about = f"behind-{below.number}"
    return [(below, Above(pull.number, made[0], pull.base_ref, pull.head, about))]


def _names(hub: Hub, repository: str, on: str, changes: Changes) -> tuple[str, ...] | None:
    """Return the names that a branch takes away from what it stands on, `on`; None where that is
    too much to read. Raise one of `app.github.errors`.
    """
    code = [one for one in changes if language_of(one[0]) is not None and not is_prose(one[0])]
    if len(code) > MOST_FILES:
        return None
    before: dict[str, Blob | None] = {}
    after: dict[str, Blob | None] = {}
    room = MOST_BYTES
    for path, was, now in code:
        before[path] = _read(hub, repository, was, on)
        after[path] = _read(hub, repository, now, on)
        room -= sum(len(one.data) for one in (before[path], after[path]) if one is not None)
        if room < 0:
            return None
    commit = commit_of("", "host", "what the branch changes", before, after)
    with tempfile.TemporaryDirectory(prefix="rlm-behind-") as name:
        folder = Path(name)
        there = {path: blob for path, blob in before.items() if blob is not None}
        start = Plumbing.alone(folder, on).root(there)
        with open_repo(folder) as repo, GitTrees(repo, start) as trees:
            return names_gone(Patch(start, (commit,) if commit else ()), None, trees)


def _read(hub: Hub, repository: str, entry: Entry | None, like: str) -> Blob | None:
    if entry is None:
        return None
    return Blob(read_blob(hub, repository, entry.sha, like), entry.mode)
