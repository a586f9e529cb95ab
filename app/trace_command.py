"""`rlm trace`: how a run went, from the trace that it left."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from app.render.text import look
from app.render.trace_tree import Asked, joined, list_lines, node_lines, tree_lines
from app.settings import read_settings
from app.trace_document import node_doc
from app.trace_folder import find, folder_of, is_running, kept, open_trace
from app.trace_json import json_pieces
from app.trace_layout import lay_out, said
from app.trace_nodes import Trace, place
from app.trace_read import detail, read_trace
from reviewer.errors import TellUser

LISTED = 20

EMPTY = (
    "No run has left a trace yet. Each `rlm review` that asks a model leaves one; "
    "`rlm trace last` then shows it."
)


def trace_command(options: Namespace, environ: Mapping[str, str]) -> int:
    """Show the runs, or one of them, on standard output and return the exit code."""
    _check(options)
    folder = folder_of(read_settings(environ).home)
    if options.run is None:
        _show_list(folder, environ)
        return 0
    path = find(folder, options.run)
    with open_trace(path) as file:
        running = _is_running(path)
        trace = read_trace(file)
        if options.files is not None:
            nodes = lay_out(trace, file, options.files, running=running)
            print_pieces([said(nodes, options.files) + "\n"])
        elif options.json:
            print_pieces(json_pieces(trace, file, running=running))
        else:
            _show(trace, file, options, environ, running=running)
    return 0


def _check(options: Namespace) -> None:
    """Refuse options that say nothing together."""
    given = {
        "--json": options.json,
        "--files": options.files is not None,
        "--node": options.node is not None,
        "--depth": options.depth is not None,
        "--costs": options.costs,
    }
    named = [name for name, is_given in given.items() if is_given]
    if options.run is None and named:
        raise TellUser(f"{named[0]} is about one run", "Name it, or write `last`.")
    tree_only = {"--depth", "--costs"}
    if len(named) > 1 and not set(named) <= tree_only:
        raise TellUser(f"{named[0]} and {named[1]} do not go together", "Leave one of them out.")


def _show_list(folder: Path, environ: Mapping[str, str]) -> None:
    runs = kept(folder)
    if not runs:
        print_pieces([EMPTY + "\n"])
        return
    more = max(0, len(runs) - LISTED)
    print_pieces(joined(list_lines(runs[:LISTED], more, **look(sys.stdout, environ))))


def _show(
    trace: Trace, file: BinaryIO, options: Namespace, environ: Mapping[str, str], *, running: bool
) -> None:
    shown = look(sys.stdout, environ)
    if options.node is None:
        asked = Asked(options.depth, options.costs)
        print_pieces(joined(tree_lines(trace, asked, running=running, **shown)))
        return
    node = trace.nodes.get(options.node)
    if node is None:
        raise TellUser(f"The run has no node {options.node[:200]!a}", _nodes(trace))
    doc = node_doc(node, detail(file, node.lines))
    print_pieces(joined(node_lines(trace, doc, **shown)))


def _nodes(trace: Trace) -> str:
    if not trace.nodes:
        return "It has none at all."
    first = sorted(trace.nodes, key=lambda name: (trace.nodes[name].depth, place(name)))[:8]
    more = ", …" if len(trace.nodes) > len(first) else ""
    return f"There are {', '.join(first)}{more}."


def _is_running(path: Path) -> bool:
    with suppress(OSError):
        return is_running(path)
    return False


def print_pieces(pieces: Iterable[str]) -> None:
    """Write to standard output, piece by piece; a reader that went away ends it and is no error."""
    try:
        sys.stdout.flush()
        for piece in pieces:
            sys.stdout.buffer.write(piece.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python would complain again when it exits.
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)
