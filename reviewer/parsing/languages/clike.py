"""What a C or C++ file defines, uses and includes."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_WRAPPED = {
    "pointer_declarator",
    "reference_declarator",
    "array_declarator",
    "parenthesized_declarator",
    "init_declarator",
    "attributed_declarator",
    "variadic_declarator",
    "structured_binding_declarator",
}
_NAMES = {"identifier", "field_identifier", "type_identifier", "operator_name", "destructor_name"}
_PARAMETERS = {
    "parameter_declaration",
    "optional_parameter_declaration",
    "variadic_parameter_declaration",
}


# Declarators -------------------------------------------------------------------------------------


def _unwrapped(node: Node | None) -> tuple[Node | None, Node | None]:
    """Return the name that a declarator declares, and the function declarator it is the name of.

    A pointer to a function is no function: there the name is in parentheses.
    """
    function = None
    while node is not None:
        kind = node.type
        if kind == "function_declarator":
            function = function or node
        elif kind == "parenthesized_declarator" and function is not None:
            function = None
        elif kind not in _WRAPPED:
            return node, function
        node = node.child_by_field_name("declarator") or w.nth(node, -1)
    return None, None


def _qualified(walk: Walk, node: Node) -> tuple[Node | None, list[str], bool]:
    """Return the name of a qualified name, what it is in, and whether that looks like a class."""
    scopes, last = [], False
    while node.type in ("qualified_identifier", "template_function", "template_type"):
        if node.type == "qualified_identifier":
            scope = node.child_by_field_name("scope")
            if scope is not None:
                last = scope.type == "template_type"
                text = walk.text(scope).partition("<")[0]
                last = last or text[:1].isupper()
                scopes.append(text)
        inner = node.child_by_field_name("name")
        if inner is None:
            return None, scopes, last
        node = inner
    return (node if node.type in _NAMES else None), scopes, last


def _exported(walk: Walk, node: Node) -> bool:
    static = "static" in w.words(walk, node, "storage_class_specifier")
    return not walk.scope.hidden and (walk.scope.kind == w.CLASS or not static)


# Definitions -------------------------------------------------------------------------------------


def _function(walk: Walk, node: Node) -> None:
    name, function = _unwrapped(node.child_by_field_name("declarator"))
    if name is not None and function is not None:
        _define_function(
            walk, node, name, function, opens=w.FUNCTION, exported=_exported(walk, node)
        )


def _define_function(
    walk: Walk, node: Node, name: Node, function: Node, *, opens: str, exported: bool
) -> None:
    leaf, scopes, owned = _qualified(walk, name)
    if leaf is None:
        return
    text = "".join(walk.text(leaf).split()) if leaf.type == "destructor_name" else walk.dotted(leaf)
    for each in (leaf, *leaf.named_children):
        walk.declared(each)
    method = owned or (walk.scope.kind == w.CLASS and not scopes)
    walk.define(
        text,
        DefKind.METHOD if method else DefKind.FUNCTION,
        walk.claimed.get(node.id, node),
        first=node,
        body=node.child_by_field_name("body"),
        opens=opens,
        scope=".".join(part for part in (walk.scope.path, *scopes) if part),
        parameters=_parameters(walk, function),
        exported=exported,
    )


def _parameters(walk: Walk, function: Node) -> Iterator[ParameterRow]:
    parameters = function.child_by_field_name("parameters")
    for child in () if parameters is None else parameters.named_children:
        if child.type == "variadic_parameter":
            yield "...", "*args", False
        elif child.type in _PARAMETERS:
            name, _ = _unwrapped(child.child_by_field_name("declarator"))
            text = "" if name is None or name.type not in _NAMES else walk.text(name)
            what = child.child_by_field_name("type")
            bare = child.child_by_field_name("declarator") is None
            if bare and what is not None and walk.text(what) == "void":
                continue
            variadic = child.type == "variadic_parameter_declaration"
            required = child.type == "parameter_declaration"
            yield text, "*args" if variadic else "positional", required


def _declaration(walk: Walk, node: Node) -> None:
    exported = _exported(walk, node)
    for declarator in node.children_by_field_name("declarator"):
        name, function = _unwrapped(declarator)
        if name is None:
            continue
        if walk.scope.kind == w.FUNCTION:
            walk.declared(name)
        elif function is not None:
            _define_function(walk, node, name, function, opens="", exported=exported)
        else:
            leaf, scopes, _ = _qualified(walk, name)
            if leaf is not None:
                walk.define(
                    leaf,
                    DefKind.CONSTANT,
                    walk.claimed.get(node.id, node),
                    first=node,
                    scope=".".join(part for part in (walk.scope.path, *scopes) if part),
                    exported=exported,
                )


def _typedef(walk: Walk, node: Node) -> None:
    what = node.child_by_field_name("type")
    body = what.child_by_field_name("body") if what is not None else None
    whole = body is not None and what is not None and what.child_by_field_name("name") is None
    for declarator in node.children_by_field_name("declarator"):
        name, _ = _unwrapped(declarator)
        if name is None or name.type not in _NAMES:
            continue
        if whole:
            walk.define(name, DefKind.CLASS, node, body=body, opens=w.CLASS)
            whole = False
        else:
            walk.define(name, DefKind.TYPE, node)


def _alias(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        whole = walk.claimed.get(node.id, node)
        walk.define(name, DefKind.TYPE, whole, exported=not walk.scope.hidden)


def _class(walk: Walk, node: Node) -> None:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or body is None:
        return
    leaf, scopes, _ = _qualified(walk, name)
    if leaf is None:
        return
    walk.define(
        leaf,
        DefKind.CLASS,
        walk.claimed.get(node.id, node),
        first=node,
        body=body,
        opens=w.CLASS,
        scope=".".join(part for part in (walk.scope.path, *scopes) if part),
        bases=_bases(walk, node),
        exported=not walk.scope.hidden,
    )
    walk.scope.hidden = node.type == "class_specifier"


def _bases(walk: Walk, node: Node) -> list[str]:
    bases = []
    clause = w.find(node, "base_class_clause")
    for child in () if clause is None else clause.named_children:
        leaf, _, _ = _qualified(walk, child)
        if leaf is not None and leaf.type == "type_identifier":
            text = walk.dotted(child).partition("<")[0]
            walk.use(leaf, w.OVERRIDE, text.rpartition("::")[0])
            bases.append(text)
    return bases


def _access(walk: Walk, node: Node) -> None:
    if walk.scope.kind == w.CLASS:
        walk.scope.hidden = walk.text(node) == "private"


def _enumerator(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        walk.define(name, DefKind.CONSTANT, node)


def _namespace(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    before, _, last = walk.text(name).replace(" ", "").rpartition("::")
    for leaf in (name, *name.named_children):
        walk.declared(leaf)
    scope = ".".join(part for part in (walk.scope.path, *before.split("::")) if part)
    body = node.child_by_field_name("body")
    walk.define(last, DefKind.MODULE, node, body=body, opens=w.MODULE, scope=scope)


def _template(walk: Walk, node: Node) -> None:
    last = w.nth(node, -1)
    if last is not None:
        walk.claimed[last.id] = walk.claimed.get(node.id, node)


def _macro(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        function = node.type == "preproc_function_def"
        walk.define(name, DefKind.FUNCTION if function else DefKind.CONSTANT, node)


# Locals ------------------------------------------------------------------------------------------


def _parameter(walk: Walk, node: Node) -> None:
    name, _ = _unwrapped(node.child_by_field_name("declarator"))
    walk.declared(name)


def _type_parameter(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type == "type_identifier":
            walk.declared(child)
            return


def _declared_children(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type == "identifier":
            walk.declared(child)


def _declared_name(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))


def _declared_left(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("left"))


# Uses --------------------------------------------------------------------------------------------


def _call(walk: Walk, node: Node) -> None:
    target = node.child_by_field_name("function")
    if target is not None:
        _mark(walk, target, w.CALL, node)


def _new(walk: Walk, node: Node) -> None:
    what = node.child_by_field_name("type")
    if what is not None:
        _mark(walk, what, w.CALL, node, "new")


def _mark(walk: Walk, target: Node, kind: str, call: Node, new: str = "") -> None:
    """Say how the thing that an expression names is used."""
    owner = ""
    if target.type == "field_expression":
        owner = walk.dotted(target.child_by_field_name("argument"))
        inner = target.child_by_field_name("field")
        if inner is not None and inner.type == "template_method":
            inner = inner.child_by_field_name("name")
        leaf = inner
    else:
        leaf, scopes, _ = _qualified(walk, target)
        owner = "::".join(scopes)
    if leaf is not None and leaf.type in _NAMES:
        arguments = call.child_by_field_name("arguments")
        children = () if arguments is None else arguments.named_children
        count = sum(child.type != "comment" for child in children)
        receiver = f"{new} {owner}".strip()
        walk.use(leaf, kind, receiver, (count, (), False))


def _field_access(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("field")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("argument")))


def _qualified_use(walk: Walk, node: Node) -> None:
    leaf, scopes, _ = _qualified(walk, node)
    if leaf is not None and leaf.start_byte not in walk.roles:
        kind = w.TYPE if leaf.type == "type_identifier" else w.ATTRIBUTE
        walk.use(leaf, kind, "::".join(scopes))


def _using(walk: Walk, node: Node) -> None:
    name = w.nth(node, -1)
    if name is not None:
        leaf, scopes, _ = _qualified(walk, name)
        walk.use(leaf, w.IMPORT, "::".join(scopes))


def _designator(walk: Walk, node: Node) -> None:
    walk.use(w.nth(node, 0), w.KEYWORD)


def _assignment(walk: Walk, node: Node) -> None:
    left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
    if left is None:
        return
    if left.type == "field_expression":
        owner = walk.dotted(left.child_by_field_name("argument"))
        walk.use(left.child_by_field_name("field"), w.WRITE, owner)
    elif left.type == "identifier" and (operator is None or operator.type == "="):
        walk.declared(left)


def _string(walk: Walk, node: Node) -> bool:
    content = w.nth(node, 0)
    if content is not None and node.named_child_count == 1 and node.id not in walk.claimed:
        start, end = content.start_byte, content.end_byte
        if end - start <= 400:
            walk.string(start, walk.data[start:end].decode("utf-8", "replace"))
    return True


# Includes ----------------------------------------------------------------------------------------


def _include(walk: Walk, node: Node) -> bool:
    path = node.child_by_field_name("path")
    if path is not None and path.type in ("system_lib_string", "string_literal"):
        text = walk.text(path)
        walk.imported(node, text if text.startswith("<") else text.strip('"'))
    return True


def _condition(walk: Walk, node: Node) -> None:
    """Say that what is included on a condition may fail; a header's own guard is no condition."""
    name, second = node.child_by_field_name("name"), w.nth(node, 1)
    if name is not None and second is not None and second.type == "preproc_def":
        defined = second.child_by_field_name("name")
        if defined is not None and walk.text(defined) == walk.text(name):
            return
    walk.guard(node)


