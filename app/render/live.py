"""The recursion as it happens, on standard error: a tree on a terminal, plain lines in a pipe."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, cast

from app.render import words
from app.render.tree import Node, Tree
from reviewer.rlm.trace import Event, NodeEnded, Note, TraceSink, silent

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

FRAMES_PER_SECOND = 8
LINE_EVERY_S = 5.0
"""A log is read afterwards: a line every few seconds says that it lives and how far it is."""

MOST_ROWS = 16
OTHER_ROWS = 3
"""Rows beside the tree: sums, what is not shown, the last note."""

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SIGNS = {"done": ("✓", "green"), "partial": ("◐", "yellow"), "failed": ("✗", "red")}

Clock = Callable[[], float]


@contextmanager
def progress(
    stream: TextIO,
    environ: Mapping[str, str],
    *,
    quiet: bool = False,
    cap_usd: float | None = None,
    doing: str = "reviewing",
    clock: Clock = time.monotonic,
) -> Iterator[TraceSink]:
    """Show what a run does on `stream` (standard error) while the block runs; yield its sink.

    The cursor and the line are restored however the block ends. A stream that cannot be written
    to any more ends the display, not the run.
    """
    if quiet:
        yield silent
    elif stream.isatty() and environ.get("TERM", "") not in {"", "dumb"}:
        with _on_terminal(_Steady(stream), environ, cap_usd, doing, clock) as sink:
            yield sink
    else:
        yield _Lines(_Steady(stream), cap_usd, doing, clock)


class _Steady:
    """A stream that takes everything: once it cannot write any more, it is quiet."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        if self._stream is not None:
            try:
                self._stream.write(text)
            except (OSError, ValueError):  # its reader went away, or it is closed
                self._stream = None
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()


class _Lines:
    """One line for the start, then one every LINE_EVERY_S at most, while something happens."""

    def __init__(self, stream: "_Steady", cap_usd: float | None, doing: str, clock: Clock) -> None:
        self._tree = Tree()
        self._doing = doing
        self._stream = stream
        self._cap_usd = cap_usd
        self._clock = clock
        self._started = clock()
        self._said = self._started - LINE_EVERY_S

    def __call__(self, event: Event) -> None:
        now = self._clock()
        self._tree.take(event, now)
        if isinstance(event, Note):
            self._print(f"note: {self._tree.note}")
        due = now - self._said >= LINE_EVERY_S
        # The end of the root is the end of the tree; how it ended is worth a line at any time.
        whole = isinstance(event, NodeEnded) and self._tree.ended() == len(self._tree.nodes)
        if due or whole:
            self._said = now
            self._print(f"{self._doing}: {sums(self._tree, now - self._started, self._cap_usd)}")

    def _print(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


@contextmanager
def _on_terminal(
    stream: "_Steady", environ: Mapping[str, str], cap_usd: float | None, doing: str, clock: Clock
) -> Iterator[TraceSink]:
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415

    console = Console(
        file=cast(TextIO, stream),
        force_terminal=True,
        no_color=bool(environ.get("NO_COLOR")),
        highlight=False,
        emoji=False,
        markup=False,
    )
    picture = _Picture(console, cap_usd, doing, clock)
    live = Live(
        get_renderable=picture.draw,
        console=console,
        refresh_per_second=FRAMES_PER_SECOND,
        transient=True,  # the result follows; the tree has served its time
        redirect_stdout=False,  # standard output carries the result only
        redirect_stderr=False,
    )
    with live:
        yield picture.take


class _Picture:
    """The tree drawn; events come on one thread and frames are drawn on another."""

    def __init__(self, console: "Console", cap_usd: float | None, doing: str, clock: Clock) -> None:
        self._tree = Tree()
        self._doing = doing
        self._console = console
        self._cap_usd = cap_usd
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()

    def take(self, event: Event) -> None:
        with self._lock:
            self._tree.take(event, self._clock())

    def draw(self) -> "Group":
        from rich.console import Group  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        now = self._clock()
        height, width = self._console.size.height, self._console.size.width
        rows = max(1, min(MOST_ROWS, height - OTHER_ROWS - 1))
        with self._lock:
            shown, rest = self._tree.visible(rows)
            head = sums(self._tree, now - self._started, self._cap_usd)
            lines = [_row(node, now, width) for node in shown]
            others, note = _others(rest), self._tree.note
        lines.insert(0, Text(f"{_spin(now)} {self._doing}  {head}", style="bold"))
        lines += [Text(f"  … {others}", style="dim")] if others else []
        lines += [Text(f"  {note}", style="yellow")] if note else []
        for line in lines:
            line.no_wrap = True
            line.truncate(width - 1, overflow="ellipsis")
        return Group(*lines)


def _spin(now: float) -> str:
    return _SPINNER[int(now * FRAMES_PER_SECOND) % len(_SPINNER)]


def _row(node: Node, now: float, width: int) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    sign, style = _SIGNS.get(node.state, (_spin(now) if node.calls else "·", "cyan"))
    line = Text("  " * len(node.order))
    line.append(f"{sign} ", style=style)
    label = Text(node.label, style="dim" if node.state == "done" else "")
    label.truncate(max(12, width // 2), overflow="ellipsis")
    line.append_text(label)
    line.append(f"  {words.count(node.units, 'unit')}", style="dim")
    if node.state == "active":
        line.append(f"  {node.doing}", style="cyan")
        if node.calls:
            line.append(f" {now - node.since:.0f} s", style="dim")
    elif node.doing:
        line.append(f"  {node.doing}", style=style)
    if node.usd:
        line.append(f"  {words.money(node.usd)}", style="dim")
    return line


def _others(rest: list[Node]) -> str:
    counts = Counter(node.state for node in rest)
    return ", ".join(
        f"{number:,} {'more at work' if state == 'active' else state}"
        for state, number in sorted(counts.items())
    )


def sums(tree: Tree, elapsed_s: float, cap_usd: float | None) -> str:
    """Return how far a run is, in one line: nodes, money against its cap, tokens, time.

    Before the first node the detectors run, and without a model there is none.
    """
    nodes = f"{tree.ended():,}/{words.count(len(tree.nodes), 'node')}"
    parts = [nodes if tree.nodes else "detectors at work"]
    if tree.calls:
        spent = words.money(tree.usd) if tree.priced else f"over {words.money(tree.usd)}"
        parts.append(spent if cap_usd is None else f"{spent} of {words.money(cap_usd)}")
        sent = tree.usage.total - tree.usage.output
        parts.append(f"{_short(sent)} tokens in, {_short(tree.usage.output)} out")
    if tree.replayed:
        parts.append(f"{words.count(tree.replayed, 'answer')} replayed")
    parts.append(words.duration(elapsed_s))
    return ", ".join(parts)


def _short(number: int) -> str:
    return f"{number / 1000:.1f}k" if number >= 1000 else str(number)
