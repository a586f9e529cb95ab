"""What a Kotlin file defines, uses and imports."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_BODIES = ("class_body", "enum_class_body", "function_body", "block")


# Definitions -------------------------------------------------------------------------------------


def _modifiers(node: Node) -> Node | None:
    first = w.nth(node, 0)
    return first if first is not None and first.type == "modifiers" else None


def _exported(walk: Walk, node: Node) -> bool:
    modifiers = _modifiers(node)
    return modifiers is None or "private" not in w.words(walk, modifiers, "visibility_modifier")


def _first(node: Node) -> Node:
    """Return where the head begins: after the annotations."""
    modifiers = _modifiers(node)
    if modifiers is None:
        return node
    for child in modifiers.children:
        if child.type != "annotation":
            return child
    return modifiers.next_sibling or node


def _annotations(walk: Walk, node: Node) -> list[str]:
    modifiers = _modifiers(node)
    return [
        walk.dotted(name)
        for child in (() if modifiers is None else modifiers.named_children)
        if child.type == "annotation" and (name := _annotated(child)) is not None
    ]


def _annotated(annotation: Node) -> Node | None:
    """Return the type that an annotation names."""
    what = w.nth(annotation, -1)
    if what is not None and what.type == "constructor_invocation":
        what = w.nth(what, 0)
    return what if what is not None and what.type == "user_type" else None


def _class(walk: Walk, node: Node) -> None:
    name: Node | str | None = node.child_by_field_name("name") or w.find(node, "identifier")
    if name is None and node.type == "companion_object":
        name = "Companion"
    if name is None:
        return
    constructor = w.find(node, "primary_constructor")
    parameters = None if constructor is None else w.find(constructor, "class_parameters")
    rows = [] if parameters is None else list(_class_parameters(walk, parameters))
    walk.define(
        name,
        DefKind.CLASS,
        node,
        first=_first(node),
        body=w.find(node, *_BODIES),
        opens=w.CLASS,
        parameters=None if constructor is None else rows,
        bases=_bases(walk, node),
        decorators=_annotations(walk, node),
        exported=_exported(walk, node),
    )


def _class_parameters(walk: Walk, parameters: Node) -> Iterator[ParameterRow]:
    for child in parameters.named_children:
        if child.type == "class_parameter":
            name = w.find(child, "identifier")
            required = all(each.type != "=" for each in child.children)
            yield "" if name is None else walk.text(name), "both", required


def _class_parameter(walk: Walk, node: Node) -> None:
    name = w.find(node, "identifier")
    if name is None:
        return
    if any(child.type in ("val", "var") for child in node.children):
        walk.define(name, DefKind.CONSTANT, node, exported=_exported(walk, node))
    else:
        walk.declared(name)


def _bases(walk: Walk, node: Node) -> list[str]:
    bases = []
    clause = w.find(node, "delegation_specifiers")
    for child in () if clause is None else clause.named_children:
        call = what = w.nth(child, 0)
        if what is not None and what.type in ("constructor_invocation", "explicit_delegation"):
            what = w.nth(what, 0)
        if what is None or call is None or what.type != "user_type":
            continue
        arguments = _arguments(walk, call) if call != what else w.NO_ARGUMENTS
        bases.append(_user_type_as(walk, what, w.OVERRIDE, arguments))
    return bases


def _user_type_as(walk: Walk, node: Node, kind: str, arguments: w.Arguments) -> str:
    names = [child for child in node.named_children if child.type == "identifier"]
    text = ".".join(map(walk.text, names))[: w.MAX_NAME_CHARS]
    if names:
        walk.use(names[-1], kind, text.rpartition(".")[0], arguments)
    return text


def _function(walk: Walk, node: Node) -> None:
    name: Node | str | None = node.child_by_field_name("name")
    if node.type == "secondary_constructor":
        name = "constructor"
    if name is None:
        return
    parameters = w.find(node, "function_value_parameters")
    walk.define(
        name,
        DefKind.METHOD if walk.scope.kind == w.CLASS else DefKind.FUNCTION,
        node,
        first=_first(node),
        body=w.find(node, *_BODIES),
        opens=w.FUNCTION,
        parameters=[] if parameters is None else list(_parameters(walk, parameters)),
        decorators=_annotations(walk, node),
        exported=_exported(walk, node),
    )


def _parameters(walk: Walk, parameters: Node) -> Iterator[ParameterRow]:
    """Yield the parameters; a default and a `vararg` are their siblings in the tree."""
    variadic = False
    children = parameters.children
    for index, child in enumerate(children):
        if child.type == "parameter_modifiers":
            variadic = "vararg" in walk.text(child).split()
        elif child.type == "parameter":
            name = w.find(child, "identifier")
            text = "" if name is None else walk.text(name)
            after = children[index + 1].type if index + 1 < len(children) else ""
            if variadic:
                yield text, "*args", False
            else:
                yield text, "both", after != "="
            variadic = False


def _property(walk: Walk, node: Node) -> None:
    if walk.scope.kind == w.FUNCTION:
        return
    variable = w.find(node, "variable_declaration", "multi_variable_declaration")
    if variable is None:
        return
    several = variable.type == "multi_variable_declaration"
    for each in variable.named_children if several else [variable]:
        name = w.find(each, "identifier")
        if name is not None:
            walk.define(
                name,
                DefKind.CONSTANT,
                node,
                first=_first(node),
                decorators=_annotations(walk, node),
                exported=_exported(walk, node),
            )


def _accessor(walk: Walk, node: Node) -> None:
    walk.enter(walk.scope.path, w.FUNCTION)
    for child in node.named_children:
        if child.type == "identifier":
            walk.declared(child)


def _alias(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("type")
    if name is not None:
        walk.define(name, DefKind.TYPE, node, exported=_exported(walk, node))


def _entry(walk: Walk, node: Node) -> None:
    name = w.find(node, "identifier")
    if name is not None:
        opens = w.CLASS if w.find(node, "class_body") is not None else ""
        walk.define(name, DefKind.CONSTANT, node, opens=opens)


# Locals ------------------------------------------------------------------------------------------


def _first_declared(walk: Walk, node: Node) -> None:
    walk.declared(w.find(node, "identifier"))


# Uses --------------------------------------------------------------------------------------------


def _call(walk: Walk, node: Node) -> None:
    target = w.nth(node, 0)
    if target is None:
        return
    if target.type == "identifier":
        walk.use(target, w.CALL, "", _arguments(walk, node))
    elif target.type == "navigation_expression":
        name = w.nth(target, -1)
        if name is not None and name.type == "identifier" and target.named_child_count > 1:
            walk.use(name, w.CALL, walk.dotted(w.nth(target, 0)), _arguments(walk, node))


def _arguments(walk: Walk, call: Node) -> w.Arguments:
    count, keywords, spread = 0, [], False
    for child in call.named_children:
        if child.type == "annotated_lambda":
            count += 1
        if child.type != "value_arguments":
            continue
        for argument in child.named_children:
            if argument.type != "value_argument":
                continue
            tokens = {each.type for each in argument.children}
            name = w.nth(argument, 0)
            if "=" in tokens and name is not None:
                walk.use(name, w.KEYWORD)
                keywords.append(walk.text(name))
            elif "*" in tokens or (name is not None and name.type == "spread_expression"):
                spread = True
            else:
                count += 1
    return count, tuple(keywords[: w.MAX_NAMES]), spread


def _argument(walk: Walk, node: Node) -> None:
    if any(child.type == "=" for child in node.children):
        walk.use(w.nth(node, 0), w.KEYWORD)


def _navigation(walk: Walk, node: Node) -> None:
    name = w.nth(node, -1)
    if name is None or name.type != "identifier" or node.named_child_count < 2:
        return
    if name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(w.nth(node, 0)))


def _reference(walk: Walk, node: Node) -> None:
    name = w.nth(node, -1)
    if name is not None and name.type == "identifier" and node.named_child_count > 1:
        walk.use(name, w.ATTRIBUTE, walk.dotted(w.nth(node, 0)))


def _infix(walk: Walk, node: Node) -> None:
    name = w.nth(node, 1)
    if name is not None and name.type == "identifier" and node.named_child_count == 3:
        walk.use(name, w.CALL, walk.dotted(w.nth(node, 0)), (1, (), False))


def _generic_call(walk: Walk, node: Node) -> None:
    """Say that `f<T>(x)` is a call: at the end of an expression the grammar compares twice."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None or right.type != "parenthesized_expression":
        return
    target, argument = left.child_by_field_name("left"), left.child_by_field_name("right")
    if left.type != "binary_expression" or target is None or argument is None:
        return
    operators = [each.child_by_field_name("operator") for each in (left, node)]
    if [each.type for each in operators if each is not None] != ["<", ">"]:
        return
    if target.type == "identifier" and argument.type == "identifier":
        walk.use(target, w.CALL, "", (1, (), False))
        walk.use(argument, w.TYPE)