_LEAVES = {
    "field_identifier": w.ATTRIBUTE,
    "identifier": w.READ,
    "type_identifier": w.TYPE,
}
_HANDLERS: dict[str, w.Handler] = {
    "assignment_expression": _assignment,
    "call_expression": _call,
    "declaration": _declaration,
    "enum_specifier": _class,
    "enumerator": _enumerator,
    "field_declaration": _declaration,
    "field_designator": _designator,
    "field_expression": _field_access,
    "function_definition": _function,
    "parameter_declaration": _parameter,
    "preproc_def": _macro,
    "preproc_function_def": _macro,
    "preproc_if": _condition,
    "preproc_ifdef": _condition,
    "preproc_include": _include,
    "preproc_params": _declared_children,
    "string_literal": _string,
    "struct_specifier": _class,
    "type_definition": _typedef,
    "union_specifier": _class,
}

C = Strategy(leaves=_LEAVES, handlers=_HANDLERS, skipped=["comment"])
CPP = Strategy(
    leaves={**_LEAVES, "namespace_identifier": w.READ},
    handlers={
        **_HANDLERS,
        "access_specifier": _access,
        "alias_declaration": _alias,
        "class_specifier": _class,
        "for_range_loop": _parameter,
        "lambda_capture_initializer": _declared_left,
        "namespace_alias_definition": _declared_name,
        "namespace_definition": _namespace,
        "new_expression": _new,
        "optional_parameter_declaration": _parameter,
        "qualified_identifier": _qualified_use,
        "structured_binding_declarator": _declared_children,
        "template_declaration": _template,
        "type_parameter_declaration": _type_parameter,
        "using_declaration": _using,
        "variadic_parameter_declaration": _parameter,
    },
    skipped=["comment"],
)
