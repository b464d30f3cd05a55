"""One z-report in Sitoo's JSON form: every figure summed from the lines and payments of the orders that it covers."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sitoo_pipeline.sandbox.catalogue import GIFT_CARD, PRODUCT, SERVICE
from sitoo_pipeline.sandbox.lines import Line
from sitoo_pipeline.sandbox.markets import ZERO, cents
from sitoo_pipeline.sandbox.order_rows import percent, sales_taxes
from sitoo_pipeline.sandbox.sales import CASH, Payment, Sale, takings
from sitoo_pipeline.sandbox.stores import COMPANY, COMPANY_ID, ESHOP_ID
from sitoo_pipeline.sandbox.tills import NOT_SALES, Till

_FLOAT = Decimal("2000.00")  # change that stays in the drawer over night
_MANUAL = "discount-manual"


@dataclass(frozen=True, slots=True)
class Period:
    """One z-report's time, in epoch seconds. It covers orders with ``opened_at < orderdate <= closed_at``."""

    till: Till
    day: date
    number: int
    opened_at: int
    closed_at: int
    added_at: int
    sales: tuple[Sale, ...]

    @property
    def reported(self) -> list[Sale]:
        """The orders that it adds up: what was sold in the till's own currency."""
        currency = self.till.market.currency
        return [
            sale
            for sale in self.sales
            if sale.slot.kind not in NOT_SALES and sale.slot.cart.market.currency == currency
        ]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _totals(lines: list[Line]) -> dict[str, str]:
    gross, net = abs(_sum(line.gross for line in lines)), abs(_sum(line.net for line in lines))
    return {"moneytotal": str(gross), "moneytotalnet": str(net), "moneytotalvat": str(gross - net)}


def _vat_groups(lines: list[Line]) -> list[dict[str, object]]:
    groups: dict[Decimal, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.vat_percent].append(line)
    return [{"vatvalue": percent(vat), **_totals(groups[vat])} for vat in sorted(groups)]


def _product_groups(lines: list[Line]) -> list[dict[str, object]]:
    groups: dict[tuple[str, Decimal], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.product.group.name, line.vat_percent].append(line)
    return [
        {"name": name, "vatvalue": percent(vat), "numtotal": _goods(groups[name, vat]), **_totals(groups[name, vat])}
        for name, vat in sorted(groups)
    ]


def _discounts(lines: list[Line]) -> list[dict[str, object]]:
    gross: dict[str, Decimal] = defaultdict(lambda: ZERO)
    net: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        if line.gross_discount:
            code = line.campaign.code if line.campaign else _MANUAL
            gross[code] += line.gross_discount
            net[code] += cents(line.gross_discount / (1 + line.vat_percent / 100))
    return [
        {
            "vouchercode": code,
            "moneytotal": str(gross[code]),
            "moneytotalnet": str(net[code]),
            "moneytotalvat": str(gross[code] - net[code]),
        }
        for code in sorted(gross)
    ]


def _payments(payments: Iterable[Payment]) -> list[dict[str, object]]:
    totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for payment in payments:
        totals[payment.name] += payment.amount
    return [
        {
            "name": name,
            "moneytotal": str(totals[name]),
            "moneycaptured": str(totals[name]),
            "moneyinadvance": "0.00",
            "moneyreserved": "0.00",
            "subpayments": [],
        }
        for name in sorted(totals)
    ]


def _goods(lines: list[Line]) -> int:
    return abs(sum(line.pieces for line in lines))


def _cash(orders: list[Sale], rng: random.Random) -> dict[str, object]:
    """The drawer: counted by people, so now and then some crowns off; what is above the float goes to the bank."""
    taken = _sum(payment.amount for sale in orders for payment in sale.payments if payment.name == CASH)
    petty = Decimal("-120.00") if rng.random() < 0.05 else ZERO
    bank = Decimal("-1000.00") if taken > 1500 and rng.random() < 0.3 else ZERO
    expected = _FLOAT + taken + petty + bank
    diff = Decimal(rng.choice(("-5.00", "-1.00", "1.00", "20.00"))) if rng.random() < 0.15 else ZERO
    counted = expected + diff
    banked = -max(counted - _FLOAT, ZERO)
    return {
        "moneycash_in": str(_FLOAT),
        "moneycash_salesrefunds": str(taken),
        "moneycash_petty": str(petty),
        "moneycash_bank": str(bank),
        "moneycash_expected": str(expected),
        "moneycash_counted": str(counted),
        "moneycash_diff": str(diff),
        "moneycash_bankfinal": str(banked),
        "moneycash_out": str(counted + banked),
    }


