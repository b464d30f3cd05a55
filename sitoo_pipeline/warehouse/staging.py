"""The objects of landed bodies: which keep the rules of their table, and reading those that are to be written.

Bodies are read twice. The first time every value is read as text and checked, and of each object only what decides
about it is kept: its key, its hints, a hash of its content. The second time the objects that are to be written go
straight into their table. So the objects themselves are never held, however many there are, and a load that finds
nothing new reads no body again.

DuckDB reads the compressed bodies itself. Only a body that holds an object of a wrong shape is decoded here, so that
the object costs itself and not its page.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import duckdb

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.warehouse.content import row_hash
from sitoo_pipeline.warehouse.rules import Violation, broken, kept, typed, violations

Layout = Literal["envelope", "array"]

_UNREADABLE = (duckdb.InvalidInputException, UnicodeDecodeError)
"""What DuckDB raises of a body of a wrong shape: its message quotes the body, and can be cut within a character."""

_MEMORY = "1GB"
"""What DuckDB may use from here on: a large date is written in one transaction, and is in memory until then."""

PAGE = 10**9
"""More objects than a body can hold: ``_object`` is the page times this, and the position in the page."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An object that goes to quarantine instead of its table."""

    violation: Violation
    object_key: str | None
    payload: str
    landing_file: str


@dataclass(frozen=True)
class Bodies:
    """Files that DuckDB can read, in the order of the pages, and the ``names`` by which ``_landing_file`` has them."""

    table: RawTable
    files: tuple[Path, ...]
    names: tuple[str, ...]
    layout: Layout

    def objects(self, pages: Iterable[int] | None = None) -> str:
        """SQL of the objects of ``pages`` (None: of all), with ``_landing_file`` and ``_object``.

        The fields have their types, and are null or rounded where they break their rule. ``_object`` is a number that
        grows in the order of the bodies.
        """
        return f"(SELECT {typed(self.table)}, _landing_file, _object FROM {self._texts(pages)})"

    def verdicts(self) -> str:
        """The same of all pages, with ``_broken``: whether the object breaks a rule."""
        return f"(SELECT {typed(self.table)}, {broken(self.table)} AS _broken, _object FROM {self._texts()})"

    def _texts(self, pages: Iterable[int] | None = None) -> str:
        numbers = range(len(self.files)) if pages is None else sorted(pages)
        fields = [(f'"{f.name}"', f.type.staged) for f in self.table.fields]
        if not numbers:
            nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in fields)
            return f"(SELECT {nothing}, NULL::VARCHAR AS _landing_file, NULL::BIGINT AS _object WHERE false)"
        files = [self.files[number] for number in numbers]
        paths = _list(_quoted(str(file)) for file in files)
        # A bare array is one record too, and with the whole body as one record the position of an object is known.
        name, records = ("items", "true") if self.layout == "envelope" else ("json", "false")
        shape = ", ".join(f"{field} {kind}" for field, kind in fields)
        return f"""(
            SELECT {", ".join(f"o.{field}" for field, _ in fields)},
                {_list(_quoted(self.names[number]) for number in numbers)}[_file] AS _landing_file,
                {_list(map(str, numbers))}[_file]::BIGINT * {PAGE} + _item AS _object
            FROM (
                SELECT unnest({name}) AS o, generate_subscripts({name}, 1) - 1 AS _item,
                    list_position({paths}, filename) AS _file
                FROM read_json({paths}, format = 'unstructured', records = '{records}', compression = 'gzip',
                    filename = true, columns = {{{name}: 'STRUCT({shape})[]'}},
                    maximum_object_size = {max(map(_unpacked, files)) + 2**20})
            )
        )"""


@dataclass(frozen=True)
class Staged:
    """Bodies whose objects were checked, and the objects that were refused, in the order of the bodies."""

    bodies: Bodies
    refused: list[Refused]

    @property
    def rows(self) -> str:
        """SQL of the objects of ``staged``, as ``Bodies.objects`` has them."""
        return f"(FROM {self.bodies.objects()} SEMI JOIN staged USING (_object))"


