"""Working with one thread ends with the block, also where what was written was refused."""

import duckdb
import pytest

from sitoo_pipeline.warehouse.threads import one_thread


def _threads(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.execute("SELECT current_setting('threads')").fetchall()[0][0])


def test_duckdb_works_with_one_thread_within_the_block_and_with_all_behind_it() -> None:
    con = duckdb.connect()
    before = _threads(con)
    with one_thread(con):
        assert _threads(con) == 1
    assert _threads(con) == before


def test_what_is_refused_within_a_transaction_leaves_all_threads_behind_it() -> None:
    con = duckdb.connect()
    before = _threads(con)
    con.execute("CREATE TABLE one (number TINYINT)")
    con.execute("BEGIN TRANSACTION")
    with pytest.raises(duckdb.ConversionException), one_thread(con):
        con.execute("INSERT INTO one VALUES (1000)")
    con.execute("ROLLBACK")
    assert _threads(con) == before
