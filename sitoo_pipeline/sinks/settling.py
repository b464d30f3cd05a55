"""Records in doubt, and what a person found out about them.

A mailbox cannot be asked what it took. What is in doubt there stays so, is not sent again and fails its date, until
somebody has looked and says what happened. What surely did not arrive there, and is not to be sent any more, can be
rejected too: nothing may be left to send, as where an order does not count any longer. The ledger keeps who said it,
when and why.
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
    """Records in doubt, by date and key: those that can be settled now, and those that may still be on their way.

    ``unnamed`` can be rejected, but only by their keys: otherwise the next run sends them.
    """

    settled: tuple[Entry, ...]
    too_early: tuple[Entry, ...]
    unnamed: tuple[Entry, ...] = ()

    @property
    def messages(self) -> tuple[str, ...]:
        """A line on each that is to be left alone for now."""
        early = tuple(
            f"{entry.key}: begun at {entry.updated_at:%H:%M} UTC, it may be on its way still: "
            f"settle it after {entry.updated_at + STILL_ON_ITS_WAY:%H:%M} UTC"
            for entry in self.too_early
        )
        unnamed = (f"{entry.key}: surely not taken: to have it rejected, name it by its key" for entry in self.unnamed)
        return (*early, *unnamed)


def in_doubt(
    ledger: Ledger,
    account: str,
    target: str,
    dates: Collection[date],
    keys: Collection[str] = (),
    *,
    now: datetime,
    with_retry: bool = False,
) -> InDoubt:
    """The records of these dates of which nobody knows whether they arrived, of these keys or of all.

    ``with_retry`` finds also those of ``keys`` that surely did not arrive.
    """
    also = (State.RETRY,) if with_retry else ()
    found = [e for e in ledger.uncertain(account, target, dates, also=also) if not keys or e.key in keys]
    early = [e for e in found if e.state is State.PENDING and e.updated_at > now - STILL_ON_ITS_WAY]
    unnamed = [e for e in found if e.state is State.RETRY and not keys]
    now_settled = tuple(entry for entry in found if entry not in early and entry not in unnamed)
    return InDoubt(now_settled, tuple(early), tuple(unnamed))


def settle(
    ledger: Ledger,
    account: str,
    target: str,
    dates: Collection[date],
    said: Settlement,
    *,
    run_id: str,
    is_at_most_once: bool = False,
) -> InDoubt:
    """Note what was said of the records in doubt; what is in no doubt, or in doubt no longer, is left as it is.

    Of a target that ``is_at_most_once`` also what surely did not arrive can be rejected, by its key.

    Raises:
        ValueError: the verdict is none of ``VERDICTS``.
    """
    if said.verdict not in VERDICTS:
        raise ValueError(f"{said.verdict} is no verdict; say one of {', '.join(VERDICTS)}")
    with_retry = is_at_most_once and said.verdict is State.REJECTED
    found = in_doubt(ledger, account, target, dates, said.keys, now=datetime.now(UTC), with_retry=with_retry)
    settled = [e for e in found.settled if ledger.settle(account, target, e, said.verdict, said.words, run_id=run_id)]
    return InDoubt(tuple(settled), found.too_early, found.unnamed)
