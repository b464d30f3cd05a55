"""Previews: of which columns they are made. What stands in them is tested with the loaded week."""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl
import pytest

from sitoo_pipeline.assets.previews import PREVIEWS, shown
from sitoo_pipeline.tables import Table, marts


@pytest.mark.parametrize("table", PREVIEWS, ids=lambda table: table.qualified)
def test_a_preview_shows_no_personal_data(table: Table) -> None:
    columns = [table.column(name) for name in PREVIEWS[table].columns]
    assert [column.name for column in columns if column.personal] == []


def test_every_mart_has_a_preview() -> None:
    assert set(marts.TABLES) <= PREVIEWS.keys()


def test_what_cannot_be_drawn_costs_no_load(caplog: pytest.LogCaptureFixture) -> None:
    figures = {date(2026, 3, 1): {"transactions": 7}}
    with duckdb.connect() as without_tables:
        assert shown(without_tables, marts.HOURLY_SALES, pl.DataFrame(), figures) == figures
    assert "marts.hourly_sales has neither previews nor pictures this time: CatalogException" in caplog.text
