"""What a Rust file defines, uses and imports."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_TYPE_STEPS: dict[str, str | int] = {
    "generic_type": "type",
    "reference_type": "type",
    "scoped_type_identifier": "name",
}
_CALL_STEPS: dict[str, str | int] = {
    "generic_function": "function",
    "field_expression": "field",
    "scoped_identifier": "name",
    "parenthesized_expression": 0,
}


# Definitions -------------------------------------------------------------------------------------


def _attribute_item(walk: Walk, node: Node) -> None:
    walk.pending.append(node)
    attribute = w.nth(node, 0)
    target = None if attribute is None else w.nth(attribute, 0)
    if target is not None:
        _mark(walk, target, w.DECORATOR)


def _decorators(walk: Walk, node: Node) -> tuple[Node | None, list[str]]:
    before = walk.before(node)
    names = []
    for each in before:
        attribute = w.nth(each, 0)
        names.append(walk.dotted(None if attribute is None else w.nth(attribute, 0)))
    return (before[0] if before else None), names


def _public(node: Node) -> bool:
    return w.find(node, "visibility_modifier") is not None


def _item(walk: Walk, node: Node, kind: DefKind, opens: str, bases: list[str]) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    start, decorators = _decorators(walk, node)
    walk.define(
        name,
        kind,
        node,
        start=start,
        body=node.child_by_field_name("body"),
        opens=opens,
        bases=bases,
        decorators=decorators,
        exported=_public(node) or walk.scope.offered,
    )


def _function(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    start, decorators = _decorators(walk, node)
    method = walk.scope.kind == w.CLASS
    walk.define(
        name,
        DefKind.METHOD if method else DefKind.FUNCTION,
        node,
        start=start,
        body=node.child_by_field_name("body"),
        opens=w.FUNCTION,
        parameters=_parameters(walk, node),
        decorators=decorators,
        exported=_public(node) or walk.scope.offered,
    )


def _parameters(walk: Walk, function: Node) -> Iterator[ParameterRow]:
    parameters = function.child_by_field_name("parameters")
    for child in () if parameters is None else parameters.named_children:
        if child.type == "parameter":
            yield walk.dotted(child.child_by_field_name("pattern")), "positional", True
        elif child.type == "variadic_parameter":
            yield "...", "*args", False


def _struct(walk: Walk, node: Node) -> None:
    _item(walk, node, DefKind.CLASS, w.CLASS, [])
    if node.type == "enum_item":
        walk.scope.offered = True


def _trait(walk: Walk, node: Node) -> None:
    bases = []
    bounds = node.child_by_field_name("bounds")
    for bound in () if bounds is None else bounds.named_children:
        leaf = w.leaf_of(bound, _TYPE_STEPS)
        if leaf is not None and leaf.type == "type_identifier":
            bases.append(_base(walk, bound, leaf))
    _item(walk, node, DefKind.CLASS, w.CLASS, bases)
    walk.scope.offered = True


def _base(walk: Walk, node: Node, leaf: Node) -> str:
    inner = node.child_by_field_name("type") if node.type == "generic_type" else node
    text = walk.dotted(inner)
    walk.use(leaf, w.OVERRIDE, text.rpartition("::")[0])
    return text


def _impl(walk: Walk, node: Node) -> None:
    what, trait = node.child_by_field_name("type"), node.child_by_field_name("trait")
    leaf = w.leaf_of(what, _TYPE_STEPS)
    base = w.leaf_of(trait, _TYPE_STEPS)
    if trait is not None and base is not None and base.type == "type_identifier":
        _base(walk, trait, base)
    name = walk.dotted(leaf)
    walk.enter(".".join(part for part in (walk.scope.path, name) if part), w.CLASS)
    walk.scope.offered = trait is not None


def _constant(walk: Walk, node: Node) -> None:
    if walk.scope.kind == w.FUNCTION:
        walk.declared(node.child_by_field_name("name"))
    else:
        _item(walk, node, DefKind.CONSTANT, "", [])


def _variant(walk: Walk, node: Node) -> None:
    opens = w.CLASS if node.child_by_field_name("body") is not None else ""
    _item(walk, node, DefKind.CONSTANT, opens, [])
    if opens:
        walk.scope.offered = True


def _type(walk: Walk, node: Node) -> None:
    _item(walk, node, DefKind.TYPE, "", [])


def _macro(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    start, decorators = _decorators(walk, node)
    if name is not None:
        exported = "macro_export" in decorators
        walk.define(
            name,
            DefKind.FUNCTION,
            node,
            head_end=name.end_byte,
            start=start,
            decorators=decorators,
            exported=exported,
        )


def _module(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if node.child_by_field_name("body") is not None:
        _item(walk, node, DefKind.MODULE, w.MODULE, [])
    elif name is not None:
        walk.declared(name)
        walk.imported(node, f"self::{walk.text(name)}", reexport=_public(node))


# Locals ------------------------------------------------------------------------------------------


def _bound_pattern(walk: Walk, node: Node) -> None:
    _bind(walk, node.child_by_field_name("pattern"))


def _bind(walk: Walk, node: Node | None) -> None:
    """Declare a bare name of a pattern; one with a capital is a constant or a variant."""
    if node is None or node.type != "identifier":
        return
    if not walk.data[node.start_byte : node.start_byte + 1].isupper():
        walk.declared(node)


def _pattern(walk: Walk, node: Node) -> None:
    typed = node.child_by_field_name("type")
    for child in node.named_children:
        if child != typed:
            _bind(walk, child)


def _match_pattern(walk: Walk, node: Node) -> None:
    _bind(walk, w.nth(node, 0))


def _declared_name(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))


# Uses --------------------------------------------------------------------------------------------


def _mark(walk: Walk, target: Node, kind: str, arguments: w.Arguments = w.NO_ARGUMENTS) -> None:
    while target.type == "generic_function":
        inner = target.child_by_field_name("function")
        if inner is None:
            return
        target = inner
    leaf = w.leaf_of(target, _CALL_STEPS)
    if leaf is None or not leaf.type.endswith("identifier"):
        return
    owner = target.child_by_field_name("value") or target.child_by_field_name("path")
    walk.use(leaf, kind, walk.dotted(owner) if leaf != target else "", arguments)


def _call(walk: Walk, node: Node) -> None:
    target = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    if target is not None and arguments is not None:
        children = arguments.named_children
        count = sum("comment" not in child.type for child in children)
        _mark(walk, target, w.CALL, (count, (), False))


def _macro_call(walk: Walk, node: Node) -> None:
    target = node.child_by_field_name("macro")
    if target is not None:
        _mark(walk, target, w.CALL)


def _field_access(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("field")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("value")))


def _scoped(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None and name.start_byte not in walk.roles:
        kind = w.TYPE if node.type == "scoped_type_identifier" else w.ATTRIBUTE
        walk.use(name, kind, walk.dotted(node.child_by_field_name("path")))


def _initializer(walk: Walk, node: Node) -> None:
    walk.use(node.child_by_field_name("field"), w.KEYWORD)


def _assignment(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is not None and left.type == "field_expression":
        owner = walk.dotted(left.child_by_field_name("value"))
        walk.use(left.child_by_field_name("field"), w.WRITE, owner)
    elif node.type == "assignment_expression":
        _bind(walk, left)


def _string(walk: Walk, node: Node) -> bool:
    content = w.nth(node, 0)
    if content is not None and node.named_child_count == 1:
        start, end = content.start_byte, content.end_byte
        if end - start <= 400:
            walk.string(start, walk.data[start:end].decode("utf-8", "replace"))
    return True


# Imports -----------------------------------------------------------------------------------------


def _use(walk: Walk, node: Node) -> bool:
    tree = node.child_by_field_name("argument")
    reexport = _public(node)
    stack = [("", tree)] if tree is not None else []
    while stack:
        prefix, each = stack.pop()
        kind = each.type
        if kind in ("scoped_use_list", "use_list"):
            inner = each.child_by_field_name("list") if kind == "scoped_use_list" else each
            path = each.child_by_field_name("path") if kind == "scoped_use_list" else None
            below = _joined(prefix, _written(walk, path))[: w.MAX_NAME_CHARS]
            if inner is not None:
                stack.extend((below, child) for child in reversed(inner.named_children))
        elif kind == "use_wildcard":
            path = w.nth(each, 0)
            walk.imported(each, _joined(prefix, _written(walk, path)), "*", "", reexport)
        elif kind == "use_as_clause":
            alias = each.child_by_field_name("alias")
            name = "" if alias is None else walk.text(alias)
            _one(walk, prefix, each.child_by_field_name("path"), name, reexport)
        else:
            _one(walk, prefix, each, "", reexport)
    return True


def _written(walk: Walk, node: Node | None) -> str:
    return "" if node is None else "".join(walk.text(node).split())


def _joined(prefix: str, rest: str) -> str:
    return f"{prefix}::{rest}" if prefix and rest else prefix or rest


def _one(walk: Walk, prefix: str, path: Node | None, alias: str, reexport: bool) -> None:
    if path is None or "comment" in path.type:
        return
    if path.type == "self":
        walk.imported(path, prefix, "", alias, reexport)
        return
    module, _, name = _joined(prefix, _written(walk, path)).rpartition("::")
    if module:
        walk.imported(path, module, name, alias, reexport)
    else:
        walk.imported(path, name, "", alias, reexport)
    leaf = path.child_by_field_name("name") if path.type == "scoped_identifier" else path
    if leaf is not None and leaf.type == "identifier":
        walk.emit(leaf, w.IMPORT, module)


def _extern(walk: Walk, node: Node) -> bool:
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    if name is not None:
        called = "" if alias is None else walk.text(alias)
        walk.imported(node, walk.text(name), "", called, _public(node))
        walk.emit(name, w.IMPORT)
    return True


RUST = Strategy(
    leaves={
        "field_identifier": w.ATTRIBUTE,
        "identifier": w.READ,
        "type_identifier": w.TYPE,
    },
    handlers={
        "assignment_expression": _assignment,
        "associated_type": _type,
        "attribute_item": _attribute_item,
        "call_expression": _call,
        "captured_pattern": _pattern,
        "closure_parameters": _pattern,
        "compound_assignment_expr": _assignment,
        "const_item": _constant,
        "const_parameter": _declared_name,
        "enum_item": _struct,
        "enum_variant": _variant,
        "extern_crate_declaration": _extern,
        "field_declaration": _constant,
        "field_expression": _field_access,
        "field_initializer": _initializer,
        "field_pattern": _bound_pattern,
        "for_expression": _bound_pattern,
        "function_item": _function,
        "function_signature_item": _function,
        "impl_item": _impl,
        "let_condition": _bound_pattern,
        "let_declaration": _bound_pattern,
        "macro_definition": _macro,
        "macro_invocation": _macro_call,
        "match_pattern": _match_pattern,
        "mod_item": _module,
        "mut_pattern": _pattern,
        "or_pattern": _pattern,
        "parameter": _bound_pattern,
        "raw_string_literal": _string,
        "ref_pattern": _pattern,
        "reference_pattern": _pattern,
        "scoped_identifier": _scoped,
        "scoped_type_identifier": _scoped,
        "slice_pattern": _pattern,
        "static_item": _constant,
        "string_literal": _string,
        "struct_item": _struct,
        "trait_item": _trait,
        "tuple_pattern": _pattern,
        "tuple_struct_pattern": _pattern,
        "type_item": _type,
        "type_parameter": _declared_name,
        "union_item": _struct,
        "use_declaration": _use,
    },
    skipped=["block_comment", "label", "lifetime", "line_comment"],
)
