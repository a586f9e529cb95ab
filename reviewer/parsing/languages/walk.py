"""One walk over a syntax tree, for every language: what is a definition, a use, an import.

The walk goes top-down with a cursor and never recurses: a file may be nested 10,000 deep. A
handler is called for a node before its children, and gives the leaves below it their roles; a leaf
that has none by the time it is reached is what its language says of such leaves. Everything is
kept as rows, which a worker can send; `reviewer.parsing.extract` makes values of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tree_sitter import Language as Grammar
from tree_sitter import Node, Tree

from reviewer.parsing.symbols import (
    MAX_RECEIVER_CHARS,
    MAX_SIGNATURE_CHARS,
    DefKind,
    UseKind,
)

MAX_USES = 200_000
MAX_DEFINITIONS = 50_000
MAX_NAME_CHARS = 200  # a longer one is an attack or a blob
MAX_PARAMETERS = 255
MAX_NAMES = 255  # of one call's keywords, one class's bases

ParameterRow = tuple[str, str, bool]
DefinitionRow = tuple[
    str,
    str,
    str,
    int,
    int,
    str,
    tuple[ParameterRow, ...] | None,
    tuple[str, ...],
    tuple[str, ...],
    bool,
]
UseRow = tuple[str, str, int, int, str, str, int, tuple[str, ...], bool]
ImportRow = tuple[str, str, str, int, bool, bool]
Role = tuple[str, str, int, tuple[str, ...], bool]
Arguments = tuple[int, tuple[str, ...], bool]
Handler = Callable[["Walk", Node], bool | None]
"""Returns True if nothing is to be looked at inside the node."""

# Plain strings: a member of an enum costs a look-up at each of 100,000 leaves.
ATTRIBUTE = UseKind.ATTRIBUTE.value
CALL = UseKind.CALL.value
DECORATOR = UseKind.DECORATOR.value
IMPORT = UseKind.IMPORT.value
KEYWORD = UseKind.KEYWORD.value
OVERRIDE = UseKind.OVERRIDE.value
READ = UseKind.READ.value
STRING = UseKind.STRING.value
TYPE = UseKind.TYPE.value
WRITE = UseKind.WRITE.value

FUNCTION, CLASS, MODULE = "function", "class", "module"  # what a scope is

NO_ARGUMENTS: Arguments = (0, (), False)
_DOTTED = re.compile(r"(?:([^\W\d]\w*(?:\.[^\W\d]\w*)*)\.)?([^\W\d]\w*)")
_MIN_STRING, _MAX_STRING = 3, 100


class Full(Exception):
    """There is more in the file than is kept."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """What the walk has to know of a language."""

    leaves: Mapping[str, str]  # a type of node -> the kind of use that it is by itself
    handlers: Mapping[str, Handler]
    skipped: Iterable[str] = ()
    finish: Callable[["Walk"], None] | None = None
    actions: dict[int, str | Handler | None] = field(default_factory=dict)

    def compiled(self, grammar: Grammar) -> dict[int, str | Handler | None]:
        """Return what to do by the number of a node's type: use it, handle it, None to skip it."""
        if not self.actions:
            for number in range(grammar.node_kind_count):
                if not grammar.node_kind_is_named(number):
                    self.actions[number] = None
            for name in self.skipped:
                self.actions[_number(grammar, name)] = None
            for name, kind in self.leaves.items():
                self.actions[_number(grammar, name)] = kind
            for name, handler in self.handlers.items():
                self.actions[_number(grammar, name)] = handler
        return self.actions


def _number(grammar: Grammar, name: str) -> int:
    number = grammar.id_for_node_kind(name, True)
    if number is None:
        raise KeyError(name)
    return number


class Scope:
    """A definition that the walk is in."""

    __slots__ = ("depth", "hidden", "kind", "offered", "path")

    def __init__(self, depth: int, path: str, kind: str) -> None:
        self.depth = depth
        self.path = path
        self.kind = kind
        self.hidden = False  # what follows is private, in languages with such sections
        self.offered = False  # its members are visible without a word


