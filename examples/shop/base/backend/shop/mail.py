"""Mail to customers."""

import smtplib
from email.message import EmailMessage

from shop.db import connection


def confirm(tenant: str, customer: int, order_id: int) -> None:
    """Tell the customer that the order has been placed."""
    with connection() as conn:
        (address,) = conn.execute(
            "select email from customers where tenant = ? and id = ?", (tenant, customer)
        ).fetchone()
    message = EmailMessage()
    message["To"] = address
    message["From"] = f"orders@{tenant}.lantern.test"
    message["Subject"] = f"Your order {order_id}"
    message.set_content("Thank you. We write again as soon as it is on its way.")
    with smtplib.SMTP("localhost", timeout=10) as server:
        server.send_message(message)
