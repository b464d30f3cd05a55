"""Shopping carts and what they cost: the pool from which every order takes its lines, and the arithmetic of one line.

Carts come from a pool that is drawn once, so that what a till sold on a day can be summed up without making its orders.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from sitoo_pipeline.sandbox.catalogue import FASHION, GIFT_CARD, GROUPS, OUTLET, PRODUCTS, SERVICE, Campaign, Product

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")
_POOL_SIZE = 600
_GROUP_WEIGHTS = dict(zip((group.name for group in GROUPS), (40, 8, 14, 2, 4, 34, 2), strict=True))


def cents(amount: Decimal) -> Decimal:
    """``amount`` rounded half up (away from zero) to two decimals."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a cart before it has a price.

    ``weight`` is in kilograms per piece of weighed goods; ``row_discount`` is in SEK incl. VAT for the row.
    """

    product: Product
    quantity: int
    weight: Decimal | None = None
    row_discount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A priced order line.

    Unit prices and ``unit_discount`` are net; ``net`` and ``gross`` are of the row, negative where goods come back.
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

    @property
    def unit_discount(self) -> Decimal:
        """Net discount per piece, or per kilogram of weighed goods."""
        return self.unit_original - self.unit_charged

    @property
    def total_quantity(self) -> Decimal:
        """Pieces, or kilograms of weighed goods; signed."""
        return self.quantity * (self.weight if self.weight is not None else Decimal("1.000"))

    @property
    def gross_discount(self) -> Decimal:
        """Discount of the row incl. VAT, positive: as the till recorded it, else from the unit discount, half up."""
        if self.row_discount is not None:
            return self.row_discount
        share = 1 + Decimal(self.product.group.vat_percent) / 100
        return cents(self.unit_discount * abs(self.total_quantity) * share)

    def returned(self) -> Line:
        """The same line coming back: unit prices stay positive, quantity and row totals turn negative."""
        return replace(self, quantity=-self.quantity, net=-self.net, gross=-self.gross)


@dataclass(frozen=True)
class Cart:
    """Priced lines of one order, with the sums that a till's counters need."""

    lines: tuple[Line, ...]
    sales: Decimal = field(init=False)
    refunds: Decimal = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sales", sum((line.gross for line in self.lines if line.quantity > 0), ZERO))
        object.__setattr__(self, "refunds", -sum((line.gross for line in self.lines if line.quantity < 0), ZERO))

    @property
    def total(self) -> Decimal:
        """What is to be paid before cash rounding; negative where money goes back."""
        return self.sales - self.refunds

    @cached_property
    def has_sales(self) -> bool:
        """Whether goods, services or gift cards are sold."""
        return any(line.quantity > 0 for line in self.lines)

    @cached_property
    def has_returns(self) -> bool:
        """Whether something comes back."""
        return any(line.quantity < 0 for line in self.lines)

    @cached_property
    def movements(self) -> int:
        """Warehouse transactions that delivering it makes: one for goods out, one for goods back."""
        return len({line.quantity > 0 for line in self.lines if line.product.has_stock})

    @cached_property
    def can_come_back(self) -> bool:
        """Whether its first line may be returned: goods that were sold, and neither food nor a service."""
        first = self.lines[0]
        return first.quantity > 0 and first.product.has_stock and first.weight is None

    def first_line_back(self) -> Cart:
        """The return of its first line."""
        return Cart((self.lines[0].returned(),))


class CartPool:
    """The carts that customers fill, drawn once from ``seed``, priced per campaign when they are needed."""

    def __init__(self, *, seed: int) -> None:
        rng = random.Random(f"{seed}/carts")  # noqa: S311 -- repeatable, not secret
        self._items = [_draw_items(rng) for _ in range(_POOL_SIZE)]
        self._priced: dict[Campaign | None, list[Cart]] = {}
        self._returnable: dict[Campaign | None, list[Cart]] = {}

    def priced(self, campaign: Campaign | None) -> list[Cart]:
        """Every cart of the pool at the prices of a day with this campaign."""
        if campaign not in self._priced:
            self._priced[campaign] = [Cart(tuple(price(item, campaign) for item in items)) for items in self._items]
        return self._priced[campaign]

    def returnable(self, campaign: Campaign | None) -> list[Cart]:
        """The carts of ``priced`` whose first line may come back."""
        if campaign not in self._returnable:
            self._returnable[campaign] = [cart for cart in self.priced(campaign) if cart.can_come_back]
        return self._returnable[campaign]


def price(item: Item, campaign: Campaign | None) -> Line:
    """What ``item`` costs: the row's gross follows from the label, net is taken out of it, VAT is the rest."""
    product = item.product
    share = 1 + Decimal(product.group.vat_percent) / 100
    amount = item.quantity * (item.weight if item.weight is not None else Decimal(1))
    applied = _campaign_for(product, campaign) if item.row_discount is None else None
    unit_gross = cents(product.gross_price * (100 - applied.percent) / 100) if applied else product.gross_price
    gross = cents(unit_gross * amount) - (item.row_discount or ZERO)
    charged = cents(gross / amount / share) if item.row_discount is not None else cents(unit_gross / share)
    return Line(
        product=product,
        quantity=item.quantity,
        weight=item.weight,
        unit_original=cents(product.gross_price / share),
        unit_charged=charged,
        net=cents(gross / share),
        gross=gross,
        campaign=applied,
        row_discount=item.row_discount,
    )


def _campaign_for(product: Product, campaign: Campaign | None) -> Campaign | None:
    if campaign is not None and product.group.vatid in campaign.vatids:
        return campaign
    return OUTLET if product.outlet else None


def _draw_items(rng: random.Random) -> tuple[Item, ...]:
    weights = [_GROUP_WEIGHTS[product.group.name] for product in PRODUCTS]
    rows = rng.choices((1, 2, 3, 4, 6), weights=(46, 28, 15, 8, 3))[0]
    products = dict.fromkeys(rng.choices(PRODUCTS, weights=weights, k=rows))
    return tuple(_draw_item(rng, product) for product in products)


def _draw_item(rng: random.Random, product: Product) -> Item:
    if product.weighed:
        return Item(product, 1, weight=Decimal(rng.randrange(80, 1250)).scaleb(-3))
    if product.group.kind in (SERVICE, GIFT_CARD):
        return Item(product, 1)
    quantity = rng.choices((1, 2, 3, 4), weights=(82, 12, 4, 2))[0]
    if (
        product.group is FASHION and rng.random() < 0.05
    ):  # a stain, a missing button: staff takes some crowns off the row
        return Item(product, quantity, row_discount=Decimal(rng.choice((20, 25, 50))).quantize(_CENT))
    return Item(product, quantity)
