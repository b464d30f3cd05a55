"""Another program that has the file open: a process of its own, which answers when it is spoken to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType

_PROGRAM = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
for line in sys.stdin:
    print(con.execute(line).fetchall(), flush=True)
con.close()
"""


class Holder:
    """Holds ``path`` open until the end of the block or ``close``."""

    def __init__(self, path: Path, *, mode: str = "write") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(path), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.opened = self._process.stdout.readline() == "open\n"
        self.pid = self._process.pid

    def ask(self, sql: str) -> str:
        """The rows of a statement, as Python prints them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(sql + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> str:
        """Close the file; what the program complained of."""
        return self._process.communicate()[1]

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.returncode is None:
            self.close()
