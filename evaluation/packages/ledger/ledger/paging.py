"""Pages of a list."""

PAGE_SIZE = 20


def page_count(rows: int) -> int:
    """Return how many pages a list has; an empty one has one page."""
    return max(1, -(-rows // PAGE_SIZE))


def bounds(page: int) -> tuple[int, int]:
    """Return limit and offset of a page, the first being 1."""
    return PAGE_SIZE, (max(page, 1) - 1) * PAGE_SIZE
