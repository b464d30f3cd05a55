"""Sitoo's objects with every field that its API answers, from the few that a case is about.

A field given as ``ABSENT`` is left out, as Sitoo does with fields that were not asked for.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
ABSENT = object()


def epoch(local: str) -> int:
    """Unix seconds of an ISO time with its offset, such as ``2026-10-25T02:30+01:00``."""
    moment = datetime.fromisoformat(local)
    assert moment.tzinfo is not None, local
    return int(moment.timestamp())


def line(
    net: str | None,
    vat: str | None,
    *,
    quantity: int | None = 1,
    rate: float | None = 25,
    weight: str | None = None,
    discount: str = "0.00",
    extra: Json | None = None,
    group: str = "Kläder",
    kind: int | None = 10,
    sku: str = "10038-2",
    **overrides: Any,
) -> Json:
    """An order line; ``net`` and ``vat`` are of the row, ``discount`` per unit and net, ``weight`` that of a piece."""
    pieces = quantity or 0
    total = Decimal(pieces) * Decimal(weight or 1)
    unit = (abs(Decimal(net or 0)) / (abs(total) or 1)).quantize(Decimal("0.01"))
    item: Json = {
        "orderitemid": 0,
        "orderitemtype": kind,
        "productid": 24,
        "productname": "Stickad tröja Ærø",
        "sku": sku,
        "productattributes": "Färg: röd",
        "externalinput": "",
        "externalinputtitle": "",
        "unitlabel": "kg" if weight else "",
        "quantity": quantity,
        "decimalunitquantity": weight,
        "moneynetpriceperunit": str(unit),
        "moneypriceorg": "0.00",
        "vatvalue": rate,
        "deliveryinfo": "",
        "moneyitemtotal_net": net,
        "moneyitemtotal_vat": vat,
        "voucherid": 0,
        "vouchercode": "",
        "vouchername": "",
        "moneyoriginalprice": str(unit + Decimal(discount)),
        "moneydiscountedprice": "0.00" if discount == "0.00" else str(unit),
        "moneydiscount": discount,
        "salestaxes": [],
        "additionaldata": ({"product-group-name": group} if group else {}) | (extra or {}),
        "decimalquantitytotal": str(total.quantize(Decimal("0.001"))),
        "moneynetpriceperquantity": str(unit),
    }
    return _with(item, overrides)


def payment(name: str, amount: str, **extra: str) -> Json:
    """A payment."""
    return {
        "name": name,
        "moneyamount": amount,
        "externalid": "",
        "reftype": "",
        "refid": "",
        "cardissuer": "",
        "additionaldata": {key.replace("_", "-"): value for key, value in extra.items()},
    }


def order(
    orderid: int,
    at: str,
    *items: Json,
    register: str | None = None,
    warehouse: int | None = None,
    store: str | None = None,
    name: str | None = None,
    zone: str | None = None,
    currency: str | None = "SEK",
    roundoff: str = "0.00",
    extra: Json | None = None,
    payments: list[Json] | None = None,
    **overrides: Any,
) -> Json:
    """An order of type 10, closed and paid unless said otherwise, with a header that follows from its lines."""
    for number, item in enumerate(items):
        item["orderitemid"] = number
    net = sum((Decimal(item.get("moneyitemtotal_net") or 0) for item in items), Decimal("0.00"))
    vat = sum((Decimal(item.get("moneyitemtotal_vat") or 0) for item in items), Decimal("0.00"))
    amount = str(net + vat + Decimal(roundoff))
    hints = {"store-externalid": store, "store-name": name, "pos-timezone": zone}
    head: Json = {
        "orderid": orderid,
        "eshopid": 1,
        "externalid": None,
        "creditorderid": None,
        "checkouttypeid": 0,
        "deliverytypeid": 0,
        "email": "",
        "namefirst": "",
        "namelast": "",
        "personalid": "",
        "company": "",
        "phone": "",
        "comment": "",
        "customerref": "",
        "checkoutref": "",
        "moneytotal_net": str(net),
        "moneytotal_vat": str(vat),
        "moneycheckout_net": "0.00",
        "moneycheckout_vat": "0.00",
        "moneytotal_gross_checkout": "0.00",
        "moneydelivery_net": "0.00",
        "moneydelivery_vat": "0.00",
        "moneytotal_gross_delivery": "0.00",
        "moneyfinal_net": str(net),
        "moneyfinal_vat": str(vat),
        "moneyfinal_salestax": "0.00",
        "moneytotal_gross_roundoff": roundoff,
        "moneytotal_gross_all": amount,
        "checkouttypename": "Sitoo POS - Card" if register else "",
        "deliverytypename": "",
        "orderdate": epoch(at),
        "orderstateid": 10,
        "paymentstateid": 20,
        "ordertypeid": 10,
        "userid_staff": None,
        "registerid": register,
        "warehouseid": warehouse,
        "datereserved": None,
        "currencycode": currency,
        "additionaldata": {key: value for key, value in hints.items() if value is not None} | (extra or {}),
        "orderitems": list(items),
        "payments": payments if payments is not None else [payment("Card", amount)],
        "reservedpayments": [],
        "orderlogitems": [],
    }
    return _with(head, overrides)


def z_report(
    zreportid: int,
    register: str,
    closed: str,
    *,
    store: str | None,
    opened: str | None,
    currency: str = "SEK",
    added: str | None = None,
    **figures: Any,
) -> Json:
    """A z-report with nothing in it but ``figures``."""
    report: Json = {
        "zreportid": zreportid,
        "registerid": register,
        "manufacturerid": "SITOO" + register.strip("{}").replace("-", ""),
        "registerkey": f"SII00000015000{register[1:3]}",
        "registernumber": 1,
        "datecreated": epoch(closed),
        "dateopened": None if opened is None else epoch(opened),
        "dateadded": epoch(added or closed) + 5,
        "eshopid": 1,
        "store_id": store,
        "store_name": "",
        "currencycode": currency,
        "staff": "Åsa",
        "moneysalestotal": "0.00",
        "moneysalestotalnet": "0.00",
        "numsales": 0,
        "numsalesitems": 0,
        "moneyrefundtotal": "0.00",
        "moneyrefundtotalnet": "0.00",
        "numrefund": 0,
        "numrefunditems": 0,
        "moneyroundoff": "0.00",
        "moneydiscount": "0.00",
        "numreceipts": 0,
        "vatgroupssales": [],
        "productgroupssales": [],
        "vatgroupsrefund": [],
        "productgroupsrefund": [],
        "paymentssales": [],
        "paymentsrefund": [],
        "discountssales": [],
        "discountsrefund": [],
    }
    return _with(report, figures)


def movement(sku: str | None, quantity: str | None, value: str | None = "0.00") -> Json:
    """An item of a warehouse transaction."""
    return {
        "decimalquantity": quantity,
        "decimaltotal": "10.000",
        "moneypricein": "0.00",
        "moneytotal": "0.00",
        "moneyvalue": value,
        "sku": sku,
    }


def transaction(number: int, warehouse: int, at: str, kind: int | None, *items: Json) -> Json:
    """A warehouse transaction."""
    return {
        "warehousetransactionid": number,
        "warehouseid": warehouse,
        "datecreated": epoch(at),
        "transactiontype": kind,
        "description": "",
        "orderdeliveryid": number + 5000 if kind in (30, 40) else None,
        "shipmentid": None,
        "externalid": None,
        "reasoncode": None,
        "items": list(items),
    }


def _with(given: Json, overrides: Json) -> Json:
    return {key: value for key, value in {**given, **overrides}.items() if value is not ABSENT}
