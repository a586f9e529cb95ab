"""Users and what they may do."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """Each role may do what the ones before it may."""

    READER = 1
    CLERK = 2
    ADMIN = 3


class Forbidden(Exception):
    """The user may not do that."""


@dataclass(frozen=True)
class User:
    name: str
    role: Role


def require(user: User, role: Role) -> None:
    """Raise Forbidden for a user below a role."""
    if user.role < role:
        raise Forbidden(f"{user.name} is no {role.name.lower()}")
