"""A ledger that was restored from a backup, and what it cannot know: what went out between the backup and the restore.

Most targets take a record again and nothing changes. A receipt or an e-mail would come a second time: so of a target
that can neither be asked nor sent to again, what may have gone out then is in doubt, until a person settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from sitoo_pipeline.sinks.column_types import Instant
from sitoo_pipeline.sinks.contract import OnUnknown, Outcome, Record, State, Target
from sitoo_pipeline.sinks.database import TRIED, create_table, open_engine
from sitoo_pipeline.sinks.ledger import Ledger
from sitoo_pipeline.sinks.ledger_rows import Entry

RESTORES = sa.Table(
    "restores",
    sa.MetaData(),
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("restored_at", Instant, primary_key=True),
    sa.Column("backup_at", Instant, nullable=False),
    sa.Column("last_date", sa.Date, nullable=False, comment="The account's date when it was restored"),
)


@dataclass(frozen=True)
class Restored:
    """The last restore of an account's ledger."""

    restored_at: datetime
    backup_at: datetime

    def may_have_gone(self, record: Record, entry: Entry | None) -> bool:
        """Whether a record may have gone out after the backup without the ledger knowing it."""
        if entry is None:
            return True
        if entry.updated_at >= self.restored_at:  # noted, or settled, since
            return False
        if entry.state is State.REJECTED:  # the same content is not sent without being asked for; another one is
            return entry.content_hash != record.content_hash
        return entry.state is not State.DELIVERED or entry.delivered_hash != record.content_hash

    @property
    def words(self) -> str:
        """Why a record is in doubt."""
        return (
            f"it may have gone out between the backup of {self.backup_at:%Y-%m-%d %H:%M} UTC and its restore at "
            f"{self.restored_at:%Y-%m-%d %H:%M} UTC"
        )


def note_restore(url: str, account: str, mark: Restored, last_date: date) -> None:
    """Write into a restored ledger of when it is, with the date that the account has now.

    Raises:
        DatabaseUrlError: for a URL that cannot be used.
    """
    engine = open_engine(url, kinds=TRIED)
    try:
        create_table(engine, RESTORES)
        with engine.begin() as connection:
            row = {"account": account, "restored_at": mark.restored_at, "backup_at": mark.backup_at}
            connection.execute(sa.insert(RESTORES), row | {"last_date": last_date})
    finally:
        engine.dispose()


def doubt_restored(
    target: Target, ledger: Ledger, account: str, records: Sequence[Record], *, run_id: str, dry_run: bool
) -> list[str]:
    """Note as unknown what may have gone out before the ledger was restored, where a repeat cannot be taken back.

    Returns:
        A line on it, where there is any. A dry run notes nothing.
    """
    if target.on_unknown is not OnUnknown.HOLD:
        return []
    with ledger.transaction() as connection:
        if not sa.inspect(connection).has_table(RESTORES.name):
            return []
        table = RESTORES.c
        query = sa.select(table.restored_at, table.backup_at, table.last_date).where(table.account == account)
        row = connection.execute(query.order_by(table.restored_at.desc()).limit(1)).first()
    if row is None:
        return []
    mark = Restored(row.restored_at, row.backup_at)
    known = ledger.of(account, target.name, [record.key for record in records])
    found = [
        record
        for record in records
        if record.partition <= row.last_date and mark.may_have_gone(record, known.get(record.key))
    ]
    if not found:
        return []
    if not dry_run:
        attempts = ledger.begin(account, target.name, found, run_id=run_id)
        unknown = [(record, Outcome(record.key, State.UNKNOWN, mark.words)) for record in found]
        ledger.finish(account, target.name, unknown, attempts=attempts, run_id=run_id)
    return [f"{len(found)} {'would be' if dry_run else 'are'} in doubt and not sent: {mark.words}"]