class Walk:
    """The state of one walk, and what it found so far."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.definitions: list[DefinitionRow] = []
        self.uses: list[UseRow] = []
        self.imports: list[ImportRow] = []
        self.roles: dict[int, Role | None] = {}  # by the first byte of the leaf; None: no use
        self.claimed: dict[int, Node] = {}  # a node -> the one around it that speaks for it
        self.pending: list[Node] = []  # decorators that the tree has in front of a definition
        self.scope = Scope(-1, "", MODULE)
        self.scopes: list[Scope] = []
        self.depth = 0
        self.types_until = 0  # up to this byte a bare name is a type
        self.guarded_until = 0  # up to this byte an import may fail
        self.names: dict[str, set[str]] = {}  # for what a language has to remember
        self._line = 0
        self._line_start = 0
        self._next_line = data.find(b"\n") + 1 or len(data) + 1

    # Reading nodes -------------------------------------------------------------------------------

    def text(self, node: Node) -> str:
        """Return the source of a short node, such as a name."""
        start, end = node.start_byte, node.end_byte
        return self.data[start : min(end, start + 4 * MAX_NAME_CHARS)].decode("utf-8", "replace")

    def dotted(self, node: Node | None) -> str:
        """Return the source of an expression on one line, cut as a receiver is."""
        if node is None:
            return ""
        text = self.text(node)
        if not text.isidentifier():
            text = " ".join(text.split()).replace(" .", ".").replace(" ?.", "?.")
        return text[:MAX_RECEIVER_CHARS]

    def head(self, start: int, end: int, node: Node) -> str:
        """Return a definition's head on one line, without the comments in it."""
        end = min(end, start + 8 * MAX_SIGNATURE_CHARS)
        pieces = []
        for first, last in _comments(node, start, end, self.data):
            pieces.append(self.data[start:first])
            start = last
        raw = b" ".join([*pieces, self.data[start:end]])
        text = " ".join(raw.decode("utf-8", "replace").split())
        return text[:MAX_SIGNATURE_CHARS].rstrip(" {:;,")

    # What handlers say ---------------------------------------------------------------------------

    def declared(self, node: Node | None) -> None:
        """Say that a leaf is the name of a parameter, a local, a label: no use."""
        if node is not None:
            self.roles.setdefault(node.start_byte, None)

    def use(
        self,
        node: Node | None,
        kind: str,
        receiver: str = "",
        arguments: Arguments = NO_ARGUMENTS,
    ) -> None:
        """Say how a leaf is used, unless something around it has said so."""
        if node is not None:
            self.roles.setdefault(
                node.start_byte, (kind, receiver[:MAX_RECEIVER_CHARS], *arguments)
            )

    def emit(self, node: Node, kind: str, receiver: str = "") -> None:
        """Note a use at once, of a node whose inside the walk will not see."""
        self.note(
            node.start_byte, self.text(node), (kind, receiver[:MAX_RECEIVER_CHARS], *NO_ARGUMENTS)
        )

    def note(self, start: int, name: str, role: Role) -> None:
        """Note a use; the places must not go backwards but within the last line."""
        while start >= self._next_line:
            self._line += 1
            self._line_start = self._next_line
            self._next_line = self.data.find(b"\n", self._next_line) + 1 or len(self.data) + 1
        if len(self.uses) >= MAX_USES:
            raise Full
        kind, receiver, count, keywords, spread = role
        self.uses.append(
            (
                name[:MAX_NAME_CHARS],
                kind,
                self._line + 1,
                start - self._line_start,
                self.scope.path,
                receiver,
                count,
                keywords,
                spread,
            )
        )

    def string(self, start: int, content: str) -> None:
        """Note the use that a string literal is, if it is one; `start` is that of the content."""
        if not _MIN_STRING <= len(content) <= _MAX_STRING:
            return
        match = _DOTTED.fullmatch(content)
        if match is None:
            return
        before, name = match.groups()
        offset = len(content[: match.start(2)].encode())
        role = (STRING, (before or "")[:MAX_RECEIVER_CHARS], *NO_ARGUMENTS)
        self.note(start + offset, name, role)

    def quoted(self, node: Node) -> str:
        """Return what is between the quotes of a plain string literal."""
        return self.text(node).strip("\"'`")

    def define(
        self,
        name: Node | str,
        kind: DefKind,
        node: Node,
        *,
        opens: str = "",
        body: Node | None = None,
        head_end: int | None = None,
        first: Node | None = None,
        last: Node | None = None,
        start: Node | None = None,
        scope: str | None = None,
        parameters: Iterable[ParameterRow] | None = None,
        bases: Iterable[str] = (),
        decorators: Iterable[str] = (),
        exported: bool = True,
    ) -> None:
        """Note a definition; `opens` says what kind of scope its inside is, if it is one.

        `body` is where its head ends, `first` where the head begins if not with the node, `last`
        and `start` what it ends and starts with if that is not the node, either.
        """
        if len(self.definitions) >= MAX_DEFINITIONS:
            raise Full
        if not isinstance(name, str):
            self.roles[name.start_byte] = None
            name = self.text(name)
        if not name:
            return  # the parser made it up
        name = name[:MAX_NAME_CHARS]
        inside = self.scope.path if scope is None else scope
        last = last or node
        ends = last.end_point
        if head_end is None:
            head_end = node.end_byte if body is None else body.start_byte
        self.definitions.append(
            (
                name,
                kind.value,
                inside,
                (start or node).start_point.row + 1,
                ends.row + (ends.column > 0 or last.end_byte == node.start_byte),
                self.head((first or node).start_byte, head_end, node),
                None if parameters is None else tuple(parameters)[:MAX_PARAMETERS],
                tuple(bases)[:MAX_NAMES],
                tuple(decorators)[:MAX_NAMES],
                exported and self.scope.kind != FUNCTION,
            )
        )
        if opens:
            self.enter(f"{inside}.{name}" if inside else name, opens)

    def enter(self, path: str, kind: str) -> None:
        """Make the node that is being handled a scope."""
        self.scopes.append(self.scope)
        self.scope = Scope(self.depth, path[-4 * MAX_NAME_CHARS :], kind)

    def imported(
        self, node: Node, module: str, name: str = "", alias: str = "", reexport: bool = False
    ) -> None:
        """Note an import."""
        if len(self.imports) >= MAX_DEFINITIONS:
            raise Full
        guarded = node.start_byte < self.guarded_until
        line = node.start_point.row + 1
        self.imports.append((module, name, alias, line, guarded, reexport))

    def before(self, node: Node) -> list[Node]:
        """Take the pending decorators that stand right before a node."""
        taken, self.pending = self.pending, []
        found: list[Node] = []
        start = node.start_byte
        for each in reversed(taken):
            gap = self.data[max(each.end_byte, start - MAX_NAME_CHARS) : start]
            if each.end_byte > start or start - each.end_byte > MAX_NAME_CHARS or gap.strip():
                break
            found.append(each)
            start = each.start_byte
        found.reverse()
        return found

    def guard(self, node: Node | None) -> None:
        """Say that an import in the node may fail without harm."""
        if node is not None:
            self.guarded_until = max(self.guarded_until, node.end_byte)

    def remember(self, kind: str, name: str) -> None:
        """Put a name in one of the sets that the language's `finish` reads."""
        self.names.setdefault(kind, set()).add(name)

    # The walk ------------------------------------------------------------------------------------

    def run(self, tree: Tree, actions: Mapping[int, str | Handler | None]) -> None:
        """Walk over the tree; raise Full."""
        cursor = tree.walk()
        descend, onward, ascend = (
            cursor.goto_first_child,
            cursor.goto_next_sibling,
            cursor.goto_parent,
        )
        data, roles, look_up = self.data, self.roles, actions.get
        note = self.note
        while True:
            node = cursor.node
            assert node is not None  # noqa: S101 - a cursor of a whole tree has one
            action = look_up(node.kind_id, False)
            if action is None:
                inside = False
            elif action is False:
                inside = True
            elif action.__class__ is str:
                inside = False
                start, end = node.start_byte, node.end_byte
                role: Role | bool | None = roles.pop(start, False)
                if role is False:
                    reads = action == READ and start < self.types_until
                    role = (TYPE if reads else action, "", 0, (), False)
                if role is not None and start < end:
                    note(start, data[start:end].decode("utf-8", "replace"), role)  # type: ignore[arg-type]
            else:
                inside = not action(self, node)  # type: ignore[operator]
            if inside and descend():
                self.depth += 1
                continue
            if self.scope.depth == self.depth:
                self.scope = self.scopes.pop()
            while not onward():
                if not ascend():
                    return
                self.depth -= 1
                if self.scope.depth == self.depth:
                    self.scope = self.scopes.pop()


