"""The payment provider's API."""

import json
import os
import urllib.request
from decimal import Decimal

from shop import settings


def charge(tenant: str, order_id: int, amount: Decimal, currency: str) -> None:
    """Charge the customer's stored card; raise urllib.error.HTTPError when it is declined."""
    body = {
        "reference": f"{tenant}-{order_id}",
        "amount": str(amount),
        "currency": currency,
    }
    request = urllib.request.Request(
        f"{settings.PAYMENT_URL}/charges",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {os.environ['SHOP_PAYMENT_KEY']}"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass
