"""What an awkward chain does to good data: orders of a till with an old version, z-reports without an opening or late.

Each rule looks only at what the thing is, so that it is as odd whenever it is asked for.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sitoo_pipeline.sandbox.lines import PRODUCT_ROW

if TYPE_CHECKING:
    from sitoo_pipeline.sandbox.sales import Sale
    from sitoo_pipeline.sandbox.tills import Till

LATE_BY = 16
"""Days by which some z-reports come late: the till was closed and put away before it had sent them."""


def comes_weeks_late(till: Till, day: date) -> bool:
    """Whether the z-reports of a till's day reach Sitoo ``LATE_BY`` days after."""
    return (day.toordinal() * 7 + till.index * 13) % 37 == 0


def has_no_opening(till: Till, number: int) -> bool:
    """Whether a z-report does not say when its till was opened, as those of old versions."""
    return (number + 3 * till.index) % 9 == 4


def is_by_old_till(sale: Sale) -> bool:
    """Whether a till of an old version made the order."""
    return not sale.till.is_web and (sale.day.toordinal() * 5 + sale.index * 7 + sale.till.index) % 23 == 0


def as_old_till(order: dict[str, Any]) -> dict[str, Any]:
    """``order`` as a till of an old version sends it: fields absent, null or empty that others fill.

    It says nothing of store and time zone; every other one has no additional data at all. What a field is worth does
    not change: absent is nothing, or what it is by default.
    """
    if order["orderid"] % 2:
        order["additionaldata"] = None
    else:
        for key in ("store-externalid", "store-name", "pos-timezone"):
            order["additionaldata"].pop(key, None)
    if order["moneytotal_gross_roundoff"] == "0.00":
        order["moneytotal_gross_roundoff"] = None
    for item in order["orderitems"]:
        _as_old_item(item)
    return order


def _as_old_item(item: dict[str, Any]) -> None:
    if item["orderitemtype"] == PRODUCT_ROW:
        item["orderitemtype"] = None
    if item["decimalunitquantity"] is None:
        del item["decimalquantitytotal"]
    if item["moneydiscount"] == "0.00":
        item["moneydiscount"] = None
        if item["vatvalue"] == 0:
            item["vatvalue"] = None
    if set(item["additionaldata"]) == {"product-group-name"}:
        item["additionaldata"] = {"product-group-name": ""} if item["orderitemid"] else None
