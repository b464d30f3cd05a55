"""What the chain sells: product groups, products and campaigns, as plain data. Nothing here depends on a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

PRODUCT, SERVICE, GIFT_CARD = 10, 20, 30


@dataclass(frozen=True, slots=True)
class ProductGroup:
    """A product group, which is also Sitoo's VAT rate: its key is called ``vatid``."""

    vatid: int
    name: str
    vat_percent: int
    kind: int
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """An article.

    ``gross_price`` is the price on the label, in SEK including VAT, per piece or per kilogram. ``package`` is the
    weight in grams in which weighed goods are mostly sold. ``deposit`` is paid for the bottle, as a row of its own.
    """

    productid: int
    sku: str
    title: str
    attributes: str
    group: ProductGroup
    gross_price: Decimal
    cost: Decimal
    weighed: bool
    outlet: bool
    parent: int | None
    package: int
    deposit: Decimal | None

    @property
    def has_stock(self) -> bool:
        """Whether its stock is counted: services and gift cards have none."""
        return self.group.kind == PRODUCT


@dataclass(frozen=True, slots=True)
class Campaign:
    """A percentage off everything in some product groups, for some days."""

    voucherid: int
    code: str
    name: str
    percent: int
    vatids: frozenset[int]


FASHION = ProductGroup(2, "Mode", 25, PRODUCT, "Standardmoms")
BOOKS = ProductGroup(3, "Böcker", 6, PRODUCT)
FOOD = ProductGroup(4, "Kaffe, te och sött", 12, PRODUCT)
GIFT_CARDS = ProductGroup(5, "Presentkort", 0, GIFT_CARD)
SERVICES = ProductGroup(6, "Tjänster", 25, SERVICE)
HOME = ProductGroup(7, "Hem", 25, PRODUCT)
CHARITY = ProductGroup(8, "Gåvor", 0, PRODUCT, "Momsfritt")
GROUPS = (FASHION, BOOKS, FOOD, GIFT_CARDS, SERVICES, HOME, CHARITY)

_SIZES = ("Storlek: S", "Storlek: M", "Storlek: L", "Storlek: XL")
_COLOURS = ("Färg: Blå", "Färg: Grön", "Färg: Röd")

# number, title, group, gross price, variants, weighed, always on sale
_ARTICLES: tuple[tuple[str, str, ProductGroup, str, tuple[str, ...], bool, bool], ...] = (
    ("10038", "Linneskjorta", FASHION, "599.00", _SIZES, False, False),
    ("10112", "Ullkofta", FASHION, "899.00", _SIZES, False, False),
    ("10245", "T-shirt i bomull", FASHION, "149.50", _SIZES, False, False),
    ("10377", "Jeans", FASHION, "799.00", _SIZES, False, False),
    ("10411", "Sommarklänning", FASHION, "699.00", _SIZES, False, True),
    ("10520", "Halsduk", FASHION, "249.00", _COLOURS, False, False),
    ("10631", "Raggsockor", FASHION, "89.90", _COLOURS, False, False),
    ("10744", "Regnjacka", FASHION, "1299.00", _SIZES, False, False),
    ("20017", "Kökshandduk", HOME, "79.00", _COLOURS, False, False),
    ("20101", "Doftljus", HOME, "129.00", ("",), False, False),
    ("20233", "Plädar & filtar", HOME, "449.00", _COLOURS, False, False),
    ("20340", "Kaffekopp", HOME, "95.00", _COLOURS, False, False),
    ("20451", "Ljusstake i mässing", HOME, "349.00", ("",), False, True),
    ("20562", "Sänglinne", HOME, "799.00", _COLOURS, False, False),
    ("20673", "Bordslampa", HOME, "1195.00", ("",), False, False),
    ("20780", "Servetter", HOME, "39.90", _COLOURS, False, False),
    ("30011", "Kokbok: Husmanskost", BOOKS, "289.00", ("",), False, False),
    ("30022", "Trädgårdens år", BOOKS, "249.00", ("",), False, False),
    ("30033", "Anteckningsbok", HOME, "99.00", ("",), False, False),
    ("40010", "Lösviktskonfekt", FOOD, "199.00", ("",), True, False),
    ("40021", "Te i lösvikt", FOOD, "690.00", ("",), True, False),
    ("40032", "Kaffe, mellanrost", FOOD, "89.00", ("",), False, False),
    ("40043", "Pepparkakor", FOOD, "45.00", ("",), False, False),
    ("40054", "Rostade mandlar", FOOD, "103.60", ("",), True, True),
    ("40065", "Äppelmust", FOOD, "38.00", ("",), False, False),
    ("40076", "Böcker på kilo", BOOKS, "111.30", ("",), True, True),
    ("40087", "Loppis på kilo", CHARITY, "90.10", ("",), True, True),
    ("60010", "Uppläggning av byxor", SERVICES, "195.00", ("",), False, False),
    ("60021", "Presentinslagning", SERVICES, "25.00", ("",), False, False),
    ("70010", "Gåva till barncancerforskning", CHARITY, "20.00", ("",), False, False),
    ("90200", "Presentkort 200 kr", GIFT_CARDS, "200.00", ("",), False, False),
    ("90500", "Presentkort 500 kr", GIFT_CARDS, "500.00", ("",), False, False),
)