def _user_type(walk: Walk, node: Node) -> None:
    before: list[str] = []
    for child in node.named_children:
        if child.type == "identifier":
            walk.use(child, w.TYPE, ".".join(before))
            if sum(map(len, before)) < w.MAX_NAME_CHARS:
                before.append(walk.text(child))


def _annotation(walk: Walk, node: Node) -> None:
    what = _annotated(node)
    if what is not None:
        call = w.nth(node, -1)
        arguments = w.NO_ARGUMENTS if call is None or call == what else _arguments(walk, call)
        _user_type_as(walk, what, w.DECORATOR, arguments)


def _assignment(walk: Walk, node: Node) -> None:
    left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
    if left is None:
        return
    if left.type == "navigation_expression":
        name = w.nth(left, -1)
        if name is not None and name.type == "identifier" and left.named_child_count > 1:
            walk.use(name, w.WRITE, walk.dotted(w.nth(left, 0)))
    elif left.type == "identifier" and (operator is None or operator.type == "="):
        walk.declared(left)


def _string(walk: Walk, node: Node) -> None:
    content = w.nth(node, 0)
    if content is not None and node.named_child_count == 1 and content.type == "string_content":
        start, end = content.start_byte, content.end_byte
        if end - start <= 400:
            walk.string(start, walk.data[start:end].decode("utf-8", "replace"))


