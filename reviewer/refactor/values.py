"""The plan, the edits of a node, and what a refactoring came to: the vocabulary, without I/O."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Finding
from reviewer.request import Cost, StopReason

MOST_MODULES = 60
MOST_FILES = 40
"""Of one module: more is several modules."""

MOST_SYMBOLS = 30
MOST_GONE = 200
"""Names that a patch takes away, as they are looked for elsewhere."""

MOST_REPLACEMENTS = 200
PATH_CHARS = 1_000
NAME_CHARS = 300
MODULE_CHARS = 100
TEXT_CHARS = 4_000
QUESTION_CHARS = 1_500
CONTRACT_CHARS = 8_000
MESSAGE_CHARS = 2_000
CODE_CHARS = 60_000

_SHAPE = ConfigDict(frozen=True, extra="forbid")


# The plan ----------------------------------------------------------------------------------------


class Rename(BaseModel):
    """A symbol that gets another name everywhere; the host does it."""

    model_config = _SHAPE

    path: str = Field(min_length=1, max_length=PATH_CHARS, description="the file that defines it")
    symbol: str = Field(
        min_length=1,
        max_length=NAME_CHARS,
        description='"f", "Class", "Class.method"; of Python "f.parameter", '
        '"Class.method.parameter", too',
    )
    to: str = Field(min_length=1, max_length=NAME_CHARS, description="the new name alone")


class Move(BaseModel):
    """A definition at the top of a file that goes to another file, which may be new."""

    model_config = _SHAPE

    path: str = Field(min_length=1, max_length=PATH_CHARS, description="the file that defines it")
    symbol: str = Field(min_length=1, max_length=NAME_CHARS)
    to: str = Field(min_length=1, max_length=PATH_CHARS, description="the file it goes to")


class ModuleMove(BaseModel):
    """A whole file of Python, JavaScript or TypeScript that gets another path everywhere."""

    model_config = _SHAPE

    path: str = Field(min_length=1, max_length=PATH_CHARS, description="the file as it is")
    to: str = Field(
        min_length=1, max_length=PATH_CHARS, description="its new path, where no file is"
    )
    shim: bool = Field(
        default=False,
        description="leave a file at the old path that imports from the new one what is public: "
        "only where users outside of the repository are to go on as before",
    )


Step = Rename | Move | ModuleMove
"""What host code does of a plan."""


class Module(BaseModel):
    """A part of the work that one node does, and one commit."""

    model_config = _SHAPE

    name: str = Field(
        min_length=1, max_length=MODULE_CHARS, description="a few words, unlike the others'"
    )
    files: list[str] = Field(
        default=[], max_length=MOST_FILES, description="files that are there, to be edited"
    )
    new_files: list[str] = Field(
        default=[], max_length=MOST_FILES, description="files that may be made"
    )
    removed: list[str] = Field(
        default=[],
        max_length=MOST_FILES,
        description="those of `files` that will not be there any more, or are left empty: deleted, "
        "or under another path",
    )
    what: str = Field(min_length=1, max_length=TEXT_CHARS, description="what to do there, and why")


class Plan(BaseModel):
    """What is to be done, in which order; or why nothing is, or what has to be asked first."""

    model_config = _SHAPE

    summary: str = Field(
        min_length=1, max_length=TEXT_CHARS, description="what will be different, in short"
    )
    contract: str = Field(
        default="",
        max_length=CONTRACT_CHARS,
        description="all that the nodes of different modules have to agree on",
    )
    renames: list[Rename] = Field(default=[], max_length=MOST_SYMBOLS)
    moves: list[Move] = Field(default=[], max_length=MOST_SYMBOLS)
    module_moves: list[ModuleMove] = Field(default=[], max_length=MOST_SYMBOLS)
    modules: list[Module] = Field(
        default=[], max_length=MOST_MODULES, description="in the order of their commits"
    )
    questions: list[Annotated[str, Field(max_length=QUESTION_CHARS)]] = Field(
        default=[],
        max_length=8,
        description="what only the user can decide, with the choices; then nothing is done before "
        "it is answered",
    )
    refusal: str = Field(
        default="", max_length=TEXT_CHARS, description="why the instruction is not carried out"
    )

    @property
    def is_work(self) -> bool:
        """Is there anything to do, and nothing in the way?"""
        stopped = self.questions or self.refusal
        return not stopped and bool(self.renames or self.moves or self.module_moves or self.modules)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that it names, each once."""
        named = [path for one in self.modules for path in (*one.files, *one.new_files)]
        named += [one.path for one in self.renames]
        named += [path for one in self.moves for path in (one.path, one.to)]
        named += [path for one in self.module_moves for path in (one.path, one.to)]
        return tuple(dict.fromkeys(named))


# The edits ---------------------------------------------------------------------------------------


class Replacement(BaseModel):
    """Text that takes another's place in a file. An empty `new` removes it."""

    model_config = _SHAPE

    path: str = Field(min_length=1, max_length=PATH_CHARS)
    old: str = Field(
        min_length=1,
        max_length=CODE_CHARS,
        description="whole lines, copied exactly, that stand exactly once in the file",
    )
    new: str = Field(max_length=CODE_CHARS)


