"""A trace laid out as files: a folder for each node, named by its place in the tree alone.

DIR/index.md
DIR/1/node.md       what it was given, looked up and returned
DIR/1/result.json   what it returned
DIR/1/2/...         its second child
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.output import check_link
from app.render import words
from app.render.escape import fence, markdown_code, markdown_line, visible
from app.render.json import dumps
from app.render.trace_tree import Asked, tree_lines, work_lines
from app.trace_document import NodeDoc, node_doc
from app.trace_lines import NAME
from app.trace_nodes import Trace, in_tree_order
from app.trace_read import detail
from reviewer.errors import TellUser

MARKER = ".rlm-trace"
"""Stands in a folder that was laid out here, so that it may be laid out anew."""

OURS = frozenset({"index.md", "node.md", "result.json", "result.txt", MARKER})

COLUMNS = 100


def lay_out(trace: Trace, file: BinaryIO, target: str, *, running: bool) -> int:
    """Write the trace to the folder `target` and return how many nodes it has.

    Raise TellUser, with nothing changed, for a folder that holds anything which is not ours.
    """
    check_link(target, "--files")
    folder = Path(target)
    try:
        _prepare(folder)
        _write(folder / MARKER, "Laid out by `rlm trace --files`, which may replace all of it.\n")
        shown = tree_lines(trace, Asked(costs=True), running=running, width=COLUMNS, color=False)
        with _new(folder / "index.md") as index:
            index.write(b"# A run, node by node\n\n")
            for line in shown:
                index.write(f"    {line}".rstrip().encode() + b"\n")
            index.write(b"\n## Its nodes\n\n")
            for node in in_tree_order(trace):
                here = f"{node.name.replace('.', '/')}/node.md"
                entry = f"- [{node.name}]({here}) {markdown_line(node.label or node.task)}\n"
                index.write(entry.encode())
                doc = node_doc(node, detail(file, node.lines))
                _lay_node(folder, trace, doc)
    except OSError as error:
        raise TellUser(
            f"--files: {error.filename or target} cannot be written: {error.strerror}",
            "Give another folder to --files.",
        ) from error
    return len(trace.nodes)


def _lay_node(folder: Path, trace: Trace, doc: NodeDoc) -> None:
    # A part holds no dot and no slash: see NAME. Parents may be missing in the trace.
    place = folder.joinpath(*doc.node.split("."))
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if doc.result is not None:
        name = "result.json" if doc.result_is_whole else "result.txt"
        _write(place / name, dumps(doc.result) if doc.result_is_whole else visible(doc.result))
    with _new(place / "node.md") as file:
        for line in _node_page(trace, doc):
            file.write(line.encode() + b"\n")


def _node_page(trace: Trace, doc: NodeDoc) -> Iterator[str]:
    """What a reader of Markdown sees of a node; its texts stand in fences, as what they are."""
    yield f"# Node {doc.node}: {markdown_line(doc.label or doc.task)}"
    yield ""
    shown = list(work_lines(trace, doc, width=COLUMNS))
    yield fence([line.rstrip() for line in shown])
    if doc.result is not None:
        name = "result.json" if doc.result_is_whole else "result.txt"
        yield ""
        yield f"The result: [{name}]({name})"
    for child in trace.nodes[doc.node].children:
        label = trace.nodes[child].label
        yield ""
        yield f"Child {markdown_code(child)}: {markdown_line(label)}"


def _prepare(folder: Path) -> None:
    """Make the folder, or empty one of ours; look at all of it before anything is removed."""
    if not os.path.lexists(folder):
        folder.mkdir(mode=0o700)
        return
    if folder.is_symlink() or not folder.is_dir():
        raise TellUser(f"--files: {folder} is no folder", "Name a folder that is not there yet.")
    entries = sorted(os.listdir(folder))  # noqa: PTH208 - names, to be compared
    if not entries:
        return
    if MARKER not in entries:
        raise TellUser(
            f"--files: {folder} holds something else", "Name an empty folder, or a new one."
        )
    files, folders = _inventory(folder)
    for file in files:
        file.unlink()
    for one in reversed(folders):
        one.rmdir()


def _inventory(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return what an earlier layout left, parents first; TellUser where there is more than that."""
    files: list[Path] = []
    folders: list[Path] = []
    todo = [folder]
    while todo:
        with os.scandir(todo.pop()) as found:
            entries = list(found)
        for entry in entries:
            path = Path(entry.path)
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode) and entry.name in OURS:
                files.append(path)
            elif stat.S_ISDIR(mode) and "." not in entry.name and NAME.fullmatch(entry.name):
                folders.append(path)
                todo.append(path)
            else:
                raise TellUser(
                    f"--files: {path} was not made here", "Name an empty folder, or a new one."
                )
    return files, folders


def _new(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _write(path: Path, text: str) -> None:
    with _new(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def said(nodes: int, target: str) -> str:
    """Return what was done, in a line."""
    return f"{words.count(nodes, 'node')} laid out; begin with {Path(target) / 'index.md'}"
