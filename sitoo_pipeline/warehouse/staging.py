"""Landed bodies into a temporary table: every value as text, objects that break a rule set aside.

DuckDB reads the compressed bodies itself. Only where it meets an object of a wrong shape are they decoded here, so that
one bad object costs itself and not its page.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import duckdb

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.warehouse.rules import Violation, broken, kept, violations

Layout = Literal["envelope", "array"]

_PAGE = 10**9
"""More objects than a body can hold: ``_object`` is the page times this, and the position in the page."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An object that goes to quarantine instead of its table."""

    violation: Violation
    object_key: str | None
    payload: str
    landing_file: str


def stage(
    con: duckdb.DuckDBPyConnection, table: RawTable, files: Sequence[Path], *, layout: Layout, landing: Path
) -> list[Refused]:
    """Fill the temporary table ``staged`` with the objects of ``files`` that keep the rules of ``table``.

    ``staged`` has the declared fields as text, ``_landing_file`` (below ``landing``) and ``_object``, a number that
    grows in the order of the bodies. Of objects with the same key the last one is kept: pages can overlap.

    Returns:
        The objects that were refused, in the order of the bodies.
    """
    names = [str(file.relative_to(landing)) for file in files]
    try:
        _read(con, "staged", table, files, names, layout)
    except duckdb.InvalidInputException:
        with tempfile.TemporaryDirectory() as folder:
            readable = [_readable(table, file, layout, Path(folder) / f"{n}.json.gz") for n, file in enumerate(files)]
            _read(con, "staged", table, readable, names, "envelope")
    refused = _refuse(con, table, files, names, layout)
    key = ", ".join(f'"{name}"' for name in table.object_key)
    con.execute(f"DELETE FROM staged WHERE _object NOT IN (SELECT max(_object) FROM staged GROUP BY {key})")
    return refused


def stage_refused(con: duckdb.DuckDBPyConnection, table: RawTable, refused: Sequence[Refused]) -> None:
    """Fill the temporary table ``refused`` with what can be read of refused objects; ``_object`` is their position."""
    with tempfile.TemporaryDirectory() as folder:
        body = _write(Path(folder) / "0.json.gz", [kept(table, json.loads(item.payload)) for item in refused])
        _read(con, "refused", table, [body], [""], "envelope")


def _read(
    con: duckdb.DuckDBPyConnection,
    into: str,
    table: RawTable,
    files: Sequence[Path],
    names: Sequence[str],
    layout: Layout,
) -> None:
    fields = ", ".join(f'"{f.name}" {f.type.staged}' for f in table.fields)
    if not files:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {into} ({fields}, _landing_file VARCHAR, _object BIGINT)")
        return
    # A bare array is one record too, and with the whole body as one record the position of an object is known.
    name, records = ("items", "true") if layout == "envelope" else ("json", "false")
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {into} AS
        SELECT {", ".join(f'o."{f.name}"' for f in table.fields)}, $2[_page + 1] AS _landing_file,
            _page::BIGINT * {_PAGE} + _item AS _object
        FROM (
            SELECT unnest({name}) AS o, generate_subscripts({name}, 1) - 1 AS _item,
                list_position($1, filename) - 1 AS _page
            FROM read_json($1, format = 'unstructured', records = '{records}', compression = 'gzip', filename = true,
                columns = {{{name}: 'STRUCT({fields})[]'}}, maximum_object_size = {max(map(_unpacked, files)) + 2**20})
        )
        """,
        [[str(file) for file in files], list(names)],
    )


def _readable(table: RawTable, file: Path, layout: Layout, copy: Path) -> Path:
    """A copy of a body in which every object can be read: null in the place of one that breaks a rule."""
    items = _decoded(file, layout)
    return _write(copy, [None if violations(table, item) else kept(table, item) for item in items])


def _write(file: Path, items: list[Any]) -> Path:
    file.write_bytes(gzip.compress(json.dumps({"items": items}).encode(), compresslevel=1))
    return file


def _refuse(
    con: duckdb.DuckDBPyConnection, table: RawTable, files: Sequence[Path], names: Sequence[str], layout: Layout
) -> list[Refused]:
    """Take the objects that break a rule out of ``staged``; what was received is read again from its body."""
    bad = con.execute(f"DELETE FROM staged WHERE {broken(table)} RETURNING _object").fetchall()
    refused = []
    for page, positions in groupby(sorted(divmod(number, _PAGE) for (number,) in bad), key=lambda place: place[0]):
        items = _decoded(files[page], layout)
        refused += [_refused(table, items[position], names[page]) for _, position in positions]
    return refused


def _refused(table: RawTable, item: Any, landing_file: str) -> Refused:
    keys = [str(item[name]) for name in table.object_key if isinstance(item, dict) and item.get(name) is not None]
    return Refused(
        violation=violations(table, item)[0],
        object_key="/".join(keys) or None,
        payload=json.dumps(item, ensure_ascii=False),
        landing_file=landing_file,
    )


def _decoded(file: Path, layout: Layout) -> list[Any]:
    document = json.loads(gzip.decompress(file.read_bytes()))
    items: list[Any] = document["items"] if layout == "envelope" else document
    return items


def _unpacked(file: Path) -> int:
    """Size of the body when unpacked: the last four bytes of a gzip file."""
    with file.open("rb") as body:
        body.seek(-4, 2)
        return int.from_bytes(body.read(4), "little")
