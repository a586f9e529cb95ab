"""What the web asks for: paths, and who answers. The web has its own list in `paths`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shop import loyalty, reports, returns

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who is logged in. `staff` may see what concerns the whole shop."""

    tenant: str
    customer: int
    staff: bool = False


class NotAllowed(Exception):
    """The caller may not ask this."""


def start_return(caller: Caller, body: Body) -> dict[str, Any]:
    """POST /returns"""
    articles = [returns.Article(str(x["sku"]), int(x["quantity"])) for x in body["articles"]]
    return returns.request_return(
        caller.tenant,
        caller.customer,
        int(body["order"]),
        articles,
        str(body.get("reason", "")),
    )


def list_returns(caller: Caller, _body: Body) -> list[dict[str, Any]]:
    """GET /returns"""
    return returns.returns_of(caller.tenant, caller.customer)


def points(caller: Caller, _body: Body) -> dict[str, Any]:
    """GET /loyalty"""
    return loyalty.account(caller.tenant, caller.customer)


def sales_report(caller: Caller, body: Body) -> str:
    """GET /reports/sales?from=2026-01-01&to=2026-01-31"""
    _check_staff(caller)
    return reports.sales(caller.tenant, *_days(body))


def returns_report(caller: Caller, body: Body) -> str:
    """GET /reports/returns?from=2026-01-01&to=2026-01-31"""
    _check_staff(caller)
    return reports.coming_back(caller.tenant, *_days(body))


def reasons_report(caller: Caller, body: Body) -> str:
    """GET /reports/reasons?from=2026-01-01&to=2026-01-31"""
    return reports.reasons(caller.tenant, *_days(body))


ROUTES: Mapping[tuple[str, str], Callable[[Caller, Body], Any]] = {
    ("POST", "/returns"): start_return,
    ("GET", "/returns"): list_returns,
    ("GET", "/loyalty"): points,
    ("GET", "/reports/sales"): sales_report,
    ("GET", "/reports/returns"): returns_report,
    ("GET", "/reports/reasons"): reasons_report,
}


def _check_staff(caller: Caller) -> None:
    if not caller.staff:
        raise NotAllowed


def _days(body: Body) -> tuple[date, date]:
    return date.fromisoformat(body["from"]), date.fromisoformat(body["to"])
