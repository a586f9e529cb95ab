"""What a Java file defines, uses and imports."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_TYPE_STEPS: dict[str, str | int] = {
    "generic_type": 0,
    "scoped_type_identifier": -1,
    "annotated_type": -1,
    "array_type": "element",
}
_PARAMETERS = {"formal_parameter", "spread_parameter"}


# Definitions -------------------------------------------------------------------------------------


def _class(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    parameters = None
    if node.type == "record_declaration":
        parameters = list(_parameters(walk, node))
    walk.define(
        name,
        DefKind.CLASS,
        node,
        first=_first(node),
        body=node.child_by_field_name("body"),
        opens=w.CLASS,
        parameters=parameters,
        bases=_bases(walk, node),
        decorators=_annotations(walk, node),
        exported=_exported(walk, node),
    )
    fields = node.child_by_field_name("parameters")
    for child in fields.named_children if fields is not None else ():
        field = child.child_by_field_name("name")
        if field is not None:
            walk.define(field, DefKind.CONSTANT, child)


def _exported(walk: Walk, node: Node) -> bool:
    return "private" not in w.words(walk, node, "modifiers")


def _first(node: Node) -> Node:
    """Return where the head begins: after the annotations."""
    modifiers = w.nth(node, 0)
    if modifiers is None or modifiers.type != "modifiers":
        return node
    for child in modifiers.children:
        if "annotation" not in child.type:
            return child
    return modifiers.next_sibling or node


def _annotations(walk: Walk, node: Node) -> list[str]:
    modifiers = w.nth(node, 0)
    if modifiers is None or modifiers.type != "modifiers":
        return []
    return [
        walk.dotted(child.child_by_field_name("name"))
        for child in modifiers.named_children
        if "annotation" in child.type
    ]


def _bases(walk: Walk, node: Node) -> list[str]:
    bases = []
    for clause in node.named_children:
        if clause.type not in ("superclass", "super_interfaces", "extends_interfaces"):
            continue
        for child in clause.named_children:
            for base in child.named_children if child.type == "type_list" else [child]:
                leaf = w.leaf_of(base, _TYPE_STEPS)
                if leaf is not None and leaf.type == "type_identifier":
                    owner = w.nth(base, 0) if base.type == "generic_type" else base
                    text = walk.dotted(owner)
                    walk.use(leaf, w.OVERRIDE, text.rpartition(".")[0])
                    bases.append(text)
    return bases


def _method(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        compact = node.type == "compact_constructor_declaration"
        walk.define(
            name,
            DefKind.METHOD,
            node,
            first=_first(node),
            body=node.child_by_field_name("body"),
            opens=w.FUNCTION,
            parameters=None if compact else _parameters(walk, node),
            decorators=_annotations(walk, node),
            exported=_exported(walk, node),
        )


def _parameters(walk: Walk, node: Node) -> Iterator[ParameterRow]:
    parameters = node.child_by_field_name("parameters")
    for child in () if parameters is None else parameters.named_children:
        if child.type in _PARAMETERS:
            name = _parameter_name(child)
            variadic = child.type == "spread_parameter"
            how = "*args" if variadic else "positional"
            yield "" if name is None else walk.text(name), how, not variadic


def _parameter_name(node: Node) -> Node | None:
    name = node.child_by_field_name("name")
    if name is None and (declarator := w.find(node, "variable_declarator")) is not None:
        name = declarator.child_by_field_name("name")
    return name


def _field(walk: Walk, node: Node) -> None:
    exported = _exported(walk, node)
    decorators = _annotations(walk, node)
    for declarator in node.children_by_field_name("declarator"):
        name = declarator.child_by_field_name("name")
        if name is not None:
            walk.define(
                name,
                DefKind.CONSTANT,
                node,
                first=_first(node),
                decorators=decorators,
                exported=exported,
            )


def _enum_constant(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        opens = w.CLASS if node.child_by_field_name("body") is not None else ""
        walk.define(name, DefKind.CONSTANT, node, opens=opens)


# Locals ------------------------------------------------------------------------------------------


def _declared_name(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))


def _first_declared(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type in ("identifier", "type_identifier"):
            walk.declared(child)
            return


def _all_declared(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type == "identifier":
            walk.declared(child)


def _lambda(walk: Walk, node: Node) -> None:
    parameters = node.child_by_field_name("parameters")
    if parameters is not None and parameters.type == "identifier":
        walk.declared(parameters)


def _assignment(walk: Walk, node: Node) -> None:
    left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
    if left is None:
        return
    if left.type == "field_access":
        owner = walk.dotted(left.child_by_field_name("object"))
        walk.use(left.child_by_field_name("field"), w.WRITE, owner)
    elif left.type == "identifier" and (operator is None or operator.type == "="):
        walk.declared(left)


# Uses --------------------------------------------------------------------------------------------


def _call(walk: Walk, node: Node) -> None:
    receiver = walk.dotted(node.child_by_field_name("object"))
    walk.use(node.child_by_field_name("name"), w.CALL, receiver, _arguments(node))


def _arguments(node: Node) -> w.Arguments:
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        return w.NO_ARGUMENTS
    children = arguments.named_children
    return sum("comment" not in child.type for child in children), (), False


def _new(walk: Walk, node: Node) -> None:
    what = node.child_by_field_name("type")
    leaf = w.leaf_of(what, _TYPE_STEPS)
    if what is not None and leaf is not None and leaf.type == "type_identifier":
        owner = w.nth(what, 0) if what.type == "generic_type" else what
        before = walk.dotted(owner).rpartition(".")[0]
        walk.use(leaf, w.CALL, f"new {before}".strip(), _arguments(node))


def _access(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("field")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("object")))


def _reference(walk: Walk, node: Node) -> None:
    last = w.nth(node, -1)
    if last is not None and last.type == "identifier" and node.named_child_count > 1:
        walk.use(last, w.ATTRIBUTE, walk.dotted(w.nth(node, 0)))


def _scoped_type(walk: Walk, node: Node) -> None:
    last = w.nth(node, -1)
    if last is not None and last.start_byte not in walk.roles:
        walk.use(last, w.TYPE, walk.dotted(w.nth(node, 0)))


def _scoped(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("scope")))


def _annotation(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    arguments = node.child_by_field_name("arguments")
    if name is None:
        return
    count, keywords = 0, []
    for child in () if arguments is None else arguments.named_children:
        key = child.child_by_field_name("key") if child.type == "element_value_pair" else None
        if key is not None:
            keywords.append(walk.text(key))
        else:
            count += 1
    receiver = walk.dotted(name).rpartition(".")[0]
    leaf = name.child_by_field_name("name") if name.type == "scoped_identifier" else name
    walk.use(leaf, w.DECORATOR, receiver, (count, tuple(keywords[: w.MAX_NAMES]), False))


def _pair(walk: Walk, node: Node) -> None:
    walk.use(node.child_by_field_name("key"), w.KEYWORD)


def _string(walk: Walk, node: Node) -> bool | None:
    start, end = node.start_byte, node.end_byte
    if end - start <= 400:
        walk.string(start + 1, walk.data[start + 1 : end - 1].decode("utf-8", "replace"))
    return None


def _import(walk: Walk, node: Node) -> bool:
    path = w.find(node, "scoped_identifier", "identifier")
    if path is None:
        return True
    static = any(child.type == "static" for child in node.children)
    written = "".join(walk.text(path).split())
    if w.find(node, "asterisk") is not None:
        walk.imported(node, written, "*")
        return True
    before, _, name = written.rpartition(".")
    if static:
        walk.imported(node, before, name)
    else:
        walk.imported(node, written)
    leaf = path.child_by_field_name("name") or path
    walk.emit(leaf, w.IMPORT, before)
    return True


JAVA = Strategy(
    leaves={"identifier": w.READ, "type_identifier": w.TYPE},
    handlers={
        "annotation": _annotation,
        "annotation_type_declaration": _class,
        "annotation_type_element_declaration": _method,
        "assignment_expression": _assignment,
        "break_statement": _all_declared,
        "catch_formal_parameter": _declared_name,
        "class_declaration": _class,
        "compact_constructor_declaration": _method,
        "constant_declaration": _field,
        "constructor_declaration": _method,
        "continue_statement": _all_declared,
        "element_value_pair": _pair,
        "enhanced_for_statement": _declared_name,
        "enum_constant": _enum_constant,
        "enum_declaration": _class,
        "field_access": _access,
        "field_declaration": _field,
        "formal_parameter": _declared_name,
        "import_declaration": _import,
        "inferred_parameters": _all_declared,
        "instanceof_expression": _declared_name,
        "interface_declaration": _class,
        "labeled_statement": _first_declared,
        "lambda_expression": _lambda,
        "marker_annotation": _annotation,
        "method_declaration": _method,
        "method_invocation": _call,
        "method_reference": _reference,
        "object_creation_expression": _new,
        "record_declaration": _class,
        "record_pattern_component": _all_declared,
        "resource": _declared_name,
        "scoped_identifier": _scoped,
        "scoped_type_identifier": _scoped_type,
        "string_literal": _string,
        "type_parameter": _first_declared,
        "type_pattern": _all_declared,
        "variable_declarator": _declared_name,
    },
    skipped=["block_comment", "line_comment", "package_declaration"],
)
