"""Shopping carts: the pool from which every order takes its lines, and what a cart adds up to.

Carts come from a pool that is drawn once, so that what a till sold on a day can be summed up without making its orders.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import takewhile

from sitoo_pipeline.sandbox.catalogue import FASHION, GIFT_CARD, GROUPS, HOME, PRODUCTS, SERVICE, Campaign, Product
from sitoo_pipeline.sandbox.lines import PRODUCT_ROW, Item, Line, price
from sitoo_pipeline.sandbox.markets import ZERO, Market

_CENT = Decimal("0.01")
_POOL_SIZE = 600
_ROWS, _ROW_WEIGHTS = (1, 2, 3, 4, 6), (30, 28, 22, 12, 8)
_GROUP_WEIGHTS = dict(zip((group.name for group in GROUPS), (40, 14, 14, 12, 6, 34, 12), strict=True))


@dataclass(frozen=True)
class Cart:
    """Priced lines of one order, with the sums that a till's counters need. Lines of a cart are of one market."""

    lines: tuple[Line, ...]
    sales: Decimal = field(init=False)
    refunds: Decimal = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sales", _sum(line.gross for line in self.lines if line.quantity > 0))
        object.__setattr__(self, "refunds", -_sum(line.gross for line in self.lines if line.quantity < 0))

    @property
    def market(self) -> Market:
        """Where, and so in which currency, it is sold."""
        return self.lines[0].market

    @cached_property
    def total(self) -> Decimal:
        """What is to be paid before fees and cash rounding; negative where money goes back."""
        return self.to_pay - self.to_pay_back

    @cached_property
    def to_pay(self) -> Decimal:
        """What its sale lines cost, with sales tax."""
        return self.sales + _sum(line.sales_tax for line in self.lines if line.quantity > 0)

    @cached_property
    def to_pay_back(self) -> Decimal:
        """What its return lines give back, with sales tax."""
        return self.refunds - _sum(line.sales_tax for line in self.lines if line.quantity < 0)

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
        return len({line.quantity > 0 for line in self.lines if line.moves_stock})

    @cached_property
    def can_come_back(self) -> bool:
        """Whether its first line may be returned: goods that were sold, and neither food nor a service."""
        first = self.lines[0]
        return first.quantity > 0 and first.product.has_stock and first.weight is None

    def first_line_back(self) -> Cart:
        """The return of its first line and of the rows that belong to it."""
        rows = takewhile(lambda line: line.kind != PRODUCT_ROW, self.lines[1:])
        return Cart(tuple(line.returned() for line in (self.lines[0], *rows)))


class CartPool:
    """The carts that customers fill, drawn once from ``seed``, priced per campaign and market when they are needed.

    In an ``awkward`` pool some carts have a row of quantity 0.
    """

    def __init__(self, *, seed: int, awkward: bool) -> None:
        rng = random.Random(f"{seed}/carts")  # noqa: S311 -- repeatable, not secret
        self._items = [_draw_items(rng, awkward=awkward) for _ in range(_POOL_SIZE)]
        self._priced: dict[tuple[Campaign | None, Market], list[Cart]] = {}
        self._returnable: dict[tuple[Campaign | None, Market], list[Cart]] = {}

    def priced(self, campaign: Campaign | None, market: Market) -> list[Cart]:
        """Every cart of the pool at the prices of a day with this campaign."""
        key = campaign, market
        if key not in self._priced:
            self._priced[key] = [
                Cart(tuple(line for item in items for line in price(item, campaign, market))) for items in self._items
            ]
        return self._priced[key]

    def returnable(self, campaign: Campaign | None, market: Market) -> list[Cart]:
        """The carts of ``priced`` whose first line may come back."""
        key = campaign, market
        if key not in self._returnable:
            self._returnable[key] = [cart for cart in self.priced(campaign, market) if cart.can_come_back]
        return self._returnable[key]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def _draw_items(rng: random.Random, *, awkward: bool) -> tuple[Item, ...]:
    weights = [_GROUP_WEIGHTS[product.group.name] for product in PRODUCTS]
    rows = rng.choices(_ROWS, weights=_ROW_WEIGHTS)[0]
    products = dict.fromkeys(rng.choices(PRODUCTS, weights=weights, k=rows))
    items = tuple(_draw_item(rng, product) for product in products)
    return (*items, Item(rng.choice(PRODUCTS), 0)) if awkward and rng.random() < 0.02 else items


def _draw_item(rng: random.Random, product: Product) -> Item:
    if product.weighed:
        grams = rng.randrange(80, 1250) if rng.random() < 0.4 else product.package
        return Item(product, 1, weight=Decimal(grams).scaleb(-3))
    if product.group.kind in (SERVICE, GIFT_CARD):
        return Item(product, 1)
    quantity = rng.choices((1, 2, 3, 4), weights=(82, 12, 4, 2))[0]
    if product.group is FASHION and rng.random() < 0.05:
        # a stain, a missing button: staff takes some crowns off the row
        return Item(product, quantity, row_discount=Decimal(rng.choice((20, 25, 50))).quantize(_CENT))
    if product.group is HOME and rng.random() < 0.08:
        return Item(product, quantity, coupon=Decimal(rng.choice(("10.00", "15.50", "20.00"))))
    return Item(product, quantity)
