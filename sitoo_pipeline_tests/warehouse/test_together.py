"""Tables that are computed together: a date of all of them or of none, and what moved on it beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pytest

from sitoo_pipeline.tables import Table, core, meta
from sitoo_pipeline.tables.z_reports import CHILDREN
from sitoo_pipeline.warehouse import Loaded, replace_partitions
from sitoo_pipeline.warehouse.frames import SchemaMismatchError
from sitoo_pipeline_tests.warehouse.support import DAY, NEXT_DAY, STARTED, Account, frame

REPORTS, GROUPS = core.Z_REPORTS, CHILDREN[0]
TILL = "{3CCB9848}"
Frames = Mapping[Table, pl.DataFrame]


def report(number: int, day: date = DAY, total: str = "1.00") -> tuple[dict[str, Any], dict[str, Any]]:
    """A z-report and its one VAT group."""
    names = {"register_id": TILL, "z_report_id": number, "business_date": day}
    at = datetime(2026, 11, 20, 18, tzinfo=UTC)
    head = {**names, "store_id": "0101", "closed_at": at, "added_at": at, "currency": "SEK"}
    group = {**names, "side": "sales", "item_no": 0}
    return {**head, "money_sales_total": Decimal(total)}, group


def by_total(before: Frames, after: Frames) -> pl.DataFrame:
    """The sum of the z-reports before and after, as a comparison gives it."""
    was, becomes = (frames[REPORTS]["money_sales_total"].sum() for frames in (before, after))
    [day] = {*before[REPORTS]["business_date"], *after[REPORTS]["business_date"]}
    where = {"business_date": day, "store_id": "0101", "channel": "pos", "currency": "SEK", "measure": "total"}
    row = {**where, "before": Decimal(was), "after": Decimal(becomes)}
    return pl.DataFrame([row], schema=meta.RELOAD_DIFFS.empty().drop("seen_at", "run_id").schema)


def write(
    account: Account,
    *reports: tuple[dict[str, Any], dict[str, Any]],
    dates: tuple[date, ...] = (DAY, NEXT_DAY),
    run_id: str = "run",
) -> dict[Table, dict[date, Loaded]]:
    frames = {
        REPORTS: frame(REPORTS, *(head for head, _ in reports)),
        GROUPS: frame(GROUPS, *(group for _, group in reports)),
    }
    return replace_partitions(
        account.warehouse, frames, dates=dates, run_id=run_id, started_at=STARTED, compare=by_total
    )


def there(account: Account) -> list[tuple[Any, ...]]:
    """Which date's z-reports and groups each run wrote, as the tables have them."""
    return account.rows(
        "SELECT 'report', business_date, z_report_id, _run_id FROM core.z_reports UNION ALL "
        "SELECT 'group', business_date, z_report_id, _run_id FROM core.z_report_vat_groups ORDER BY ALL"
    )


def moved(account: Account) -> list[tuple[Any, ...]]:
    return account.rows('SELECT business_date, measure, "before", "after", run_id FROM meta.reload_diffs ORDER BY ALL')


def refuse_group(account: Account, number: int) -> None:
    """From here on, DuckDB refuses the VAT group of one z-report, when everything else of its date is written."""
    with account.warehouse.connect() as con:
        con.execute(f"DROP TABLE {GROUPS.qualified}")
        con.execute(f"{GROUPS.ddl.rpartition(')')[0]}, CHECK (z_report_id != {number}))")


def test_a_date_is_written_in_all_tables_or_in_none(account: Account) -> None:
    refuse_group(account, 13)
    write(account, report(1), report(2, NEXT_DAY), run_id="first")

    with pytest.raises(duckdb.ConstraintException):
        write(account, report(3), report(13, NEXT_DAY, "7.00"), run_id="second")

    assert there(account) == [
        ("group", DAY, 3, "second"),
        ("group", NEXT_DAY, 2, "first"),
        ("report", DAY, 3, "second"),
        ("report", NEXT_DAY, 2, "first"),
    ]
    assert moved(account) == [(DAY, "total", Decimal(1), Decimal(1), "second")]
    recorded = account.rows("SELECT table_name, business_date FROM meta.loads WHERE run_id = 'second' ORDER BY ALL")
    assert recorded == [("core.z_report_vat_groups", DAY), ("core.z_reports", DAY)]


def test_every_frame_is_looked_at_before_any_is_written(account: Account) -> None:
    head, group = report(1)
    for wrong in ({**group, "side": None}, {**group, "business_date": NEXT_DAY}):
        with pytest.raises(SchemaMismatchError, match=r"core\.z_report_vat_groups"):
            write(account, (head, wrong), dates=(DAY,))
    assert there(account) == []
    assert account.rows("FROM meta.loads") == []


def test_only_the_table_that_changed_is_rewritten(account: Account) -> None:
    write(account, report(1), report(2, NEXT_DAY), run_id="first")
    done = write(account, report(1, total="4.00"), report(2, NEXT_DAY), run_id="second")

    assert {(table.name, day): part.status for table, by_date in done.items() for day, part in by_date.items()} == {
        ("z_reports", DAY): "loaded",
        ("z_reports", NEXT_DAY): "unchanged",
        ("z_report_vat_groups", DAY): "unchanged",
        ("z_report_vat_groups", NEXT_DAY): "unchanged",
    }
    assert [row[3] for row in there(account)] == ["first", "first", "second", "first"]
    recorded = account.rows("SELECT status, count(*) FROM meta.loads WHERE run_id = 'second' GROUP BY 1 ORDER BY 1")
    assert recorded == [("loaded", 1), ("unchanged", 3)]


def test_what_moved_is_told_of_dates_that_were_loaded_before_and_differ(account: Account) -> None:
    first = write(account, report(1), dates=(DAY,), run_id="first")
    assert first[REPORTS][DAY].moved is None
    assert moved(account) == []

    second = write(account, report(1, total="2.50"), report(2, NEXT_DAY), run_id="second")
    told = second[REPORTS][DAY].moved
    assert told is not None
    assert told.select("before", "after").rows() == [(Decimal(1), Decimal("2.50"))]
    assert second[REPORTS][NEXT_DAY].moved is None

    third = write(account, report(2, NEXT_DAY), report(1, total="2.50"), run_id="third")
    for by_date in third.values():
        for part in by_date.values():
            assert part.moved is not None
            assert part.moved.is_empty()
    assert moved(account) == [(DAY, "total", Decimal(1), Decimal("2.50"), "second")]
    [[seen_at, now]] = account.rows("SELECT seen_at, now() FROM meta.reload_diffs")
    assert STARTED < seen_at < now


def test_a_date_that_became_empty_or_was_empty_moved_too(account: Account) -> None:
    write(account, dates=(DAY,), run_id="first")
    write(account, report(1), dates=(DAY,), run_id="second")
    write(account, dates=(DAY,), run_id="third")
    write(account, dates=(DAY,), run_id="fourth")
    assert moved(account) == [
        (DAY, "total", Decimal(0), Decimal(1), "second"),
        (DAY, "total", Decimal(1), Decimal(0), "third"),
    ]
    assert there(account) == []
