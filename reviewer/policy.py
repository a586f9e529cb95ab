"""What a repository asks of its reviews: the value of `.github/rlm.yml`, every key documented.

Where it comes from decides what of it counts. What says how to read which paths (`PATH_KEYS`) is
taken from the base branch of a change; the rest from the repository's default branch. See
docs/configuration.md, and `reviewer/policy_file.py` for how the file is read.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from reviewer.detectors.names import Check
from reviewer.finding import Finding, Severity
from reviewer.globs import MAX_GLOB_CHARACTERS, check
from reviewer.model.base import MODEL_NAME

FILE = ".github/rlm.yml"

MAX_GLOBS = 100
MAX_INSTRUCTIONS = 40
MAX_TEXT_CHARACTERS = 2_000
MAX_TEXTS_CHARACTERS = 12_000
"""Of all instructions together: about 3,000 tokens, which a node that all apply to is given."""

DEFAULT_INLINE = 10
"""So many of the worst findings have comments at lines, if nobody asks for another number. Each is
a thread that somebody has to answer or resolve, and an e-mail; people who get more than a handful
stop reading any. The summary has the rest."""

MAX_INLINE = 30
"""At the most, whatever is asked for: with more, GitHub has answered "submitted too quickly" and
502."""

MAX_BUDGET_USD = 10_000.0

PATH_KEYS = ("ignore", "only", "instructions")
TRIAL_KEYS = ("test_command", "test_timeout")
"""What is run: the repository's own default branch alone says it, not even its owner for all."""

PUBLISHING_KEYS = ("blocking", "sarif", "write", "tests_first", *TRIAL_KEYS)
"""What a review does beyond telling: the default branch alone decides it, nothing stands in."""

MAX_WORDS = 100
MAX_WORD_CHARACTERS = 2_000
MAX_TEST_MINUTES = 120

_LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$"
"""BCP-47: language, script, region. Nothing longer: it becomes a part of a prompt."""

Glob = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_GLOB_CHARACTERS), AfterValidator(check)
]
Globs = Annotated[tuple[Glob, ...], Field(max_length=MAX_GLOBS)]
Switch = Annotated[bool, WithJsonSchema({"enum": [True, False, "on", "off"]})]
"""Both spellings: to some readers of YAML `off` is a word and no boolean."""

_Word = Annotated[str, StringConstraints(min_length=1, max_length=MAX_WORD_CHARACTERS)]

ModelName = Annotated[str, StringConstraints(pattern=f"^{MODEL_NAME}$")]


def _unless_empty(value: object) -> object:
    """Take a key without a value for one that is not there."""
    if isinstance(value, dict):
        return {name: inner for name, inner in value.items() if inner is not None}
    return {} if value is None else value


def _words(value: object) -> object:
    """Return a command as it is kept, checked in the words of the file: of two forms that are
    allowed, pydantic would tell what is wrong with both.
    """
    words = [value] if isinstance(value, str) else value
    if value is None:
        return None
    if not isinstance(words, list | tuple) or not all(isinstance(one, str) for one in words):
        raise ValueError("should be text, or a list of a program and its arguments")
    if not words or not words[0].strip():
        raise ValueError("should name a program")
    if len(words) > MAX_WORDS:
        raise ValueError(f"should have at most {MAX_WORDS} words")
    if any(len(one) > MAX_WORD_CHARACTERS or "\0" in one for one in words):
        raise ValueError(f"should have no word of over {MAX_WORD_CHARACTERS:,} characters")
    return value if isinstance(value, str) else tuple(words)


