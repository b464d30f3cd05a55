"""Every cell of every mart equals the calculation in plain Python, over the whole awkward account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import Table, core, marts
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.oracle import Oracle
from sitoo_pipeline_tests.transforms.build import Core, assert_is, build

DAYS = set(scenario.DATES)


def marts_of(tables: Core, *, dates: set[date] = DAYS, loaded: set[date] = DAYS) -> dict[str, pl.DataFrame]:
    """All marts of the scenario, as the pipeline makes them."""
    wanted, seen = tables.on(dates), tables.on(loaded)
    hourly = transforms.hourly_sales(account=scenario.ACCOUNT, orders=wanted.orders, lines=wanted.lines)
    reconciliation = transforms.reconcile(
        account=scenario.ACCOUNT,
        z_reports=tables.z_reports,
        orders=seen.orders,
        lines=seen.lines,
        dates=dates,
        loaded_dates=loaded,
        start_date=scenario.START_DATE,
        places=tables.places,
    )
    return {
        "hourly_sales": hourly,
        "daily_sales": transforms.daily_sales(hourly),
        "register_sales": transforms.register_sales(account=scenario.ACCOUNT, orders=wanted.orders, lines=wanted.lines),
        "weekly_balance_hourly": transforms.weekly_balance_hourly(
            account=scenario.ACCOUNT, hourly=hourly, stores=tables.stores, dates=dates
        ),
        "z_report_reconciliation": reconciliation.z_report_reconciliation,
        "z_report_orders": reconciliation.z_report_orders,
        "stock_movements_daily": transforms.stock_movements_daily(account=scenario.ACCOUNT, movements=wanted.movements),
        "stock_reconciliation": transforms.stock_reconciliation(
            account=scenario.ACCOUNT,
            days=transforms.stock_days(
                orders=seen.orders,
                lines=seen.lines,
                movements=seen.movements,
                product_groups=tables.product_groups,
                places=tables.places,
            ),
            dates=dates,
            loaded_dates=loaded,
        ),
    }


def oracle(*, dates: set[date] = DAYS, loaded: set[date] = DAYS, **changes: Any) -> Oracle:
    return Oracle(
        account=scenario.ACCOUNT,
        account_timezone=scenario.ACCOUNT_TIMEZONE,
        store_timezones=scenario.STORE_TIMEZONES,
        dates=dates,
        loaded_dates=loaded,
        start_date=scenario.START_DATE,
        **{**scenario.OBJECTS, **changes},
    )


def differing_cells(frame: pl.DataFrame, expected: Sequence[Mapping[str, Any]], table: Table) -> list[str]:
    """What differs, cell by cell, each with its row's key; rows that one side lacks as well."""

    def keyed(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[Any, ...], Mapping[str, Any]]:
        return {tuple(row[name] for name in table.key): row for row in rows}

    ours, theirs = keyed(frame.to_dicts()), keyed(expected)
    assert len(ours) == frame.height
    assert len(theirs) == len(expected)
    lacking = [f"only ours {key}" for key in ours.keys() - theirs] + [
        f"only oracle {key}" for key in theirs.keys() - ours
    ]
    return lacking + [
        f"{key} {name}: ours {row[name]!r}, oracle {theirs[key][name]!r}"
        for key, row in ours.items()
        if key in theirs
        for name in table.names
        if row[name] != theirs[key][name]
    ]


@pytest.fixture(scope="module")
def tables() -> Core:
    return build(scenario.OBJECTS, account_timezone=scenario.ACCOUNT_TIMEZONE, store_timezones=scenario.STORE_TIMEZONES)


@pytest.fixture(scope="module")
def made(tables: Core) -> dict[str, pl.DataFrame]:
    return marts_of(tables)


@pytest.mark.parametrize("table", marts.TABLES, ids=lambda table: table.name)
def test_every_cell_equals_the_oracle(table: Table, made: dict[str, pl.DataFrame]) -> None:
    expected = getattr(oracle(), table.name)()
    assert expected
    assert differing_cells(made[table.name], expected, table) == []
    assert [tuple(row) for row in made[table.name].select(table.key).rows()] == [
        tuple(row[name] for name in table.key) for row in expected
    ]


@pytest.mark.parametrize("table", marts.TABLES, ids=lambda table: table.name)
def test_marts_are_exactly_as_declared(table: Table, made: dict[str, pl.DataFrame]) -> None:
    assert_is(made[table.name], table)


@pytest.mark.parametrize("table", marts.TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("day", scenario.DATES, ids=str)
def test_a_day_alone_is_that_day_of_all(day: date, table: Table, tables: Core, made: dict[str, pl.DataFrame]) -> None:
    alone = marts_of(tables, dates={day})[table.name]
    assert alone.equals(made[table.name].filter(pl.col("business_date") == day))


def test_core_is_exactly_as_declared(tables: Core) -> None:
    assert_is(tables.orders, core.ORDERS)
    assert_is(tables.lines, core.ORDER_LINES)
    assert_is(tables.movements, core.STOCK_MOVEMENTS)
    assert_is(tables.stores, core.STORES)
    assert_is(tables.warehouses, core.WAREHOUSES)
    assert_is(tables.registers, core.REGISTERS)
    assert tables.orders.height == len(scenario.ORDERS)
    assert tables.lines.height == sum(len(order.get("orderitems") or []) for order in scenario.ORDERS)


def test_the_order_of_rows_does_not_matter(tables: Core, made: dict[str, pl.DataFrame]) -> None:
    backwards = build(
        {name: list(reversed(objects)) for name, objects in scenario.OBJECTS.items()},
        account_timezone=scenario.ACCOUNT_TIMEZONE,
        store_timezones=scenario.STORE_TIMEZONES,
    )
    assert backwards.orders.equals(tables.orders)
    assert backwards.lines.equals(tables.lines)
    for name, frame in marts_of(backwards).items():
        assert frame.equals(made[name]), name


def test_nothing_in_gives_nothing_out(tables: Core) -> None:
    nothing = build(
        dict.fromkeys(scenario.OBJECTS, ()),
        account_timezone=scenario.ACCOUNT_TIMEZONE,
        store_timezones=scenario.STORE_TIMEZONES,
    )
    assert_is(nothing.orders, core.ORDERS)
    assert_is(nothing.lines, core.ORDER_LINES)
    assert_is(nothing.movements, core.STOCK_MOVEMENTS)
    assert_is(nothing.stores, core.STORES)
    assert_is(nothing.warehouses, core.WAREHOUSES)
    assert_is(nothing.registers, core.REGISTERS)
    for table in marts.TABLES:
        frame = marts_of(nothing)[table.name]
        assert frame.is_empty()
        assert_is(frame, table)
    assert marts_of(tables, dates={date(2026, 10, 27)})["hourly_sales"].is_empty()


def test_a_partly_loaded_scenario(tables: Core) -> None:
    loaded = {date(2026, 10, 24)}
    found = marts_of(tables, dates=loaded, loaded=loaded)
    for table in (marts.Z_REPORT_RECONCILIATION, marts.Z_REPORT_ORDERS):
        expected = getattr(oracle(dates=loaded, loaded=loaded), table.name)()
        assert differing_cells(found[table.name], expected, table) == []
    statuses = set(found["z_report_reconciliation"]["status"])
    assert statuses == {"partly_loaded", "balanced", "unbalanced", "missing_z_report"}
