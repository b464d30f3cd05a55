"""Receipts in the documented form of an order, with holes for what differs from one sale to the next.

A receipt has every field that Sitoo documents, and like the documentation's own samples most of its texts are empty:
nearly 2.9 KB and 2.5 lines. What is sold and what it costs is the sandbox's.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import orjson

from sitoo_pipeline.sandbox.catalogue import GIFT_CARD, PRODUCTS
from sitoo_pipeline.sandbox.lines import PRODUCT_ROW, Item, Line, price
from sitoo_pipeline.sandbox.markets import SWEDEN, ZERO, cents

COUNT = 2000
_ROWS, _ROW_WEIGHTS = (1, 2, 3, 4, 5), (29, 28, 22, 14, 7)
_CENT = Decimal("0.01")


class Kind(StrEnum):
    """What an order is."""

    SALE = "sale"
    RETURN = "return"
    EXCHANGE = "exchange"  # sale and return lines on one receipt
    PARKED = "parked"
    WEB = "web"
    WEB_CANCELLED = "web_cancelled"
    WEB_OPEN = "web_open"

    @property
    def is_web(self) -> bool:
        """Whether no till sold it."""
        return self.startswith("web")

    @property
    def counts(self) -> bool:
        """Whether it is a sale or a return, and paid."""
        return self not in (Kind.PARKED, Kind.WEB_CANCELLED, Kind.WEB_OPEN)


_KINDS = {
    Kind.SALE: 0.905,
    Kind.RETURN: 0.045,
    Kind.EXCHANGE: 0.01,
    Kind.PARKED: 0.02,
    Kind.WEB: 0.015,
    Kind.WEB_CANCELLED: 0.003,
    Kind.WEB_OPEN: 0.002,
}
_STATES = {Kind.PARKED: (0, 0, 110), Kind.WEB_CANCELLED: (20, 30, 10), Kind.WEB_OPEN: (0, 10, 10)}
"""Order state, payment state and order type, where they are not those of a finished sale."""


@dataclass(frozen=True)
class Template:
    """One receipt. Amounts are in hundredths.

    Attributes:
        kind: What it is.
        text: Its JSON with ``%`` holes, to be filled with order id, order date, the four texts of a place (staff,
            register, warehouse, and the object that names the store).
        lines: Its priced lines.
        measures: What a till adds up, by the fields of a z-report.
        groups: The same by side, product group and VAT rate: pieces, gross, net.
    """

    kind: Kind
    text: bytes
    lines: tuple[Line, ...] = field(repr=False)
    measures: dict[str, int]
    groups: dict[tuple[str, str, Decimal], tuple[int, int, int]]


def draw(seed: int) -> list[Template]:
    """The receipts of one seed, always the same."""
    rng = random.Random(f"{seed}/receipts")
    kinds = [kind for kind, share in _KINDS.items() for _ in range(max(1, round(share * COUNT)))]
    rng.shuffle(kinds)
    return [_template(kind, _draw_lines(rng, kind), rng) for kind in kinds]


def _draw_lines(rng: random.Random, kind: Kind) -> tuple[Line, ...]:
    count = rng.choices(_ROWS, weights=_ROW_WEIGHTS)[0]
    lines: list[Line] = []
    for product in rng.sample(PRODUCTS, k=count):
        weight = Decimal(rng.randrange(80, 1250)).scaleb(-3) if product.weighed else None
        quantity = 1 if weight or not product.has_stock else rng.choices((1, 2, 3), weights=(85, 11, 4))[0]
        takes_off = product.has_stock and weight is None and rng.random() < 0.03
        discount = Decimal(rng.choice((5, 10, 20))).quantize(_CENT) if takes_off else None
        lines += price(Item(product, quantity, weight=weight, row_discount=discount), None, SWEDEN)
    if kind is Kind.RETURN:
        return tuple(line.returned() for line in lines)
    if kind is Kind.EXCHANGE:
        return (*lines, *(line.returned() for line in lines[:1]))
    return tuple(lines)


def _template(kind: Kind, lines: tuple[Line, ...], rng: random.Random) -> Template:
    gross = sum((line.gross for line in lines), ZERO)
    is_cash = not kind.is_web and kind.counts and rng.random() < 0.1
    roundoff = SWEDEN.in_cash(gross) - gross if is_cash else ZERO
    text = orjson.dumps(_order(kind, lines, roundoff, paid_by="Cash" if is_cash else "Card", rng=rng))
    text = text.replace(b"%", b"%%")
    for hole, conversion in _HOLES.items():
        text = text.replace(hole, conversion)
    return Template(kind, text, lines, _measures(lines, roundoff), _groups(lines))


_HOLES = {
    b"-9876543210001": b"%d",
    b"-9876543210002": b"%d",
    b'"<staff>"': b"%b",
    b'"<register>"': b"%b",
    b'"<warehouse>"': b"%b",
    b'"<additional>"': b"%b",
}


def _order(
    kind: Kind, lines: Sequence[Line], roundoff: Decimal, *, paid_by: str, rng: random.Random
) -> dict[str, object]:
    net = sum((line.net for line in lines), ZERO)
    gross = sum((line.gross for line in lines), ZERO)
    state, payment_state, order_type = _STATES.get(kind, (10, 20, 10))
    is_known = kind.is_web or rng.random() < 0.12
    number = rng.randrange(1000, 9999)
    paid: dict[str, object] = {
        "name": paid_by,
        "moneyamount": str(gross + roundoff),
        "externalid": "",
        "reftype": "",
        "refid": "",
        "cardissuer": "Visa" if paid_by == "Card" else "",
        "additionaldata": {},
    }
    address = {"address": "", "address2": "", "zip": "", "city": "", "state": "", "countryid": ""}
    return {
        "orderid": -9876543210001,
        "eshopid": 1,
        "externalid": None,
        "creditorderid": None,
        "email": f"customer{number}@example.com" if is_known else "",
        "namefirst": "Kim" if is_known else "",
        "namelast": f"Ek {number}" if is_known else "",
        "personalid": "",
        "company": "",
        "phone": "",
        **{f"invoice_{name}": value for name, value in address.items()},
        **{f"delivery_{name}": value for name, value in address.items()},
        "comment": "",
        "commentinternal": "",
        "customerref": "",
        "checkoutref": "",
        "moneytotal_net": str(net),
        "moneytotal_vat": str(gross - net),
        "moneycheckout_net": "0.00",
        "moneycheckout_vat": "0.00",
        "moneytotal_gross_checkout": "0.00",
        "moneydelivery_net": "0.00",
        "moneydelivery_vat": "0.00",
        "moneytotal_gross_delivery": "0.00",
        "moneyfinal_net": str(net),
        "moneyfinal_vat": str(gross - net),
        "moneyfinal_salestax": "0.00",
        "moneytotal_gross_roundoff": str(roundoff),
        "moneytotal_gross_all": str(gross + roundoff),
        "checkouttypename": "" if kind.is_web else f"Sitoo POS - {paid_by}",
        "deliverytypename": "",
        "orderdate": -9876543210002,
        "orderstateid": state,
        "paymentstateid": payment_state,
        "ordertypeid": order_type,
        "userid_staff": "<staff>",
        "registerid": "<register>",
        "warehouseid": "<warehouse>",
        "datereserved": None,
        "currencycode": "SEK",
        "additionaldata": "<additional>",
        "orderitems": [_item(index, line) for index, line in enumerate(lines)],
        "payments": [paid] if payment_state == 20 else [],
        "orderlogitems": [],
    }


def _item(index: int, line: Line) -> dict[str, object]:
    product, is_product = line.product, line.kind == PRODUCT_ROW
    data: dict[str, str] = {}
    if line.row_discount is not None:
        data["orderitem-moneyrowdiscount"] = str(line.row_discount)
    if product.group.kind == GIFT_CARD:
        data["giftcard-cardnumber"] = f"7340{product.productid:06d}{index:02d}"
    campaign = line.campaign
    return {
        "orderitemid": index,
        "orderitemtype": line.kind,
        "productid": product.productid,
        "productname": product.title if is_product else "Pant",
        "sku": product.sku,
        "productattributes": product.attributes if is_product else "",
        "externalinput": "",
        "externalinputtitle": "",
        "unitlabel": "kg" if line.weight is not None else "",
        "quantity": line.shown_quantity,
        "decimalunitquantity": None if line.weight is None else str(line.weight),
        "moneynetpriceperunit": str(line.unit_charged),
        "moneypriceorg": "0.00",
        "vatvalue": int(line.vat_percent),
        "deliveryinfo": "",
        "moneyitemtotal_net": str(line.net),
        "moneyitemtotal_vat": str(line.gross - line.net),
        "voucherid": campaign.voucherid if campaign else 0,
        "vouchercode": campaign.code if campaign else "",
        "vouchername": campaign.name if campaign else "",
        "moneyoriginalprice": str(line.unit_original),
        "moneydiscountedprice": str(line.unit_charged) if line.unit_discount else "0.00",
        "moneydiscount": str(line.unit_discount),
        "salestaxes": [],
        "additionaldata": data,
        "decimalquantitytotal": str(line.total_quantity) if is_product else "1.000",
        "moneynetpriceperquantity": str(cents(line.unit_charged * (line.weight or 1))),
    }


def _hundredths(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def _measures(lines: Sequence[Line], roundoff: Decimal) -> dict[str, int]:
    sold, returned = [one for one in lines if one.quantity > 0], [one for one in lines if one.quantity < 0]
    return {
        "moneysalestotal": sum(_hundredths(line.gross) for line in sold),
        "moneysalestotalnet": sum(_hundredths(line.net) for line in sold),
        "numsales": int(bool(sold)),
        "numsalesitems": sum(line.pieces for line in sold),
        "moneyrefundtotal": -sum(_hundredths(line.gross) for line in returned),
        "moneyrefundtotalnet": -sum(_hundredths(line.net) for line in returned),
        "numrefund": int(bool(returned)),
        "numrefunditems": -sum(line.pieces for line in returned),
        "moneydiscount": sum(_hundredths(line.gross_discount) for line in sold),
        "moneyroundoff": _hundredths(roundoff),
    }


def _groups(lines: Sequence[Line]) -> dict[tuple[str, str, Decimal], tuple[int, int, int]]:
    found: dict[tuple[str, str, Decimal], tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for line in lines:
        side = "sales" if line.quantity > 0 else "refund"
        pieces, gross, net = found[side, line.product.group.name, line.vat_percent]
        found[side, line.product.group.name, line.vat_percent] = (
            pieces + abs(line.pieces),
            gross + abs(_hundredths(line.gross)),
            net + abs(_hundredths(line.net)),
        )
    return dict(found)
