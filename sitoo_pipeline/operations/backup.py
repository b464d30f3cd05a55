"""``backup``: the warehouse, the ledger and whatever else is kept of each account, as one file.

The settings are not in it, since secrets are beside them. Nor is what can be had again: landed bodies, the read copy,
Dagster's history. A database elsewhere has tools of its own.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import sqlalchemy as sa

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.operations.archive import BackupError, Manifest, Writer, writing
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sinks.database import sqlite_file
from sitoo_pipeline.warehouse import SCHEMA_VERSION

_SQLITE = b"SQLite format 3\x00"
_HAD_AGAIN = ("landing", "warehouse_read.duckdb")
_NEVER = (".wal", "-wal", "-shm", ".toml", ".env")


def make_backup(accounts: Sequence[Account], output: Path, *, force: bool = False) -> Manifest:
    """Back up ``accounts`` to the file ``output``, which appears when it is whole.

    Each account's warehouse is held while its files are copied, so that they are of one moment: a load that runs is
    waited for, as long as ``lock_timeout`` says.

    Raises:
        BackupError: there is a file already, or nothing to back up.
        WarehouseLockedError: a warehouse stayed open elsewhere.
        WarehouseVersionError: a newer pipeline wrote a warehouse.
    """
    if output.exists() and not force:
        raise BackupError(f"{output} is there already. Choose another name, or replace it with --force.")
    if not output.absolute().parent.is_dir():
        raise BackupError(f"{output.absolute().parent} is no folder: make it first.")
    with writing(output, SCHEMA_VERSION) as writer:
        for account in accounts:
            _add_account(writer, account)
        if not writer.manifest.members:
            raise BackupError("there is nothing to back up yet: no account has a warehouse or a ledger.")
    return writer.manifest


def databases(account: Account) -> dict[str, sa.URL]:
    """The databases of the settings that hold something of the account, by what they hold."""
    urls = {"deliveries": account.deliveries_url}
    if account.targets.weekly_balance_sql.enabled:
        urls["weekly_balance"] = account.targets.weekly_balance_sql.url
    return {name: sa.make_url(url.get_secret_value()) for name, url in urls.items()}


def outside(account: Account) -> dict[str, Path]:
    """SQLite files of the settings that are not in the account's folder, by their names in a backup."""
    files = {name: sqlite_file(url) for name, url in databases(account).items()}
    return {
        f"{account.name}/databases/{name}.db": file
        for name, file in files.items()
        if file and not file.is_relative_to(account.folder)
    }


def _add_account(writer: Writer, account: Account) -> None:
    left_out = [
        f"{name} is in {url.render_as_string(hide_password=True)}: back it up with that database's own tools"
        for name, url in databases(account).items()
        if sqlite_file(url) is None
    ]
    if left_out:
        writer.manifest.left_out[account.name] = left_out
    with ExitStack() as after, ExitStack() as held:
        if account.warehouse_path.exists():
            con = held.enter_context(Runtime.of(account).warehouse.connect())
            con.execute("CHECKPOINT")
            # Closing any descriptor of the file gives up this process's lock on it, so this one is closed afterwards.
            writer.add(f"{account.name}/warehouse.duckdb", after.enter_context(account.warehouse_path.open("rb")))
        for name, path in [*_kept(account), *outside(account).items()]:
            if path.exists():
                _add_file(writer, name, path)


def _kept(account: Account) -> Iterator[tuple[str, Path]]:
    """What is below the account's folder and cannot be had again, but for the warehouse; by its name in a backup."""
    for path in sorted(account.folder.rglob("*")) if account.folder.exists() else ():
        below = path.relative_to(account.folder)
        is_hidden = any(part.startswith(".") for part in below.parts)
        is_known = below.parts[0] in _HAD_AGAIN or path == account.warehouse_path
        if is_hidden or is_known or path.name.startswith("warehouse.version-") or path.name.endswith(_NEVER):
            continue
        if path.is_file() and not path.is_symlink():
            yield f"{account.name}/{below.as_posix()}", path


def _add_file(writer: Writer, name: str, path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            file.seek(0)
            writer.add(name, file)
            return
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".backup-") as copy:
        # SQLite's own way to copy a database that others write to.
        with closing(sqlite3.connect(path, timeout=30)) as source, closing(sqlite3.connect(copy.name)) as target:
            source.backup(target)
        with Path(copy.name).open("rb") as file:
            writer.add(name, file)