def _summary(sales: Decimal, refunds: Decimal, tax: Decimal, roundoff: Decimal) -> dict[str, object]:
    return {
        "moneyroundoff": str(roundoff),
        "moneysummarysales": str(sales),
        "moneysummaryrefund": str(refunds),
        "moneysummarysubtotal": str(sales - refunds),
        "moneysummarysalestax": str(tax),
        "moneysummaryroundoff": str(roundoff),
        "moneysummarytotal": str(sales - refunds + tax + roundoff),
    }


def _register(period: Period, rng: random.Random) -> dict[str, object]:
    store, register = period.till.store(period.day), period.till.register
    assert register is not None
    employee = rng.choice(store.staff)
    return {
        "zreportid": period.number,
        "registerid": register.registerid,
        "manufacturerid": register.manufacturerid,
        "registerkey": register.registerkey,
        "registernumber": register.number,
        "datecreated": period.closed_at,
        "dateopened": period.opened_at,
        "dateadded": period.added_at,
        "eshopid": ESHOP_ID,
        "store_id": store.externalid if store.listed else None,
        "store_name": store.name if store.listed else None,
        "company": COMPANY,
        "companyid": COMPANY_ID,
        "address": store.address,
        "address2": "",
        "address3": f"{store.zip} {store.city}".strip(),
        "currencycode": store.market.currency,
        "staff": employee.name,
        "staffuserid": employee.userid,
        "comment": "",
    }


def z_report(period: Period, *, lifetime: tuple[Decimal, Decimal], rng: random.Random) -> dict[str, object]:
    """The z-report of ``period``.

    Args:
        period: the time and the orders that it covers.
        lifetime: sales and refunds of the till since it was taken into use, this period included.
        rng: decides who closed the till and how well the cash was counted.
    """
    orders = period.reported
    lines = [line for sale in orders for line in sale.slot.cart.lines]
    sold, returned = [line for line in lines if line.quantity > 0], [line for line in lines if line.quantity < 0]
    taken = [takings(sale.slot.cart, sale.payments, sale.roundoff) for sale in orders]
    gross, refunds = _sum(line.gross for line in sold), -_sum(line.gross for line in returned)
    kinds = {
        kind: _goods([line for line in sold if line.product.group.kind == kind])
        for kind in (PRODUCT, SERVICE, GIFT_CARD)
    }
    practised = rng.random() < 0.02
    return {
        **_register(period, rng),
        "moneysalestotal": str(gross),
        "moneysalestotalnet": str(_sum(line.net for line in sold)),
        "numsales": sum(1 for sale in orders if sale.slot.cart.has_sales),
        "numsalesitems": _goods(sold),
        "vatgroupssales": _vat_groups(sold),
        "productgroupssales": _product_groups(sold),
        "moneysalesnotdeliveredtotal": "0.00",
        "moneysalesnotdeliveredtotalnet": "0.00",
        "numsalesnotdelivered": 0,
        "numsalesnotdelivereditems": 0,
        "vatgroupssalesnotdelivered": [],
        "productgroupssalesnotdelivered": [],
        "discountssalesnotdelivered": [],
        "moneysalestaxinadvance": "0.00",
        "moneyrefundtotal": str(refunds),
        "moneyrefundtotalnet": str(-_sum(line.net for line in returned)),
        "numrefund": sum(1 for sale in orders if sale.slot.cart.has_returns),
        "numrefunditems": _goods(returned),
        "vatgroupsrefund": _vat_groups(returned),
        "productgroupsrefund": _product_groups(returned),
        "salestaxessales": sales_taxes(sold),
        "salestaxesrefund": sales_taxes(returned),
        **_summary(gross, refunds, _sum(line.sales_tax for line in lines), _sum(sale.roundoff for sale in orders)),
        "paymentssales": _payments(payment for sales, _ in taken for payment in sales),
        "paymentsrefund": _payments(payment for _, back in taken for payment in back),
        "moneydiscount": str(_sum(line.gross_discount for line in sold)),
        "discountssales": _discounts(sold),
        "discountsrefund": _discounts(returned),
        **_cash(orders, rng),
        "numsalestypeproduct": kinds[PRODUCT],
        "numsalestypeservice": kinds[SERVICE],
        "numsalestypegiftcard": kinds[GIFT_CARD],
        "numreceipts": len(orders),
        "numopendrawer": 1 + sum(1 for sale in orders if any(payment.name == CASH for payment in sale.payments)),
        "numpractice": int(practised),
        "moneypractice": "199.00" if practised else "0.00",
        "moneygrandtotalsales": str(lifetime[0]),
        "moneygrandtotalrefund": str(lifetime[1]),
        "moneygrandtotalnet": str(lifetime[0] - lifetime[1]),
    }
