"""``prune``: what is older than the settings keep it goes, and what is shown of the dates stays as it was."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from sitoo_pipeline.operations.home import open_instance
from sitoo_pipeline_tests.cli.project import DATES, Project, Shown


@pytest.fixture
def home(shown: Shown, copy: Project) -> Path:
    """The demo's history of runs, as the project's own."""
    [found] = shown.folder.rglob("dagster_home")
    return Path(shutil.copytree(found, copy.folder / "data" / "dagster_home"))


def state(home: Path) -> dict[str, Any]:
    """What the UI shows of the dates of every asset, and of every check."""
    with open_instance(home) as instance:
        found: dict[str, Any] = {}
        for asset in instance.all_asset_keys():
            latest = instance.get_latest_materialization_event(asset)
            found[asset.to_user_string()] = (
                sorted(instance.get_materialized_partitions(asset)),
                latest and (latest.run_id, latest.timestamp),
            )
    with closing(sqlite3.connect(home / "history/runs/index.db")) as con:
        checks = "SELECT asset_key, check_name, partition, max(id), run_id FROM asset_check_executions GROUP BY 1, 2, 3"
        found["checks"] = con.execute(checks).fetchall()
    return found


def age(home: Path, days: int) -> None:
    with closing(sqlite3.connect(home / "history/runs.db")) as con, con:
        con.execute(f"UPDATE runs SET create_timestamp = datetime(create_timestamp, '-{days} days')")


def runs(home: Path) -> set[str]:
    with closing(sqlite3.connect(home / "history/runs.db")) as con:
        return {row[0] for row in con.execute("SELECT run_id FROM runs")}


def shards(home: Path) -> set[str]:
    """Runs with a file of their own; besides them there is that of all, and that of what the daemon notes by itself."""
    return {path.stem for path in (home / "history/runs").glob("*.db")} - {"index", ".db"}


def test_old_runs_go_and_every_date_is_shown_as_before(copy: Project, home: Path) -> None:
    assert copy.invoke("prune").output == "demo: nothing removed\n"
    again = copy.invoke("backfill", "--from", str(DATES[0]), "--to", str(DATES[1]), "--no-fetch")
    assert again.exit_code == 0, again.output
    before, all_runs = state(home), runs(home)
    age(home, 100)
    done = copy.invoke("prune", "--json")
    assert done.exit_code == 0, done.output
    gone = json.loads(done.stdout)["demo"]["runs"]
    left = runs(home)
    assert 0 < gone < len(all_runs)
    # Runs of prune itself hold nothing, so of the old ones those of before went as well.
    assert state(home) == before
    assert shards(home) == left
    with open_instance(home) as instance:
        kept = {
            record.run_id
            for key in instance.all_asset_keys()
            if (record := instance.get_latest_materialization_event(key))
        }
        assert kept <= left
        assert all(instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION) for run_id in kept)
    assert json.loads(copy.invoke("prune", "--json").stdout)["demo"]["runs"] == 0
    assert copy.invoke("status").exit_code == 0


def test_bodies_copies_deliveries_and_loads_go_and_the_dates_lack_nothing(copy: Project) -> None:
    folder = copy.folder / "data/demo"
    landed = [path for path in folder.glob("landing/*/*/*") if path.is_dir()]
    assert landed
    (landed[0]).rename(landed[0].with_name("20200101T000000.000000Z"))
    kept_copy = folder / "warehouse.version-1.duckdb"
    kept_copy.write_bytes(b"old")
    long_ago = time.time() - 91 * 86400
    os.utime(kept_copy, (long_ago, long_ago))
    with closing(sqlite3.connect(folder / "deliveries.db")) as con, con:
        records = con.execute("SELECT count(*) FROM deliveries").fetchone()[0]
        con.execute("INSERT INTO deliveries SELECT account, target, 'old-' || key, '2015-01-01', content_hash, "
                    "delivered_hash, state, attempts, answer, run_id, first_at, updated_at, retry_at, delivered_at "
                    "FROM deliveries WHERE target = 'ometria' LIMIT 2")  # fmt: skip
        oldest = "SELECT min(key) FROM deliveries WHERE key LIKE 'old-%'"
        con.execute(f"UPDATE deliveries SET state = 'unknown' WHERE key = ({oldest})")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        then = "TIMESTAMPTZ '2020-01-01 00:00:00+00'"
        warehouse.execute(
            f"INSERT INTO meta.loads BY NAME SELECT * REPLACE ({then} AS started_at, {then} AS finished_at) "
            "FROM meta.loads WHERE newest_id IS NULL"
        )
        [(doubled,)] = warehouse.execute(f"SELECT count(*) FROM meta.loads WHERE finished_at = {then}").fetchall()
    assert doubled
    result = copy.invoke("prune")
    assert result.exit_code == 0, result.output
    for said in ("1 landed fetches", "1 copies", "1 deliveries", f"{doubled} meta.loads"):
        assert said in result.output
    assert not kept_copy.exists()
    with closing(sqlite3.connect(folder / "deliveries.db")) as con:
        assert con.execute("SELECT count(*) FROM deliveries").fetchone()[0] == records + 1  # what is not settled stays
    assert copy.invoke("status").exit_code == 0


def test_a_date_whose_deliveries_were_forgotten_lacks_none(copy: Project) -> None:
    account = "[accounts.demo]\nbase_url = 'http://127.0.0.1:9/v2/accounts/1'\napi_id_env = 'SITOO_API_ID'\n"
    (copy.folder / "sitoo_pipeline.toml").write_text(
        f"{account}api_password_env = 'SITOO_API_PASSWORD'\nstart_date = {DATES[0]}\ndeliveries_retention_days = 1\n"
    )
    result = copy.invoke("prune")
    assert result.exit_code == 0, result.output
    assert "deliveries" in result.output
    lacking = copy.invoke("status", "--json")
    listed = {day["business_date"]: day for day in json.loads(lacking.stdout)}
    assert listed[str(DATES[0])]["not_handed_over"] == []
    assert listed[str(DATES[0])]["state"] == "done"
