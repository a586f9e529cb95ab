"""What a PHP file defines, uses and imports."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_PARAMETERS = {"simple_parameter", "property_promotion_parameter", "variadic_parameter"}
_NAMES = {"name", "qualified_name"}
_RELATIVE = {"self", "static", "parent"}


def _leaf(node: Node | None) -> Node | None:
    """Return the last part of a name, and a variable's name without its dollar."""
    while node is not None and node.type != "name":
        if node.type == "qualified_name":
            node = w.nth(node, -1)
        elif node.type in ("variable_name", "by_ref"):
            node = w.nth(node, 0)
        else:
            return None
    return node


# Definitions -------------------------------------------------------------------------------------


def _exported(walk: Walk, node: Node) -> bool:
    return "private" not in w.words(walk, node, "visibility_modifier")


def _first(node: Node) -> Node:
    for child in node.children:
        if child.type != "attribute_list":
            return child
    return node


def _attributes(walk: Walk, node: Node) -> list[str]:
    attributes = node.child_by_field_name("attributes")
    return [
        walk.dotted(w.nth(attribute, 0))
        for group in (() if attributes is None else attributes.named_children)
        for attribute in group.named_children
    ]


def _class(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    bases = []
    for clause in node.named_children:
        if clause.type in ("base_clause", "class_interface_clause"):
            for child in clause.named_children:
                if child.type in _NAMES:
                    _mark(walk, child, w.OVERRIDE)
                    bases.append(walk.dotted(child))
    walk.define(
        name,
        DefKind.CLASS,
        node,
        first=_first(node),
        body=node.child_by_field_name("body"),
        opens=w.CLASS,
        bases=bases,
        decorators=_attributes(walk, node),
    )


def _function(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        walk.define(
            name,
            DefKind.METHOD if walk.scope.kind == w.CLASS else DefKind.FUNCTION,
            node,
            first=_first(node),
            body=node.child_by_field_name("body"),
            opens=w.FUNCTION,
            parameters=_parameters(walk, node),
            decorators=_attributes(walk, node),
            exported=_exported(walk, node),
        )


def _parameters(walk: Walk, function: Node) -> Iterator[ParameterRow]:
    parameters = function.child_by_field_name("parameters")
    for child in () if parameters is None else parameters.named_children:
        if child.type in _PARAMETERS:
            name = _leaf(child.child_by_field_name("name"))
            text = "" if name is None else walk.text(name)
            if child.type == "variadic_parameter":
                yield text, "*args", False
            else:
                yield text, "both", child.child_by_field_name("default_value") is None


def _promoted(walk: Walk, node: Node) -> None:
    name = _leaf(node.child_by_field_name("name"))
    if name is not None and walk.scopes:
        scope, walk.scope = walk.scope, walk.scopes[-1]
        walk.define(name, DefKind.CONSTANT, node, exported=_exported(walk, node))
        walk.scope = scope


def _members(walk: Walk, node: Node) -> None:
    exported = _exported(walk, node)
    for child in node.named_children:
        if child.type in ("const_element", "property_element"):
            name = _leaf(child.child_by_field_name("name") or w.nth(child, 0))
            if name is not None:
                walk.define(name, DefKind.CONSTANT, node, exported=exported)


def _case(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        walk.define(name, DefKind.CONSTANT, node)


def _namespace(walk: Walk, node: Node) -> None:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None:
        return
    before, _, last = "".join(walk.text(name).split()).replace("\\", ".").rpartition(".")
    if body is None:
        walk.define(last, DefKind.MODULE, node, scope=before)
    else:
        walk.define(last, DefKind.MODULE, node, body=body, opens=w.MODULE, scope=before)


def _traits(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type in _NAMES:
            _mark(walk, child, w.OVERRIDE)


# Locals ------------------------------------------------------------------------------------------


def _declared_name(walk: Walk, node: Node) -> None:
    walk.declared(_leaf(node.child_by_field_name("name")))


def _declared_variables(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type in ("variable_name", "static_variable_declaration"):
            walk.declared(_leaf(child.child_by_field_name("name") or child))


def _foreach(walk: Walk, node: Node) -> None:
    target = w.nth(node, 1)
    if target is None:
        return
    for each in target.named_children if target.type == "pair" else [target]:
        if each.type in ("variable_name", "by_ref"):
            walk.declared(_leaf(each))


def _assignment(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is None:
        return
    if left.type in ("member_access_expression", "nullsafe_member_access_expression"):
        owner = walk.dotted(left.child_by_field_name("object"))
        walk.use(_leaf(left.child_by_field_name("name")), w.WRITE, owner)
    elif left.type == "scoped_property_access_expression":
        owner = walk.dotted(left.child_by_field_name("scope"))
        walk.use(_leaf(left.child_by_field_name("name")), w.WRITE, owner)
    elif left.type == "variable_name" and node.type != "augmented_assignment_expression":
        walk.declared(_leaf(left))


# Uses --------------------------------------------------------------------------------------------


def _mark(
    walk: Walk, node: Node, kind: str, arguments: w.Arguments = w.NO_ARGUMENTS, new: str = ""
) -> None:
    """Say how a name is used, with or without the namespace it is in."""
    before = walk.dotted(node).rpartition("\\")[0] if node.type == "qualified_name" else ""
    receiver = f"{new} {before}".strip()
    walk.use(_leaf(node), kind, receiver, arguments)


def _call(walk: Walk, node: Node) -> None:
    target = node.child_by_field_name("function")
    if target is None or target.type not in (*_NAMES, "variable_name"):
        return
    if target.type == "name" and walk.text(target) == "define":
        _define(walk, node)
    _mark(walk, target, w.CALL, _arguments(walk, node))


def _define(walk: Walk, call: Node) -> None:
    arguments = call.child_by_field_name("arguments")
    first = None if arguments is None else w.nth(arguments, 0)
    string = None if first is None else w.nth(first, 0)
    if string is not None and string.type in ("string", "encapsed_string"):
        walk.claimed[string.id] = call
        walk.define(walk.quoted(string), DefKind.CONSTANT, call, scope="")


def _member_call(walk: Walk, node: Node) -> None:
    owner = node.child_by_field_name("object") or node.child_by_field_name("scope")
    name = _leaf(node.child_by_field_name("name"))
    walk.use(name, w.CALL, walk.dotted(owner), _arguments(walk, node))


def _new(walk: Walk, node: Node) -> None:
    target = w.nth(node, 0)
    if target is not None and target.type in _NAMES:
        if walk.text(target) in _RELATIVE:
            walk.declared(target)
        else:
            _mark(walk, target, w.CALL, _arguments(walk, node), "new")


def _attribute(walk: Walk, node: Node) -> None:
    target = w.nth(node, 0)
    if target is not None:
        _mark(walk, target, w.DECORATOR, _arguments(walk, node))


def _arguments(walk: Walk, call: Node) -> w.Arguments:
    arguments = call.child_by_field_name("arguments") or w.find(call, "arguments")
    count, keywords, spread = 0, [], False
    for child in () if arguments is None else arguments.named_children:
        name = child.child_by_field_name("name")
        first = w.nth(child, 0)
        if name is not None:
            walk.use(name, w.KEYWORD)
            keywords.append(walk.text(name))
        elif first is not None and first.type == "variadic_unpacking":
            spread = True
        elif child.type != "comment":
            count += 1
    return count, tuple(keywords[: w.MAX_NAMES]), spread


def _access(walk: Walk, node: Node) -> None:
    name = _leaf(node.child_by_field_name("name"))
    owner = node.child_by_field_name("object") or node.child_by_field_name("scope")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(owner))


def _class_constant(walk: Walk, node: Node) -> None:
    owner, name = w.nth(node, 0), w.nth(node, 1)
    if name is not None and name.type == "name":
        walk.use(name, w.ATTRIBUTE, walk.dotted(owner))


def _named_type(walk: Walk, node: Node) -> None:
    name = w.nth(node, 0)
    if name is not None and walk.text(name) in _RELATIVE:
        walk.declared(name)
    elif name is not None:
        _mark(walk, name, w.TYPE)


def _binary(walk: Walk, node: Node) -> None:
    operator, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
    if operator is not None and operator.type == "instanceof" and right is not None:
        _mark(walk, right, w.TYPE)


def _qualified(walk: Walk, node: Node) -> None:
    name = w.nth(node, -1)
    if name is not None and name.start_byte not in walk.roles:
        _mark(walk, node, w.READ)


def _variable(walk: Walk, node: Node) -> bool:
    return walk.data[node.start_byte : node.end_byte] == b"$this"


def _string(walk: Walk, node: Node) -> bool | None:
    if node.id in walk.claimed:
        return True
    start, end = node.start_byte, node.end_byte
    content = w.nth(node, 0)
    if end - start > 400 or node.named_child_count != 1 or content is None:
        return None
    if content.type == "string_content":
        text = walk.data[content.start_byte : content.end_byte].decode("utf-8", "replace")
        walk.string(content.start_byte, text)
    return None


# Imports -----------------------------------------------------------------------------------------


def _use(walk: Walk, node: Node) -> bool:
    group = node.child_by_field_name("body")
    prefix_node = w.find(node, "namespace_name") if group is not None else None
    prefix = "" if prefix_node is None else walk.text(prefix_node)
    whole = _what(node)
    for clause in (node if group is None else group).named_children:
        if clause.type != "namespace_use_clause":
            continue
        path, alias = w.nth(clause, 0), clause.child_by_field_name("alias")
        if path is None:
            continue
        written = "\\".join(part for part in (prefix, walk.text(path)) if part)
        before, _, name = written.rpartition("\\")
        called = "" if alias is None else walk.text(alias)
        if whole or _what(clause):
            walk.imported(clause, before, name, called)
        else:
            walk.imported(clause, written, "", called)
        leaf = _leaf(path)
        if leaf is not None:
            walk.emit(leaf, w.IMPORT, before)
    return True


def _what(node: Node) -> bool:
    """Say whether a function or a constant is imported, not a class."""
    return any(child.type in ("function", "const") for child in node.children)


def _require(walk: Walk, node: Node) -> bool | None:
    path = w.nth(node, 0)
    while path is not None and path.type == "parenthesized_expression":
        path = w.nth(path, 0)
    before = ""
    if path is not None and path.type == "binary_expression":
        left = path.child_by_field_name("left")
        before = "." if left is not None and walk.text(left) == "__DIR__" else "?"
        path = path.child_by_field_name("right")
    if before == "?" or path is None or path.named_child_count != 1:
        return None
    if path.type not in ("string", "encapsed_string"):
        return None
    walk.imported(node, before + walk.quoted(path))
    return True


def _if(walk: Walk, node: Node) -> None:
    walk.guard(node)


PHP = Strategy(
    leaves={"name": w.READ},
    handlers={
        "assignment_expression": _assignment,
        "attribute": _attribute,
        "augmented_assignment_expression": _assignment,
        "binary_expression": _binary,
        "catch_clause": _declared_name,
        "class_constant_access_expression": _class_constant,
        "class_declaration": _class,
        "const_declaration": _members,
        "encapsed_string": _string,
        "enum_case": _case,
        "enum_declaration": _class,
        "foreach_statement": _foreach,
        "function_call_expression": _call,
        "function_definition": _function,
        "function_static_declaration": _declared_variables,
        "global_declaration": _declared_variables,
        "if_statement": _if,
        "include_expression": _require,
        "include_once_expression": _require,
        "interface_declaration": _class,
        "member_access_expression": _access,
        "member_call_expression": _member_call,
        "method_declaration": _function,
        "named_type": _named_type,
        "namespace_definition": _namespace,
        "namespace_use_declaration": _use,
        "nullsafe_member_access_expression": _access,
        "nullsafe_member_call_expression": _member_call,
        "object_creation_expression": _new,
        "property_declaration": _members,
        "property_promotion_parameter": _promoted,
        "qualified_name": _qualified,
        "require_expression": _require,
        "require_once_expression": _require,
        "scoped_call_expression": _member_call,
        "scoped_property_access_expression": _access,
        "simple_parameter": _declared_name,
        "string": _string,
        "trait_declaration": _class,
        "use_declaration": _traits,
        "variable_name": _variable,
        "variadic_parameter": _declared_name,
    },
    skipped=["comment", "namespace_name", "relative_scope"],
)
