"""Previews: of which columns they are made. What stands in them is tested with the loaded week."""

from __future__ import annotations

import pytest

from sitoo_pipeline.assets.previews import PREVIEWS
from sitoo_pipeline.tables import Table, marts


@pytest.mark.parametrize("table", PREVIEWS, ids=lambda table: table.qualified)
def test_a_preview_shows_no_personal_data(table: Table) -> None:
    columns = [table.column(name) for name in PREVIEWS[table].columns]
    assert [column.name for column in columns if column.personal] == []


def test_every_mart_has_a_preview() -> None:
    assert set(marts.TABLES) <= PREVIEWS.keys()
