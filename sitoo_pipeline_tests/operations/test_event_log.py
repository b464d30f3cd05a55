"""The event log that is kept open writes what Dagster's own reads, and leaves other storages alone."""

import json
import os
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance import InstanceRef

from sitoo_pipeline.assets.check_history import Target, log_results_of_dates
from sitoo_pipeline.operations.event_log import KeptOpenEventLog, kept_open
from sitoo_pipeline.operations.home import dagster_home, open_instance

RANGE = {"dagster/asset_partition_range_start": "2026-03-01", "dagster/asset_partition_range_end": "2026-03-04"}
DAYS = dg.DailyPartitionsDefinition("2026-03-01", end_date="2026-03-05")


@dg.asset(partitions_def=DAYS, check_specs=[dg.AssetCheckSpec("fits", asset="sold")])
def sold() -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(
        metadata={"gross_sales": 12.5}, check_results=[dg.AssetCheckResult(passed=True, check_name="fits")]
    )


@dg.multi_asset(
    specs=[dg.AssetSpec(name, partitions_def=DAYS, code_version="1") for name in ("hours", "days")],
    check_specs=[dg.AssetCheckSpec("add_up", asset="days", partitions_def=DAYS)],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def figures(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
    for asset in ("hours", "days"):
        for number, day in enumerate(context.partition_keys):
            context.add_asset_metadata({"rows": number}, asset_key=asset, partition_key=day)
        yield dg.MaterializeResult(asset_key=asset)
    for check, planned in (("add_up", True), ("unplanned", False)):
        results = {
            date.fromisoformat(day): dg.AssetCheckResult(
                asset_key=dg.AssetKey("days"), check_name=check, passed=number != 2, description=f"{number} rows"
            )
            for number, day in enumerate(context.partition_keys[:-1])  # nothing is found of the last date
        }
        looked_at = {
            day: Target(storage_id=40 + day.day, run_id=context.run.run_id, timestamp=1.0)
            for day in results
            if day.day != 3
        }
        log_results_of_dates(context, results, looked_at=looked_at, is_blocking=planned)
    yield dg.AssetCheckResult(asset_key="days", check_name="add_up", passed=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return dagster_home(tmp_path)


@pytest.fixture
def plain(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another home, for Dagster's own storage."""
    folder = tmp_path_factory.mktemp("plain")
    shutil.copy(home / "dagster.yaml", folder)
    return folder


def open_files(folder: Path) -> set[str]:
    """Databases below ``folder`` that this process has open."""
    names = {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}
    return {name for name in names if name.startswith(str(folder)) and name.endswith(".db")}


def test_dagsters_own_log_reads_what_was_written(home: Path) -> None:
    with open_instance(home) as instance:
        assert isinstance(instance.event_log_storage, KeptOpenEventLog)
        runs = [
            dg.materialize([sold], instance=instance, partition_key=day).run_id for day in DAYS.get_partition_keys()
        ]
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home))) as plain:
        records = plain.fetch_materializations(dg.AssetKey("sold"), limit=10).records
        assert sorted(str(record.partition_key) for record in records) == DAYS.get_partition_keys()
        [record] = [one for one in records if one.run_id == runs[0]]
        assert record.asset_materialization
        assert record.asset_materialization.metadata["gross_sales"].value == 12.5
        for run in runs:
            kinds = {entry.dagster_event_type for entry in plain.all_logs(run)}
            assert {dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.ASSET_CHECK_EVALUATION} <= kinds


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_few_files_are_open_and_none_after_it(home: Path) -> None:
    with open_instance(home) as instance:
        for day in (*DAYS.get_partition_keys(), *DAYS.get_partition_keys()):
            dg.materialize([sold], instance=instance, partition_key=day)
        history = home / "history"
        assert len(list(history.glob("runs/*.db"))) == 9
        assert 2 <= len(open_files(history)) <= 5
    assert open_files(history) == set()


@pytest.mark.filterwarnings("ignore:.*partitions_def on an AssetCheckSpec")
def test_a_range_run_writes_the_same_rows_as_dagsters_own_storage(
    home: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[dg.DagsterEventType | None] = []
    one_by_one = KeptOpenEventLog.store_event

    def store_event(self: KeptOpenEventLog, event: dg.EventLogEntry) -> None:
        alone.append(event.dagster_event_type)
        one_by_one(self, event)

    monkeypatch.setattr(KeptOpenEventLog, "store_event", store_event)
    with open_instance(home) as instance:
        run_range(instance)
        hours = instance.fetch_materializations(dg.AssetKey("hours"), limit=10).records
        assert len({int(record.timestamp * 1000) for record in hours}) == 4, "the UI shows one event per millisecond"
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(plain))) as instance:
        run_range(instance)
    there = rows_written(plain)
    assert rows_written(home) == there
    materialized = [row for row in there["event_logs"] if "ASSET_MATERIALIZATION" in row]
    assert len(materialized) == 2 * 2 * 4  # two assets and four dates, in the index and in the run's own file
    assert {row[-1] for row in there["last materialization"]} == {"2026-03-04"}
    checked = {row[3]: (row[2], row[5]) for row in there["asset_check_executions"] if row[1] == "add_up" and row[3]}
    passed, failed = "SUCCEEDED", "FAILED"
    assert list(checked) == ["2026-03-03", "2026-03-04", "2026-03-01", "2026-03-02"]
    assert list(checked.values()) == [(failed, ""), ("PLANNED", ""), (passed, 41), (passed, 42)]
    # One result in each run is that of the range: Dagster hands it over alone.
    written = {"ASSET_MATERIALIZATION", "ASSET_MATERIALIZATION_PLANNED", "ASSET_CHECK_EVALUATION_PLANNED"}
    assert not written & {kind.value for kind in alone if kind}, "not in one transaction"
    assert alone.count(dg.DagsterEventType.ASSET_CHECK_EVALUATION) == 1


