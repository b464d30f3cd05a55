"""What ``meta`` forgets, and what it must not: every answer that is read out of it stays the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sitoo_pipeline.tables import raw
from sitoo_pipeline.warehouse import last_asked, last_merge, loaded_dates, loaded_up_to, polled_up_to
from sitoo_pipeline.warehouse.retention import forget_history
from sitoo_pipeline_tests.warehouse.support import DAY, NEXT_DAY, Account

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
LOAD = (
    "INSERT INTO meta.loads (table_name, business_date, status, quarantined, landing_folder, started_at, finished_at, "
    "run_id, message, newest_id) VALUES (?, ?, ?, 0, ?, ?, ?, 'run', ?, ?)"
)
POLL = (
    "INSERT INTO meta.polls (poll, watermark, records, requests, found_dates, started_at, finished_at, run_id) "
    "VALUES (?, ?, 0, 1, ?, ?, ?, 'run')"
)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def load(
    account: Account, age: float, *, day: date | None = DAY, status: str = "loaded", table: str = "raw.orders",
    folder: str | None = None, message: str | None = None, newest_id: int | None = None,
) -> None:  # fmt: skip
    with account.warehouse.connect() as con:
        con.execute(LOAD, [table, day, status, folder, days_ago(age), days_ago(age), message, newest_id])


def answers(account: Account) -> list[Any]:
    with account.warehouse.connect() as con:
        return [
            loaded_dates(con, raw.ORDERS),
            last_asked(con, raw.ORDERS),
            loaded_up_to(con, raw.ORDERS, "newest_id"),
            loaded_up_to(con, raw.ORDERS, "started_at"),
            [last_merge(con, raw.PRODUCTS, f"products/site-{site}") for site in (1, 2)],
            polled_up_to(con, "new_orders", [raw.ORDERS]),
            con.execute(
                "SELECT business_date, arg_max(status, finished_at), max(finished_at) FILTER (status = 'loaded') "
                "FROM meta.loads WHERE table_name = 'raw.orders' GROUP BY ALL ORDER BY ALL"
            ).fetchall(),
        ]


def forget(account: Account, *, keep_days: int = 30) -> dict[str, int]:
    with account.warehouse.connect() as con:
        return forget_history(con, before=days_ago(keep_days))


def test_loads_from_which_nothing_follows_are_forgotten_and_all_answers_stay(account: Account) -> None:
    load(account, 100, newest_id=900)  # the highest id: stays
    load(account, 99, newest_id=800)  # the last change: stays
    load(account, 98, status="failed", message="broken")
    load(account, 97, status="unchanged", newest_id=850)  # the last time it was asked for: stays
    load(account, 96, status="unchanged", message="left for another date")  # the last good one: stays
    load(account, 95, status="failed", message="broken")  # the last attempt: stays
    load(account, 100, day=NEXT_DAY)
    load(account, 99, day=NEXT_DAY)  # stays
    load(account, 5, day=NEXT_DAY, status="failed", message="young")
    for site in (1, 2):
        load(account, 90, table="raw.products", day=None, folder=f"products/site-{site}/a")
        load(account, 80 - site, table="raw.products", day=None, folder=f"products/site-{site}/b")  # stays
    before = answers(account)
    assert forget(account)["meta.loads"] == 4
    assert answers(account) == before
    assert forget(account)["meta.loads"] == 0


def test_polls_and_moved_figures_are_forgotten_but_for_the_newest_poll_of_each(account: Account) -> None:
    with account.warehouse.connect() as con:
        for name, age, mark in (
            ("new_orders", 90, 1),
            ("new_orders", 80, 2),
            ("open_orders", 10, 7),
            ("open_orders", 5, 8),
        ):
            con.execute(POLL, [name, mark, [], days_ago(age), days_ago(age)])
        for age in (40, 20):
            con.execute(
                "INSERT INTO meta.reload_diffs VALUES (?, '1', 'pos', 'SEK', 'gross_sales', 1, 2, ?, 'run')",
                [DAY, days_ago(age)],
            )
    before = answers(account)
    gone = forget(account)
    assert (gone["meta.polls"], gone["meta.reload_diffs"]) == (1, 1)
    assert answers(account) == before
    assert account.rows("SELECT poll, watermark FROM meta.polls ORDER BY ALL") == [
        ("new_orders", 2), ("open_orders", 7), ("open_orders", 8),
    ]  # fmt: skip
