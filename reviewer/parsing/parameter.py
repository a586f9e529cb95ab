"""Where a function of Python names one of its parameters, by the scopes of the language.

Asked inside the worker process only. The walk is a loop over a cursor: see `trees`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter

from reviewer.languages import Language
from reviewer.parsing.grammars import parse
from reviewer.parsing.trees import nodes

_COMPREHENSIONS = frozenset(
    {
        "dictionary_comprehension",
        "generator_expression",
        "list_comprehension",
        "set_comprehension",
    }
)
_PATTERNS = frozenset(
    {
        "expression_list",
        "list_pattern",
        "list_splat_pattern",
        "pattern_list",
        "tuple_pattern",
    }
)
_IMPORTS = frozenset({"import_from_statement", "import_statement"})
_WORD = re.compile(rb"[^\W\d]\w*")
_LABELS = {"attribute": "attribute", "keyword_argument": "name"}
"""What has a name of something else in one of its fields."""

_BOUND = {
    "assignment": ("left", "target"),
    "augmented_assignment": ("left", "target"),
    "class_definition": ("name", "definition"),
    "for_in_clause": ("left", "target"),
    "for_statement": ("left", "target"),
    "function_definition": ("name", "definition"),
    "named_expression": ("name", "walrus"),
}
"""What binds a name in one of its fields, and how."""

_TARGETS = {
    "aliased_import": "import",
    "as_pattern_target": "target",
    "delete_statement": "target",
    "global_statement": "global",
    "nonlocal_statement": "nonlocal",
    "splat_pattern": "target",
}
"""What binds, or speaks of, all names that it has."""

_BY_NAME = frozenset({b"eval", b"exec", b"locals", b"vars"})


@dataclass(frozen=True, slots=True)
class Named:
    """The places of a parameter, (line from 1, column in bytes), in file order.

    `problem` says why not all of them can be told, or given another name; "" if they can.
    """

    places: list[tuple[int, int]]
    problem: str = ""


@dataclass(eq=False)
class _Scope:
    """A function, a class or a comprehension; `hole` are the bytes in it that are of its parent."""

    kind: str
    above: "_Scope | None"
    has: bool = False
    """Is the name one of its parameters, or a variable of its own?"""

    says: str = ""
    """`global` or `nonlocal`, where it says so of the name."""

    hole: tuple[int, int] = (0, 0)


@dataclass
class _Walk:
    """What one walk over a function collects."""

    name: bytes
    to: bytes
    outer: _Scope
    found: list[tuple[tree_sitter.Node, _Scope]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def parameter(  # noqa: PLR0917
    data: bytes, function: str, start: int, end: int, name: str, to: str
) -> Named:
    """Return the places of a parameter of the function at these lines (from 1, with decorators).

    Its default and its annotation are none: they are read outside. Nothing else in the function
    may have the name `to`, nor read variables by their names.
    """
    node = _function(data, function.encode(), start, end)
    if node is None or node.has_error:
        return Named([], "the function was not found in its file")
    walk = _Walk(name.encode(), to.encode(), _Scope("function", None))
    given = node.child_by_field_name("parameters")
    body = node.child_by_field_name("body")
    mine = [each for each in _parameters(given) if _text(each) == walk.name]
    if len(mine) != 1 or body is None:
        return Named([], "the parameter was not found in its function")
    if any(_text(each) == walk.to for each in _parameters(given)):
        walk.problems.append(f"the function has the name {to} already")
    _over(body, walk)
    places = [mine[0].start_point]
    for each, scope in walk.found:
        owner = _owner(scope, walk)
        if owner is walk.outer:
            places.append(each.start_point)
    return Named([(row + 1, column) for row, column in places], next(iter(walk.problems), ""))


def _function(data: bytes, name: bytes, start: int, end: int) -> tree_sitter.Node | None:
    for node in nodes(parse(Language.PYTHON, data).root_node):
        if node.type != "function_definition":
            continue
        row, last = node.start_point[0] + 1, node.end_point[0] + 1
        own = node.child_by_field_name("name")
        if start <= row and last <= end and own is not None and _text(own) == name:
            return node
    return None


def _over(body: tree_sitter.Node, walk: _Walk) -> None:
    """Collect the names of a body, each with the scope that it stands in."""
    stack: list[tuple[int, _Scope]] = [(body.end_byte, walk.outer)]
    bodies: dict[int, _Scope] = {}
    names: set[int] = set()
    for node in nodes(body):
        while len(stack) > 1 and node.start_byte >= stack[-1][0]:
            stack.pop()
        scope = _at(stack[-1][1], node.start_byte)
        kind = node.type
        if node.id in bodies:
            stack.append((node.end_byte, bodies[node.id]))
        elif kind in ("function_definition", "lambda", "class_definition"):
            inner = _Scope("class" if kind == "class_definition" else "function", scope)
            given = list(_parameters(node.child_by_field_name("parameters")))
            names.update(each.id for each in given)
            inner.has = any(_text(each) == walk.name for each in given)
            if any(_text(each) == walk.to for each in given):
                walk.problems.append(f"the function has the name {walk.to.decode()} already")
            inside = node.child_by_field_name("body")
            if inside is not None:
                bodies[inside.id] = inner
                if inside.type == "identifier":  # a lambda of one name: it is not visited twice
                    bodies.pop(inside.id)
                    names.add(inside.id)
                    _named(inside, inner, walk)
        elif kind in _COMPREHENSIONS:
            inner = _Scope("comprehension", scope)
            first = next(
                (each for each in node.named_children if each.type == "for_in_clause"), None
            )
            right = first.child_by_field_name("right") if first is not None else None
            if right is not None:
                inner.hole = (right.start_byte, right.end_byte)
            stack.append((node.end_byte, inner))
        elif kind == "interpolation" and any(each.type == "=" for each in node.children):
            said = node.child_by_field_name("expression")
            if said is not None and walk.name in _WORD.findall(_text(said)):
                walk.problems.append("a string says the name with its value (`{name=}`)")
        elif kind == "identifier" and node.id not in names:
            _named(node, scope, walk)


def _at(scope: _Scope, place: int) -> _Scope:
    """Return the scope of a place: what a comprehension goes over first is none of its own."""
    while scope.above is not None and scope.hole[0] <= place < scope.hole[1]:
        scope = scope.above
    return scope


def _named(node: tree_sitter.Node, scope: _Scope, walk: _Walk) -> None:
    """Note one name, if it is a variable."""
    text = _text(node)
    if text in _BY_NAME and node.parent is not None and node.parent.type == "call":
        walk.problems.append("its variables may be read by their names there")
    if text not in (walk.name, walk.to) or _is_no_variable(node):
        return
    if text == walk.to:
        walk.problems.append(f"the function has the name {walk.to.decode()} already")
        return
    how = _binding(node)
    if how in ("global", "nonlocal"):
        scope.says = how
    elif how:
        where = scope
        while how == "walrus" and where.kind == "comprehension" and where.above:
            where = where.above
        where.has = True
        if how in ("import", "definition") and where is walk.outer:
            walk.problems.append("something else gets that name in the function, too")
        if where.kind == "class":
            walk.problems.append("a class in the function has something of that name")
    walk.found.append((node, scope))


def _owner(scope: _Scope, walk: _Walk) -> _Scope | None:
    """Return the scope whose variable a name is, None for one beyond the function."""
    at: _Scope | None = scope
    while at is not None and at is not walk.outer:
        if at.says == "global":
            return None
        if at.has and at.says != "nonlocal" and at.kind != "class":
            return at
        at = at.above
    return at


def _is_no_variable(node: tree_sitter.Node) -> bool:
    parent = node.parent
    around = parent.parent if parent is not None else None
    if parent is None or around is None:
        return False
    kind = parent.type
    if kind in _LABELS:
        return node == parent.child_by_field_name(_LABELS[kind])
    first = node == parent.named_children[0]
    if kind == "keyword_pattern":
        return first
    if kind != "dotted_name":
        return False
    imported = around.type in _IMPORTS and parent == around.child_by_field_name("module_name")
    return not first or imported or around.type == "aliased_import"


def _binding(node: tree_sitter.Node) -> str:
    """Return how a name is bound there, "" where it is read."""
    parent = node.parent
    while parent is not None and parent.type in _PATTERNS:
        node, parent = parent, parent.parent
    if parent is None:
        return ""
    kind, said = parent.type, ""
    if kind in _BOUND:
        at, said = _BOUND[kind]
        said = said if node == parent.child_by_field_name(at) else ""
    elif kind == "as_pattern":  # `case x as name` has the name itself, `with x as name` a target
        said = "target" if node == parent.named_children[-1] else ""
    elif kind in _TARGETS:
        said = _TARGETS[kind]
    elif kind == "dotted_name" and parent.parent is not None:
        around = parent.parent.type
        alone = len(parent.named_children) == 1 and around == "case_pattern"
        said = "import" if around in _IMPORTS else "target" if alone else ""
    return said


def _parameters(given: tree_sitter.Node | None) -> Iterator[tree_sitter.Node]:
    """Give the names of parameters."""
    for each in given.named_children if given is not None else ():
        node: tree_sitter.Node | None = each
        if each.type in ("default_parameter", "typed_default_parameter"):
            node = each.child_by_field_name("name")
        elif each.type == "typed_parameter":
            node = each.named_children[0]
        if node is not None and node.type in ("list_splat_pattern", "dictionary_splat_pattern"):
            node = node.named_children[0] if node.named_children else None
        if node is not None and node.type == "identifier":
            yield node


def _text(node: tree_sitter.Node) -> bytes:
    return node.text or b""
