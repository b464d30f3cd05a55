"""``deliver``: a period to one target again, what a dry run tells, and who is refused."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import stamina
from typer.testing import Result

from sitoo_pipeline_tests.cli.project import DATES, TODAY, Project

PERIOD = ("--from", str(DATES[0]), "--to", str(DATES[1]))
DAMAGE = (
    "UPDATE weekly_balance_hourly SET transactions = transactions + 100 "
    f"WHERE business_date = '{DATES[1]}' AND hour = 12"
)


def deliver(project: Project, *arguments: str, target: str = "weekly_balance_sql") -> Result:
    return project.invoke("deliver", "--target", target, *arguments)


def sql(project: Project, statement: str, database: str = "weekly_balance.db") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(project.folder / "data/demo" / database)) as con, con:
        return con.execute(statement).fetchall()


def contents(folder: Path) -> dict[str, str]:
    """Every file by what is in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_the_target_has_is_not_sent(copy: Project) -> None:
    planned = deliver(copy, *PERIOD, "--dry-run")
    assert (planned.exit_code, planned.output.splitlines()) == (
        0, [f"demo: {day} weekly_balance_sql: 0 to send, 1 unchanged" for day in DATES],
    )  # fmt: skip
    done = deliver(copy, *PERIOD)
    assert done.exit_code == 0
    assert "demo: weekly_balance_sql: 2 unchanged" in done.output.splitlines()
    assert "demo: 2 of 2 dates done" in done.output.splitlines()


def test_a_dry_run_shows_what_differs_and_leaves_everything_as_it_is(copy: Project) -> None:
    sql(copy, DAMAGE)
    before = contents(copy.folder)
    result = deliver(copy, *PERIOD, "--dry-run")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[1:3] == [
        f"demo: {DATES[1]} weekly_balance_sql: 1 to send, 0 unchanged",
        f"  {DATES[1]}: missing or different at the target",
    ]
    assert re.search(r"^    store \d+ SEK hour 12: transactions 1\d\d -> \d\d$", lines[3])
    [_, second] = json.loads(deliver(copy, *PERIOD, "--dry-run", "--json").stdout)
    assert [change["key"] for change in second["changes"]] == [str(DATES[1])]
    assert second["changes"][0]["details"] == [line.strip() for line in lines[3:]]
    assert contents(copy.folder) == before


def test_it_sends_what_differs_of_the_period_and_nothing_else(copy: Project) -> None:
    right = sql(copy, "SELECT * FROM weekly_balance_hourly ORDER BY 1, 2, 3, 4, 5")
    sql(copy, DAMAGE)
    wrong = sql(copy, "SELECT transactions FROM weekly_balance_hourly WHERE hour = 12")
    deliver(copy, "--from", str(DATES[0]), "--to", str(DATES[0]), "--force")
    assert sql(copy, "SELECT transactions FROM weekly_balance_hourly WHERE hour = 12") == wrong
    result = deliver(copy, *PERIOD, "--json")
    assert [(day["business_date"], day["delivered"], day["unchanged"]) for day in json.loads(result.stdout)] == [
        (str(DATES[0]), 0, 1),
        (str(DATES[1]), 1, 0),
    ]
    without_time = [row[:-2] for row in sql(copy, "SELECT * FROM weekly_balance_hourly ORDER BY 1, 2, 3, 4, 5")]
    assert without_time == [row[:-2] for row in right]


def test_force_sends_everything_again_and_the_run_is_recorded(copy: Project) -> None:
    result = deliver(copy, *PERIOD, "--force")
    assert result.exit_code == 0
    assert "demo: weekly_balance_sql: 2 delivered" in result.output.splitlines()
    with dg.DagsterInstance.from_config(str(copy.folder / "data/dagster_home")) as instance:
        [run] = instance.get_runs()
        assert run.tags["trigger"] == "deliver"
        assert run.asset_selection == {dg.AssetKey(["demo", "sinks", "weekly_balance_sql"])}
        [*shown] = instance.fetch_materializations(dg.AssetKey(["demo", "sinks", "weekly_balance_sql"]), 9).records
    assert sorted(record.partition_key or "" for record in shown) == [str(day) for day in DATES]


