"""A trace as one JSON document, written piece by piece: one node at a time is in memory."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from app.render.json import dumps
from app.trace_document import NoteDoc, border_doc, node_doc, run_doc, totals_doc
from app.trace_nodes import Trace
from app.trace_read import detail
from reviewer.rlm.trace import BorderChanged

SCHEMA_VERSION = 1


def json_pieces(trace: Trace, file: BinaryIO, *, running: bool) -> Iterator[str]:
    """Yield the document that docs/json.md describes; `trace` was read from `file`."""
    yield f'{{\n"schema_version": {SCHEMA_VERSION},\n"run": '
    yield _text(run_doc(trace, running).model_dump())
    yield ',\n"nodes": ['
    yield from _nodes(trace, file)
    yield '],\n"notes": '
    yield _text([NoteDoc(at_s=at, text=text).model_dump() for at, text in trace.notes])
    yield ',\n"borders": ['
    is_first = True
    for line in detail(file, trace.border_lines):
        if isinstance(line.event, BorderChanged):
            yield ("" if is_first else ",\n") + _text(border_doc(line.event).model_dump())
            is_first = False
    yield '],\n"totals": '
    yield _text(totals_doc(trace).model_dump())
    yield "\n}\n"


def _nodes(trace: Trace, file: BinaryIO) -> Iterator[str]:
    """Yield the trees, each node's children inside it; a stack, however deep they are."""
    todo: list[tuple[str, bool]] = [(root, at == 0) for at, root in enumerate(trace.roots)][::-1]
    while todo:
        name, is_first = todo.pop()
        if not name:
            yield "]}"
            continue
        node = trace.nodes[name]
        value = node_doc(node, detail(file, node.lines)).model_dump()
        yield ("" if is_first else ",\n") + _text(value)[:-1].rstrip() + ',\n"children": ['
        todo.append(("", True))
        todo += [(child, at == 0) for at, child in enumerate(node.children)][::-1]


def _text(value: Any) -> str:
    return dumps(value).rstrip("\n")
