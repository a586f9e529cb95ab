"""Runs every detector over a change and keeps what the change introduced.

The list of detectors is `registry`. Each entry says how far the detector reaches (every text file,
or only what triage left in scope: generated and vendored code is not linted, but a hidden
character in it is still reported) and which lines its findings may stand on.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from reviewer.change import Change, FileChange, Kind
from reviewer.context.values import Context
from reviewer.detectors.base import Detector, Note, Source
from reviewer.detectors.contracts.detector import Also, Contracts
from reviewer.detectors.hidden import HiddenCharacters
from reviewer.detectors.leftovers import Conflicts, Leftovers
from reviewer.detectors.lock_risks import LockFiles
from reviewer.detectors.python_lint import PythonLint
from reviewer.detectors.secrets import Secrets
from reviewer.detectors.syntax import SyntaxErrors
from reviewer.detectors.workflows import Workflows
from reviewer.errors import RlmError
from reviewer.finding import Finding
from reviewer.parsing.worker import Parsers
from reviewer.ports import Cancelled, FileTooLarge, MissingBlob, NoSuchFile, Objects, Rev
from reviewer.text import printable

log = logging.getLogger(__name__)

MAX_SOURCE_BYTES = 5_000_000  # at one end; the largest lock files are about 4 MB
BATCH_BYTES = 48_000_000  # held in memory at once, both ends together
BATCH_FILES = 1_000  # a few seconds of work, so that a cancelled run ends soon
MAX_PER_FILE = 30  # findings of one detector in one file; a flood hides the rest
MAX_CRASHES = 8  # of one detector, before it is left out for the rest of the run


@dataclass(frozen=True, slots=True)
class Registered:
    """A detector and how far it reaches.

    `lines` "added": findings stand on added or deleted lines. "hunk": context lines count too,
    for what a change breaks beside the lines it touches. `renames`: it also wants files that
    were only renamed, of which no line changed.
    """

    detector: Detector
    reach: Literal["scope", "text"]
    lines: Literal["added", "hunk"] = "added"
    renames: bool = False


@dataclass(frozen=True, slots=True)
class Detected:
    """What the detectors say. `checked` has the paths of the files that at least one looked at,
    `whole` the names of the detectors that looked at all they were to look at and kept nothing
    back."""

    findings: list[Finding]
    notes: list[str]
    checked: frozenset[str]
    whole: frozenset[str] = frozenset()


def registry(
    parsers: Parsers,
    context: Context | None = None,
    *,
    ours: bool = False,
    also: Also | None = None,
) -> tuple[Registered, ...]:
    """Return every detector there is; a new one is added here and nowhere else.

    Without a context, those that look at other files than the changed ones are left out. `ours`
    and `also`: see `detect`.
    """
    across = (
        [Registered(Contracts(context, also=also), "scope", "hunk", renames=True)]
        if context
        else []
    )
    return (
        Registered(SyntaxErrors(parsers), reach="scope", lines="hunk"),
        Registered(Conflicts(parsers), reach="text"),
        Registered(Leftovers(parsers), reach="scope"),
        Registered(HiddenCharacters(parsers), reach="text"),
        Registered(Secrets(), reach="text"),
        Registered(PythonLint(ours), reach="scope"),
        Registered(Workflows(), reach="text"),
        Registered(LockFiles(), reach="text"),
        *across,
    )


def detect(
    change: Change,
    objects: Objects,
    scope: Sequence[FileChange],
    cancelled: Cancelled,
    context: Context | None = None,
    *,
    off: Collection[str] = (),
    ours: bool = False,
    also: Also | None = None,
) -> Detected:
    """Return the findings of every detector, in order of place, and what could not be checked.

    `scope` is what triage left for review. A detector that fails costs its findings on the files
    it failed on, and a note. Stops between batches when `cancelled`, with a note. `context` answers
    about the rest of the repository; without it no contract is checked. Detectors named in `off`
    do not run. `ours`: the change was made here, and more is said of it than of an author's.
    `also` finds more broken contracts.
    """
    # A process that has its grammars need not be started twice: its files are the same ones.
    with Parsers(among=context.parsers if context else None) as parsers:
        every = registry(parsers, context, ours=ours, also=also)
        on = [each for each in every if each.detector.name not in off]
        return run_all(on, change, objects, scope, cancelled)


def run_all(
    registered: Sequence[Registered],
    change: Change,
    objects: Objects,
    scope: Sequence[FileChange],
    cancelled: Cancelled,
) -> Detected:
    """Do what `detect` does, with detectors of the caller's choice."""
    wanted = _wanted(registered, change, {file.path for file in scope})
    findings: list[Finding] = []
    notes: list[str] = []
    checked: set[str] = set()
    crashes: Counter[str] = Counter()
    whole = {each.detector.name for each in registered}
    files = [file for file in change.files if wanted.get(file.path)]
    with ThreadPoolExecutor(len(registered) or 1, thread_name_prefix="detect") as threads:
        for batch in _batches(files, objects, notes):
            if cancelled():
                notes.append("Stopped on request before the detectors had looked at every file.")
                break
            jobs = [
                (each, [source for source in batch if each in wanted[source.file.path]])
                for each in registered
            ]
            runs = [_Run(each, sources, objects, crashes) for each, sources in jobs if sources]
            for run in threads.map(_Run.start, runs):
                findings += run.findings
                notes += run.notes
                if run.notes:
                    whole.discard(run.name)
            checked.update(source.file.path for source in batch)
    read_all = len(checked) == len(files)
    return Detected(
        _ordered(findings),
        list(dict.fromkeys(notes)),
        frozenset(checked),
        frozenset(whole if read_all else ()),
    )


