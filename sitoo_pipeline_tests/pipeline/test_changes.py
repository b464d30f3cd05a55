"""What comes late or changes, through schedules, sensor and runs: as if it had never been late, no more touched.

Everything comes at once to a chain that is loaded and delivered: an offline till's order, a web order that is paid, a
closed order that was edited, a z-report that closes after midnight and reaches Sitoo late, a warehouse transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.passes import Daemon
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.pipeline.test_late import ZONE, sale, web_order
from sitoo_pipeline_tests.scenario.objects import line, movement, transaction, z_report
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG
from sitoo_pipeline_tests.sitoo.server import Server

TODAY = datetime.now(ZONE).date()
DAYS = [TODAY - timedelta(days=back) for back in range(6, -1, -1)]
OFFLINE, CLOSED, AFTER_MIDNIGHT, EDITED_LONG_AGO, QUIET, EDITED, _ = DAYS
RESTOCKED, PAID = OFFLINE, AFTER_MIDNIGHT
MORE = "reread_days = 2\ndeep_reread_days = 3\nchunk_days = 5\nlate_ids_margin = 0\n"
TOUCHED = [OFFLINE, AFTER_MIDNIGHT, EDITED_LONG_AGO, EDITED]


def instant(day: date, hour: int, minute: int = 0) -> str:
    return datetime.combine(day, time(hour, minute), tzinfo=ZONE).isoformat()


def before() -> dict[str, list[Json]]:
    """The shop as it was when it was loaded."""
    orders = [sale(100 + number, day) for number, day in enumerate(DAYS[:-1])]
    return {
        **{name: deepcopy(scenario.OBJECTS[name]) for name in ("stores", "warehouses", "registers", "product_groups")},
        "orders": [*orders, web_order(150, PAID, orderstateid=0, paymentstateid=10), sale(151, CLOSED, 23)],
        "z_reports": [
            z_report(
                number + 1, GOTHENBURG, instant(day, 20), store="0101", opened=instant(day, 8),
                moneysalestotal="125.00", moneysalestotalnet="100.00", numsales=1, numsalesitems=1,
            )
            for number, day in enumerate(DAYS[:-1])
        ],
        "warehouse_transactions": [transaction(900, 1, instant(QUIET, 9), 10, movement("A1", "5.000"))],
    }  # fmt: skip


def change(objects: dict[str, list[Json]]) -> None:
    """What comes late, and what changes without a new id."""
    orders = {order["orderid"]: order for order in objects["orders"]}
    orders[150] |= {"orderstateid": 10, "paymentstateid": 20}
    for day in (EDITED_LONG_AGO, EDITED):
        orders[100 + DAYS.index(day)]["orderitems"] = [line("40.00", "10.00", quantity=2)]
    objects["orders"].append(sale(200, OFFLINE, 17))
    objects["warehouse_transactions"].append(transaction(901, 1, instant(RESTOCKED, 9), 20, movement("A1", "-1.000")))
    objects["z_reports"].append(
        z_report(
            50, GOTHENBURG, instant(AFTER_MIDNIGHT, 0, 30), store="0101", opened=instant(CLOSED, 22),
            added=datetime.now(ZONE).isoformat(), moneysalestotal="125.00", moneysalestotalnet="100.00", numsales=1,
            numsalesitems=1,
        )
    )  # fmt: skip


def delivered(project: Project) -> dict[str, Any]:
    """What the targets hold, without when."""
    with sqlite3.connect(project.account.folder / "weekly_balance.db") as con:
        rows = con.execute(
            "SELECT account, store_id, currency, business_date, hour, gross_sales, transactions, content_hash "
            "FROM weekly_balance_hourly ORDER BY 1, 2, 3, 4, 5"
        ).fetchall()
    files = sorted(project.account.exports_folder.rglob("*.csv"))
    return {"rows": rows, "files": {file.name: file.read_bytes() for file in files}}


@dataclass
class Pass:
    """The project after its changes came and one pass was made, and what the daemon did."""

    project: Project
    daemon: Daemon
    dates: list[date]
    materialized: set[tuple[str, str]]
    written: dict[str, list[tuple[Any, ...]]]
    rows_before: list[tuple[Any, ...]]
    objects: dict[str, list[Json]]


def _written(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    """When each partition of each table was written."""
    found = {}
    for table in ("raw.orders", "core.orders", "marts.hourly_sales", "marts.weekly_balance_hourly"):
        sql = f"SELECT DISTINCT business_date, _loaded_at FROM {table} ORDER BY ALL"
        found[table] = [tuple(row.values()) for row in project.query(sql)]
    return found


def _delivered_at(project: Project) -> list[tuple[Any, ...]]:
    with sqlite3.connect(project.account.folder / "weekly_balance.db") as con:
        return con.execute("SELECT DISTINCT business_date, updated_at FROM weekly_balance_hourly").fetchall()


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pass]:
    objects = before()
    with Server(Script(objects)) as server:
        folder = tmp_path_factory.mktemp("changes")
        project = Project.make(folder, server, start_date=DAYS[0], users=1, more=MORE)
        project.load(DAYS)
        with project.instance() as instance:
            daemon = Daemon(project, instance)
            assert daemon.one_pass() == [], "nothing has come yet"
            daemon.started.clear()
            newest, written, rows = daemon.newest(), _written(project), _delivered_at(project)
            change(objects)
            dates = daemon.one_pass()
            yield Pass(project, daemon, dates, daemon.materialized(since=newest), written, rows, objects)


def test_the_pass_runs_the_dates_that_are_touched_and_no_others(after: Pass) -> None:
    assert after.dates == TOUCHED
    assert after.daemon.started == [
        ("kedjan_changes_each_hour", None),
        ("kedjan_changes_each_night", None),
        ("kedjan_changes_each_week", None),
        *(("kedjan_daily", str(day)) for day in TOUCHED),
    ]


def test_everything_is_as_if_it_had_never_been_late(after: Pass, tmp_path: Path) -> None:
    with Server(Script(after.objects)) as server:
        punctual = Project.make(tmp_path, server, start_date=DAYS[0], users=1, more=MORE)
        punctual.load_plainly([DAYS])
        punctual.hand_over(DAYS)
        found, expected = after.project.content(), punctual.content()
        assert {name for name in expected if found[name] != expected[name]} <= {"meta.reload_diffs"}
        assert delivered(after.project) == delivered(punctual)


def test_no_partition_is_touched_that_did_not_need_it(after: Pass) -> None:
    touched = {str(day) for day in TOUCHED}
    others = {(asset, day) for asset, day in after.materialized if day not in touched}
    # The z-report that closed after midnight covers an order of the day before, which had none until now.
    assert others == {
        ("marts.z_report_reconciliation", str(CLOSED)),
        *({("marts.z_report_orders", str(CLOSED))} & others),
    }
    for table, before_pass in after.written.items():
        changed = set(_written(after.project)[table]) ^ set(before_pass)
        assert {str(day) for day, _ in changed} <= touched, table


def test_only_changed_figures_go_to_the_target(after: Pass) -> None:
    changed = set(_delivered_at(after.project)) - set(after.rows_before)
    assert {day for day, _ in changed} == {str(OFFLINE), str(EDITED_LONG_AGO), str(EDITED)}


def test_a_second_pass_finds_nothing(after: Pass) -> None:
    assert after.daemon.one_pass() == []


def test_each_poll_says_in_the_ui_what_it_found(after: Pass) -> None:
    said: dict[str, set[str]] = {}
    with after.project.instance() as instance:
        for row in after.project.query("SELECT DISTINCT poll FROM meta.polls ORDER BY 1"):
            asked = dg.AssetRecordsFilter(dg.AssetKey(["kedjan", "changes", row["poll"]]))
            for record in instance.fetch_materializations(asked, limit=10).records:
                assert record.asset_materialization
                found = record.asset_materialization.metadata["found_dates"].value
                assert isinstance(found, list)
                said.setdefault(row["poll"], set()).update(found)
    assert said == {
        "new_orders": {str(OFFLINE)},
        "new_transactions": {str(RESTOCKED)},
        "late_z_reports": {str(AFTER_MIDNIGHT)},
        "open_orders": {str(PAID)},
        "recent_days": {str(EDITED)},
        "many_days": {str(EDITED_LONG_AGO), str(EDITED)},
    }
