"""The modules that a change touches and the imports between them, as a diagram in Markdown."""

from collections.abc import Sequence

from app.render import words
from app.render.escape import fence, mermaid
from reviewer.request import Module, ModuleImport

MOST_NODES = 12
"""Of a diagram that is still read, and not looked at."""

LABEL_CHARS = 60


def diagram(modules: Sequence[Module], imports: Sequence[ModuleImport]) -> str:
    """Return the diagram; "" for fewer than two modules, or where none imports another.

    Nodes are numbered, and only their labels have words of the change: see `mermaid`.
    """
    nodes = {module.path: number for number, module in enumerate(modules[:MOST_NODES])}
    edges = [one for one in imports if one.source in nodes and one.target in nodes]
    if len(nodes) < 2 or not edges:
        return ""
    lines = ["flowchart LR"]
    for module in modules[:MOST_NODES]:
        name = mermaid(_shortened(words.module_name(module)))
        lines.append(f'  m{nodes[module.path]}["{name}"]')
    lines += [f"  m{nodes[one.source]} --> m{nodes[one.target]}" for one in edges]
    return fence(lines, "mermaid")


def _shortened(name: str) -> str:
    """Keep the end of a long path: there modules differ."""
    return name if len(name) <= LABEL_CHARS else f"…{name[1 - LABEL_CHARS :]}"
