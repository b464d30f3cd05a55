from datetime import UTC, datetime, timedelta
from pathlib import Path

from sitoo_pipeline.assets.landing import fetch_folder, prune

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _fetch(landing: Path, *, table: str = "orders", span: str = "2026-02-01--2026-02-07", age: timedelta) -> Path:
    folder = fetch_folder(landing, table, span, NOW - age)
    folder.mkdir(parents=True)
    (folder / "0000.json.gz").write_bytes(b"body")
    return folder


def test_a_fetch_is_kept_for_its_time_and_then_removed(tmp_path: Path) -> None:
    kept = _fetch(tmp_path, age=timedelta(days=90))
    old = _fetch(tmp_path, age=timedelta(days=90, seconds=1))
    assert prune(tmp_path, "orders", keep_days=90, now=NOW) == [old]
    assert kept.exists()
    assert not old.exists()


def test_a_span_without_fetches_is_removed_with_its_last(tmp_path: Path) -> None:
    old = _fetch(tmp_path, span="2025-01-01--2025-01-07", age=timedelta(days=400))
    prune(tmp_path, "orders", keep_days=90, now=NOW)
    assert not old.parent.exists()


def test_other_tables_and_other_folders_are_left_alone(tmp_path: Path) -> None:
    other_table = _fetch(tmp_path, table="z_reports", age=timedelta(days=400))
    by_hand = tmp_path / "orders" / "2026-02-01--2026-02-07" / "copied by hand"
    by_hand.mkdir(parents=True)
    assert prune(tmp_path, "orders", keep_days=1, now=NOW) == []
    assert prune(tmp_path, "stores", keep_days=1, now=NOW) == []
    assert other_table.exists()
    assert by_hand.exists()
