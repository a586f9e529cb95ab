"""The payment provider's API."""

import json
import random
import time
import urllib.error
import urllib.request
from decimal import Decimal

from shop import settings
from shop.pricing import minor_units

ATTEMPTS = 3
BUSY = frozenset({429, 503})


def charge(tenant: str, order_id: int, amount: Decimal, currency: str) -> None:
    """Charge the customer's stored card; raise urllib.error.HTTPError when it is declined."""
    body = {
        # The provider charges a reference once, however often it is asked to.
        "reference": f"{tenant}-{order_id}",
        "amount": minor_units(amount, currency),
        "currency": currency,
    }
    _post("charges", body)


def refund(tenant: str, order_id: int, number: int, amount: Decimal, currency: str) -> None:
    """Pay back a part of an order; raise urllib.error.HTTPError when the provider refuses."""
    body = {
        "reference": f"{tenant}-{order_id}-{number}",
        "charge": f"{tenant}-{order_id}",
        "amount": minor_units(amount, currency),
        "currency": currency,
    }
    _post("refunds", body)


def _post(kind: str, body: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"{settings.PAYMENT_URL}/{kind}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {settings.PAYMENT_KEY}"},
    )
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except urllib.error.HTTPError as error:
            if error.code not in BUSY or attempt == ATTEMPTS:
                raise
        time.sleep(attempt + random.random())
