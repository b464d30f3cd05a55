"""``upgrade``: each warehouse brought to the schema of this version, and what is left to do by hand."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from datetime import date

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.operations.faults import exit_code, explained
from sitoo_pipeline.settings import Account
from sitoo_pipeline.tables import ALL_TABLES, OPTIONAL, meta, raw
from sitoo_pipeline.warehouse import SCHEMA_VERSION, loaded_dates
from sitoo_pipeline.warehouse.migrations import copy_path


@dataclass(frozen=True)
class Upgraded:
    """One warehouse.

    Attributes:
        account: Name of the account.
        version: The version of its schema now; None where there is no warehouse yet, or ``problem`` is set.
        changes: What was done now, in words; empty where it had this version.
        copy: Where the file stands as it was before.
        incomplete: Dates that are loaded, and of which a table lacks something that can be computed or fetched.
        command: What completes them.
        problem: Why it was not upgraded, and what to do.
    """

    account: str
    version: int | None = None
    changes: str = ""
    copy: str | None = None
    incomplete: list[str] = field(default_factory=list)
    command: str | None = None
    problem: str | None = None

    @property
    def lines(self) -> list[str]:
        """As it is shown."""
        if self.version is None:
            return ["there is no warehouse yet"]
        said = [f"schema version {self.version}" + (f"; {self.changes}" if self.changes else ", as before")]
        if self.copy:
            said.append(f"as it was before: {self.copy}")
        if self.command:
            said.append(f"{len(self.incomplete)} dates lack something new; to complete them: {self.command}")
        return said


def upgrade_warehouse(account: Account) -> Upgraded:
    """Open the account's warehouse for writing, which migrates it, and see what its dates lack."""
    if not account.warehouse_path.exists():
        return Upgraded(account.name)
    try:
        return _upgraded(account)
    except Exception as error:
        if exit_code(error) == 2 or not (text := explained(error)):
            raise
        return Upgraded(account.name, problem=text)


def _upgraded(account: Account) -> Upgraded:
    kept = [copy_path(account.warehouse_path, version) for version in range(1, SCHEMA_VERSION)]
    before = {path: path.stat().st_mtime_ns for path in kept if path.exists()}
    with Runtime.of(account).warehouse.connect() as con:
        fresh = [path for path in kept if path.exists() and path.stat().st_mtime_ns != before.get(path)]
        [(changes,)] = con.execute(f"SELECT arg_max(changes, version) FROM {meta.SCHEMA_VERSION.qualified}").fetchall()
        dates = loaded_dates(con, raw.ORDERS)
        lacking: set[date] = set()
        to_fetch = False
        for table in ALL_TABLES:
            if table in OPTIONAL or table.layer == "meta":
                continue
            if table.partition and (absent := dates - loaded_dates(con, table)):
                lacking |= absent
                to_fetch |= table.layer == "raw"
    incomplete = sorted(lacking)
    return Upgraded(
        account.name,
        version=SCHEMA_VERSION,
        changes=changes if fresh else "",
        copy=str(fresh[0]) if fresh else None,
        incomplete=[str(day) for day in incomplete],
        command=_completing(account.name, incomplete, to_fetch=to_fetch) if incomplete else None,
    )


def _completing(account: str, dates: list[date], *, to_fetch: bool) -> str:
    words = ["sitoo-pipeline", "backfill", "--account", account, "--from", str(dates[0]), "--to", str(dates[-1])]
    return shlex.join(words if to_fetch else [*words, "--no-fetch"])
