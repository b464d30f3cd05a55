"""One row of an order: what it costs, what was given off on it, and the rows of their own that go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from sitoo_pipeline.sandbox.catalogue import GIFT_CARD, OUTLET, Campaign, Product
from sitoo_pipeline.sandbox.markets import ZERO, Market, cents

PRODUCT_ROW, DISCOUNT_ROW, DEPOSIT_ROW = 10, 20, 30
"""Kinds of rows, as ``orderitemtype``. Only the first is documented; what Sitoo calls the others is not known."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a cart before it has a price.

    ``weight`` is in kilograms per piece of weighed goods. ``row_discount`` is what staff took off the row, ``coupon``
    what a row of its own takes off it; both in SEK incl. VAT.
    """

    product: Product
    quantity: int
    weight: Decimal | None = None
    row_discount: Decimal | None = None
    coupon: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A priced order line.

    Unit prices and ``unit_discount`` are net; ``net`` and ``gross`` are of the row. The sign of ``quantity`` tells the
    side, also of a row that is no product: such a row has its product's. Sales tax is in neither net nor gross.
    """

    product: Product
    quantity: int
    weight: Decimal | None
    unit_original: Decimal
    unit_charged: Decimal
    net: Decimal
    gross: Decimal
    campaign: Campaign | None
    row_discount: Decimal | None
    market: Market
    kind: int = PRODUCT_ROW

    @property
    def vat_percent(self) -> Decimal:
        """VAT in the line's country."""
        return self.market.vat[self.product.group.vat_percent]

    @property
    def sales_tax(self) -> Decimal:
        """What is added at the till; signed. Gift cards and what has no VAT in Sweden are not taxed."""
        taxed = self.market.sales_tax and self.product.group.vat_percent and self.product.group.kind != GIFT_CARD
        return cents(self.net * self.market.sales_tax / 100) if taxed and self.net else ZERO

    @property
    def unit_discount(self) -> Decimal:
        """Net discount per piece, or per kilogram of weighed goods."""
        return self.unit_original - self.unit_charged

    @property
    def total_quantity(self) -> Decimal:
        """Pieces, or kilograms of weighed goods; signed."""
        return self.quantity * (self.weight if self.weight is not None else Decimal("1.000"))

    @property
    def shown_quantity(self) -> int:
        """The quantity that Sitoo shows: without a sign on rows that are no product."""
        return self.quantity if self.kind == PRODUCT_ROW else abs(self.quantity)

    @property
    def pieces(self) -> int:
        """Pieces that a till counts; signed. A row that is no product has none."""
        return self.quantity if self.kind == PRODUCT_ROW else 0

    @property
    def moves_stock(self) -> bool:
        """Whether goods leave a warehouse or come back to it."""
        return self.pieces != 0 and self.product.has_stock

    @property
    def gross_discount(self) -> Decimal:
        """Discount of the row incl. VAT, positive: as the till recorded it, else from the unit discount, half up."""
        if self.kind != PRODUCT_ROW:
            return abs(self.gross) if self.kind == DISCOUNT_ROW else ZERO
        if self.row_discount is not None:
            return self.row_discount
        return cents(self.unit_discount * abs(self.total_quantity) * (1 + self.vat_percent / 100))

    def returned(self) -> Line:
        """The same line coming back: unit prices keep their sign, quantity and row totals change it."""
        return replace(self, quantity=-self.quantity, net=-self.net, gross=-self.gross)


def price(item: Item, campaign: Campaign | None, market: Market) -> Iterator[Line]:
    """What ``item`` costs: the row's gross follows from the label, net is taken out of it, VAT is the rest.

    A coupon and a deposit are rows of their own after it.
    """
    product = item.product
    share = 1 + market.vat[product.group.vat_percent] / 100
    amount = item.quantity * (item.weight if item.weight is not None else Decimal(1))
    row_discount = None if item.row_discount is None else market.amount(item.row_discount)
    applied = _campaign_for(product, campaign) if row_discount is None else None
    label = market.amount(product.gross_price)
    unit_gross = cents(label * (100 - applied.percent) / 100) if applied else label
    gross = cents(unit_gross * amount) - (row_discount or ZERO)
    charged = cents(gross / amount / share) if row_discount is not None else cents(unit_gross / share)
    line = Line(
        product=product,
        quantity=item.quantity,
        weight=item.weight,
        unit_original=cents(label / share),
        unit_charged=charged,
        net=cents(gross / share),
        gross=gross,
        campaign=applied,
        row_discount=row_discount,
        market=market,
    )
    yield line
    if not item.quantity:
        return
    if item.coupon is not None:
        yield _row(line, DISCOUNT_ROW, -market.amount(item.coupon), share)
    if product.deposit:
        yield _row(line, DEPOSIT_ROW, item.quantity * market.amount(product.deposit), share)


def _row(line: Line, kind: int, gross: Decimal, share: Decimal) -> Line:
    net = cents(gross / share)
    return Line(line.product, 1, None, net, net, net, gross, None, None, line.market, kind)


def _campaign_for(product: Product, campaign: Campaign | None) -> Campaign | None:
    if campaign is not None and product.group.vatid in campaign.vatids:
        return campaign
    return OUTLET if product.outlet else None
