"""Reports for the people who run a shop: what was sold, what came back, as tables of CSV."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from shop.db import connection
from shop.pricing import CENT

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def sales(tenant: str, first: date, last: date) -> str:
    """Return the sales of the days first..last, both included, by day and currency."""
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    with connection() as conn:
        rows = conn.execute(
            "select date(placed_at) as day, currency, total from orders"
            " where tenant = ? and placed_at >= ? and placed_at < ?",
            (tenant, first.isoformat(), (last + timedelta(days=1)).isoformat()),
        )
        for row in rows:
            key = (row["day"], row["currency"])
            totals[key] += Decimal(row["total"])
            counts[key] += 1
    return _table(
        ("day", "currency", "orders", "total"),
        ((*key, counts[key], totals[key].quantize(CENT)) for key in sorted(totals)),
    )


def coming_back(tenant: str, first: date, last: date) -> str:
    """Return which articles were sent back on the days first..last, the most frequent first."""
    with connection() as conn:
        rows = conn.execute(
            "select sku, sum(quantity) as pieces, count(distinct return_id) as times"
            " from return_lines join returns"
            " on returns.tenant = return_lines.tenant and returns.id = return_lines.return_id"
            " where returns.tenant = ? and asked_at >= ? and asked_at < ? and state != 'refused'"
            " group by sku order by pieces desc, sku",
            (tenant, first.isoformat(), (last + timedelta(days=1)).isoformat()),
        ).fetchall()
    return _table(("article", "pieces", "returns"), (tuple(row) for row in rows))


def reasons(tenant: str, first: date, last: date) -> str:
    """Return in the customers' own words why they sent something back."""
    with connection() as conn:
        rows = conn.execute(
            "select id, reason from returns"
            " where tenant = ? and asked_at >= ? and asked_at < ? and reason != '' order by id",
            (tenant, first.isoformat(), (last + timedelta(days=1)).isoformat()),
        ).fetchall()
    return _table(("return", "reason"), (tuple(row) for row in rows))


def _table(heading: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows(list(_cells(row)) for row in rows)
    return text.getvalue()


def _cells(row: Iterable[object]) -> Iterator[object]:
    """Yield the cells so that no text of a customer's is run as a formula."""
    for cell in row:
        if isinstance(cell, str) and cell.startswith(FORMULA):
            yield f"'{cell}"
        else:
            yield cell
