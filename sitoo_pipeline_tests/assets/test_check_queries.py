"""Checks of what the warehouse is: their queries, asked of a file that is wrong."""

import duckdb

from sitoo_pipeline.assets.check_queries import CHECKS
from sitoo_pipeline.assets.checks import exceptions
from sitoo_pipeline.tables import marts


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
