"""Questions about one syntax tree, asked inside the worker process: faults, brackets, matches.

Every walk is a loop over a cursor: a hostile file nests deeper than Python may recurse.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter

from reviewer.languages import Language
from reviewer.parsing.grammars import grammar, parse

MAX_FAULTS = 50
MAX_MATCHES = 500
MAX_ANCESTORS = 40
MAX_TEXT = 200  # characters of a captured node


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the parser gave up (`missing` None) or what it had to invent. Lines count from 1."""

    start: int
    end: int
    missing: str | None


def _line(node: tree_sitter.Node) -> int:
    return node.start_point[0] + 1


def _last_line(node: tree_sitter.Node) -> int:
    row, column = node.end_point
    return row + 1 if column or row == node.start_point[0] else row


def faults(tree: tree_sitter.Tree) -> list[Fault]:
    """Return the innermost ERROR and MISSING nodes in file order, at most MAX_FAULTS."""
    found: list[Fault] = []
    cursor = tree.walk()
    while len(found) < MAX_FAULTS:
        node = cursor.node or tree.root_node
        if node.is_missing:
            found.append(Fault(_line(node), _line(node), node.type))
        elif node.is_error and not any(child.has_error for child in node.children):
            found.append(Fault(_line(node), _last_line(node), None))
        elif node.has_error and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return found
    return found


def nodes(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield a node and all below it, from the first to the last, without recursion."""
    cursor = root.walk()
    while True:
        if cursor.node is not None:
            yield cursor.node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _leaves(tree: tree_sitter.Tree) -> Iterator[tree_sitter.Node]:
    cursor = tree.walk()
    while True:
        if cursor.goto_first_child():
            continue
        if cursor.node is not None and not cursor.node.is_missing:
            yield cursor.node
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


_CLOSES = {")": "(", "]": "[", "}": "{"}
_OPENS = {"(": "(", "[": "[", "{": "{", "${": "{", "#{": "{", "#[": "[", "$(": "(", "?[": "["}


def unbalanced(tree: tree_sitter.Tree) -> int | None:
    """Return the line of the first bracket without its partner, None where all have theirs.

    Only tokens count: a bracket in a string or a comment is no token.
    """
    stack: list[tuple[str, int]] = []
    for leaf in _leaves(tree):
        kind = leaf.type
        if kind in _OPENS:
            stack.append((_OPENS[kind], _line(leaf)))
        elif kind in _CLOSES and (not stack or stack.pop()[0] != _CLOSES[kind]):
            return _line(leaf)
    return stack[-1][1] if stack else None


@cache
def _query(language: Language, query: str) -> tree_sitter.Query:
    return tree_sitter.Query(grammar(language), query)


@dataclass(frozen=True, slots=True)
class Hit:
    """One captured node. `around` has type and first line of each enclosing node, innermost first.

    Texts are cut to MAX_TEXT characters. Lines count from 1.
    """

    name: str
    start: int
    end: int
    text: str
    around: list[tuple[str, str]]


def _first_line(node: tree_sitter.Node, data: bytes) -> str:
    piece = data[node.start_byte : min(node.end_byte, node.start_byte + MAX_TEXT)]
    return piece.split(b"\n", 1)[0].decode("utf-8", "replace")


def matches(language: Language, data: bytes, query: str) -> list[Hit]:
    """Return what a tree-sitter query captures, in file order, at most MAX_MATCHES.

    Captures whose name starts with `_` only serve the query's predicates.
    """
    root = parse(language, data).root_node
    found: list[tuple[int, Hit]] = []
    for name, nodes in tree_sitter.QueryCursor(_query(language, query)).captures(root).items():
        if name.startswith("_"):
            continue
        for node in nodes[:MAX_MATCHES]:
            around: list[tuple[str, str]] = []
            parent = node.parent
            while parent is not None and len(around) < MAX_ANCESTORS:
                around.append((parent.type, _first_line(parent, data)))
                parent = parent.parent
            text = data[node.start_byte : min(node.end_byte, node.start_byte + MAX_TEXT)]
            hit = Hit(name, _line(node), _last_line(node), text.decode("utf-8", "replace"), around)
            found.append((node.start_byte, hit))
    found.sort(key=lambda pair: pair[0])
    return [hit for _, hit in found[:MAX_MATCHES]]


_TEXT = re.compile(r"string|char(?:acter)?_literal|rune|regex|heredoc|nowdoc|jsx_text|^text$")
_CODE = re.compile(
    r"interpolat(?:ion|ed_expression)$|substitution$|expansion$|"
    r"_(?:statement|definition|declaration|item|call)$"
)


def _place(node: tree_sitter.Node | None) -> str:
    """Say whether a token is part of a comment, a string, or code: the innermost of them."""
    while node is not None:
        if "comment" in node.type:
            return "comment"
        if _CODE.search(node.type):
            return "code"
        if _TEXT.search(node.type):
            return "string"
        node = node.parent
    return "code"


def places(language: Language, data: bytes, offsets: list[int]) -> list[str]:
    """Return for each byte offset what is there: "comment", "string" or "code"."""
    root = parse(language, data).root_node
    return [_place(root.descendant_for_byte_range(at, at + 1)) for at in offsets]
