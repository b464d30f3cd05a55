"""The event log that is kept open writes what Dagster's own reads, and leaves other storages alone."""

import os
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance import InstanceRef

from sitoo_pipeline.operations.event_log import KeptOpenEventLog, kept_open
from sitoo_pipeline.operations.home import dagster_home, open_instance

DAYS = dg.DailyPartitionsDefinition("2026-03-01", end_date="2026-03-05")


@dg.asset(partitions_def=DAYS, check_specs=[dg.AssetCheckSpec("fits", asset="sold")])
def sold() -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(
        metadata={"gross_sales": 12.5}, check_results=[dg.AssetCheckResult(passed=True, check_name="fits")]
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return dagster_home(tmp_path)


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
        history = home / "history" / "runs"
        assert len(list(history.glob("*.db"))) == 9
        assert 1 <= len(open_files(history)) <= 4
    assert open_files(history) == set()


def test_another_storage_is_left_alone(home: Path) -> None:
    there = InstanceRef.from_dir(str(home))
    elsewhere = there._replace(
        storage_data=there.storage_data._replace(class_name="DagsterPostgresStorage") if there.storage_data else None
    )
    assert kept_open(elsewhere) == elsewhere
    assert kept_open(there) != there
