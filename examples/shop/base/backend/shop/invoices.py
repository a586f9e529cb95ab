"""The invoice of one order, as lines of text."""

from decimal import Decimal

from shop.db import connection
from shop.pricing import line_total, with_vat


def invoice(tenant: str, order_id: int, country: str) -> list[str]:
    """Return the invoice's lines, the total with tax last."""
    with connection() as conn:
        rows = conn.execute(
            "select sku, unit_price, quantity from order_lines where tenant = ? and order_id = ?",
            (tenant, order_id),
        ).fetchall()
    lines = []
    net = Decimal(0)
    for row in rows:
        amount = line_total(Decimal(row["unit_price"]), row["quantity"])
        net += amount
        lines.append(f"{row['quantity']:>4} x {row['sku']:<20} {amount:>10.2f}")
    lines.append(f"{'total':<27} {with_vat(net, country):>10.2f}")
    return lines
