"""The server's processes: one module each, started by `rlm serve` as `python -m app.roles NAME`.

A name is a role, and for engines a number after it: `web`, `github`, `engine-1`. Each module has
`run(name, environ, stopping)`, which works until the Event `stopping` is set, and returns.
"""

ALIVE_FD = "RLM_ALIVE_FD"
"""A pipe that ends when the supervisor does, in whatever way."""

LISTEN_FD = "RLM_LISTEN_FD"
"""The listening socket, for web."""

BROKER_FDS = "RLM_BROKER_FDS"
"""Sockets between the github role and engines: "engine-1=7,engine-2=8", or "github=6"."""

MARKER_KEY = "RLM_MARKER_KEY"
"""64 hexadecimal digits, for github: the key that signs the markers in our comments."""

SESSION_KEY = "RLM_SESSION_KEY"
"""64 hexadecimal digits, for web: the key that seals the sessions of those who are logged in."""

TROUBLE = "RLM_TROUBLE"
"""What is wrong with the App that `rlm setup` stored, for github."""

NODE = "RLM_NODE"
"""What the names of this server's processes begin with in a store that several servers share."""

INTERNAL = frozenset({ALIVE_FD, LISTEN_FD, BROKER_FDS, MARKER_KEY, SESSION_KEY, TROUBLE, NODE})
"""Variables that the supervisor sets for a role, and nobody else."""


def role_of(name: str) -> str:
    """Return the role of a process, by its name here or in the store."""
    return name.rpartition("/")[2].partition("-")[0]