@contextmanager
def stage(
    con: duckdb.DuckDBPyConnection,
    table: RawTable,
    files: Sequence[Path],
    *,
    layout: Layout,
    landing: Path,
    hints: Sequence[Column] = (),
) -> Iterator[Staged]:
    """Check the objects of ``files``, and fill the temporary table ``staged`` with what decides about the good ones.

    It has ``_object``, the key, each of ``hints`` as ``hint <name>``, ``_hash`` of the fields, and whether its
    clock has a value (``_clocked``). Of objects with the same key the last one is kept: pages can overlap.

    Yields:
        The bodies, to read objects from within the block, and what was refused.
    """
    con.execute(f"SET memory_limit = '{_MEMORY}'")
    bodies = Bodies(table, tuple(files), tuple(str(file.relative_to(landing)) for file in files), layout)
    with ExitStack() as after:
        readable = bodies
        try:
            _describe(con, "staged", bodies, hints)
        except _UNREADABLE:
            folder = Path(after.enter_context(tempfile.TemporaryDirectory()))
            readable = replace(bodies, files=tuple(_readable(con, bodies, folder)))
            _describe(con, "staged", readable, hints)
        refused = _refuse(con, bodies)
        key = ", ".join(f'"{name}"' for name in table.object_key)
        con.execute(f"DELETE FROM staged WHERE _object NOT IN (SELECT max(_object) FROM staged GROUP BY {key})")
        yield Staged(readable, refused)


def stage_refused(
    con: duckdb.DuckDBPyConnection, table: RawTable, refused: Sequence[Refused], hints: Sequence[Column]
) -> None:
    """Fill the temporary table ``refused`` with what can be read of refused objects; ``_object`` is their position."""
    with tempfile.TemporaryDirectory() as folder:
        items = [kept(table, json.loads(item.payload)) for item in refused]
        body = _write(Path(folder) / "0.json.gz", items, "envelope")
        _describe(con, "refused", Bodies(table, (body,), ("",), "envelope"), hints)


def _describe(con: duckdb.DuckDBPyConnection, into: str, bodies: Bodies, hints: Sequence[Column]) -> None:
    table = bodies.table
    columns = [f'o."{name}"' for name in table.object_key]
    columns += [f'{hint.source} AS "hint {hint.name}"' for hint in hints]
    columns += [f"{row_hash((f.name, f.type) for f in table.fields)} AS _hash"]
    columns += [f'o."{table.clock}" IS NOT NULL AS _clocked'] if table.clock else []
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS "
        f"SELECT o._object, o._broken, {', '.join(columns)} FROM {bodies.verdicts()} AS o"
    )


def _readable(con: duckdb.DuckDBPyConnection, bodies: Bodies, folder: Path) -> Iterator[Path]:
    """The bodies, and for each that DuckDB cannot read a copy with null in the place of what breaks a rule."""
    for page, file in enumerate(bodies.files):
        try:
            con.execute(f"SELECT max(_object) FROM {bodies.objects([page])}")
            yield file
        except _UNREADABLE:
            items = _decoded(file, bodies.layout)
            good = [None if violations(bodies.table, item) else kept(bodies.table, item) for item in items]
            yield _write(folder / f"{page}.json.gz", good, bodies.layout)


def _write(file: Path, items: list[Any], layout: Layout) -> Path:
    document = {"items": items} if layout == "envelope" else items
    file.write_bytes(gzip.compress(json.dumps(document).encode(), compresslevel=1))
    return file


def _refuse(con: duckdb.DuckDBPyConnection, bodies: Bodies) -> list[Refused]:
    """Take the objects that break a rule out of ``staged``; what was received is read again from its body."""
    bad = con.execute("DELETE FROM staged WHERE _broken RETURNING _object").fetchall()
    refused = []
    for page, positions in groupby(sorted(divmod(number, PAGE) for (number,) in bad), key=lambda place: place[0]):
        items = _decoded(bodies.files[page], bodies.layout)
        refused += [_refused(bodies.table, items[position], bodies.names[page]) for _, position in positions]
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


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"
