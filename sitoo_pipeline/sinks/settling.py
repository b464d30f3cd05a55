"""Records in doubt, and what a person found out about them.

A mailbox cannot be asked what it took. What is in doubt there stays so, is not sent again and fails its date, until
somebody has looked and says what happened. The ledger keeps who said it, when and why.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sitoo_pipeline.sinks.contract import State
from sitoo_pipeline.sinks.ledger import Ledger
from sitoo_pipeline.sinks.ledger_rows import Entry

VERDICTS = (State.DELIVERED, State.RETRY, State.REJECTED)
"""What may be said: it arrived; it did not, and is to be sent; it did not, and is not to be sent."""

STILL_ON_ITS_WAY = timedelta(minutes=15)
"""A record that was begun less than that ago may be being sent at this moment: a mail server has ten minutes."""


@dataclass(frozen=True)
class Settlement:
    """What somebody says of records in doubt: of those of ``keys``, or without keys of all in the period."""

    verdict: State
    who: str
    why: str
    keys: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """As it is kept; when it was said is the entry's ``updated_at``."""
        return f"settled as {self.verdict} by {self.who}: {self.why}"


@dataclass(frozen=True)
class InDoubt:
    """Records in doubt, by date and key: those that can be settled now, and those that may still be on their way."""

    settled: tuple[Entry, ...]
    too_early: tuple[Entry, ...]

    @property
    def messages(self) -> tuple[str, ...]:
        """A line on each that is to be left alone for now."""
        return tuple(
            f"{entry.key}: begun at {entry.updated_at:%H:%M} UTC, it may be on its way still: "
            f"settle it after {entry.updated_at + STILL_ON_ITS_WAY:%H:%M} UTC"
            for entry in self.too_early
        )


def in_doubt(
    ledger: Ledger, account: str, target: str, dates: Collection[date], keys: Collection[str] = (), *, now: datetime
) -> InDoubt:
    """The records of these dates of which nobody knows whether they arrived, of these keys or of all."""
    found = [each for each in ledger.uncertain(account, target, dates) if not keys or each.key in keys]
    early = [e for e in found if e.state is State.PENDING and e.updated_at > now - STILL_ON_ITS_WAY]
    return InDoubt(tuple(entry for entry in found if entry not in early), tuple(early))


def settle(
    ledger: Ledger, account: str, target: str, dates: Collection[date], said: Settlement, *, run_id: str
) -> InDoubt:
    """Note what was said of the records in doubt; what is in no doubt, or in doubt no longer, is left as it is.

    Raises:
        ValueError: the verdict is none of ``VERDICTS``.
    """
    if said.verdict not in VERDICTS:
        raise ValueError(f"{said.verdict} is no verdict; say one of {', '.join(VERDICTS)}")
    found = in_doubt(ledger, account, target, dates, said.keys, now=datetime.now(UTC))
    settled = [e for e in found.settled if ledger.settle(account, target, e, said.verdict, said.words, run_id=run_id)]
    return InDoubt(tuple(settled), found.too_early)
