"""What a C# file defines, uses and imports."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_STEPS: dict[str, str | int] = {
    "member_access_expression": "name",
    "conditional_access_expression": -1,
    "member_binding_expression": "name",
    "generic_name": 0,
    "qualified_name": "name",
    "alias_qualified_name": "name",
    "nullable_type": "type",
    "array_type": "type",
}
_OWNERS = ("expression", "condition", "qualifier", "alias")
_VISIBLE = {"public", "protected", "internal"}


# Definitions -------------------------------------------------------------------------------------


def _exported(walk: Walk, node: Node) -> bool:
    """Say whether a member is visible: those of a class are not unless they say so."""
    modifiers = w.words(walk, node, "modifier")
    if "private" in modifiers and "protected" not in modifiers:
        return False
    return not walk.scope.hidden or bool(modifiers & _VISIBLE)


def _first(node: Node) -> Node:
    """Return where the head begins: after the attributes."""
    for child in node.children:
        if child.type != "attribute_list":
            return child
    return node


def _attributes(walk: Walk, node: Node) -> list[str]:
    return [
        walk.dotted(attribute.child_by_field_name("name"))
        for child in node.named_children
        if child.type == "attribute_list"
        for attribute in child.named_children
        if attribute.type == "attribute"
    ]


def _class(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    record = w.find(node, "parameter_list")
    walk.define(
        name,
        DefKind.CLASS,
        node,
        first=_first(node),
        body=node.child_by_field_name("body"),
        opens=w.CLASS,
        parameters=None if record is None else list(_parameters(walk, record)),
        bases=_bases(walk, node),
        decorators=_attributes(walk, node),
        exported=_exported(walk, node),
    )
    if record is not None and node.type == "record_declaration":
        for child in record.named_children:
            field = child.child_by_field_name("name")
            if field is not None:
                walk.define(field, DefKind.CONSTANT, child)
    walk.scope.hidden = node.type not in ("interface_declaration", "enum_declaration")


def _bases(walk: Walk, node: Node) -> list[str]:
    bases = []
    clause = w.find(node, "base_list")
    for child in () if clause is None else clause.named_children:
        what: Node | None = child
        if child.type == "primary_constructor_base_type":
            what = child.child_by_field_name("type") or w.nth(child, 0)
        leaf = w.leaf_of(what, _STEPS)
        if what is not None and leaf is not None and leaf.type == "identifier":
            text = walk.dotted(what).partition("<")[0]
            walk.use(leaf, w.OVERRIDE, text.rpartition(".")[0])
            bases.append(text)
    return bases


def _delegate(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    _typed(walk, node)
    if name is not None:
        parameters = node.child_by_field_name("parameters")
        rows = [] if parameters is None else list(_parameters(walk, parameters))
        exported = _exported(walk, node)
        walk.define(name, DefKind.TYPE, node, parameters=rows, exported=exported)


def _method(walk: Walk, node: Node) -> None:
    _typed(walk, node)
    name: Node | str | None = node.child_by_field_name("name")
    if node.type == "indexer_declaration":
        name = "this[]"
    elif node.type == "operator_declaration":
        name = f"operator {walk.dotted(node.child_by_field_name('operator'))}"
    elif node.type == "destructor_declaration" and isinstance(name, Node):
        walk.declared(name)
        name = f"~{walk.text(name)}"
    if name is None:
        return
    parameters = node.child_by_field_name("parameters")
    explicit = w.find(node, "explicit_interface_specifier") is not None
    local = node.type == "local_function_statement"
    walk.define(
        name,
        DefKind.FUNCTION if local else DefKind.METHOD,
        node,
        first=_first(node),
        body=node.child_by_field_name("body") or node.child_by_field_name("accessors"),
        opens=w.FUNCTION,
        parameters=[] if parameters is None else list(_parameters(walk, parameters)),
        decorators=_attributes(walk, node),
        exported=explicit or _exported(walk, node),
    )


def _parameters(walk: Walk, parameters: Node) -> Iterator[ParameterRow]:
    """Yield the parameters; the grammar has the fields of a `params` one in the list itself."""
    for child in parameters.named_children:
        if child.type == "parameter":
            name = child.child_by_field_name("name")
            modifiers = w.words(walk, child, "modifier")
            if "this" in modifiers:
                continue
            required = all(each.type != "=" for each in child.children)
            text = "" if name is None else walk.text(name)
            if "params" in modifiers:
                yield text, "*args", False
            else:
                yield text, "both", required
    last = parameters.child_by_field_name("name")
    if last is not None:
        yield walk.text(last), "*args", False


def _property(walk: Walk, node: Node) -> None:
    _typed(walk, node)
    name = node.child_by_field_name("name")
    if name is not None:
        walk.define(
            name,
            DefKind.CONSTANT,
            node,
            first=_first(node),
            body=node.child_by_field_name("accessors") or node.child_by_field_name("value"),
            opens=w.FUNCTION,
            decorators=_attributes(walk, node),
            exported=_exported(walk, node),
        )


def _field(walk: Walk, node: Node) -> None:
    declaration = w.find(node, "variable_declaration")
    decorators, exported = _attributes(walk, node), _exported(walk, node)
    for child in () if declaration is None else declaration.named_children:
        name = child.child_by_field_name("name")
        if child.type == "variable_declarator" and name is not None:
            walk.define(
                name,
                DefKind.CONSTANT,
                node,
                first=_first(node),
                decorators=decorators,
                exported=exported,
            )


def _enum_member(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        scope, walk.scope.hidden = walk.scope, False
        walk.define(name, DefKind.CONSTANT, node)
        walk.scope = scope


def _namespace(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    path = "".join(walk.text(name).split())
    before, _, last = path.rpartition(".")
    _declare_path(walk, name)
    scope = ".".join(part for part in (walk.scope.path, before) if part)
    body = node.child_by_field_name("body")
    if body is None:  # for the rest of the file
        walk.define(last, DefKind.MODULE, node, scope=scope)
        walk.scope.path = path
    else:
        walk.define(last, DefKind.MODULE, node, body=body, opens=w.MODULE, scope=scope)


def _declare_path(walk: Walk, name: Node) -> None:
    stack = [name]
    while stack:
        each = stack.pop()
        walk.declared(each)
        if each.type == "qualified_name":
            stack.extend(each.named_children)
            leaf = each.child_by_field_name("name")
            if leaf is not None:
                walk.roles[leaf.start_byte] = None


# Locals ------------------------------------------------------------------------------------------


def _declared_name(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))
    _typed(walk, node)


def _foreach(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is not None and left.type == "identifier":
        walk.declared(left)
    _typed(walk, node)


def _labeled(walk: Walk, node: Node) -> None:
    walk.declared(w.nth(node, 0))


def _parameter_list(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))
    _typed(walk, node)


# Uses --------------------------------------------------------------------------------------------


def _type(walk: Walk, node: Node | None) -> None:
    """Say that a bare or dotted name is a type; what is built of types says it by itself."""
    if node is None:
        return
    if node.type == "identifier":
        walk.use(node, w.TYPE)
    elif node.type == "qualified_name":
        leaf = w.leaf_of(node, _STEPS)
        walk.use(leaf, w.TYPE, walk.dotted(node.child_by_field_name("qualifier")))


def _typed(walk: Walk, node: Node) -> None:
    _type(walk, node.child_by_field_name("type") or node.child_by_field_name("returns"))


def _of_types(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        _type(walk, child)


def _generic(walk: Walk, node: Node) -> None:
    walk.use(w.nth(node, 0), w.TYPE)


def _constraint(walk: Walk, node: Node) -> None:
    walk.use(w.nth(node, 0), w.TYPE)


def _invocation(walk: Walk, node: Node) -> None:
    _mark(walk, node.child_by_field_name("function"), w.CALL, node)


def _creation(walk: Walk, node: Node) -> None:
    _mark(walk, node.child_by_field_name("type"), w.CALL, node, "new")


def _attribute(walk: Walk, node: Node) -> None:
    _mark(walk, node.child_by_field_name("name"), w.DECORATOR, node)


def _mark(walk: Walk, target: Node | None, kind: str, call: Node, new: str = "") -> None:
    """Say how the thing that an expression names is used."""
    leaf = w.leaf_of(target, _STEPS)
    if target is None or leaf is None or leaf.type != "identifier":
        return
    owner = ""
    for field in _OWNERS if leaf != target else ():
        found = target.child_by_field_name(field)
        if found is not None:
            owner = walk.dotted(found)
            break
    receiver = f"{new} {owner}".strip()
    walk.use(leaf, kind, receiver, _arguments(walk, call))


def _arguments(walk: Walk, call: Node) -> w.Arguments:
    arguments = call.child_by_field_name("arguments") or w.find(call, "attribute_argument_list")
    count, keywords = 0, []
    for child in () if arguments is None else arguments.named_children:
        name = child.child_by_field_name("name")
        if name is not None:
            walk.use(name, w.KEYWORD)
            keywords.append(walk.text(name))
        elif child.type != "comment":
            count += 1
    return count, tuple(keywords[: w.MAX_NAMES]), False


def _argument(walk: Walk, node: Node) -> None:
    walk.use(node.child_by_field_name("name"), w.KEYWORD)


def _initializer(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        left = child.child_by_field_name("left") if "assignment" in child.type else None
        if left is not None and left.type == "identifier":
            walk.use(left, w.KEYWORD)


def _member(walk: Walk, node: Node) -> None:
    name = w.leaf_of(node.child_by_field_name("name"), _STEPS)
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("expression")))


def _conditional(walk: Walk, node: Node) -> None:
    binding = w.nth(node, -1)
    if binding is not None and binding.type == "member_binding_expression":
        owner = walk.dotted(node.child_by_field_name("condition"))
        walk.use(binding.child_by_field_name("name"), w.ATTRIBUTE, owner)


def _qualified(walk: Walk, node: Node) -> None:
    name = w.leaf_of(node, _STEPS)
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("qualifier")))


def _assignment(walk: Walk, node: Node) -> None:
    left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
    if left is None:
        return
    if left.type == "member_access_expression":
        owner = walk.dotted(left.child_by_field_name("expression"))
        walk.use(left.child_by_field_name("name"), w.WRITE, owner)
    elif left.type == "identifier" and (operator is None or operator.type == "="):
        walk.declared(left)


def _is(walk: Walk, node: Node) -> None:
    right = node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    if operator is not None and operator.type in ("is", "as"):
        _type(walk, right)


def _string(walk: Walk, node: Node) -> bool:
    start, end = node.start_byte, node.end_byte
    if end - start <= 400:
        raw = walk.data[start:end]
        skip = 2 if raw[:1] == b"@" else 1
        walk.string(start + skip, raw[skip:-1].decode("utf-8", "replace"))
    return True


def _using(walk: Walk, node: Node) -> bool:
    alias = node.child_by_field_name("name")
    target = w.nth(node, -1)
    if target is None or target == alias:
        return True
    module = "".join(walk.text(target).split())
    everywhere = any(child.type == "global" for child in node.children)
    if alias is not None:
        walk.imported(node, module, "", walk.text(alias), everywhere)
    else:
        walk.imported(node, module, "*", "", everywhere)
    leaf = w.leaf_of(target, _STEPS)
    if leaf is not None and leaf.type == "identifier":
        before = module.partition("<")[0].rpartition(".")[0]
        walk.emit(leaf, w.IMPORT, before)
    return True


CSHARP = Strategy(
    leaves={"identifier": w.READ},
    handlers={
        "argument": _argument,
        "array_type": _declared_name,
        "as_expression": _is,
        "assignment_expression": _assignment,
        "attribute": _attribute,
        "binary_expression": _is,
        "cast_expression": _declared_name,
        "catch_declaration": _declared_name,
        "class_declaration": _class,
        "conditional_access_expression": _conditional,
        "constructor_declaration": _method,
        "declaration_expression": _declared_name,
        "declaration_pattern": _declared_name,
        "delegate_declaration": _delegate,
        "destructor_declaration": _method,
        "enum_declaration": _class,
        "enum_member_declaration": _enum_member,
        "event_field_declaration": _field,
        "field_declaration": _field,
        "file_scoped_namespace_declaration": _namespace,
        "foreach_statement": _foreach,
        "generic_name": _generic,
        "indexer_declaration": _method,
        "initializer_expression": _initializer,
        "interface_declaration": _class,
        "invocation_expression": _invocation,
        "labeled_statement": _labeled,
        "local_function_statement": _method,
        "member_access_expression": _member,
        "method_declaration": _method,
        "namespace_declaration": _namespace,
        "nullable_type": _declared_name,
        "object_creation_expression": _creation,
        "operator_declaration": _method,
        "parameter": _declared_name,
        "parameter_list": _parameter_list,
        "property_declaration": _property,
        "qualified_name": _qualified,
        "record_declaration": _class,
        "string_literal": _string,
        "struct_declaration": _class,
        "tuple_element": _declared_name,
        "type_argument_list": _of_types,
        "type_parameter": _declared_name,
        "type_parameter_constraint": _declared_name,
        "type_parameter_constraints_clause": _constraint,
        "typeof_expression": _declared_name,
        "using_directive": _using,
        "variable_declaration": _declared_name,
        "variable_declarator": _declared_name,
        "verbatim_string_literal": _string,
    },
    skipped=["comment"],
)
