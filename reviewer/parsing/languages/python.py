"""What a Python file defines, uses and imports."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_STRING = re.compile(rb"""[A-Za-z]{0,2}("{3}|'{3}|"|')([^\\"'\n]{3,400})\1""")
_CATCHES = re.compile(rb"ImportError|ModuleNotFoundError|Exception|except\s*:")
_TARGETS = {"identifier", "attribute", "subscript"}
_PATTERNS = {
    "list",
    "list_pattern",
    "list_splat_pattern",
    "parenthesized_expression",
    "pattern_list",
    "tuple",
    "tuple_pattern",
}
_MAX_LAST = 100  # levels to go down for a last statement, of a file nested without end
_COMPOUND = {
    "block",
    "class_definition",
    "decorated_definition",
    "for_statement",
    "function_definition",
    "if_statement",
    "match_statement",
    "try_statement",
    "while_statement",
    "with_statement",
}


# Definitions -------------------------------------------------------------------------------------


def _decorated(walk: Walk, node: Node) -> None:
    definition = node.child_by_field_name("definition")
    if definition is None:
        return
    walk.claimed[definition.id] = node
    decorators = []
    for child in node.named_children:
        if child.type == "decorator" and (value := w.nth(child, 0)) is not None:
            call = value if value.type == "call" else None
            target = value if call is None else call.child_by_field_name("function")
            if target is not None:
                arguments = w.NO_ARGUMENTS
                if call is not None:
                    arguments = _arguments(walk, call.child_by_field_name("arguments"))
                _target(walk, target, w.DECORATOR, arguments)
                decorators.append(walk.dotted(target))
    if definition.type == "class_definition":
        _class(walk, definition, node, tuple(decorators))
    else:
        _function(walk, definition, node, tuple(decorators))


def _function(
    walk: Walk, node: Node, outer: Node | None = None, decorators: tuple[str, ...] = ()
) -> None:
    name = node.child_by_field_name("name")
    if name is None or (outer is None and node.id in walk.claimed):
        return
    body = node.child_by_field_name("body")
    method = walk.scope.kind == w.CLASS
    parameters = list(_parameters(walk, node.child_by_field_name("parameters")))
    if method and "staticmethod" not in decorators and parameters[:1]:
        first = parameters[0]
        if first[1] in ("both", "positional"):
            del parameters[0]
    walk.define(
        name,
        DefKind.METHOD if method else DefKind.FUNCTION,
        outer or node,
        first=node,
        body=body,
        last=_last(body),
        opens=w.FUNCTION,
        parameters=parameters,
        decorators=decorators,
        exported=_public(walk.text(name)),
    )


def _class(
    walk: Walk, node: Node, outer: Node | None = None, decorators: tuple[str, ...] = ()
) -> None:
    name = node.child_by_field_name("name")
    if name is None or (outer is None and node.id in walk.claimed):
        return
    body = node.child_by_field_name("body")
    bases = []
    if (arguments := node.child_by_field_name("superclasses")) is not None:
        for base in arguments.named_children:
            target = base.child_by_field_name("value") if base.type == "subscript" else base
            if target is not None and target.type in ("identifier", "attribute"):
                _target(walk, target, w.OVERRIDE)
                bases.append(walk.dotted(target))
    walk.define(
        name,
        DefKind.CLASS,
        outer or node,
        first=node,
        body=body,
        last=_last(body),
        opens=w.CLASS,
        bases=bases,
        decorators=decorators,
        exported=_public(walk.text(name)),
    )


def _last(body: Node | None) -> Node | None:
    """Return the last statement of a body: comments after it are taken into the tree's body."""
    for _ in range(_MAX_LAST):
        if body is None or not (body.type in _COMPOUND or body.type.endswith("_clause")):
            break
        index = body.named_child_count - 1
        while index > 0 and (child := w.nth(body, index)) and child.type == "comment":
            index -= 1
        body = w.nth(body, index) if index >= 0 else None
    return body


def _public(name: str) -> bool:
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def _parameters(walk: Walk, node: Node | None) -> Iterator[ParameterRow]:
    """Yield the parameters of a function or lambda, and declare their names."""
    if node is None:
        return
    children = node.named_children
    only_position = any(child.type == "positional_separator" for child in children)
    how = "positional" if only_position else "both"
    for child in children:
        kind = child.type
        if kind == "positional_separator":
            how = "both"
        elif kind == "keyword_separator":
            how = "keyword"
        elif kind in _PARAMETERS:
            name: Node | None = child
            if kind in ("default_parameter", "typed_default_parameter"):
                name = child.child_by_field_name("name")
            elif kind == "typed_parameter":
                name = w.nth(child, 0)
            if name is None:
                continue
            if name.type == "list_splat_pattern":
                name, how_now, how = w.nth(name, 0), "*args", "keyword"
            elif name.type == "dictionary_splat_pattern":
                name, how_now = w.nth(name, 0), "**kwargs"
            else:
                how_now = how
            if name is not None:
                walk.declared(name)
                required = "default" not in kind and how_now[0] != "*"
                yield walk.text(name), how_now, required


