"""The file's lock between processes, and the copy for readers."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from sitoo_pipeline.tables import ALL_TABLES, core
from sitoo_pipeline.warehouse import Warehouse, WarehouseLockedError, WarehouseVersionError, opened, replace_whole
from sitoo_pipeline.warehouse.connection import transaction
from sitoo_pipeline_tests.warehouse.holder import Holder
from sitoo_pipeline_tests.warehouse.support import DAY, STARTED, Account, frame, order

COUNT = "SELECT count(*) FROM raw.orders"


def reading(path: Path, sql: str = COUNT) -> str:
    """The answer of a reader that opens the file anew."""
    with Holder(path, mode="read") as reader:
        return reader.ask(sql)


def test_a_fresh_warehouse_has_every_table(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "new" / "folder" / "warehouse.duckdb")
    there = warehouse.query("SELECT schema_name || '.' || table_name AS name FROM duckdb_tables()")["name"]
    assert set(there) == {table.qualified for table in ALL_TABLES}


def test_a_missing_table_is_made_again_whatever_else_there_is(account: Account) -> None:
    with account.warehouse.connect() as con:
        con.execute("DROP TABLE core.stores")
        con.execute("CREATE TABLE core.my_own AS SELECT 1 AS x")
    assert account.rows("SELECT count(*) FROM core.stores") == [(0,)]
    assert account.rows("SELECT x FROM core.my_own") == [(1,)]


@pytest.mark.parametrize("change", ["DROP COLUMN timezone", "ADD COLUMN new_one INTEGER"])
def test_a_file_of_another_version_is_refused_with_what_to_do(change: str, account: Account) -> None:
    with account.warehouse.connect() as con:
        con.execute(f"ALTER TABLE core.stores {change}")
    before = account.warehouse.path.read_bytes()
    for entered in (account.warehouse.connect(), account.warehouse.look()):
        with pytest.raises(WarehouseVersionError) as error, entered:
            pass
        for word in (str(account.warehouse.path), "another version", "core.stores", "Move the file away", "backfill"):
            assert word in str(error.value)
    assert account.warehouse.path.read_bytes() == before


def test_instants_are_in_utc_and_parameters_are_taken(account: Account) -> None:
    found = account.warehouse.query("SELECT TIMESTAMPTZ '2026-07-01 12:00:00+02' AS at, ? AS n", [7])
    assert found.row(0) == (datetime(2026, 7, 1, 10, tzinfo=UTC), 7)


def test_a_file_that_stays_open_elsewhere_is_an_error_that_names_the_holder(account: Account) -> None:
    account.load([order(1)])
    with Holder(account.warehouse.path) as holder:
        with pytest.raises(WarehouseLockedError) as error:
            account.load([order(2)])
        said = str(error.value)
        assert f"(process {holder.pid})" in said
        assert "python" in said
        assert "warehouse_read.duckdb" in said
        assert str(account.warehouse.path) in said
    assert account.orders() == [(1, DAY)]


@pytest.mark.parametrize("mode", ["read", "write"])
def test_without_patience_there_is_one_attempt(account: Account, mode: str) -> None:
    account.load([])
    impatient = Warehouse(account.warehouse.path, lock_timeout=0)
    with Holder(account.warehouse.path, mode=mode), pytest.raises(WarehouseLockedError), impatient.connect():
        pass
    with impatient.connect():
        pass


def test_a_file_that_is_let_go_in_time_is_waited_for(account: Account) -> None:
    account.load([])
    patient = Warehouse(account.warehouse.path, lock_timeout=60)
    with Holder(account.warehouse.path) as holder:
        released = threading.Timer(0.2, holder.close)
        released.start()
        assert patient.query(COUNT).item() == 0
        released.join()


def test_a_small_file_lingers_and_is_let_go_at_the_end(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "LINGERING", 600)
    account.load([order(1)])
    with account.warehouse.lingering():
        account.load([order(1), order(2)])
        with Holder(account.warehouse.path) as other:
            assert not other.opened
    assert reading(account.warehouse.path) == "[(2,)]"


def test_a_large_file_lingers_only_where_that_is_said(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "LINGERING", 600)
    monkeypatch.setattr(opened, "_SMALL", 0)
    for if_large in (True, False):
        with account.warehouse.lingering(), account.warehouse.lingering(if_large=if_large):
            account.load([order(1)])
            with Holder(account.warehouse.path) as other:
                assert other.opened != if_large


def test_a_file_that_nobody_wants_again_is_let_go_within_the_block(account: Account) -> None:
    with account.warehouse.lingering():
        account.load([order(1)])
        while not (other := Holder(account.warehouse.path)).opened:
            other.close()
        other.close()
        account.load([order(2)])
    assert account.orders() == [(2, DAY)]


def test_after_an_error_the_file_is_opened_anew(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "LINGERING", 600)
    with account.warehouse.lingering():
        with pytest.raises(duckdb.CatalogException):
            account.warehouse.query("FROM nothing")
        with Holder(account.warehouse.path) as other:
            assert other.opened


def test_one_that_looks_shares_what_is_open(account: Account) -> None:
    account.load([order(1)])
    with account.warehouse.connect(), account.warehouse.look() as (con, as_of):
        assert con.sql(COUNT).fetchall() == [(1,)]
        assert as_of is None


def test_threads_share_the_file_and_the_last_one_closes_it(account: Account) -> None:
    account.load([order(1)])
    both = threading.Barrier(2, timeout=30)

    def count(_: int) -> int:
        with account.warehouse.connect() as con:
            both.wait()
            return int(con.sql(COUNT).fetchall()[0][0])

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(count, range(2))) == [1, 1]
    with Holder(account.warehouse.path) as other:
        assert other.opened


def test_the_lock_is_kept_when_a_copy_with_everything_was_published(tmp_path: Path) -> None:
    """The copy is read beside DuckDB, and closing any descriptor of a file gives up the locks of its process."""
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", personal_in_copy=True)
    with warehouse.connect():
        warehouse.publish()
        with Holder(warehouse.path) as other:
            assert not other.opened


def test_another_fault_of_the_file_is_not_waited_for(tmp_path: Path) -> None:
    """Also where the word lock is in its name."""
    path = tmp_path / "locked.duckdb"
    path.mkdir()
    with pytest.raises(duckdb.IOException), Warehouse(path, lock_timeout=60).connect():
        pass


def test_a_process_killed_in_a_transaction_leaves_everything_as_it_was(account: Account) -> None:
    account.load([order(1)])
    program = """
