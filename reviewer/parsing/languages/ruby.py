"""What a Ruby file defines, uses and imports."""

from collections.abc import Iterator

from tree_sitter import Node

from reviewer.parsing.languages import walk as w
from reviewer.parsing.languages.walk import ParameterRow, Strategy, Walk
from reviewer.parsing.symbols import DefKind

_REQUIRES = {"require", "require_relative", "load"}
_ACCESSORS = {"attr_accessor", "attr_reader", "attr_writer"}
_SECTIONS = {"private": True, "protected": False, "public": False}
_LITERALS = {"simple_symbol", "string"}


# Definitions -------------------------------------------------------------------------------------


def _class(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    before, leaf = "", name
    if name.type == "scope_resolution":
        before = walk.dotted(name.child_by_field_name("scope")).replace("::", ".")
        leaf = name.child_by_field_name("name") or name
    bases = []
    superclass = node.child_by_field_name("superclass")
    if superclass is not None:
        base = w.nth(superclass, 0)
        if base is not None and base.type in ("constant", "scope_resolution"):
            _mark(walk, base, w.OVERRIDE)
            bases.append(walk.dotted(base))
    walk.define(
        leaf,
        DefKind.CLASS if node.type == "class" else DefKind.MODULE,
        node,
        head_end=(superclass or name).end_byte,
        opens=w.CLASS,
        scope=".".join(part for part in (walk.scope.path, before) if part),
        bases=bases,
    )


def _mark(walk: Walk, node: Node, kind: str, arguments: w.Arguments = w.NO_ARGUMENTS) -> None:
    """Say how a constant is used, with or without the modules it is in."""
    if node.type == "scope_resolution":
        owner = walk.dotted(node.child_by_field_name("scope"))
        walk.use(node.child_by_field_name("name"), kind, owner, arguments)
    else:
        walk.use(node, kind, "", arguments)


def _singleton(walk: Walk, node: Node) -> None:
    walk.enter(walk.scope.path, w.CLASS)


def _method(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is None:
        return
    text = "".join(walk.text(name).split())
    for leaf in (name, *name.named_children):
        walk.declared(leaf)
    hidden = walk.scope.hidden and node.type == "method"
    inside = walk.scope.kind == w.CLASS or node.type == "singleton_method"
    parameters = node.child_by_field_name("parameters")
    walk.define(
        text,
        DefKind.METHOD if inside else DefKind.FUNCTION,
        node,
        first=node,
        head_end=(parameters or name).end_byte,
        opens=w.FUNCTION,
        parameters=_parameters(walk, parameters),
        exported=not hidden and node.id not in walk.claimed,
    )


def _parameters(walk: Walk, parameters: Node | None) -> Iterator[ParameterRow]:
    for child in () if parameters is None else parameters.named_children:
        kind = child.type
        name = child.child_by_field_name("name")
        text = "" if name is None else walk.text(name)
        if kind == "identifier":
            yield walk.text(child), "positional", True
        elif kind == "destructured_parameter":
            yield walk.dotted(child), "positional", True
        elif kind == "optional_parameter":
            yield text, "positional", False
        elif kind == "keyword_parameter":
            yield text, "keyword", child.child_by_field_name("value") is None
        elif kind == "splat_parameter":
            yield text, "*args", False
        elif kind == "hash_splat_parameter":
            yield text, "**kwargs", False


def _assignment(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is None:
        return
    stack = [left]
    while stack:
        target = stack.pop()
        kind = target.type
        if kind in ("left_assignment_list", "destructured_left_assignment", "rest_assignment"):
            stack.extend(reversed(target.named_children))
        elif kind == "constant":
            walk.define(target, DefKind.CONSTANT, node)
        elif kind == "identifier":
            walk.declared(target)
        elif kind == "call":
            owner = walk.dotted(target.child_by_field_name("receiver"))
            walk.use(target.child_by_field_name("method"), w.WRITE, owner)


def _accessors(walk: Walk, call: Node, arguments: Node) -> None:
    for child in arguments.named_children:
        if child.type in _LITERALS:
            name = walk.quoted(child).lstrip(":").strip("\"'")
            walk.claimed[child.id] = call
            hidden = walk.scope.hidden
            walk.define(name, DefKind.METHOD, call, parameters=(), exported=not hidden)


def _define_method(walk: Walk, call: Node, arguments: Node) -> None:
    first = w.nth(arguments, 0)
    if first is None or first.type not in _LITERALS:
        return
    block = call.child_by_field_name("block")
    parameters = None if block is None else block.child_by_field_name("parameters")
    walk.claimed[first.id] = call
    walk.define(
        walk.quoted(first).lstrip(":").strip("\"'"),
        DefKind.METHOD,
        call,
        body=block,
        opens=w.FUNCTION,
        parameters=list(_parameters(walk, parameters)),
        exported=not walk.scope.hidden,
    )


def _alias(walk: Walk, node: Node) -> None:
    name, old = node.child_by_field_name("name"), node.child_by_field_name("alias")
    if name is not None and old is not None:
        walk.define(walk.text(name).lstrip(":"), DefKind.METHOD, node)
        walk.declared(name)
        walk.claimed[name.id] = node


# Locals ------------------------------------------------------------------------------------------


def _all_declared(walk: Walk, node: Node) -> None:
    for child in node.named_children:
        if child.type == "identifier":
            walk.declared(child)


def _declared_name(walk: Walk, node: Node) -> None:
    walk.declared(node.child_by_field_name("name"))


def _for(walk: Walk, node: Node) -> None:
    pattern = node.child_by_field_name("pattern")
    if pattern is not None and pattern.type == "identifier":
        walk.declared(pattern)


def _augmented(walk: Walk, node: Node) -> None:
    left = node.child_by_field_name("left")
    if left is not None and left.type == "call":
        owner = walk.dotted(left.child_by_field_name("receiver"))
        walk.use(left.child_by_field_name("method"), w.WRITE, owner)
    elif left is not None and left.type == "constant":
        walk.define(left, DefKind.CONSTANT, node)


# Uses --------------------------------------------------------------------------------------------


def _call(walk: Walk, node: Node) -> bool | None:
    method = node.child_by_field_name("method")
    if method is None:
        return None
    arguments = node.child_by_field_name("arguments")
    receiver = node.child_by_field_name("receiver")
    if method.type not in ("identifier", "constant"):
        return None
    if receiver is None and arguments is not None and method.type == "identifier":
        name = walk.text(method)
        if name in _REQUIRES or name == "autoload":
            if _require(walk, node, name, arguments):
                return True
        elif name in _ACCESSORS:
            _accessors(walk, node, arguments)
        elif name == "define_method":
            walk.use(method, w.CALL, "", _arguments(walk, arguments))
            _define_method(walk, node, arguments)
        elif name == "alias_method":
            first = w.nth(arguments, 0)
            if first is not None and first.type in _LITERALS:
                walk.claimed[first.id] = node
                walk.define(walk.quoted(first).lstrip(":"), DefKind.METHOD, node)
        elif name in ("private", "private_class_method"):
            _hide(walk, arguments)
    walk.use(method, w.CALL, walk.dotted(receiver), _arguments(walk, arguments))
    return None


def _hide(walk: Walk, arguments: Node) -> None:
    for child in arguments.named_children:
        if child.type in ("method", "singleton_method"):
            walk.claimed[child.id] = arguments
        elif child.type in _LITERALS:
            name = walk.quoted(child).lstrip(":")
            walk.remember("private", f"{walk.scope.path}.{name}")


def _arguments(walk: Walk, arguments: Node | None) -> w.Arguments:
    count, keywords, spread = 0, [], False
    for child in () if arguments is None else arguments.named_children:
        kind = child.type
        if kind == "pair":
            key = child.child_by_field_name("key")
            if key is not None and key.type == "hash_key_symbol":
                walk.use(key, w.KEYWORD)
                keywords.append(walk.text(key))
        elif kind in ("splat_argument", "hash_splat_argument"):
            spread = True
        elif kind not in ("comment", "block_argument"):
            count += 1
    return count, tuple(keywords[: w.MAX_NAMES]), spread


def _identifier(walk: Walk, node: Node) -> bool:
    start = node.start_byte
    name = walk.text(node)
    role = walk.roles.pop(start, False)
    if role is False:
        role = (w.READ, "", *w.NO_ARGUMENTS)
        if name in _SECTIONS and walk.scope.kind == w.CLASS:
            walk.scope.hidden = _SECTIONS[name]
    if role is not None and role is not True and node.end_byte > start:
        walk.note(start, name, role)
    return True


def _scope_resolution(walk: Walk, node: Node) -> None:
    name = node.child_by_field_name("name")
    if name is not None and name.start_byte not in walk.roles:
        walk.use(name, w.ATTRIBUTE, walk.dotted(node.child_by_field_name("scope")))


def _key(walk: Walk, node: Node) -> bool:
    """Note a key only where a call gives it its role: `f(key: 1)`, not `{key: 1}`."""
    role = walk.roles.pop(node.start_byte, None)
    if role is not None:
        walk.note(node.start_byte, walk.text(node), role)
    return True


def _string(walk: Walk, node: Node) -> bool | None:
    if node.id in walk.claimed:
        return True
    start, end = node.start_byte, node.end_byte
    symbol = node.type == "simple_symbol"
    if end - start <= 400 and (symbol or node.named_child_count == 1):
        last = end if symbol else end - 1
        content = walk.data[start + 1 : last].decode("utf-8", "replace")
        if symbol and content[-1:] in ("?", "!", "="):
            if len(content) > 3 and content[:-1].isidentifier():
                walk.note(start + 1, content, (w.STRING, "", *w.NO_ARGUMENTS))
        else:
            walk.string(start + 1, content)
    return None


# Imports -----------------------------------------------------------------------------------------


def _require(walk: Walk, node: Node, name: str, arguments: Node) -> bool:
    last = w.nth(arguments, -1)
    if last is None or last.type != "string" or last.named_child_count != 1:
        return False
    taken = ""
    if name == "autoload" and (first := w.nth(arguments, 0)) is not None:
        taken = walk.text(first).lstrip(":")
    module = walk.quoted(last)
    if name == "require_relative" and not module.startswith("."):
        module = f"./{module}"
    walk.imported(node, module, taken)
    return True


def _conditional(walk: Walk, node: Node) -> None:
    walk.guard(node)


def _begin(walk: Walk, node: Node) -> None:
    if w.find(node, "rescue") is not None:
        walk.guard(node)


def _finish(walk: Walk) -> None:
    hidden = walk.names.get("private", set())
    for index, row in enumerate(walk.definitions if hidden else ()):
        if f"{row[2]}.{row[0]}" in hidden:
            walk.definitions[index] = (*row[:9], False)


RUBY = Strategy(
    leaves={"constant": w.READ},
    handlers={
        "alias": _alias,
        "assignment": _assignment,
        "begin": _begin,
        "block_parameter": _declared_name,
        "block_parameters": _all_declared,
        "call": _call,
        "class": _class,
        "destructured_parameter": _all_declared,
        "exception_variable": _all_declared,
        "for": _for,
        "hash_key_symbol": _key,
        "hash_splat_parameter": _declared_name,
        "identifier": _identifier,
        "if": _conditional,
        "if_modifier": _conditional,
        "keyword_parameter": _declared_name,
        "lambda_parameters": _all_declared,
        "left_assignment_list": _all_declared,
        "method": _method,
        "method_parameters": _all_declared,
        "module": _class,
        "operator_assignment": _augmented,
        "optional_parameter": _declared_name,
        "scope_resolution": _scope_resolution,
        "simple_symbol": _string,
        "singleton_class": _singleton,
        "singleton_method": _method,
        "splat_parameter": _declared_name,
        "string": _string,
        "unless": _conditional,
    },
    skipped=["comment", "instance_variable", "class_variable", "global_variable"],
    finish=_finish,
)
