"""Names in strings that Python reads as names: those of `__all__`, and annotations in quotes.

Asked inside the worker process only. Every walk is a loop over a cursor: see `trees`.
"""

import re
from collections.abc import Iterator

import tree_sitter

from reviewer.languages import Language
from reviewer.parsing.grammars import parse
from reviewer.parsing.symbols import Quoted
from reviewer.parsing.trees import nodes

MAX_NAMES = 20_000

_ALL = b"__all__"
_PREFIX = re.compile(rb"[rRuU]?(?:\"|')(?:\"\"|'')?")
_GROWS = frozenset({b"append", b"extend", b"remove"})
_DISPLAYS = frozenset({"list", "tuple", "set"})


def quoted(data: bytes) -> list[Quoted]:
    """Return the names in such strings of a Python file, in file order, at most MAX_NAMES.

    Of a string with escapes, an interpolation or several pieces nothing is said.
    """
    found: list[Quoted] = []
    types_until = listed_until = 0
    skipped: list[tuple[int, int]] = []
    for node in nodes(parse(Language.PYTHON, data).root_node):
        kind = node.type
        if kind == "type":
            types_until = max(types_until, node.end_byte)
        elif kind in ("subscript", "generic_type") and node.start_byte < types_until:
            skipped += _no_types(node, data)
        elif kind in ("assignment", "augmented_assignment", "call") and _is_of_all(node, data):
            listed_until = max(listed_until, node.end_byte)
        elif kind == "string" and (text := _plain(node, data)) is not None:
            at = node.start_byte
            if at < types_until:
                if not any(start <= at < end for start, end in skipped):
                    found += _types(text, data)
            elif at < listed_until and _is_entry(node, data):
                row, column = text.start_point
                name = data[text.start_byte : text.end_byte].decode("utf-8", "replace")
                found.append(Quoted(name, row + 1, column, "", listed=True))
        if len(found) >= MAX_NAMES:
            break
    return found[:MAX_NAMES]


def _is_of_all(node: tree_sitter.Node, data: bytes) -> bool:
    """Is it an assignment to `__all__` or a call that makes it grow?"""
    if node.type != "call":
        left = node.child_by_field_name("left")
        return left is not None and data[left.start_byte : left.end_byte] == _ALL
    function = node.child_by_field_name("function")
    if function is None or function.type != "attribute":
        return False
    text = data[function.start_byte : function.end_byte]
    owner, _, method = text.partition(b".")
    return owner == _ALL and method in _GROWS


def _is_entry(node: tree_sitter.Node, data: bytes) -> bool:
    """Is a string an element of what is listed, and not an argument of what makes it?"""
    around = node.parent
    if around is None or around.type != "argument_list":
        return around is not None and around.type in _DISPLAYS
    return around.parent is not None and _is_of_all(around.parent, data)


def _no_types(node: tree_sitter.Node, data: bytes) -> list[tuple[int, int]]:
    """Return what of a subscript in an annotation holds no types: values, and what is said of one.

    As (start, end) in bytes.
    """
    text = data[node.start_byte : node.end_byte]
    name = text.partition(b"[")[0].rpartition(b".")[2].strip()
    if name == b"Literal":
        return [(node.start_byte, node.end_byte)]
    if name != b"Annotated":
        return []
    holder = next((each for each in node.named_children if each.type == "type_parameter"), node)
    arguments = [
        each
        for each in holder.named_children
        if holder is not node or each != node.child_by_field_name("value")
    ]
    return [(arguments[1].start_byte, node.end_byte)] if arguments[1:] else []


def _plain(node: tree_sitter.Node, data: bytes) -> tree_sitter.Node | None:
    """Return the content of a string of one line that stands for itself."""
    children = node.named_children
    if [each.type for each in children] != ["string_start", "string_content", "string_end"]:
        return None
    start, content, _ = children
    if content.named_child_count or content.start_point[0] != content.end_point[0]:
        return None
    if node.parent is None or node.parent.type == "concatenated_string":
        return None
    prefix = data[start.start_byte : start.end_byte]
    return content if _PREFIX.fullmatch(prefix) else None


def _types(text: tree_sitter.Node, data: bytes) -> Iterator[Quoted]:
    """Yield the names of an annotation that is a string."""
    inner = data[text.start_byte : text.end_byte]
    tree = parse(Language.PYTHON, inner)
    if tree.root_node.has_error:
        return
    row, column = text.start_point
    for node in nodes(tree.root_node):
        parent = node.parent
        if node.type != "identifier" or parent is None or parent.type == "keyword_argument":
            continue
        receiver = ""
        if parent.type == "attribute" and node == parent.child_by_field_name("attribute"):
            owner = parent.child_by_field_name("object")
            if owner is None:
                continue
            receiver = inner[owner.start_byte : owner.end_byte].decode("utf-8", "replace")
        name = inner[node.start_byte : node.end_byte].decode("utf-8", "replace")
        yield Quoted(name, row + 1, column + node.start_byte, receiver, listed=False)
