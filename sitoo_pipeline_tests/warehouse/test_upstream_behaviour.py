"""What DuckDB and Polars do that the warehouse is built around. Where one of these fails, look there first."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sitoo_pipeline_tests.warehouse.holder import Holder
from sitoo_pipeline_tests.warehouse.support import memory


def test_duckdb_casts_away_excess_digits_in_silence(tmp_path: Path) -> None:
    """The reason why values are read as text."""
    body = tmp_path / "0.json.gz"
    body.write_bytes(gzip.compress(b'[{"a": "149.005"}, {"a": 149.005}]'))
    with memory() as con:
        assert con.execute("SELECT '149.005'::DECIMAL(18,2)").fetchall() == [(Decimal("149.01"),)]
        read = con.execute("SELECT a FROM read_json(?, columns = {a: 'DECIMAL(18,2)'})", [str(body)]).fetchall()
    assert read == [(Decimal("149.01"),), (Decimal("149.01"),)]


def test_polars_rounds_texts_to_the_scale_too() -> None:
    rounded = pl.Series(["1.005", "1.015", "149.005"]).cast(pl.Decimal(18, 2))
    assert rounded.to_list() != [Decimal("1.005"), Decimal("1.015"), Decimal("149.005")]
    assert rounded.dtype == pl.Decimal(18, 2)
    assert pl.Series(["1,00", " 1.00"]).cast(pl.Decimal(18, 2), strict=False).to_list() == [None, None]


def test_read_json_reads_gzip_with_the_whole_body_as_one_record(tmp_path: Path) -> None:
    """The reason why the position of an object in its body is known, for envelopes and for bare arrays."""
    array, envelope = tmp_path / "array [1]*'.json.gz", tmp_path / "envelope.json.gz"
    array.write_bytes(gzip.compress(b'[{"a": 1}, null, {"a": {"b": 2}}]'))
    envelope.write_bytes(gzip.compress(b'{"totalcount": 1, "items": [{"a": 3}]}'))
    options = "format = 'unstructured', compression = 'gzip', filename = true"
    with memory() as con:
        columns = "columns = {json: 'STRUCT(a VARCHAR)[]'}, records = 'false'"
        found = con.execute(f"SELECT json, filename FROM read_json(?, {columns}, {options})", [[str(array)]]).fetchall()
        assert found == [([{"a": "1"}, None, {"a": '{"b":2}'}], str(array))]
        items = con.execute(
            f"SELECT items FROM read_json(?, columns = {{items: 'STRUCT(a VARCHAR)[]'}}, {options})", [[str(envelope)]]
        ).fetchall()
        assert items == [([{"a": "3"}],)]


def test_read_json_refuses_an_object_of_a_wrong_shape_with_its_page(tmp_path: Path) -> None:
    """The reason why such a page is decoded object by object."""
    body = tmp_path / "0.json.gz"
    body.write_bytes(gzip.compress(b'{"items": [{"m": {}}, {"m": []}]}'))
    with memory() as con, pytest.raises(duckdb.InvalidInputException):
        con.execute("FROM read_json(?, columns = {items: 'STRUCT(m MAP(VARCHAR, VARCHAR))[]'})", [str(body)])


def test_hash_takes_null_for_an_empty_list() -> None:
    """The reason why nested values are compared as text."""
    with memory() as con:
        assert con.execute("SELECT hash([]::INT[]) = hash(NULL::INT[])").fetchall() == [(True,)]
        assert con.execute("SELECT ([]::INT[])::VARCHAR IS DISTINCT FROM (NULL::INT[])::VARCHAR").fetchall() == [
            (True,)
        ]


@pytest.mark.parametrize(("held", "wanted"), [("write", "write"), ("write", "read"), ("read", "write")])
def test_a_file_open_in_another_process_is_refused_at_once_with_the_holder(
    tmp_path: Path, held: str, wanted: str
) -> None:
    path = tmp_path / "file.duckdb"
    duckdb.connect(str(path)).close()
    with Holder(path, mode=held) as holder:
        with pytest.raises(duckdb.IOException) as error:
            duckdb.connect(str(path), read_only=wanted == "read")
        assert "Could not set lock on file" in str(error.value)
        assert f"(PID {holder.pid})" in str(error.value)


def test_two_readers_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "file.duckdb"
    duckdb.connect(str(path)).close()
    with Holder(path, mode="read"), duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_a_relation_with_parameters_becomes_a_frame_with_exact_types() -> None:
    """``con.sql(...).pl()`` is the way from DuckDB to Polars that 1.x and 2.x share."""
    with memory() as con:
        found = con.sql(
            "SELECT ?::DECIMAL(18,2) AS m, to_timestamp(0) AS t, DATE '2026-01-02' AS d", params=["1.10"]
        ).pl()
    assert found.schema == {"m": pl.Decimal(18, 2), "t": pl.Datetime("us", "UTC"), "d": pl.Date()}
