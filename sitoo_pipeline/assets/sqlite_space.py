"""Room that deleted rows leave in a SQLite file, given back to the disk where it is much. No dagster here."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_WORTH_IT = 8_000_000
_PATIENCE = 5.0
_INTO_THE_FILE = "PRAGMA wal_checkpoint(TRUNCATE)"


def give_back(file: Path) -> int:
    """Shrink the file where at least half of it, and 8 MB, is free; returns by how many bytes.

    Less is left: what comes next goes there. Readers and writers go on meanwhile or wait; where one of them holds the
    file for longer than five seconds, or the disk has no room for the copy, nothing is given back until the next time.
    """
    if not file.exists():
        return 0
    try:
        with closing(sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)) as con:
            con.execute(_INTO_THE_FILE)  # also what the last time had to leave in the log
            before = _size(file)
            [page], [pages], [free] = (
                con.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count", "freelist_count")
            )
            if free * page < _WORTH_IT or free * 2 < pages:
                return 0
            con.execute("VACUUM")
            con.execute(_INTO_THE_FILE)
    except sqlite3.OperationalError:
        return 0
    # Where a reader is in the way, the log has the smaller file as well, for now.
    return max(0, before - _size(file))


def _size(file: Path) -> int:
    logs = (file, file.with_name(f"{file.name}-wal"))
    return sum(path.stat().st_size for path in logs if path.exists())