def run_range(instance: dg.DagsterInstance) -> None:
    job = dg.Definitions([figures], jobs=[dg.define_asset_job("all", "*")]).resolve_job_def("all")
    assert job.execute_in_process(instance=instance, tags=RANGE).success


def rows_written(home: Path) -> dict[str, list[tuple[str, ...]]]:
    """What is in the files, without what is another in each run, in an order of its own."""
    wanted = {
        "event_logs": "SELECT coalesce(dagster_event_type, ''), coalesce(step_key, ''), coalesce(asset_key, ''), "
        "coalesce(partition, '') FROM event_logs",
        "asset_event_tags": "SELECT t.asset_key, key, CASE WHEN key LIKE '%data_version%' THEN '' ELSE value END, "
        "e.partition FROM asset_event_tags AS t JOIN event_logs AS e ON e.id = t.event_id",
        "asset_keys": "SELECT asset_key, CAST(last_run_id IS NOT NULL AS TEXT), "
        "CAST(last_materialization_timestamp IS NOT NULL AS TEXT) FROM asset_keys",
        "asset_check_executions": "SELECT c.asset_key, c.check_name, execution_status, coalesce(c.partition, ''), "
        "coalesce(e.dagster_event_type, ''), coalesce(materialization_event_storage_id, ''), "
        "coalesce(json_extract(evaluation_event, '$.dagster_event.event_specific_data.description'), ''), "
        "evaluation_event = e.event, abs(unixepoch(evaluation_event_timestamp) - unixepoch('now')) < 3600, "
        "evaluation_event_timestamp = e.timestamp FROM asset_check_executions AS c "
        "LEFT JOIN event_logs AS e ON e.id = c.evaluation_event_storage_id",
        "last materialization": "SELECT k.asset_key, k.last_materialization, e.partition FROM asset_keys AS k "
        "LEFT JOIN event_logs AS e ON e.id = json_extract(k.last_materialization, '$.storage_id')",
    }
    found: dict[str, list[tuple[str, ...]]] = {name: [] for name in wanted}
    for file in (home / "history" / "runs").glob("*.db"):
        with sqlite3.connect(file) as con:
            for name, query in wanted.items():
                found[name] += con.execute(query).fetchall()
        con.close()
    for name, rows in found.items():
        found[name] = sorted(rows)
    for number, (asset, last, day) in enumerate(found["last materialization"]):
        event = json.loads(last)["event_log_entry"]["dagster_event"]["event_specific_data"]["materialization"]
        found["last materialization"][number] = (asset, event["partition"], day)
    return found


def test_the_files_of_later_runs_are_made_as_the_first(
    home: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (DAYS.get_partition_keys()[:2], DAYS.get_partition_keys()[2:3]):
        monkeypatch.setattr(KeptOpenEventLog, "_blank", None)  # as in another process
        with open_instance(home) as instance:
            for day in days:
                dg.materialize([sold], instance=instance, partition_key=day)
    made = []
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(plain))) as instance:
        dg.materialize([sold], instance=instance, partition_key="2026-03-01")
    for file in sorted([*(home / "history/runs").glob("*.db"), *(plain / "history/runs").glob("*.db")]):
        con = sqlite3.connect(file)
        [(mode,)] = con.execute("PRAGMA journal_mode").fetchall()
        schema = con.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
        made.append((mode, schema, con.execute("SELECT * FROM alembic_version").fetchall()))
        con.close()
    assert len(made) == 6
    assert made.count(made[0]) == 6
    assert made[0][0] == "wal"
    assert made[0][2], "without the version of its tables, Dagster takes the file for a new one"


def test_another_storage_is_left_alone(home: Path) -> None:
    there = InstanceRef.from_dir(str(home))
    elsewhere = there._replace(
        storage_data=there.storage_data._replace(class_name="DagsterPostgresStorage") if there.storage_data else None
    )
    assert kept_open(elsewhere) == elsewhere
    assert kept_open(there) != there