import sys
from pathlib import Path
from sitoo_pipeline.tables import raw
from sitoo_pipeline.warehouse import Warehouse
from sitoo_pipeline.warehouse.connection import transaction
with Warehouse(Path(sys.argv[1])).connect() as con, transaction(con):
    con.execute("DELETE FROM raw.orders")
    con.execute("INSERT INTO meta.drift VALUES ('raw.orders', 'x', now(), 'killed')")
    print("inside", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(account.warehouse.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"inside\n"
        process.send_signal(signal.SIGKILL)

    assert account.orders() == [(1, DAY)]
    assert account.rows("FROM meta.drift") == []


@pytest.mark.parametrize("fault", [LookupError, KeyboardInterrupt])
def test_a_transaction_that_is_left_by_an_error_did_nothing(account: Account, fault: type[BaseException]) -> None:
    account.load([order(1)])
    with account.warehouse.connect() as con:

        def failing() -> None:
            with transaction(con):
                con.execute("DELETE FROM raw.orders")
                raise fault

        with pytest.raises(fault):
            failing()
        assert con.execute(COUNT).fetchall() == [(1,)]
    assert account.orders() == [(1, DAY)]


# The copy for readers.


def test_the_read_copy_is_whole(account: Account) -> None:
    account.load([order(1), order(2, moneytotal_net="x")])
    stores = [{"sitoo_store_id": 1, "timezone": "Europe/Stockholm"}]
    replace_whole(account.warehouse, core.STORES, frame(core.STORES, *stores), run_id="r", started_at=STARTED)

    copy = account.warehouse.publish()

    assert copy == account.warehouse.path.with_name("warehouse_read.duckdb")
    left = sorted(file.name for file in copy.parent.iterdir() if file.name.startswith((".", copy.name)))
    assert left == [f".{copy.name}.json", copy.name]
    counts = " UNION ALL ".join(
        f"SELECT '{table.qualified}' AS name, count(*) AS n FROM {table.qualified}" for table in ALL_TABLES
    )
    with duckdb.connect(str(copy), read_only=True) as con:
        assert con.execute(f"{counts} ORDER BY 1").fetchall() == account.rows(f"{counts} ORDER BY 1")
        assert con.execute("SELECT orderid FROM raw.orders").fetchall() == [(1,)]


def test_a_reader_keeps_its_copy_and_the_next_one_has_the_new(account: Account) -> None:
    account.load([order(1)])
    copy = account.warehouse.publish()
    with Holder(copy, mode="read") as reader:
        account.load([order(1), order(2)])
        account.warehouse.publish()
        assert reader.ask(COUNT) == "[(1,)]"
        assert reading(copy) == "[(2,)]"
        assert reader.ask(COUNT) == "[(1,)]"


def test_what_a_reader_wrote_into_its_copy_does_not_come_into_the_next(account: Account) -> None:
    account.load([order(1)])
    copy = account.warehouse.publish()
    with Holder(copy) as reader:
        reader.ask("INSERT INTO raw.sites (eshopid, _landing_file, _loaded_at, _run_id) VALUES (9, '', now(), '')")
        account.warehouse.publish()
        assert reading(copy, "SELECT count(*) FROM raw.sites") == "[(0,)]"


def test_the_file_stays_locked_while_it_is_published_and_is_free_afterwards(account: Account) -> None:
    account.load([order(1)])
    account.warehouse.publish()
    with Holder(account.warehouse.path) as other:
        assert other.opened
        with pytest.raises(WarehouseLockedError):
            account.warehouse.publish()
        assert reading(account.warehouse.read_copy) == "[(1,)]"


def test_what_a_killed_publish_left_behind_is_written_over(account: Account) -> None:
    account.load([order(1)])
    leftover = account.warehouse.path.with_name(".warehouse_read.duckdb.new")
    leftover.write_bytes(b"half a copy" * 1_000_000)

    assert reading(account.warehouse.publish()) == "[(1,)]"
    assert not leftover.exists()


def test_what_was_read_of_a_large_file_is_not_kept_while_it_stays_open(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    with warehouse.connect() as con:
        con.execute("CREATE TABLE large AS SELECT hash(i) AS a, hash(i + 1) AS b FROM range(12_000_000) AS t(i)")
    with warehouse.connect() as step:

        def kept() -> int:
            rows = step.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()
            return int(rows[0][0])

        step.execute("SELECT sum(a), sum(b) FROM large").fetchall()
        assert kept() > 128 * 2**20
        with warehouse.connect() as con:
            assert kept() <= 64 * 10**6
            assert con.execute("SELECT current_setting('memory_limit')").fetchall() == [("488.2 MiB",)]