class Cut(BaseModel):
    """A piece of a file that goes to the end of another one as it is, without being said anew."""

    model_config = _SHAPE

    path: str = Field(min_length=1, max_length=PATH_CHARS)
    first: str = Field(
        min_length=1,
        max_length=TEXT_CHARS,
        description="its first line or lines, copied exactly, that stand exactly once in the file",
    )
    last: str = Field(
        min_length=1,
        max_length=TEXT_CHARS,
        description="its last line or lines: the next from `first` on that read so",
    )
    to: str = Field(
        min_length=1,
        max_length=PATH_CHARS,
        description="a file of yours, or one of `new_files`, which then has what stands before",
    )


class NewFile(BaseModel):
    """A file that was not there, whole, but for the pieces that are cut out for it."""

    model_config = _SHAPE

    path: str = Field(min_length=1, max_length=PATH_CHARS)
    text: str = Field(max_length=CODE_CHARS)


class Renamed(BaseModel):
    """A file that gets another path; its replacements name the old one."""

    model_config = _SHAPE

    path: str = Field(min_length=1, max_length=PATH_CHARS)
    to: str = Field(min_length=1, max_length=PATH_CHARS)


class Undone(BaseModel):
    """Something that a node was to do and did not, and why."""

    model_config = _SHAPE

    what: str = Field(min_length=1, max_length=NAME_CHARS)
    why: str = Field(min_length=1, max_length=TEXT_CHARS)


class Edits(BaseModel):
    """What a node hands in for its module."""

    model_config = _SHAPE

    replacements: list[Replacement] = Field(default=[], max_length=MOST_REPLACEMENTS)
    cuts: list[Cut] = Field(default=[], max_length=MOST_REPLACEMENTS)
    new_files: list[NewFile] = Field(default=[], max_length=MOST_FILES)
    removed: list[str] = Field(default=[], max_length=MOST_FILES, description="paths of files")
    renamed: list[Renamed] = Field(default=[], max_length=MOST_FILES)
    message: str = Field(
        default="",
        max_length=MESSAGE_CHARS,
        description="of the commit: what in one line of at most 72 characters, a blank line, why",
    )
    left: list[Undone] = Field(default=[], max_length=30)
    unneeded: str = Field(
        default="",
        max_length=TEXT_CHARS,
        description="where nothing has to change: why; then there are no edits, and no `left`",
    )

    @property
    def is_empty(self) -> bool:
        """Does it change nothing?"""
        changes = (self.replacements, self.cuts, self.new_files, self.removed, self.renamed)
        return not any(changes)


class Answer(Edits):
    """What the model hands in: see `Edits`."""


class Joined(Edits):
    """The edits of several nodes, by the names of their modules, in scope order."""

    by_module: tuple[tuple[str, Edits], ...] = ()


# The result --------------------------------------------------------------------------------------


class FileInfo(BaseModel):
    """One file of a commit."""

    model_config = _SHAPE

    path: str
    status: Literal["added", "deleted", "modified"]


class CommitInfo(BaseModel):
    """One commit, in the order of the patch. `by`: host code, or nodes of the model."""

    model_config = _SHAPE

    module: str
    by: Literal["host", "model"]
    message: str
    files: list[FileInfo]


class Left(BaseModel):
    """What the plan asked for and nobody did, and why."""

    model_config = _SHAPE

    module: str
    what: str
    why: str


class Unneeded(BaseModel):
    """A module in which rightly nothing was changed, and why."""

    model_config = _SHAPE

    module: str
    why: str


FailsBefore = Literal["read", "run", "no"]
"""How it is known that new tests fail without what they are a test of. read: a fresh node has
followed them and says so, and nobody has seen it. run: they were run and seen failing, all of them
by one command, which does not tell which. no: they were run, and that command passes."""


class Unchecked(BaseModel):
    """A file that an edit has touched and nothing has parsed, or whose users nothing has looked
    for, and why."""

    model_config = _SHAPE

    path: str
    why: str


class Refactoring(BaseModel):
    """The result; the documented JSON contract of `rlm refactor --format json`.

    `status`: "planned" where only a plan was asked for; "declined" where the plan has questions or
    a refusal; "partial" exactly when something is left or found, or the run was stopped.
    `findings` are what the detectors say of the result and no node has mended. `destroys` says what
    the plan or the result destroys and the instruction does not name; `held`: for that the run
    ended at the plan, and its status is "planned". `reaches` has the lines of the result that read
    the environment, run programs or reach the network, and are new. `unchecked` are the files that
    were touched and that nothing here can parse, or of which nothing follows what others use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    status: Literal["complete", "partial", "planned", "declined"] = "complete"
    stopped: StopReason | None = None
    instruction: str
    commit: str
    plan: Plan | None = None
    commits: list[CommitInfo] = []
    left: list[Left] = []
    unneeded: list[Unneeded] = []
    findings: list[Finding] = []
    destroys: list[str] = []
    held: bool = False
    reaches: list[str] = []
    unchecked: list[Unchecked] = []
    notes: list[str] = []
    cost: Cost = Cost()
