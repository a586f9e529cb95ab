"""What a file defines, uses and imports: plain values, as each language's extractor gives them.

Nothing here depends on where the file lies or what else there is, so it is stored by the blob.
"""

from dataclasses import dataclass
from enum import StrEnum

EXTRACTOR_VERSION = 4
"""Goes up with every change of what is extracted: what is stored of another version is void."""

MAX_SIGNATURE_CHARS = 300
MAX_RECEIVER_CHARS = 80


class DefKind(StrEnum):
    """What a definition is. A class is whatever has members: struct, trait, interface, object."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"
    CONSTANT = "constant"  # a module's or a class's variable, field, enum member
    TYPE = "type"  # an alias
    MODULE = "module"  # a namespace or package written in the file


class UseKind(StrEnum):
    """How a name is used."""

    CALL = "call"
    IMPORT = "import"
    ATTRIBUTE = "attribute"  # x.name, and not called
    READ = "read"  # the bare name, and not called
    WRITE = "write"  # assigned to, with a receiver: x.name = ...
    TYPE = "type"
    OVERRIDE = "override"  # a base class or an interface that is implemented: class X(name)
    DECORATOR = "decorator"
    KEYWORD = "keyword"  # f(name=...)
    STRING = "string"  # the whole of a string literal is the name, or a dotted path that ends in it


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `how` is positional, both, keyword, *args or **kwargs, whatever its language.

    `required` is False where it has a default.
    """

    name: str
    how: str = "both"
    required: bool = True


@dataclass(frozen=True, slots=True)
class Definition:
    """A name that the file defines. Lines count from 1 and include decorators.

    `scope` is the dotted path of what encloses it in the file ("" at the top). `parameters` is None
    for what cannot be called, or whose parameters cannot be told (a macro); what a decorator makes
    of them is not looked at here. The receiver (self, cls, this) is left out of them. `bases` are
    the names that a class extends or implements.
    """

    name: str
    kind: DefKind
    scope: str
    start: int
    end: int
    signature: str
    parameters: tuple[Parameter, ...] | None = None
    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    exported: bool = True  # visible to other files by the rules of the language


@dataclass(frozen=True, slots=True)
class Use:
    """A name that the file uses, at a line and column (in bytes, from 0) of the name itself.

    `receiver` is the text before the dot ("self", "os.path", "new" for a constructor call in the
    languages that have it), cut to MAX_RECEIVER_CHARS; "" for a bare name. `scope` is the dotted
    path of the innermost definition around it. Of a call, `arguments` counts the positional ones
    and `keywords` names the others; `spread` says that some are unpacked from a value.
    """

    name: str
    kind: UseKind
    line: int
    column: int
    scope: str = ""
    receiver: str = ""
    arguments: int = 0
    keywords: tuple[str, ...] = ()
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """One imported thing: `module` as it is written (dots of a relative one included).

    `name` is what is taken from it: "" for the module itself, "*" for everything. `alias` is the
    name that it has in this file, "" if it gets none. `guarded`: it may fail without harm (inside a
    try that catches it, an `if TYPE_CHECKING`, a conditional). `reexport`: the file offers it on.
    """

    module: str
    name: str
    alias: str
    line: int
    guarded: bool = False
    reexport: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """What a line seems to say of a variable: that it is of a type, or made by a function.

    By patterns, not by the syntax tree (`reviewer.parsing.hints`): good enough to order guesses.
    """

    name: str
    type: str
    line: int
    scope: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """A name in a string, at a line (from 1) and a column (in bytes, from 0) of the name itself.

    `listed`: an entry of `__all__`; else it stands in an annotation, and `receiver` is what stands
    before its dot.
    """

    name: str
    line: int
    column: int
    receiver: str
    listed: bool


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that a file says about names. `complete` is False where it was cut or did not parse."""

    definitions: tuple[Definition, ...] = ()
    uses: tuple[Use, ...] = ()
    imports: tuple[Import, ...] = ()
    hints: tuple[Hint, ...] = ()
    complete: bool = True