def _comments(node: Node, start: int, end: int, data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the bytes of each comment of a node between two places, in order."""
    if not any(mark in data[start:end] for mark in (b"#", b"//", b"/*")):
        return  # nearly all heads, and a walk costs more than this look
    todo = [node]
    while todo:
        each = todo.pop()
        if each.end_byte <= start or each.start_byte >= end:
            continue
        if "comment" in each.type:
            yield max(start, each.start_byte), min(end, each.end_byte)
        else:
            todo += reversed(each.children)


def leaf_of(node: Node | None, steps: Mapping[str, str | int]) -> Node | None:
    """Return the node that names what an expression is, by the field or child that leads to it."""
    while node is not None and (step := steps.get(node.type)) is not None:
        node = node.child_by_field_name(step) if isinstance(step, str) else nth(node, step)
    return node


def nth(node: Node, index: int) -> Node | None:
    """Return a named child, the last for -1, None where there is none."""
    count = node.named_child_count
    return node.named_child(index % count) if count and index < count else None


def find(node: Node, *kinds: str) -> Node | None:
    """Return the first named child of one of the types."""
    for child in node.named_children:
        if child.type in kinds:
            return child
    return None


def words(walk: Walk, node: Node, *kinds: str) -> set[str]:
    """Return the words of the node's children of the types: its modifiers."""
    return {
        word for child in node.children if child.type in kinds for word in walk.text(child).split()
    }
