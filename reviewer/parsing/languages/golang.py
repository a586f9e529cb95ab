"""What a Go file defines, uses and imports."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_TYPE_STEPS: dict[str, str | int] = {
    "pointer_type": 0,
    "generic_type": "type",
    "qualified_type": "name",
    "parenthesized_type": 0,
    "type_elem": 0,
}
_BY_INDEX = {"map_type", "slice_type", "array_type", "implicit_length_array_type"}


def _public(name: str) -> bool:
    return name[:1].isupper()


# Definitions -------------------------------------------------------------------------------------


def _function(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    scope, kind = None, DefKind.FUNCTION
    receiver = node.child_by_field_name("receiver")
    if receiver is not None:
        kind = DefKind.METHOD
        declaration = w.find(receiver, "parameter_declaration")
        owner = declaration.child_by_field_name("type") if declaration is not None else None
        leaf = w.leaf_of(owner, _TYPE_STEPS)
        scope = "" if leaf is None else walk.text(leaf)
    walk.define(
        name,
        kind,
        node,
        body=node.child_by_field_name("body"),
        opens=w.FUNCTION,
        scope=scope,
        parameters=_parameters(walk, node),
        exported=_public(walk.text(name)),
    )


def _method_elem(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        walk.define(
            name,
            DefKind.METHOD,
            node,
            opens=w.FUNCTION,
            parameters=_parameters(walk, node),
            exported=_public(walk.text(name)),
        )


def _parameters(walk: Walk, function: Node) -> Iterator[ParameterRow]:
    parameters = function.child_by_field_name("parameters")
    for child in () if parameters is None else parameters.named_children:
        if child.type == "comment":
            continue
        variadic = child.type == "variadic_parameter_declaration"
        how = "*args" if variadic else "positional"
        names = child.children_by_field_name("name")
        for name in names:
            yield walk.text(name), how, not variadic
        if not names:
            yield "", how, not variadic


def _type_spec(walk: Walk, node: Node) -> None:
    name, what = node.child_by_field_name("name"), node.child_by_field_name("type")
    if name is None:
        return
    exported = _public(walk.text(name))
    if what is not None and what.type in ("struct_type", "interface_type"):
        bases = [
            walk.dotted(base)
            for child in what.named_children
            for member in ([child] if child.type == "type_elem" else child.named_children)
            if (base := _embedded(walk, member)) is not None
        ]
        body = what.child(1) if what.child_count > 1 else None
        walk.define(
            name, DefKind.CLASS, node, body=body, opens=w.CLASS, bases=bases, exported=exported
        )
    else:
        walk.define(name, DefKind.TYPE, node, exported=exported)


def _embedded(walk: Walk, member: Node) -> Node | None:
    """Return the type that a struct or interface embeds, if the member is that."""
    what: Node | None
    if member.type == "type_elem":
        if member.named_child_count != 1:
            return None
        what = w.nth(member, 0)
    elif member.type == "field_declaration" and member.child_by_field_name("name") is None:
        what = member.child_by_field_name("type")
    else:
        return None
    while what is not None and what.type in ("pointer_type", "generic_type"):
        what = w.nth(what, 0)
    leaf = w.leaf_of(what, _TYPE_STEPS)
    if what is None or leaf is None or leaf.type != "type_identifier":
        return None
    walk.use(leaf, w.OVERRIDE, walk.dotted(what).rpartition(".")[0])
    return what


def _constant(walk: Walk, node: Node) -> None:
    for name in node.children_by_field_name("name"):
        if name.type not in ("identifier", "field_identifier"):
            continue
        if walk.scope.kind == w.FUNCTION:
            walk.declared(name)
        elif (text := walk.text(name)) != "_":
            walk.define(name, DefKind.CONSTANT, node, exported=_public(text))
        else:
            walk.declared(name)


# Locals ------------------------------------------------------------------------------------------


def _named(walk: Walk, node: Node) -> None:
    for name in node.children_by_field_name("name"):
        walk.declared(name)


def _bound_left(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left") or node.child_by_field_name("alias")
    if left is not None:
        _bind(walk, left, False)


def _assignment(walk: Walk, node: Node) -> None:
    left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
    if left is not None and operator is not None:
        _bind(walk, left, operator.type != "=")


def _bind(walk: Walk, left: Node, reads: bool) -> None:
    for target in left.named_children if left.type == "expression_list" else [left]:
        if target.type == "selector_expression":
            owner = walk.dotted(target.child_by_field_name("operand"))
            walk.use(target.child_by_field_name("field"), w.WRITE, owner)
        elif target.type == "identifier" and not reads:
            walk.declared(target)


# Uses --------------------------------------------------------------------------------------------


def _call(walk: Walk, node: Node) -> None:
    target = node.child_by_field_name("function")
    while target is not None and target.type in (
        "parenthesized_expression",
        "index_expression",
        "type_instantiation_expression",
    ):
        target = w.nth(target, 0)
    if target is None:
        return
    if target.type == "identifier":
        walk.use(target, w.CALL, "", _arguments(node))
    elif target.type == "selector_expression":
        owner = walk.dotted(target.child_by_field_name("operand"))
        walk.use(target.child_by_field_name("field"), w.CALL, owner, _arguments(node))


def _arguments(call: Node) -> w.Arguments:
    arguments = call.child_by_field_name("arguments")
    count, spread = 0, False
    for child in () if arguments is None else arguments.named_children:
        if child.type == "variadic_argument":
            spread = True
        elif child.type != "comment":
            count += 1
    return count, (), spread


def _conversion(walk: Walk, node: Node) -> None:
    """Say that `F[int](x)` is a call: the grammar takes it for a conversion to a type."""
    what = node.child_by_field_name("type")
    if what is not None and what.type == "generic_type":
        owner = what.child_by_field_name("type")
        leaf = w.leaf_of(owner, _TYPE_STEPS)
        receiver = walk.dotted(owner).rpartition(".")[0]
        walk.use(leaf, w.CALL, receiver, (1, (), False))


def _selector(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("field")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("operand")))


def _qualified(walk: Walk, node: Node) -> None:
    owner = walk.dotted(node.child_by_field_name("package"))
    walk.use(node.child_by_field_name("name"), w.TYPE, owner)


def _literal(walk: Walk, node: Node) -> None:
    what, body = node.child_by_field_name("type"), node.child_by_field_name("body")
    if what is not None and body is not None and what.type in _BY_INDEX:
        for child in body.named_children:
            if child.type == "keyed_element" and (key := _key(child)) is not None:
                walk.use(key, w.READ)


def _keyed(walk: Walk, node: Node) -> None:
    walk.use(_key(node), w.KEYWORD)


def _key(node: Node) -> Node | None:
    key = node.child_by_field_name("key")
    leaf = None if key is None else w.nth(key, 0)
    return leaf if leaf is not None and leaf.type == "identifier" else None


def _string(walk: Walk, node: Node) -> bool:
    start, end = node.start_byte, node.end_byte
    if end - start <= 400:
        walk.string(start + 1, walk.data[start + 1 : end - 1].decode("utf-8", "replace"))
    return True


def _import(walk: Walk, node: Node) -> bool:
    path, name = node.child_by_field_name("path"), node.child_by_field_name("name")
    if path is not None:
        alias = "" if name is None else walk.text(name)
        taken = "*" if alias == "." else ""
        walk.imported(node, walk.quoted(path), taken, "" if taken else alias)
    return True


GO = Strategy(
    leaves={
        "field_identifier": w.ATTRIBUTE,
        "identifier": w.READ,
        "package_identifier": w.READ,
        "type_identifier": w.TYPE,
    },
    handlers={
        "assignment_statement": _assignment,
        "call_expression": _call,
        "composite_literal": _literal,
        "const_spec": _constant,
        "field_declaration": _constant,
        "function_declaration": _function,
        "import_spec": _import,
        "interpreted_string_literal": _string,
        "keyed_element": _keyed,
        "method_declaration": _function,
        "method_elem": _method_elem,
        "parameter_declaration": _named,
        "qualified_type": _qualified,
        "range_clause": _bound_left,
        "raw_string_literal": _string,
        "receive_statement": _bound_left,
        "selector_expression": _selector,
        "short_var_declaration": _bound_left,
        "type_alias": _type_spec,
        "type_conversion_expression": _conversion,
        "type_parameter_declaration": _named,
        "type_spec": _type_spec,
        "type_switch_statement": _bound_left,
        "var_spec": _constant,
        "variadic_parameter_declaration": _named,
    },
    skipped=["comment", "package_clause"],
)