def _import(walk: Walk, node: Node) -> bool:
    path = w.find(node, "qualified_identifier")
    if path is None or not path.named_children:
        return True
    module = "".join(walk.text(path).split())
    alias = w.find(node, "identifier")
    if any(child.type == "*" for child in node.children):
        walk.imported(node, module, "*")
        return True
    walk.imported(node, module, "", "" if alias is None else walk.text(alias))
    before = module.rpartition(".")[0]
    walk.emit(path.named_children[-1], w.IMPORT, before)
    return True


def _finish(walk: Walk) -> None:
    """Leave out what the grammar at times takes for names."""
    walk.uses = [row for row in walk.uses if row[0] not in ("true", "false", "null")]


KOTLIN = Strategy(
    leaves={"identifier": w.READ},
    handlers={
        "binary_expression": _generic_call,
        "annotation": _annotation,
        "assignment": _assignment,
        "call_expression": _call,
        "callable_reference": _reference,
        "catch_block": _first_declared,
        "class_declaration": _class,
        "class_parameter": _class_parameter,
        "companion_object": _class,
        "enum_entry": _entry,
        "function_declaration": _function,
        "getter": _accessor,
        "import": _import,
        "infix_expression": _infix,
        "navigation_expression": _navigation,
        "object_declaration": _class,
        "parameter": _first_declared,
        "property_declaration": _property,
        "secondary_constructor": _function,
        "setter": _accessor,
        "string_literal": _string,
        "type_alias": _alias,
        "type_parameter": _first_declared,
        "user_type": _user_type,
        "value_argument": _argument,
        "variable_declaration": _first_declared,
    },
    skipped=["block_comment", "label", "line_comment", "package_header"],
    finish=_finish,
)