@pytest.mark.parametrize("how", [(), ("--dry-run",), ("--force",)])
def test_a_date_that_is_not_loaded_is_named_and_what_the_target_has_of_it_stays(
    copy: Project, how: tuple[str, ...]
) -> None:
    sql(copy, f"UPDATE weekly_balance_hourly SET business_date = '{TODAY}' WHERE business_date = '{DATES[1]}'")
    result = deliver(copy, "--from", str(DATES[1]), "--to", str(TODAY), *how)
    assert result.exit_code == 1
    said = f"demo: {TODAY} failed: {TODAY} is not loaded, so nothing was handed over: load it first"
    if "--dry-run" in how:
        said = f"demo: {TODAY}: not loaded, so there is nothing to compare: load it first"
    assert said in result.output
    kept = sql(copy, f"SELECT count(*) FROM weekly_balance_hourly WHERE business_date = '{TODAY}'")
    assert kept[0][0] > 0


def test_nothing_is_loaded_at_all(copy: Project) -> None:
    (copy.folder / "data/demo/warehouse.duckdb").unlink()
    result = deliver(copy, *PERIOD)
    assert result.exit_code == 1
    assert "is not loaded" in result.output
    assert not (copy.folder / "data/demo/warehouse.duckdb").exists()


def test_an_unknown_target_and_an_unknown_account(copy: Project) -> None:
    before = copy.files()
    unknown = deliver(copy, *PERIOD, target="weekly_balance")
    assert unknown.exit_code == 2
    assert unknown.stderr.splitlines() == [
        "--target weekly_balance: there is no such target; the settings switch on: "
        "weekly_balance_sql, weekly_balance_csv, ometria"
    ]
    assert deliver(copy, *PERIOD, "--account", "other").exit_code == 2
    assert deliver(copy, "--from", str(DATES[1]), "--to", str(DATES[0])).exit_code == 2
    assert copy.files() == before


def test_a_target_that_is_not_there(copy: Project) -> None:
    sql(copy, "DELETE FROM deliveries WHERE target = 'ometria'", "deliveries.db")
    with stamina.set_testing(True, attempts=1):
        result = deliver(copy, "--from", str(DATES[0]), "--to", str(DATES[0]), target="ometria")
    assert result.exit_code == 1
    assert f"demo: {DATES[0]} failed: ometria: " in result.output
    assert "check OMETRIA_BASE_URL" in result.output
    count = "SELECT sum(state = 'retry'), sum(state != 'retry') FROM deliveries WHERE target = 'ometria'"
    [(retry, others)] = sql(copy, count, "deliveries.db")
    assert (retry > 20, others) == (True, 0)
    assert f"{retry} retry" in result.output
    assert "@" not in result.output


def test_a_dry_run_that_could_not_compare_says_so_and_fails(copy: Project) -> None:
    database = copy.folder / "data/demo/weekly_balance.db"
    database.write_bytes(b"this is no database" * 100)
    result = deliver(copy, *PERIOD, "--dry-run")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0] == f"demo: {DATES[0]} weekly_balance_sql: 0 to send, 0 unchanged, 1 not compared"
    assert lines[1].startswith("  not compared with the target: the database cannot be read: DatabaseError")
    for compared in json.loads(deliver(copy, *PERIOD, "--dry-run", "--json").stdout):
        assert compared["trouble"].startswith("not compared with the target: the database cannot be read")
        assert (compared["changes"], compared["not_compared"], compared["messages"]) == ([], 1, [])


def test_what_was_rejected_is_shown_and_goes_out_when_asked(copy: Project) -> None:
    [(key, day)] = sql(
        copy,
        "UPDATE deliveries SET state = 'rejected', delivered_hash = NULL, answer = 'no such product' "
        "WHERE key = (SELECT min(key) FROM deliveries WHERE target = 'ometria') RETURNING key, \"partition\"",
        "deliveries.db",
    )
    period = ("--from", day, "--to", day, "--dry-run")
    shown = deliver(copy, *period, target="ometria")
    assert f"  {key}: rejected before: no such product" in shown.output.splitlines()
    assert "ometria: 0 to send" in shown.output
    [asked] = json.loads(deliver(copy, *period, "--rejected", "--json", target="ometria").stdout)
    assert [(change["key"], change["reason"]) for change in asked["changes"]] == [
        (key, "rejected before: no such product")
    ]


def test_a_file_shows_its_lines(copy: Project) -> None:
    file = copy.folder / f"data/demo/exports/weekly_balance/{DATES[0]}.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:5], "0;by hand", *lines[6:]]) + "\n")
    result = deliver(copy, "--from", str(DATES[0]), "--to", str(DATES[0]), "--dry-run", target="weekly_balance_csv")
    assert result.output.splitlines()[2:] == ["    -0;by hand", f"    +{lines[5]}"]
