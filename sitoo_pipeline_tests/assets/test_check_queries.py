"""Checks of what the warehouse is: their queries, asked of a file that is wrong."""

import duckdb
import pytest

from sitoo_pipeline.assets.check_queries import CHECKS
from sitoo_pipeline.assets.checks import exceptions
from sitoo_pipeline.tables import core, marts
from sitoo_pipeline.warehouse.keys import all_differ


def test_columns_that_are_missing_new_or_in_another_order_are_named() -> None:
    table = marts.DAILY_SALES
    [check] = [check for check in CHECKS if check.name == "columns_as_declared" and check.table is table]
    with duckdb.connect() as con:
        con.execute(f"CREATE SCHEMA {table.layer}")
        con.execute(table.ddl)
        assert exceptions(con, check, [], hold_back_above=None).rows() == []
        last = len(table.all_columns) - 1
        con.execute(f"ALTER TABLE {table.qualified} DROP COLUMN _run_id")
        con.execute(f"ALTER TABLE {table.qualified} ADD COLUMN extra INTEGER")
        found = exceptions(con, check, [], hold_back_above=None).rows()
        assert found == [("_run_id", last, None), ("extra", None, last)]
        first = table.all_columns[0].name
        con.execute(f"ALTER TABLE {table.qualified} DROP COLUMN {first}")
        assert (table.all_columns[1].name, 1, 0) in exceptions(con, check, [], hold_back_above=None).rows()


def test_keys_that_occur_twice_are_named_whatever_else_is_there() -> None:
    table = core.ORDER_LINES
    [check] = [check for check in CHECKS if check.name == "no_row_twice" and check.table is table]
    with duckdb.connect() as con:
        con.execute(f"CREATE SCHEMA {table.layer}")
        con.execute(f"CREATE TABLE {table.qualified} AS SELECT n AS order_id, 0 AS line_no FROM range(5000) AS r(n)")
        assert exceptions(con, check, [], hold_back_above=None).rows() == []
        con.execute(f"INSERT INTO {table.qualified} VALUES (7, 0), (7, 1), (4999, 0), (NULL, 3), (NULL, 3), (NULL, 4)")
        found = exceptions(con, check, [], hold_back_above=None).rows()
        assert found == [(7, 0, 2), (4999, 0, 2), (None, 3, 2)]


@pytest.mark.parametrize("at_once", [7, 1_000])
def test_a_large_table_is_looked_at_in_parts_and_no_row_is_left_out(at_once: int) -> None:
    table = core.ORDER_LINES
    with duckdb.connect() as con:
        con.execute(f"CREATE SCHEMA {table.layer}")
        con.execute(f"CREATE TABLE {table.qualified} AS SELECT n AS order_id, 0 AS line_no FROM range(50) AS r(n)")
        assert all_differ(con, table, table.key, at_once=at_once)
        for n in range(50):
            con.execute(f"INSERT INTO {table.qualified} VALUES ({n}, 0)")
            assert not all_differ(con, table, table.key, at_once=at_once)
            con.execute(f"DELETE FROM {table.qualified} WHERE order_id = {n} AND rowid > 49")
