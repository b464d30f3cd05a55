"""A DuckDB file that this process has open: opened once for all connections that are open at the same time.

Opening reads the description of every table, and closing writes: together they take longer than many a load. So
connections share what the first of them opened, and within ``lingering`` the file stays open for a moment after the
last of them was closed, in case another one comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock, Timer

import duckdb

LINGERING = 0.25
"""Seconds for which a file stays open in case it is wanted again: shorter than most answers of an API."""

_SMALL = 64 * 2**20
"""Bytes of a file that always may linger. DuckDB would keep in memory what connections to a larger one have read."""

_KEPT = "64MB"
"""What DuckDB keeps from one connection to the next of a larger file that stays open."""

Open = Callable[[ExitStack], duckdb.DuckDBPyConnection]
"""Opens the file. What it puts on the stack is closed after the file."""


@dataclass
class Opened:
    """The file at ``path``, as far as this process has it open. For use by several threads."""

    path: Path
    after: ExitStack = field(default_factory=ExitStack)
    """Is closed after the file: closing any descriptor of a file gives up this process's lock on it."""
    _root: duckdb.DuckDBPyConnection | None = None
    _users: int = 0
    _lingers: int = 0
    _lingers_if_large: int = 0
    _end: Timer | None = None
    _lock: RLock = field(default_factory=RLock)

    @contextmanager
    def connection(self, opening: Open) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the file, which is opened by ``opening`` if it is not open."""
        with self._lock:
            if self._root is None:
                self._root = opening(self.after)
            con = self._begin(self._root)
        with self._used(con):
            yield con

    @contextmanager
    def shared(self) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """A connection of its own if the file is open already, else None."""
        with self._lock:
            con = self._begin(self._root) if self._root is not None else None
        if con is None:
            yield None
            return
        with self._used(con):
            yield con

    @contextmanager
    def lingering(self, *, if_large: bool) -> Iterator[None]:
        """Within the block, the file is closed a moment later than it could be; at its end, or as soon as it can be."""
        with self._lock:
            self._lingers += 1
            self._lingers_if_large += if_large
        try:
            yield
        finally:
            with self._lock:
                self._lingers -= 1
                self._lingers_if_large -= if_large
                self._close_if_unused()

    def _begin(self, root: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        if self._end is not None:
            self._end.cancel()
            self._end = None
        con = root.cursor()
        self._users += 1
        return con

    @contextmanager
    def _used(self, con: duckdb.DuckDBPyConnection) -> Iterator[None]:
        is_well = False
        try:
            yield
            is_well = True
        finally:
            with self._lock:
                con.close()
                self._users -= 1
                if is_well and not self._users and self._may_linger():
                    self._end = Timer(LINGERING, self._close_if_unused)
                    self._end.daemon = True
                    self._end.start()
                else:  # also after an error, which may have left DuckDB unable to go on with the file
                    self._close_if_unused()

    def _close_if_unused(self) -> None:
        with self._lock:
            if self._users or self._root is None:
                return
            root, self._root = self._root, None
            root.close()
            self.after.close()

    def _may_linger(self) -> bool:
        return self._lingers > 0 and (self._lingers_if_large > 0 or self._is_small())

    def give_back(self, con: duckdb.DuckDBPyConnection) -> None:
        """Free what DuckDB keeps of a large file that was read and written before, but for a little and what is in use.

        A long step reads little of it again, and would else take more and more memory until DuckDB's limit. Where even
        a large file lingers, little is done with it, and what is kept is read again. This lowers the limit: set it
        again.
        """
        if not self._lingers_if_large and not self._is_small():
            with suppress(duckdb.OutOfMemoryException):  # so much is in use
                con.execute(f"SET memory_limit = '{_KEPT}'")

    def _is_small(self) -> bool:
        try:
            return self.path.stat().st_size < _SMALL
        except OSError:  # somebody removed it; who wants it next says so better
            return False
