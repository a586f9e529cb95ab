"""Dividing room among those that need some of it."""

from collections.abc import Sequence


def shares(sizes: Sequence[int], room: int) -> list[int]:
    """Return how much of `room` each gets that needs so much: an equal share for certain, and of
    what others leave the first ones the most. Nobody gets more than it needs.
    """
    share = room // max(1, len(sizes))
    spare = room - sum(min(size, share) for size in sizes)
    given = []
    for size in sizes:
        extra = min(spare, max(0, size - share))
        spare -= extra
        given.append(min(size, share) + extra)
    return given
