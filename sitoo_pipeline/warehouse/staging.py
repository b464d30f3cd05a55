"""Landed bodies into a staging table: every value as text, objects that break a rule set aside.

DuckDB reads the compressed bodies itself. Only where it meets an object whose shape is wrong are they decoded here,
so that one bad object costs itself and not its page.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import orjson

from sitoo_pipeline.tables import types
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.warehouse.rules import Violation, broken, fits, violations

Layout = Literal["envelope", "array"]


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

    ``staged`` has the declared fields as text, ``_landing_file`` (below ``landing``), ``_item`` (position in its body)
    and ``_object``, unique. Of objects with the same key the one read last is kept: pages can overlap.

    Returns:
        The objects that were refused, in the order of the bodies.
    """
    try:
        _read(con, table, files, layout)
        misshapen: list[Refused] = []
    except duckdb.InvalidInputException:
        misshapen = _read_decoded(con, table, files, layout)
    con.execute(f"UPDATE staged SET _landing_file = ltrim(replace(_landing_file, '{_quoted(landing)}', ''), '/')")
    refused = [_relative(item, landing) for item in misshapen] + _refuse(con, table, layout, landing)
    _keep_last(con, table)
    return refused


def _read(con: duckdb.DuckDBPyConnection, table: RawTable, files: Sequence[Path], layout: Layout) -> None:
    con.execute("DROP TABLE IF EXISTS staged")
    pairs = [(f.name, f.type.staged) for f in table.fields]
    names = ", ".join(f'o."{name}"' for name, _ in pairs)
    if not files:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in pairs)
        con.execute(f"CREATE TEMP TABLE staged ({columns}, _item BIGINT, _landing_file VARCHAR, _object BIGINT)")
        return
    struct = "STRUCT(" + ", ".join(f'"{name}" {kind}' for name, kind in pairs) + ")"
    listed = "[" + ", ".join(f"'{_quoted(file)}'" for file in files) + "]"
    size = max(16 * 2**20, *(_unpacked(file) for file in files)) + 1024
    options = f"filename = true, compression = 'auto_detect', maximum_object_size = {size}"
    if layout == "envelope":
        source = (
            f"SELECT unnest(items) AS o, generate_subscripts(items, 1) - 1 AS _item, filename FROM read_json({listed}, "
            f"format = 'unstructured', columns = {{items: '{struct}[]'}}, {options})"
        )
    else:
        columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in pairs)
        source = (
            f"SELECT o, row_number() OVER (PARTITION BY o.filename) - 1 AS _item, o.filename FROM read_json({listed}, "
            f"format = 'array', columns = {{{columns}}}, {options}) AS o"
        )
    con.execute(
        f"CREATE TEMP TABLE staged AS SELECT {names}, _item, filename AS _landing_file, "
        f"row_number() OVER () AS _object FROM ({source})"
    )


def stage_refused(con: duckdb.DuckDBPyConnection, table: RawTable, refused: Sequence[Refused]) -> None:
    """Fill ``staged`` with the refused objects less their misshapen fields; ``_item`` is the position in ``refused``."""
    items = [_stageable(table, orjson.loads(item.payload)) for item in refused]
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "refused.json.gz"
        body.write_bytes(gzip.compress(orjson.dumps({"items": items})))
        _read(con, table, [body], "envelope")


def _stageable(table: RawTable, item: Any) -> dict[str, Any] | None:
    if not isinstance(item, dict):
        return None
    return {f.name: item.get(f.name) for f in table.fields if fits([f], item)}


def _read_decoded(
    con: duckdb.DuckDBPyConnection, table: RawTable, files: Sequence[Path], layout: Layout
) -> list[Refused]:
    """Read the bodies object by object, those of a wrong shape left out; slower, and only for bodies that need it."""
    refused: list[Refused] = []
    maps = [f.name for f in table.fields if f.type is types.FREE_MAP]
    with tempfile.TemporaryDirectory() as folder:
        kept: list[Path] = []
        for number, file in enumerate(files):
            good = []
            for item in decoded(file, layout):
                for name in maps:
                    if isinstance(item, dict) and item.get(name) == []:
                        item[name] = None  # an empty map as some servers write it
                if fits(table.fields, item):
                    good.append(item)
                else:
                    refused.append(_refused(table, item, str(file)))
            part = Path(folder) / f"{number:06}.json.gz"
            part.write_bytes(gzip.compress(orjson.dumps({"items": good}), compresslevel=1))
            kept.append(part)
        _read(con, table, kept, "envelope")
        for part, file in zip(kept, files, strict=True):
            con.execute(
                "UPDATE staged SET _landing_file = ?, _item = -1 WHERE _landing_file = ?", [str(file), str(part)]
            )
    return refused


def _refuse(con: duckdb.DuckDBPyConnection, table: RawTable, layout: Layout, landing: Path) -> list[Refused]:
    """Take the objects that break a rule out of ``staged``; their payload is read again from the body they came in."""
    tests = [f"coalesce(\"{name}\", '') = ''" for name in (*table.key, *((table.clock,) if table.clock else ()))]
    tests += [sql for f in table.fields if (sql := broken(f.type, f'"{f.name}"'))]
    bad = con.execute(f"SELECT _object, _landing_file FROM staged WHERE {' OR '.join(tests)}").fetchall()
    if not bad:
        return []
    con.execute("DELETE FROM staged WHERE list_contains(?, _object)", [[row for row, _ in bad]])
    return [
        _relative(_refused(table, item, str(landing / name)), landing)
        for name in sorted({name for _, name in bad})
        for item in decoded(landing / name, layout)
        if fits(table.fields, item) and violations(table, item)
    ]


def _keep_last(con: duckdb.DuckDBPyConnection, table: RawTable) -> None:
    key = ", ".join(f'"{name}"' for name in table.key)
    con.execute(
        f"DELETE FROM staged WHERE _object IN (SELECT _object FROM (SELECT _object, row_number() OVER (PARTITION BY {key} "
        f"ORDER BY _landing_file DESC, _item DESC) AS nth FROM staged SEMI JOIN (SELECT {key} FROM staged GROUP BY ALL "
        f"HAVING count(*) > 1) AS twice USING ({key})) WHERE nth > 1)"
    )


def decoded(file: Path, layout: Layout) -> Iterator[Any]:
    """The objects of one landed body, decoded."""
    document = orjson.loads(gzip.decompress(file.read_bytes()))
    yield from document["items"] if layout == "envelope" else document


def _refused(table: RawTable, item: Any, file: str) -> Refused:
    found = violations(table, item)
    keys = [str(item.get(name)) for name in table.key if isinstance(item, dict) and item.get(name) is not None]
    return Refused(
        violation=found[0] if found else Violation("unreadable", ""),
        object_key="/".join(keys) or None,
        payload=json.dumps(item, ensure_ascii=False),
        landing_file=file,
    )


def _relative(refused: Refused, landing: Path) -> Refused:
    name = str(Path(refused.landing_file).relative_to(landing))
    return Refused(
        violation=refused.violation, object_key=refused.object_key, payload=refused.payload, landing_file=name
    )


def _unpacked(file: Path) -> int:
    """Size of the body when unpacked: the last four bytes of a gzip file."""
    with file.open("rb") as body:
        body.seek(-4, 2)
        return int.from_bytes(body.read(4), "little")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