# Prices, packages and the discount of goods on sale are such that the discount of a row ends in half a hundredth.
_PACKAGES = {"40054": 625}
_DEPOSITS = {"40065": Decimal("2.00")}


def _products() -> Iterator[Product]:
    productid = 11
    for number, title, group, price, variants, weighed, outlet in _ARTICLES:
        parent = productid + 1 if len(variants) > 1 else None
        gross = Decimal(price)
        cost = (gross * Decimal("0.30")).quantize(Decimal("0.01")) if group.kind == PRODUCT else Decimal("0.00")
        for position, attributes in enumerate(variants, start=1):
            productid += 1
            yield Product(
                productid=productid,
                sku=f"{number}-{position}",
                title=title,
                attributes=attributes,
                group=group,
                gross_price=gross,
                cost=cost,
                weighed=weighed,
                outlet=outlet,
                parent=parent,
                package=_PACKAGES.get(number, 500),
                deposit=_DEPOSITS.get(number),
            )


PRODUCTS = tuple(_products())

OUTLET = Campaign(1, "OUTLET", "Utförsäljning", 30, frozenset())  # by article, all year round
_EVERYTHING = frozenset({FASHION.vatid, HOME.vatid})
_BLACK_WEEK = Campaign(2, "BLACKWEEK", "Black Week", 25, _EVERYTHING)
_SINGLES_DAY = Campaign(3, "1111", "Singles' Day", 20, frozenset({FASHION.vatid}))
_WINTER_SALE = Campaign(4, "MELLANDAGSREA", "Mellandagsrea", 40, frozenset({FASHION.vatid}))
_SUMMER_SALE = Campaign(5, "SOMMARREA", "Sommarrea", 30, _EVERYTHING)
_MEMBERS = Campaign(6, "MEDLEM", "Medlemshelg", 15, frozenset({HOME.vatid, FOOD.vatid, BOOKS.vatid}))


def campaign_on(day: date) -> Campaign | None:
    """The chain's campaign on ``day``, or None on an ordinary day."""
    black_friday = date(day.year, 11, 30) - timedelta(days=(date(day.year, 11, 30).weekday() - 4) % 7)
    if timedelta(days=-4) <= day - black_friday <= timedelta(days=2):
        return _BLACK_WEEK
    if (day.month, day.day) == (11, 11):
        return _SINGLES_DAY
    if (day.month, day.day) >= (12, 26) or (day.month, day.day) <= (1, 6):
        return _WINTER_SALE
    if (6, 25) <= (day.month, day.day) <= (7, 15):
        return _SUMMER_SALE
    if 10 <= day.day <= 19 and day.weekday() >= 4:
        return _MEMBERS
    return None