def _wanted(
    registered: Sequence[Registered], change: Change, in_scope: Set[str]
) -> dict[str, list[Registered]]:
    """Return which detectors look at which text file, by path."""
    return {
        file.path: [
            each
            for each in registered
            if _reaches(each, file, in_scope) and each.detector.wants(file)
        ]
        for file in change.files
        if file.kind in (Kind.TEXT, Kind.RENAME_ONLY)
    }


def _reaches(registered: Registered, file: FileChange, in_scope: Set[str]) -> bool:
    if file.kind is Kind.RENAME_ONLY:
        return registered.renames  # triage leaves it out: there is no line to review
    return registered.reach == "text" or file.path in in_scope


def _ordered(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings by place, exact repetitions once."""
    unique: dict[tuple[str, int, int, str, str, str], Finding] = {}
    for each in findings:
        place = (each.path, each.start_line or 0, each.line or 0, each.side)
        unique.setdefault((*place, each.source, each.title), each)
    return [unique[key] for key in sorted(unique)]


# Loading -----------------------------------------------------------------------------------------


def _batches(
    files: Sequence[FileChange], objects: Objects, notes: list[str]
) -> Iterator[list[Source]]:
    """Yield the files with their bytes, as many at a time as the limits of a batch allow."""
    batch: list[Source] = []
    held = 0
    for file in files:
        try:
            source = Source(
                file,
                head=_read(objects, file.new_path, file.new_sha, "head"),
                base=_read(objects, file.old_path, file.old_sha, "base"),
            )
        except FileTooLarge:
            notes.append(f"{printable(file.path)}: too large for the detectors.")
            continue
        except MissingBlob as error:
            notes.append(f"The detectors could not read a file. {error}")
            continue
        batch.append(source)
        held += len(source.head or b"") + len(source.base or b"")
        if held >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _read(objects: Objects, path: str | None, sha: str | None, at: Rev) -> bytes | None:
    if path is None or sha is None:
        return None
    try:
        data = objects.read(path, at)
    except NoSuchFile:
        return None  # a symlink or a submodule at this end
    if len(data) > MAX_SOURCE_BYTES:
        raise FileTooLarge(path)
    return data


# Running one detector ----------------------------------------------------------------------------


class _Run:
    """One detector over one batch: its findings on changed lines, and its notes."""

    def __init__(
        self,
        registered: Registered,
        sources: Sequence[Source],
        objects: Objects,
        crashes: Counter[str],
    ) -> None:
        self.name = registered.detector.name
        self._registered = registered
        self._sources = sources
        self._objects = objects
        self._crashes = crashes
        self.findings: list[Finding] = []
        self.notes: list[str] = []

    def start(self) -> "_Run":
        self._over(self._sources)
        return self

    def _over(self, sources: Sequence[Source]) -> None:
        """Run over the sources; after a crash over each half, so that one file costs only itself.

        A file that crashes a detector must not blind it to the others: its author may have meant
        it to.
        """
        name = self.name
        if self._crashes[name] >= MAX_CRASHES:
            self.notes.append(f"Detector {name} failed too often and was left out for the rest.")
            return
        try:
            said = list(self._registered.detector.run(sources, self._objects))
        except (RlmError, OSError) as error:  # a full disk is not a bug of the detector's
            self.notes.append(f"Detector {name} did not run on {_files(sources)}: {error}")
        except Exception as error:  # any bug of a detector, and the other detectors go on
            if len(sources) > 1:
                middle = len(sources) // 2
                self._over(sources[:middle])
                self._over(sources[middle:])
                return
            self._crashes[name] += 1
            log.exception("detector %s failed", name)
            self.notes.append(
                f"Detector {name} failed on {_files(sources)} ({type(error).__name__}): "
                "this is a bug in the detector, and the file was not checked by it."
            )
        else:
            self.notes += [each.text for each in said if isinstance(each, Note)]
            self.findings += self._kept([each for each in said if isinstance(each, Finding)])

    def _kept(self, findings: Sequence[Finding]) -> Iterator[Finding]:
        files: defaultdict[str, list[FileChange]] = defaultdict(list)
        for source in self._sources:
            files[printable(source.file.path)].append(source.file)
        count: Counter[str] = Counter()
        for finding in findings:
            if not any(self._on_change(finding, file) for file in files[finding.path]):
                continue
            count[finding.path] += 1
            if count[finding.path] <= MAX_PER_FILE:
                yield finding
        for path, number in count.items():
            if number > MAX_PER_FILE:
                self.notes.append(
                    f"{path}: {number - MAX_PER_FILE} more findings of detector {self.name} left "
                    "out."
                )

    def _on_change(self, finding: Finding, file: FileChange) -> bool:
        if finding.line is None or finding.start_line is None:
            return True
        lines = file.commentable[finding.side]
        if self._registered.lines == "added":
            lines = file.added_lines if finding.side == "RIGHT" else _deleted_lines(file)
        return any(number in lines for number in range(finding.start_line, finding.line + 1))


def _deleted_lines(file: FileChange) -> frozenset[int]:
    return frozenset(
        line.old
        for hunk in file.hunks
        for line in hunk.lines
        if line.kind == "-" and line.old is not None
    )


def _files(sources: Sequence[Source]) -> str:
    first = printable(sources[0].file.path)
    return first if len(sources) == 1 else f"{first} and {len(sources) - 1} other files"