class _Keys(BaseModel):
    """Keys with values, and no others than these."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def over(self, lower: Self) -> Self:
        """Return this laid over another one: what is not set here, is as it is there."""
        return lower.model_copy(
            update={name: getattr(self, name) for name in self.model_fields_set}
        )


class Instruction(_Keys):
    """What to look out for in some files; told to those who read them, and to nobody else."""

    paths: Annotated[Globs, Field(min_length=1, description="Globs of the files meant.")]
    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARACTERS),
        Field(description="What a reviewer should know or look out for."),
    ]


class Guide(_Keys):
    """What a file of the project's, `name`, tells tools about some files; `left` characters of it
    are left out. No part of the policy: it comes with the guidance for all files.
    """

    name: str
    paths: Annotated[Globs, Field(min_length=1)]
    text: Annotated[str, StringConstraints(min_length=1)]
    left: int = 0


class Thresholds(_Keys):
    """What a finding needs in order to be shown. What is below is counted in a note."""

    severity: Annotated[Severity, Field(description="At least this bad.")] = Severity.NIT
    confidence: Annotated[float, Field(ge=0, le=1, description="At least this sure.")] = 0.0

    def admit(self, finding: Finding) -> bool:
        """Is this finding shown?"""
        return finding.severity.at_least(self.severity) and finding.confidence >= self.confidence

    def __str__(self) -> str:
        said = [f"severity {self.severity.value}"] if self.severity is not Severity.NIT else []
        said += [f"confidence {self.confidence:.0%}"] if self.confidence else []
        return ", ".join(said) or "none"


class Comments(_Keys):
    """How findings are said."""

    inline: Annotated[
        int,
        Field(ge=0, le=MAX_INLINE, description="Most comments at lines; the summary has the rest."),
    ] = DEFAULT_INLINE
    language: Annotated[
        Annotated[str, StringConstraints(pattern=_LANGUAGE)] | None,
        Field(description="In which language the model writes: a BCP-47 tag, such as pt-BR."),
    ] = None


class Models(_Keys):
    """Which models are asked, where whoever runs the reviewer has not said it."""

    finder: Annotated[ModelName | None, Field(description="Finds defects.")] = None
    cheap: Annotated[ModelName | None, Field(description="Answers small questions.")] = None


class Policy(_Keys):
    """A repository's wishes for its reviews. Empty, it changes nothing."""

    ignore: Annotated[
        Globs, Field(description="Globs of files that are set aside; ! takes one back.")
    ] = ()
    only: Annotated[Globs, Field(description="If given, every other file is set aside.")] = ()
    instructions: Annotated[
        tuple[Instruction, ...],
        Field(max_length=MAX_INSTRUCTIONS, description="What to look out for, by path."),
    ] = ()
    thresholds: Annotated[Thresholds, BeforeValidator(_unless_empty)] = Thresholds()
    comments: Annotated[Comments, BeforeValidator(_unless_empty)] = Comments()
    effort: Annotated[
        Literal["quick", "standard", "deep"] | None, Field(description="Passes made.")
    ] = None
    budget: Annotated[
        float | None,
        Field(
            ge=0,
            le=MAX_BUDGET_USD,
            description="Most that one review may cost, in dollars; lowers what is configured.",
        ),
    ] = None
    models: Annotated[Models, BeforeValidator(_unless_empty)] = Models()
    blocking: Annotated[
        Literal["never", "critical", "high", "medium", "low", "nit"],
        Field(
            description="The check run fails on a finding that is at least this bad, so that it "
            "can block a merge."
        ),
    ] = "never"
    sarif: Annotated[
        Switch, Field(description="Findings go to code scanning, too, where that is permitted.")
    ] = False
    write: Annotated[
        Switch,
        Field(
            description="Commits that somebody asked for become a branch and a pull request, where "
            "whoever runs the reviewer has switched that on; else a patch."
        ),
    ] = False
    tests_first: Annotated[
        Switch,
        Field(
            description="Of a fix the tests are on its branch alone first, and the patches follow "
            "when the checks have ended: it is seen whether they fail before. One more run of CI."
        ),
    ] = False
    test_command: Annotated[
        _Word | Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_WORDS)] | None,
        BeforeValidator(_words),
        Field(
            description="What runs the tests of a commit: a line for bash, or a program with its "
            "arguments. Run by the Action alone, on what it has written for somebody who asked, "
            "and never for a fork."
        ),
    ] = None
    test_timeout: Annotated[
        int, Field(ge=1, le=MAX_TEST_MINUTES, description="Minutes that one run of it may take.")
    ] = 20
    checks: Annotated[
        Mapping[Check, Switch],
        BeforeValidator(_unless_empty),
        Field(
            description="Switches single detectors off, or the comparison with what is promised."
        ),
    ] = {}

    @model_validator(mode="before")
    @classmethod
    def _set(cls, value: Any) -> Any:
        return _unless_empty(value)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        total = sum(len(one.text) for one in self.instructions)
        if total > MAX_TEXTS_CHARACTERS:
            raise ValueError(
                f"instructions have {total:,} characters, more than {MAX_TEXTS_CHARACTERS:,}"
            )
        return self

    @property
    def off(self) -> frozenset[str]:
        """The checks that are switched off."""
        return frozenset(name for name, is_on in self.checks.items() if not is_on)

    @property
    def tests_by(self) -> tuple[str, ...]:
        """The program, with its arguments, that runs the tests; () for none."""
        match self.test_command:
            case None:
                return ()
            case str(line):
                return ("bash", "-c", line)
            case words:
                return words

    @property
    def blocks(self) -> Severity | None:
        """From which severity on a finding fails the check run; None: none does."""
        return None if self.blocking == "never" else Severity(self.blocking)

    def without(self, names: Iterable[str]) -> "Policy":
        """Return this as if it said nothing under some keys."""
        said = {name: getattr(self, name) for name in self.model_fields_set.difference(names)}
        return Policy.model_construct(**said)

    def over(self, lower: "Policy") -> "Policy":
        """Return this laid over another one (an organisation's): lists one after the other,
        single values from here, and the lower of two budgets. It sets what either sets.
        """
        budgets = [one.budget for one in (self, lower) if one.budget is not None]
        laid = super().over(lower)
        return Policy.model_construct(
            self.model_fields_set | lower.model_fields_set,
            **{name: getattr(laid, name) for name in Policy.model_fields}
            | {
                "ignore": lower.ignore + self.ignore,
                "instructions": lower.instructions + self.instructions,
                "thresholds": self.thresholds.over(lower.thresholds),
                "comments": self.comments.over(lower.comments),
                "models": self.models.over(lower.models),
                "checks": {**lower.checks, **self.checks},
                "budget": min(budgets, default=None),
            },
        )

    def sets(self, key: str) -> bool:
        """Does the file say something under this dotted key?"""
        section, _, name = key.rpartition(".")
        holder = getattr(self, section) if section else self
        return name in holder.model_fields_set

    def with_paths_of(self, other: "Policy") -> "Policy":
        """Return this with another one's guidance for paths in place of its own."""
        own = self.model_fields_set.difference(PATH_KEYS)
        theirs = other.model_fields_set.intersection(PATH_KEYS)
        return Policy.model_construct(
            own | theirs,
            **{
                name: getattr(other if name in PATH_KEYS else self, name)
                for name in Policy.model_fields
            },
        )


NO_POLICY = Policy()
"""Where a repository has said nothing."""


def keys() -> Iterator[str]:
    """Yield every key of the file, dotted, in the order of the schema."""
    for name, field in Policy.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, _Keys):
            yield from (f"{name}.{key}" for key in section.model_fields)
        else:
            yield name


SCHEMA_ID = "urn:rlm:schema:rlm.yml"
"""A name and no address: every copy is the same, wherever somebody's editor finds it."""


def json_schema() -> dict[str, Any]:
    """Return the schema of the file, for editors: docs/rlm.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **Policy.model_json_schema(),
        "title": FILE,
    }
