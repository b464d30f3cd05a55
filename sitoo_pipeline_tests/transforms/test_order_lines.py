"""The rules for single lines, one by one: sides, gift cards, goods, and discounts to the hundredth."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import core
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.scenario.objects import line, order
from sitoo_pipeline_tests.transforms.build import assert_is, line_source, places, product_groups

PLACES = places(
    stores=scenario.STORES,
    warehouses=scenario.WAREHOUSES,
    registers=scenario.REGISTERS,
    account_timezone=scenario.ACCOUNT_TIMEZONE,
    store_timezones=scenario.STORE_TIMEZONES,
)
GROUPS = product_groups(scenario.PRODUCT_GROUPS)


def made(*items: dict[str, Any]) -> pl.DataFrame:
    """``core.order_lines`` of one order with these lines."""
    source = line_source([order(1, "2026-10-23T10:00:00+02:00", *items)], PLACES)
    return transforms.order_lines(source, product_groups=GROUPS)


def discount(**given: Any) -> Decimal:
    item = line("100.00", "25.00", **given)
    return Decimal(made(item)["discount_gross"].item())


@pytest.mark.parametrize(
    ("unit", "weight", "rate", "half_up", "half_even"),
    [
        ("0.02", "1", 25, "0.03", "0.02"),  # 0.025
        ("0.10", "1", 25, "0.13", "0.12"),  # 0.125
        ("0.75", "0.125", 12, "0.11", "0.10"),  # 0.105
        ("0.50", "0.500", 6, "0.27", "0.26"),  # 0.265
        ("0.01", "0.500", 0, "0.01", "0.00"),  # 0.005
        ("0.05", "0.500", 0, "0.03", "0.02"),  # 0.025
        ("0.04", "1", 12.5, "0.05", "0.04"),  # 0.045
    ],
)
def test_half_a_hundredth_is_rounded_up(unit: str, weight: str, rate: float, half_up: str, half_even: str) -> None:
    assert discount(discount=unit, weight=weight, rate=rate) == Decimal(half_up) != Decimal(half_even)


@pytest.mark.parametrize(
    ("unit", "weight", "rate", "expected"),
    [
        ("20.00", "2.000", 25, "50.00"),
        ("9.95", "0.355", 12, "3.96"),  # 3.95612
        ("0.03", "1", 12, "0.03"),  # 0.0336
        ("0.07", "0.999", 6, "0.07"),  # 0.0741258
        ("0.04", "0.100", 24.9999, "0.00"),  # 0.004999996
        ("0.00", "3.000", 25, "0.00"),
        ("-0.02", "1", 25, "-0.03"),  # a price raised by hand: half away from zero
    ],
)
def test_unit_discount_times_quantity_times_vat(unit: str, weight: str, rate: float, expected: str) -> None:
    assert discount(discount=unit, weight=weight, rate=rate) == Decimal(expected)


def test_the_rounding_that_the_transforms_do_not_use() -> None:
    """Polars rounds decimals half to even, in ``round`` and in casts: the reason why it is done in whole digits."""
    half = pl.Series([Decimal("0.125"), Decimal("0.135")], dtype=pl.Decimal(18, 3))
    even = [Decimal("0.12"), Decimal("0.14")]
    assert half.round(2).cast(pl.Decimal(18, 2)).to_list() == half.cast(pl.Decimal(18, 2)).to_list() == even


def test_a_decimal_is_its_digits_in_128_bits() -> None:
    physical = pl.Series([Decimal("-1.25"), None], dtype=pl.Decimal(18, 2)).to_physical()
    assert (physical.dtype, physical.to_list()) == (pl.Int128(), [-125, None])


def test_the_largest_unit_discounts_are_exact_and_larger_ones_raise() -> None:
    huge = line("0.00", "0.00", discount="1234567890.13", decimalquantitytotal="12345.678")
    assert made(huge)["discount_gross"].item() == Decimal("19051972050855.45")
    for change in ({"decimalquantitytotal": "9999999999.999"}, {"moneydiscount": "99999999999999.99"}):
        with pytest.raises(pl.exceptions.InvalidOperationError):
            made(huge | change)


def test_quantity_stands_in_for_an_absent_total() -> None:
    assert discount(discount="10.00", quantity=3, decimalquantitytotal=None) == Decimal("37.50")


@pytest.mark.parametrize(
    ("recorded", "expected"), [("50.00", "50.00"), ("-12.34", "12.34"), ("0.00", "0.00"), ("", "8.75"), (None, "8.75")]
)
def test_the_recorded_row_discount_comes_first(recorded: str | None, expected: str) -> None:
    assert discount(discount="7.00", extra={"orderitem-moneyrowdiscount": recorded}) == Decimal(expected)


def test_a_discount_counts_although_no_discounted_price_is_set() -> None:
    assert discount(discount="8.00", moneydiscountedprice="0.00") == Decimal("10.00")


def test_returns_and_gift_cards_have_no_discount() -> None:
    lines = made(
        line("-80.00", "-20.00", quantity=-1, discount="8.00", extra={"orderitem-moneyrowdiscount": "10.00"}),
        line("-1.00", "-0.25", kind=20),
        line("90.00", "0.00", rate=0, group="Presentkort", discount="10.00"),
        line("-5.00", "0.00", kind=20, rate=0),
    )
    assert lines["discount_gross"].to_list() == [Decimal(0)] * 4


def test_a_discount_row_follows_the_product_line_before_it() -> None:
    lines = made(
        line("-1.00", "-0.25", kind=20),  # none before it: its own sign decides
        line("100.00", "25.00", quantity=2),
        line("-8.00", "-2.00", kind=20, quantity=-1, discount="8.00", extra={"orderitem-moneyrowdiscount": "99.00"}),
        line("4.00", "1.00", kind=30),  # a fee: it is sold, and no discount
        line("-50.00", "-12.50", quantity=-1),
        line("8.00", "2.00", kind=20, quantity=0),
        line("9.00", "2.25", quantity=0),
        line("-3.00", "-0.75", kind=20),  # its product line counts nowhere
    )
    sale, back = "sale", "return"
    assert lines["product_line_no"].to_list() == [None, 1, 1, 1, 4, 4, 6, 6]
    assert lines["side"].to_list() == [sale, sale, sale, sale, back, back, None, None]
    assert lines["goods"].to_list() == [0, 2, 0, 0, 1, 0, 0, 0]
    assert lines["discount_gross"].to_list() == [Decimal(x) for x in ("1.25", "0", "10", "0", "0", "0", "0", "0")]


def test_a_line_without_a_type_is_a_product_line() -> None:
    lines = made(line("10.00", "2.50", kind=None, quantity=2), line("-1.00", "-0.25", kind=20))
    assert lines["goods"].to_list() == [2, 0]
    assert lines["product_line_no"].to_list() == [0, 0]


def products(*listed: tuple[int, int, int | None], own_type: int | None = None) -> pl.DataFrame:
    """``core.products`` of products by site, number and group."""
    names = [column.name for column in core.PRODUCTS.columns if column.source]
    schema = {name: core.PRODUCTS.polars_schema[name] for name in (*names, "product_group_type")}
    rows = [
        {"eshop_id": site, "product_id": number, "vat_id": group, "product_group_type": own_type}
        for site, number, group in listed
    ]
    return transforms.products(pl.DataFrame(rows, schema=schema), product_groups=GROUPS)


def test_a_gift_card_by_number_by_recorded_group_and_by_the_products_group() -> None:
    items = [
        line("100.00", "0.00", extra={"giftcard-cardnumber": "6064"}),
        line("100.00", "0.00", extra={"giftcard-cardnumber": ""}),
        line("100.00", "0.00", group="Presentkort"),
        line("-5.00", "0.00", kind=20, group=""),
        line("100.00", "25.00", group="Skrädderi"),
        line("100.00", "0.00", group="", productid=77),
    ]
    source = line_source([order(1, "2026-10-23T10:00:00+02:00", *items)], PLACES)
    without = transforms.order_lines(source, product_groups=GROUPS)
    assert without["is_gift_card"].to_list() == [True, False, True, True, False, False]
    with_products = transforms.order_lines(source, product_groups=GROUPS, products=products((1, 77, 5), (1, 24, 2)))
    assert with_products["is_gift_card"].to_list() == [True, False, True, True, False, True]


@pytest.mark.parametrize(("site", "found"), [(1, [True, False]), (2, [False, True]), (3, [False, False])])
def test_a_line_names_the_product_of_its_orders_site(site: int, found: list[bool]) -> None:
    items = [line("1.00", "0.00", group="", productid=number) for number in (77, 78)]
    source = line_source([order(1, "2026-10-23T10:00:00+02:00", *items) | {"eshopid": site}], PLACES)
    listed = products((1, 77, 5), (1, 78, 2), (2, 77, 2), (2, 78, 5))
    lines = transforms.order_lines(source, product_groups=GROUPS, products=listed)
    assert lines["is_gift_card"].to_list() == found


def test_an_order_of_no_site_names_the_product_of_any() -> None:
    items = [line("1.00", "0.00", group="", productid=number) for number in (77, 78, None)]
    source = line_source([order(1, "2026-10-23T10:00:00+02:00", *items) | {"eshopid": None}], PLACES)
    lines = transforms.order_lines(source, product_groups=GROUPS, products=products((2, 77, 5), (3, 78, 2)))
    assert lines["is_gift_card"].to_list() == [True, False, False]


def test_the_type_of_a_product_is_that_of_its_group_today() -> None:
    """Where Sitoo does not list the group, the product's own word counts."""
    listed = products((1, 10, 5), (1, 11, 2), (1, 12, 99), (1, 13, None), own_type=20)
    columns = ["product_id", "product_group_type", "product_group_name"]
    assert listed.select(columns).rows() == [
        (10, 30, "Presentkort"),
        (11, 10, "Kläder"),
        (12, 20, None),
        (13, 20, None),
    ]
    assert_is(listed, core.PRODUCTS)


def test_absent_amounts_are_zero() -> None:
    gross = made(line(None, "2.00"), line("3.00", None), line(None, None))["money_item_total_gross"]
    assert gross.to_list() == [Decimal("2.00"), Decimal("3.00"), Decimal("0.00")]
