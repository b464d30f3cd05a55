"""``restore``: what a backup holds of each account, put where the settings have it.

Everything is unpacked beside its place and checked first; only then is it moved there, each file by an atomic rename.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import sqlalchemy as sa

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.operations.archive import BackupError, Manifest, read_manifest, unpack
from sitoo_pipeline.operations.backup import outside
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sinks.database import sqlite_file
from sitoo_pipeline.sinks.restored import Restored, note_restore
from sitoo_pipeline.warehouse import SCHEMA_VERSION

_NAMED = 3
_LOGS = (".wal", "-wal", "-shm")
"""What DuckDB and SQLite keep beside a file until it is closed: those of another file would spoil the new one."""


def restore_backup(accounts: Sequence[Account], path: Path, *, only: str | None, force: bool = False) -> Manifest:
    """Put what the backup ``path`` holds (of the account ``only``, or of all) where the settings of ``accounts`` say.

    Raises:
        BackupError: it is damaged or newer, names an account that the settings do not have, or (without ``force``)
            there are files already. Nothing was changed.
        WarehouseLockedError: a warehouse that would be replaced is open elsewhere. Nothing was changed.
    """
    manifest = read_manifest(path)
    if manifest.schema_version > SCHEMA_VERSION:
        raise BackupError(
            f"{path} holds schema version {manifest.schema_version}, and this pipeline knows versions up to "
            f"{SCHEMA_VERSION}: install the newer pipeline that made it."
        )
    chosen = _chosen(accounts, manifest, path, only)
    goals = {name: goal for account in chosen for name, goal in _goals(account, manifest).items()}
    in_the_way = [goal for goal in goals.values() if goal.exists()]
    if in_the_way and not force:
        named = ", ".join(map(str, in_the_way[:_NAMED]))
        more = f" and {len(in_the_way) - _NAMED} more" if len(in_the_way) > _NAMED else ""
        raise BackupError(f"{named}{more} would be overwritten. Move them away, or replace them with --force.")
    with ExitStack() as held:
        for account in chosen:
            held.enter_context(_closed_elsewhere(account))
        fresh = {name: held.enter_context(_beside(goal)) for name, goal in goals.items()}
        unpack(path, manifest, fresh)
        for place in fresh.values():
            _readable(place)
        for account in accounts:  # of a ledger that several share, all are as old as it is
            _mark(account, manifest, goals, fresh)
        # The ledger and the rest first: with an older ledger something is sent again, with a newer one never.
        for name in sorted(goals, key=lambda name: name.endswith("warehouse.duckdb")):
            for log in _LOGS:
                goals[name].with_name(goals[name].name + log).unlink(missing_ok=True)
            fresh[name].replace(goals[name])
    for account in chosen:
        if account.warehouse_path.exists():
            Runtime.of(account).warehouse.publish()
    return manifest


def _mark(account: Account, manifest: Manifest, goals: Mapping[str, Path], fresh: Mapping[str, Path]) -> None:
    """Let the account's ledger know of when it is, if it is put back: what went out since, it cannot know."""
    ledger = sqlite_file(sa.make_url(account.deliveries_url.get_secret_value()))
    for name, goal in goals.items():
        if ledger and goal.resolve() == ledger.resolve():
            mark = Restored(datetime.now(UTC), datetime.fromisoformat(manifest.created_at))
            today = mark.restored_at.astimezone(ZoneInfo(account.timezone)).date()
            note_restore(f"sqlite:///{fresh[name].absolute().as_posix()}", account.name, mark, today)


def _chosen(accounts: Sequence[Account], manifest: Manifest, path: Path, only: str | None) -> list[Account]:
    wanted = [only] if only else manifest.accounts
    known = {account.name: account for account in accounts}
    for name in wanted:
        if name not in manifest.accounts:
            raise BackupError(f"{path} holds nothing of {name}; it has: {', '.join(manifest.accounts)}")
        if name not in known:
            raise BackupError(f"{path} holds the account {name}, which the settings do not have: set it up first.")
    return [known[name] for name in wanted]


def _goals(account: Account, manifest: Manifest) -> dict[str, Path]:
    elsewhere = outside(account)
    return {
        name: elsewhere.get(name, account.folder / name.partition("/")[2])
        for name in manifest.members
        if name.partition("/")[0] == account.name
    }


@contextmanager
def _closed_elsewhere(account: Account) -> Iterator[None]:
    """Nobody has the account's warehouse open, nor opens it until the end of the block."""
    with ExitStack() as held:
        if account.warehouse_path.exists():
            with suppress(duckdb.Error):  # a damaged file is why somebody restores
                held.enter_context(Runtime.of(account).warehouse.held())
        yield


@contextmanager
def _beside(goal: Path) -> Iterator[Path]:
    """A place for a file in a folder of its own beside ``goal``, gone at the end of the block."""
    goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=goal.parent, prefix=".restore-"))
    try:
        yield folder / goal.name
    finally:
        shutil.rmtree(folder)


def _readable(place: Path) -> None:
    """Raise a BackupError where a database in the backup cannot be opened."""
    try:
        if place.suffix == ".duckdb":
            with duckdb.connect(str(place), read_only=True) as con:
                con.execute("SELECT count(*) FROM meta.loads").fetchall()
        elif place.suffix == ".db":
            with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as sqlite:
                said = sqlite.execute("PRAGMA quick_check").fetchall()
                if said != [("ok",)]:
                    raise BackupError(f"{place.name} in the backup is damaged: take another backup.")
    except (duckdb.Error, sqlite3.Error) as error:
        raise BackupError(f"{place.name} in the backup cannot be opened ({type(error).__name__}).") from None