_PARAMETERS = {
    "identifier",
    "default_parameter",
    "typed_parameter",
    "typed_default_parameter",
    "list_splat_pattern",
    "dictionary_splat_pattern",
}


def _lambda_parameters(walk: Walk, node: Node) -> None:
    for _ in _parameters(walk, node):
        pass


def _assignment(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is None:
        return
    scope = walk.scope.kind
    for target in _flat(left):
        if target.type == "attribute":
            _write(walk, target, node)
        elif scope == w.FUNCTION:
            walk.declared(target)
        else:
            name = walk.text(target)
            if name == "__all__" and scope == w.MODULE:
                _all(walk, node)
            first = name.startswith("_") and not name.endswith("__")
            walk.define(target, DefKind.CONSTANT, node, exported=not first)


def _flat(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        each = stack.pop()
        kind = each.type
        if kind in _PATTERNS:
            stack.extend(reversed(each.named_children))
        elif kind in ("identifier", "attribute"):
            yield each


def _write(walk: Walk, target: Node, node: Node | None) -> None:
    """Note an assignment to an attribute: one of self in __init__ defines it."""
    name, owner = target.child_by_field_name("attribute"), target.child_by_field_name("object")
    if name is None or owner is None:
        return
    receiver = walk.dotted(owner)
    if receiver == "self":
        walk.declared(owner)
    if (
        node is not None
        and receiver == "self"
        and walk.scope.kind == w.FUNCTION
        and walk.scope.path.endswith(".__init__")
    ):
        scope, walk.scope = walk.scope, walk.scopes[-1]
        text = walk.text(name)
        walk.define(name, DefKind.CONSTANT, node, exported=not text.startswith("_"))
        walk.scope = scope
    else:
        walk.use(name, w.WRITE, receiver)


def _all(walk: Walk, node: Node) -> None:
    right = node.child_by_field_name("right")
    walk.remember("all?", "")
    if right is not None and right.type in ("list", "tuple"):
        for child in right.named_children:
            if child.type == "string":
                walk.remember("all", walk.quoted(child))


def _augmented(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is not None and left.type == "attribute":
        _write(walk, left, None)
    elif left is not None and walk.data[left.start_byte : left.end_byte] == b"__all__":
        _all(walk, node)


def _type_alias(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    name = w.leaf_of(left, {"type": 0, "generic_type": 0})
    if name is not None:
        walk.define(name, DefKind.TYPE, node, exported=_public(walk.text(name)))


# Locals ------------------------------------------------------------------------------------------


def _bound_left(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is not None:
        for target in _flat(left):
            if target.type == "attribute":
                _write(walk, target, None)
            else:
                walk.declared(target)


def _named_expression(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))


def _as_target(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        for target in _flat(child):
            if target.type == "attribute":
                _write(walk, target, None)
            else:
                walk.declared(target)


def _dotted_pattern(walk: Walk, node: Node) -> None:
    """Say of a name in a `case` that it is bound, of a dotted one that it is compared with."""
    names = node.named_children
    if len(names) == 1:
        walk.declared(names[0])
    elif names:
        walk.use(names[-1], w.ATTRIBUTE, walk.text(node).rpartition(".")[0])


def _splat_pattern(walk: Walk, node: Node) -> None:
    walk.declared(w.nth(node, 0))


def _class_pattern(walk: Walk, node: Node) -> None:
    name = w.nth(node, 0)
    if name is not None and name.type == "dotted_name":
        receiver, _, _ = walk.text(name).rpartition(".")
        walk.use(name.named_children[-1], w.TYPE, receiver)


def _keyword_pattern(walk: Walk, node: Node) -> None:
    walk.use(w.nth(node, 0), w.KEYWORD)


# Uses --------------------------------------------------------------------------------------------


def _target(walk: Walk, node: Node, kind: str, arguments: w.Arguments = w.NO_ARGUMENTS) -> None:
    """Say how the thing that an expression names is used."""
    if node.type == "identifier":
        walk.use(node, kind, "", arguments)
    elif node.type == "attribute":
        owner = node.child_by_field_name("object")
        receiver = walk.dotted(owner)
        if receiver in ("self", "cls"):
            walk.declared(owner)
        walk.use(node.child_by_field_name("attribute"), kind, receiver, arguments)


def _call(walk: Walk, node: Node) -> None:
    target = node.child_by_field_name("function")
    if target is not None and target.type in _TARGETS:
        arguments = _arguments(walk, node.child_by_field_name("arguments"))
        _target(walk, target, w.CALL, arguments)


def _arguments(walk: Walk, node: Node | None) -> w.Arguments:
    if node is None:
        return w.NO_ARGUMENTS
    if node.type != "argument_list":
        return 1, (), False
    count, keywords, spread = 0, [], False
    for child in node.named_children:
        kind = child.type
        if kind == "keyword_argument":
            if (name := child.child_by_field_name("name")) is not None:
                walk.use(name, w.KEYWORD)
                keywords.append(walk.text(name))
        elif kind in ("list_splat", "dictionary_splat"):
            spread = True
        elif kind != "comment":
            count += 1
    return count, tuple(keywords[: w.MAX_NAMES]), spread


def _keyword(walk: Walk, node: Node) -> None:
    walk.use(node.child_by_field_name("name"), w.KEYWORD)


def _attribute(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("attribute")
    if name is None:
        return
    typed = node.start_byte < walk.types_until
    if typed or name.start_byte not in walk.roles:
        owner = node.child_by_field_name("object")
        receiver = walk.dotted(owner)
        if receiver in ("self", "cls"):
            walk.declared(owner)
        walk.use(name, w.TYPE if typed else w.ATTRIBUTE, receiver)
        if typed and owner is not None:
            _target(walk, owner, w.READ if owner.type == "identifier" else w.ATTRIBUTE)


def _type(walk: Walk, node: Node) -> None:
    walk.types_until = max(walk.types_until, node.end_byte)


def _string(walk: Walk, node: Node) -> bool:
    start, end = node.start_byte, node.end_byte
    if end - start <= 420:
        match = _STRING.fullmatch(walk.data, start, end)
        if match is not None:
            content = match.group(2).decode("utf-8", "replace")
            if "{" not in content:
                walk.string(match.start(2), content)
    return walk.data[start : start + 2].lower().find(b"f") < 0


# Imports -----------------------------------------------------------------------------------------


def _import(walk: Walk, node: Node) -> bool:
    for child in node.named_children:
        name: Node | None = child
        alias = ""
        if child.type == "aliased_import":
            name, alias = _aliased(walk, child)
        if name is not None and name.type == "dotted_name" and name.named_children:
            module = "".join(walk.text(name).split())
            walk.imported(node, module, "", alias)
            walk.emit(name.named_children[-1], w.IMPORT, module.rpartition(".")[0])
    return True


def _aliased(walk: Walk, node: Node) -> tuple[Node | None, str]:
    alias = node.child_by_field_name("alias")
    return node.child_by_field_name("name"), "" if alias is None else walk.text(alias)


def _import_from(walk: Walk, node: Node) -> bool:
    source = node.child_by_field_name("module_name")
    module = "__future__" if source is None else "".join(walk.text(source).split())
    for child in node.named_children:
        if child == source:
            continue
        if child.type == "wildcard_import":
            walk.imported(node, module, "*")
            continue
        name: Node | None = child
        alias = ""
        if child.type == "aliased_import":
            name, alias = _aliased(walk, child)
        if name is not None and name.type == "dotted_name":
            walk.imported(node, module, walk.text(name), alias)
            walk.emit(name, w.IMPORT, module)
    return True


def _if(walk: Walk, node: Node) -> None:
    walk.guard(node)


def _try(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type == "except_clause":
            value = w.nth(child, 0)
            head = walk.data[child.start_byte : child.start_byte + 200].partition(b"\n")[0]
            if value is not None and _CATCHES.search(head):
                walk.guard(node.child_by_field_name("body"))
                return


def _finish(walk: Walk) -> None:
    """What `__all__` lists is exported, and with it nothing else but by name."""
    listed = walk.names.get("all", set())
    if not listed:
        return
    for index, row in enumerate(walk.definitions):
        if row[2] == "" and row[0] in listed and not row[9]:
            walk.definitions[index] = (*row[:9], True)
    for index, imported in enumerate(walk.imports):
        module, name, alias, line, guarded, _ = imported
        if (alias or name or module) in listed:
            walk.imports[index] = (module, name, alias, line, guarded, True)


PYTHON = Strategy(
    leaves={"identifier": w.READ},
    handlers={
        "aliased_import": _import,
        "as_pattern_target": _as_target,
        "assignment": _assignment,
        "attribute": _attribute,
        "augmented_assignment": _augmented,
        "call": _call,
        "class_definition": _class,
        "class_pattern": _class_pattern,
        "decorated_definition": _decorated,
        "dotted_name": _dotted_pattern,
        "for_in_clause": _bound_left,
        "for_statement": _bound_left,
        "function_definition": _function,
        "future_import_statement": _import_from,
        "if_statement": _if,
        "import_from_statement": _import_from,
        "import_statement": _import,
        "keyword_argument": _keyword,
        "keyword_pattern": _keyword_pattern,
        "lambda_parameters": _lambda_parameters,
        "named_expression": _named_expression,
        "splat_pattern": _splat_pattern,
        "string": _string,
        "try_statement": _try,
        "type": _type,
        "type_alias_statement": _type_alias,
    },
    skipped=["comment"],
    finish=_finish,
)
