"""In which pieces the file keeps rows: what is merged only costs where it is merged again and again."""

from __future__ import annotations

from datetime import timedelta

import duckdb

from sitoo_pipeline.tables import raw
from sitoo_pipeline_tests.warehouse.support import DAY, NOON, Account, order

DATES = [DAY - timedelta(days=number) for number in range(8)]


def load(account: Account, *numbers: int, run_id: str = "run") -> None:
    """An order on each of these dates, by how many days they are back; the dates in one load."""
    orders = [order(100 + number, at=NOON - number * 86400, commentinternal=run_id) for number in numbers]
    account.load(orders, dates=[DATES[number] for number in numbers], run_id=run_id)


def groups(con: duckdb.DuckDBPyConnection) -> list[int]:
    """How many rows each row group of the orders has."""
    told = con.execute(
        f"SELECT row_group_id, max(count) FROM pragma_storage_info('{raw.ORDERS.qualified}') "
        "WHERE column_name = 'orderid' AND segment_type = 'BIGINT' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [rows for _, rows in told]


def test_what_a_backfill_wrote_is_not_written_again_by_its_next_piece(account: Account) -> None:
    load(account, 4, 5, 6, 7)
    load(account, 0, 1, 2, 3)
    with account.warehouse.connect() as con:
        assert groups(con) == [4, 4]
        con.execute("UPDATE meta.loads SET message = 'another change of the file'")
    with account.warehouse.connect() as con:
        assert groups(con) == [4, 4]


def test_the_small_loads_after_a_backfill_leave_it_as_it_is_and_their_own_are_merged_now_and_then(
    account: Account,
) -> None:
    load(account, 4, 5, run_id="backfill")
    load(account, 6, 7, run_id="backfill")
    account.warehouse.publish()
    left: list[int] = []
    published: list[int] = []
    for hour in range(16):
        load(account, hour % 3, run_id=f"hour {hour}")
        account.warehouse.publish()
        with account.warehouse.connect() as con:
            left.append(len(groups(con)))
        with duckdb.connect(str(account.warehouse.read_copy), read_only=True) as con:
            assert con.execute("SELECT count(*) FROM raw.orders").fetchall() == [(min(hour, 2) + 5,)]
            published.append(len(groups(con)))
    assert left[:3] == [3, 4, 5]
    assert published[:3] == [2, 3, 4]
    for told in (left, published):
        assert len([one for one in told if one == 1]) == 2, "in every eighth of them"
        assert max(told) <= 10


def test_both_files_are_in_small_blocks(account: Account) -> None:
    """A wide table takes a block for each of its columns as soon as it has rows that are not in the file yet."""
    load(account, 0)
    account.warehouse.publish()
    with account.warehouse.connect() as con:
        con.execute(f"ATTACH '{account.warehouse.read_copy}' AS copy (READ_ONLY)")
        sizes = con.execute("SELECT block_size FROM pragma_database_size() WHERE database_name != 'temp'").fetchall()
    assert sizes == [(65536,), (65536,)]
