"""What a JavaScript or TypeScript file, with or without JSX, defines, uses and imports."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_OBJECT = "object"  # the scope of an object literal: its functions are methods
_FUNCTIONS = {"arrow_function", "function_expression", "generator_function"}
_CLASSES = {"class"}
_STEPS: dict[str, str | int] = {
    "member_expression": "property",
    "non_null_expression": 0,
    "parenthesized_expression": 0,
    "generic_type": "name",
    "nested_type_identifier": "name",
    "instantiation_expression": 0,
}
_PATTERNS = {"object_pattern", "array_pattern", "rest_pattern", "assignment_pattern"}
_NAMES = {"identifier", "shorthand_property_identifier_pattern"}


# Definitions -------------------------------------------------------------------------------------


def _function(walk: Walk, node: Node, outer: Node | None = None) -> None:
    outer = outer or walk.claimed.get(node.id)
    name = node.child_by_field_name("name")
    if name is None:
        return
    walk.define(
        name,
        DefKind.FUNCTION,
        outer or node,
        body=node.child_by_field_name("body"),
        opens=w.FUNCTION,
        parameters=_parameters(walk, node),
        exported=outer is not None or (node.type == "function_signature" and walk.scope.path != ""),
    )


def _parameters(walk: Walk, function: Node) -> list[ParameterRow]:
    single = function.child_by_field_name("parameter")
    if single is not None:
        return [(walk.text(single), "positional", True)]
    parameters = function.child_by_field_name("parameters")
    return [] if parameters is None else list(_parameter_rows(walk, parameters))


def _parameter_rows(walk: Walk, parameters: Node) -> Iterator[ParameterRow]:
    for child in parameters.named_children:
        pattern, required = child, True
        if child.type in ("required_parameter", "optional_parameter"):
            required = (
                child.type == "required_parameter" and child.child_by_field_name("value") is None
            )
            found = child.child_by_field_name("pattern")
            if found is None or found.type == "this":
                continue
            pattern = found
        if pattern.type in ("comment", "decorator"):
            continue
        if pattern.type == "assignment_pattern":
            required = False
            pattern = pattern.child_by_field_name("left") or pattern
        if pattern.type == "rest_pattern":
            yield walk.dotted(w.nth(pattern, 0)), "*args", False
        else:
            yield walk.dotted(pattern), "positional", required


def _formal_parameters(walk: Walk, node: Node) -> None:
    _declare_children(walk, node)


def _declare_children(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type == "identifier":
            walk.declared(child)


def _typed_parameter(walk: Walk, node: Node) -> None:
    pattern = node.child_by_field_name("pattern")
    if pattern is None:
        return
    field = w.find(node, "accessibility_modifier", "override_modifier") is not None
    if (field or _has(node, "readonly")) and walk.scopes and pattern.type == "identifier":
        scope, walk.scope = walk.scope, walk.scopes[-1]
        private = "private" in w.words(walk, node, "accessibility_modifier")
        walk.define(pattern, DefKind.CONSTANT, node, exported=not private)
        walk.scope = scope
    elif pattern.type == "identifier":
        walk.declared(pattern)


def _has(node: Node, token: str) -> bool:
    return any(child.type == token for child in node.children)


def _class(walk: Walk, node: Node, outer: Node | None = None) -> None:
    outer = outer or walk.claimed.get(node.id)
    name = node.child_by_field_name("name")
    if name is None or (outer is not None and outer.type == "variable_declarator"):
        return
    if outer is not None and outer.id in walk.claimed:
        return  # its export has defined it
    _define_class(walk, name, node, outer, outer is not None)


def _define_class(
    walk: Walk, name: Node | str, node: Node, outer: Node | None, exported: bool
) -> None:
    decorators = [
        _decorator_name(walk, child)
        for around in (outer, node)
        if around is not None
        for child in around.named_children
        if child.type == "decorator"
    ]
    walk.define(
        name,
        DefKind.CLASS,
        outer or node,
        first=node,
        body=node.child_by_field_name("body"),
        opens=w.CLASS,
        bases=_bases(walk, node),
        decorators=decorators,
        exported=exported,
    )


def _bases(walk: Walk, node: Node) -> list[str]:
    bases = []
    stack = [
        child
        for child in reversed(node.named_children)
        if child.type in ("class_heritage", "extends_type_clause")
    ]
    while stack:
        each = stack.pop()
        if each.type in (
            "class_heritage",
            "extends_clause",
            "implements_clause",
            "extends_type_clause",
        ):
            stack.extend(
                child for child in reversed(each.named_children) if child.type != "type_arguments"
            )
        elif (leaf := w.leaf_of(each, _STEPS)) is not None and leaf.type.endswith("identifier"):
            if each.type == "generic_type":
                each = each.child_by_field_name("name") or each
            text = walk.dotted(each)
            walk.use(leaf, w.OVERRIDE, text.rpartition(".")[0])
            bases.append(text)
    return bases


def _interface(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        outer = walk.claimed.get(node.id)
        _define_class(walk, name, node, outer, outer is not None)


def _type_alias(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None:
        outer = walk.claimed.get(node.id)
        walk.define(name, DefKind.TYPE, outer or node, exported=outer is not None)


def _enum_body(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        name = child.child_by_field_name("name") if child.type == "enum_assignment" else child
        if name is not None and name.type == "property_identifier":
            walk.define(name, DefKind.CONSTANT, child)


def _module(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    before, _, last = walk.quoted(name).rpartition(".")
    if name.type == "string":
        before, last = "", walk.quoted(name)
        walk.claimed[name.id] = node
    for leaf in (name, *name.named_children):
        walk.declared(leaf)
    inside = ".".join(part for part in (walk.scope.path, before) if part)
    walk.define(
        last,
        DefKind.MODULE,
        node,
        body=node.child_by_field_name("body"),
        opens=w.MODULE,
        scope=inside,
        exported=node.id in walk.claimed or walk.scope.path == "",
    )


def _method(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None or name.type not in ("property_identifier", "private_property_identifier"):
        return
    first, decorators = _pending(walk, node)
    walk.define(
        name,
        DefKind.METHOD,
        node,
        first=node,
        start=first,
        body=node.child_by_field_name("body"),
        opens=w.FUNCTION,
        parameters=_parameters(walk, node),
        decorators=decorators,
        exported=_visible(walk, node, name),
    )


def _visible(walk: Walk, node: Node, name: Node) -> bool:
    return not (
        name.type.startswith("private_")
        or "private" in w.words(walk, node, "accessibility_modifier")
    )


def _pending(walk: Walk, node: Node) -> tuple[Node | None, list[str]]:
    """Return the decorators in front of a member: in the tree they are no part of it."""
    found = walk.before(node)
    inner = [child for child in node.named_children if child.type == "decorator"]
    names = [_decorator_name(walk, each) for each in (*found, *inner)]
    return (found[0] if found else None), names


def _field(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name") or node.child_by_field_name("property")
    if name is None or not name.type.endswith("property_identifier"):
        return
    first, decorators = _pending(walk, node)
    value = node.child_by_field_name("value")
    function = value is not None and value.type in _FUNCTIONS
    walk.define(
        name,
        DefKind.METHOD if function else DefKind.CONSTANT,
        node,
        first=node,
        start=first,
        body=value.child_by_field_name("body") if value is not None and function else None,
        opens=w.FUNCTION if function else "",
        parameters=_parameters(walk, value) if value is not None and function else None,
        decorators=decorators,
        exported=_visible(walk, node, name),
    )


def _declaration(walk: Walk, node: Node) -> None:
    outer = walk.claimed.get(node.id)
    declarators = [child for child in node.named_children if child.type == "variable_declarator"]
    for declarator in declarators:
        if len(declarators) == 1:
            walk.claimed[declarator.id] = outer or node
        if outer is not None:
            walk.claimed[-declarator.id] = outer  # exported


def _declarator(walk: Walk, node: Node) -> None:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or _required(walk, name, value):
        return
    whole = walk.claimed.get(node.id, node)
    exported = -node.id in walk.claimed
    function = value is not None and value.type in _FUNCTIONS
    if name.type != "identifier":
        if walk.scope.kind != w.FUNCTION:
            for leaf in _leaves(name):
                walk.define(leaf, DefKind.CONSTANT, whole, exported=exported)
    elif value is not None and function:
        walk.define(
            name,
            DefKind.FUNCTION,
            whole,
            body=value.child_by_field_name("body"),
            opens=w.FUNCTION,
            parameters=_parameters(walk, value),
            exported=exported,
        )
    elif value is not None and value.type in _CLASSES:
        walk.claimed[value.id] = node
        walk.define(
            name,
            DefKind.CLASS,
            whole,
            body=value.child_by_field_name("body"),
            opens=w.CLASS,
            bases=_bases(walk, value),
            exported=exported,
        )
    elif walk.scope.kind == w.FUNCTION:
        walk.declared(name)
    else:
        literal = value is not None and value.type == "object"
        walk.define(
            name, DefKind.CONSTANT, whole, opens=_OBJECT if literal else "", exported=exported
        )


def _leaves(pattern: Node) -> Iterator[Node]:
    """Yield the names that a pattern binds."""
    stack = [pattern]
    while stack:
        each = stack.pop()
        if each.type in _NAMES:
            yield each
        elif each.type in ("assignment_pattern", "object_assignment_pattern"):
            stack.extend(child for child in [each.child_by_field_name("left")] if child)
        elif each.type == "pair_pattern":
            stack.extend(child for child in [each.child_by_field_name("value")] if child)
        elif each.type in _PATTERNS:
            stack.extend(reversed(each.named_children))


def _pattern(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type == "identifier":
            walk.declared(child)
        elif child.type == "member_expression":
            _write(walk, child)


def _assignment_pattern(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is not None and left.type == "member_expression":
        _write(walk, left)
    else:
        walk.declared(left)


def _pair_pattern(walk: Walk, node: Node) -> None:
    value = node.child_by_field_name("value")
    if value is not None and value.type == "identifier":
        walk.declared(value)


def _pair(walk: Walk, node: Node) -> None:
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    if key is None or value is None or key.type != "property_identifier":
        return
    inside = walk.scope.kind == _OBJECT
    if inside and value.type in _FUNCTIONS:
        walk.define(
            key,
            DefKind.METHOD,
            node,
            body=value.child_by_field_name("body"),
            opens=w.FUNCTION,
            parameters=_parameters(walk, value),
        )
        return
    walk.use(key, w.KEYWORD)
    if inside and value.type == "object":
        walk.enter(f"{walk.scope.path}.{walk.text(key)}", _OBJECT)


def _assignment(walk: Walk, node: Node) -> None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return
    if left.type == "identifier":
        walk.declared(left)
    if left.type != "member_expression":
        return
    name = left.child_by_field_name("property")
    owner = walk.dotted(left.child_by_field_name("object"))
    if owner == "module" and name is not None and walk.text(name) == "exports":
        _common_exports(walk, right)
    function = right.type in _FUNCTIONS
    exporting = owner in ("exports", "module.exports")
    if name is None or walk.scope.kind == w.FUNCTION or not (exporting or function):
        _write(walk, left)
        return
    scope = "" if exporting else owner.removesuffix(".prototype")
    if exporting:
        walk.remember("commonjs", walk.text(name))
    body = right.child_by_field_name("body") if function else None
    parameters = _parameters(walk, right) if function else None
    kind = DefKind.METHOD if scope else DefKind.FUNCTION
    walk.define(
        name,
        kind if function else DefKind.CONSTANT,
        node,
        body=body,
        opens=w.FUNCTION if function else "",
        scope=scope,
        parameters=parameters,
    )


def _common_exports(walk: Walk, value: Node) -> None:
    walk.remember("commonjs", "")
    if value.type == "identifier":
        walk.remember("commonjs", walk.text(value))
    elif value.type == "object":
        for child in value.named_children:
            named = child.child_by_field_name("value") if child.type == "pair" else child
            if named is not None and named.type.endswith("identifier"):
                walk.remember("commonjs", walk.text(named))


def _write(walk: Walk, target: Node) -> None:
    owner = walk.dotted(target.child_by_field_name("object"))
    walk.use(target.child_by_field_name("property"), w.WRITE, owner)


def _augmented(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is not None and left.type == "member_expression":
        _write(walk, left)


# Locals ------------------------------------------------------------------------------------------


def _arrow(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("parameter"))


def _function_expression(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))


def _for_in(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is not None and left.type == "identifier":
        walk.declared(left)


def _catch(walk: Walk, node: Node) -> None:
    parameter = node.child_by_field_name("parameter")
    if parameter is not None and parameter.type == "identifier":
        walk.declared(parameter)


def _declared_name(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))


def _first_declared(walk: Walk, node: Node) -> None:
    walk.declared(w.nth(node, 0))


# Uses --------------------------------------------------------------------------------------------


def _call(walk: Walk, node: Node) -> bool | None:
    target = node.child_by_field_name("function")
    if target is None:
        return None
    kind = target.type
    if kind == "import" or (
        kind == "identifier" and walk.data[target.start_byte : target.end_byte] == b"require"
    ):
        module = _literal_argument(walk, node)
        if module is not None:
            if node.id not in walk.claimed:
                walk.imported(node, module)
            return True
    _use_of(walk, target, w.CALL, node)
    return None


def _use_of(walk: Walk, target: Node, kind: str, call: Node | None, new: str = "") -> None:
    """Say how the thing that an expression names is used."""
    leaf = w.leaf_of(target, _STEPS)
    if leaf is None or not leaf.type.endswith("identifier"):
        return
    receiver = new
    if leaf != target and target.type == "member_expression":
        owner = walk.dotted(target.child_by_field_name("object"))
        receiver = f"{new} {owner}".strip()
    arguments = call.child_by_field_name("arguments") if call is not None else None
    walk.use(leaf, kind, receiver, _arguments(arguments))


def _arguments(node: Node | None) -> w.Arguments:
    if node is None:
        return w.NO_ARGUMENTS
    if node.type != "arguments":
        return 1, (), False
    count, spread = 0, False
    for child in node.named_children:
        if child.type == "spread_element":
            spread = True
        elif child.type != "comment":
            count += 1
    return count, (), spread


def _new(walk: Walk, node: Node) -> None:
    target = node.child_by_field_name("constructor")
    if target is not None:
        _use_of(walk, target, w.CALL, node, "new")


def _decorator(walk: Walk, node: Node) -> None:
    target = w.nth(node, 0)
    if target is not None:
        walk.pending.append(node)
        call = target if target.type == "call_expression" else None
        if call is not None:
            target = call.child_by_field_name("function") or target
        _use_of(walk, target, w.DECORATOR, call)


def _decorator_name(walk: Walk, node: Node) -> str:
    target = w.nth(node, 0)
    if target is not None and target.type == "call_expression":
        target = target.child_by_field_name("function")
    return walk.dotted(target)


def _member(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("property")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("object")))


def _nested_type(walk: Walk, node: Node) -> None:
    name, owner = node.child_by_field_name("name"), node.child_by_field_name("module")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.TYPE, walk.dotted(owner))


def _string(walk: Walk, node: Node) -> bool | None:
    start, end = node.start_byte, node.end_byte
    if node.type == "template_string" and node.named_child_count > 1:
        return None
    if end - start <= 400 and node.id not in walk.claimed:
        content = walk.data[start + 1 : end - 1]
        if b"{" not in content:
            walk.string(start + 1, content.decode("utf-8", "replace"))
    return node.type == "string"


def _jsx_element(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    keywords, spread = [], False
    for child in node.named_children:
        if child.type == "jsx_attribute":
            key = w.nth(child, 0)
            if key is not None and key.type == "property_identifier":
                walk.use(key, w.KEYWORD)
                keywords.append(walk.text(key))
        elif child.type == "jsx_expression":
            spread = True
    arguments = (0, tuple(keywords[: w.MAX_NAMES]), spread)
    if name.type == "identifier":
        if walk.data[name.start_byte : name.start_byte + 1].islower():
            walk.declared(name)  # an element of HTML
        else:
            walk.use(name, w.CALL, "", arguments)
    elif name.type == "member_expression":
        owner = walk.dotted(name.child_by_field_name("object"))
        walk.use(name.child_by_field_name("property"), w.CALL, owner, arguments)


# Imports and exports -----------------------------------------------------------------------------


def _import(walk: Walk, node: Node) -> bool:
    walk.remember("module", "")
    source = node.child_by_field_name("source")
    clause = w.find(node, "import_clause", "import_require_clause")
    if clause is not None and clause.type == "import_require_clause":
        source = clause.child_by_field_name("source")
    if source is None:
        return True
    module = walk.quoted(source)
    if clause is None:
        walk.imported(node, module)
        return True
    for child in clause.named_children:
        if child.type == "identifier":
            name = "default" if clause.type == "import_clause" else ""
            walk.imported(child, module, name, walk.text(child))
        elif child.type == "namespace_import":
            alias = w.nth(child, 0)
            walk.imported(child, module, "", "" if alias is None else walk.text(alias))
        elif child.type == "named_imports":
            for each in child.named_children:
                _specifier(walk, each, module, False)
    return True


def _specifier(walk: Walk, node: Node, module: str, reexport: bool) -> None:
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    if name is not None:
        called = "" if alias is None else walk.text(alias)
        walk.imported(node, module, walk.text(name), called, reexport)
        walk.emit(name, w.IMPORT, module)


def _export(walk: Walk, node: Node) -> bool | None:
    walk.remember("module", "")
    source = node.child_by_field_name("source")
    clause = w.find(node, "export_clause", "namespace_export")
    if source is not None:
        module = walk.quoted(source)
        if clause is None:
            walk.imported(node, module, "*", "", True)
        elif clause.type == "namespace_export":
            alias = w.nth(clause, 0)
            walk.imported(node, module, "", "" if alias is None else walk.text(alias), True)
        else:
            for each in clause.named_children:
                _specifier(walk, each, module, True)
        return True
    if clause is not None:
        for each in clause.named_children:
            name = each.child_by_field_name("name")
            if name is not None:
                walk.remember("exported", walk.text(name))
                walk.declared(each.child_by_field_name("alias"))
        return None
    _export_one(walk, node)
    return None


def _export_one(walk: Walk, node: Node) -> None:
    declaration = node.child_by_field_name("declaration") or node.child_by_field_name("value")
    if declaration is not None and declaration.type == "ambient_declaration":
        declaration = w.nth(declaration, 0)  # `export declare`
    if declaration is None:
        return
    walk.claimed[declaration.id] = node
    kind = declaration.type
    name = declaration.child_by_field_name("name")
    if kind in ("class_declaration", "abstract_class_declaration", "class"):
        _define_class(walk, name or "default", declaration, node, True)
        walk.claimed[node.id] = node
    elif name is None and (kind in _FUNCTIONS or kind == "function_declaration"):
        walk.define(
            "default",
            DefKind.FUNCTION,
            node,
            body=declaration.child_by_field_name("body"),
            opens=w.FUNCTION,
            parameters=_parameters(walk, declaration),
        )
    elif kind == "identifier":
        walk.remember("exported", walk.text(declaration))
    elif kind == "object":
        walk.enter("default", _OBJECT)


def _required(walk: Walk, name: Node, value: Node | None) -> bool:
    """Note the import that `const x = require("y")` is, and say whether it is one."""
    taken = ""
    call = value
    if call is not None and call.type == "member_expression":
        call = call.child_by_field_name("object")
        taken = walk.text(value.child_by_field_name("property") or call) if value and call else ""
    if call is None or call.type != "call_expression":
        return False
    target = call.child_by_field_name("function")
    if target is None or walk.text(target) != "require":
        return False
    module = _literal_argument(walk, call)
    if module is None:
        return False
    walk.claimed[call.id] = call
    if value is not None and taken:
        walk.use(value.child_by_field_name("property"), w.IMPORT, module)
    if name.type == "identifier":
        walk.declared(name)
        walk.imported(call, module, taken, walk.text(name))
        return True
    for child in name.named_children if not taken else ():
        if child.type == "pair_pattern":
            key, alias = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is not None and alias is not None:
                walk.imported(child, module, walk.text(key), walk.text(alias))
                walk.use(key, w.IMPORT, module)
        elif child.type in _NAMES:
            walk.imported(child, module, walk.text(child))
    return True


def _literal_argument(walk: Walk, call: Node) -> str | None:
    arguments = call.child_by_field_name("arguments")
    first = None if arguments is None else w.nth(arguments, 0)
    return None if first is None or first.type != "string" else walk.quoted(first)


def _if(walk: Walk, node: Node) -> None:
    walk.guard(node)


def _try(walk: Walk, node: Node) -> None:
    if node.child_by_field_name("handler") is not None:
        walk.guard(node.child_by_field_name("body"))


def _finish(walk: Walk) -> None:
    """Say what is exported by name; a script, which exports nothing, shows all."""
    named = walk.names.get("exported", set()) | walk.names.get("commonjs", set())
    script = "module" not in walk.names and "commonjs" not in walk.names
    for index, row in enumerate(walk.definitions):
        if row[2] == "" and not row[9] and (script or row[0] in named):
            walk.definitions[index] = (*row[:9], True)


_HANDLERS: dict[str, w.Handler] = {
    "array_pattern": _pattern,
    "arrow_function": _arrow,
    "assignment_expression": _assignment,
    "assignment_pattern": _assignment_pattern,
    "augmented_assignment_expression": _augmented,
    "call_expression": _call,
    "catch_clause": _catch,
    "class": _class,
    "class_declaration": _class,
    "decorator": _decorator,
    "export_statement": _export,
    "for_in_statement": _for_in,
    "formal_parameters": _formal_parameters,
    "function_declaration": _function,
    "function_expression": _function_expression,
    "generator_function": _function_expression,
    "generator_function_declaration": _function,
    "if_statement": _if,
    "import_statement": _import,
    "jsx_opening_element": _jsx_element,
    "jsx_self_closing_element": _jsx_element,
    "lexical_declaration": _declaration,
    "member_expression": _member,
    "method_definition": _method,
    "new_expression": _new,
    "object_pattern": _pattern,
    "pair": _pair,
    "pair_pattern": _pair_pattern,
    "rest_pattern": _pattern,
    "string": _string,
    "template_string": _string,
    "try_statement": _try,
    "variable_declaration": _declaration,
    "variable_declarator": _declarator,
}
_LEAVES = {
    "identifier": w.READ,
    "private_property_identifier": w.ATTRIBUTE,
    "property_identifier": w.ATTRIBUTE,
    "shorthand_property_identifier": w.READ,
}
_TYPED: dict[str, w.Handler] = {
    "abstract_class_declaration": _class,
    "abstract_method_signature": _method,
    "enum_body": _enum_body,
    "enum_declaration": _interface,
    "function_signature": _function,
    "index_signature": _declared_name,
    "infer_type": _first_declared,
    "interface_declaration": _interface,
    "internal_module": _module,
    "mapped_type_clause": _declared_name,
    "method_signature": _method,
    "module": _module,
    "nested_type_identifier": _nested_type,
    "optional_parameter": _typed_parameter,
    "property_signature": _field,
    "public_field_definition": _field,
    "required_parameter": _typed_parameter,
    "type_alias_declaration": _type_alias,
    "type_parameter": _declared_name,
}


def _without(handlers: dict[str, w.Handler], *names: str) -> dict[str, w.Handler]:
    return {name: handler for name, handler in handlers.items() if name not in names}


JAVASCRIPT = Strategy(
    leaves=_LEAVES,
    handlers={**_HANDLERS, "field_definition": _field},
    skipped=["comment", "jsx_closing_element", "regex"],
    finish=_finish,
)
TYPESCRIPT = Strategy(
    leaves={**_LEAVES, "type_identifier": w.TYPE},
    handlers={
        **_without(_HANDLERS, "jsx_opening_element", "jsx_self_closing_element"),
        **_TYPED,
    },
    skipped=["comment", "regex"],
    finish=_finish,
)
TSX = Strategy(
    leaves=TYPESCRIPT.leaves,
    handlers={**_HANDLERS, **_TYPED},
    skipped=["comment", "jsx_closing_element", "regex"],
    finish=_finish,
)
