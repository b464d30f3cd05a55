"""The delivery contract: the words that every target, the ledger and ``deliver`` share.

What belongs here: the states in which a delivery can be, what a target has to offer, and what is reported. What does
not: how one target works (a module each), how deliveries are remembered (``ledger``) or carried out (``delivery``).

A new target is a class with the members of ``Target`` in a module of its own, and with those of ``Readable``,
``Comparable``, ``Journaled``, ``Limited`` and ``InDatabase`` where they fit; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa

from sitoo_pipeline.sinks.canonical import content_hash


class State(StrEnum):
    """What became of a record."""

    PENDING = "pending"
    """Written before the call: what a killed process leaves behind. As uncertain as ``UNKNOWN``."""
    DELIVERED = "delivered"
    RETRY = "retry"
    """Surely not taken over; the next run sends it."""
    REJECTED = "rejected"
    """The target refuses this content. It goes out again when the content changes, or when forced."""
    UNKNOWN = "unknown"
    """It may have arrived. What follows is the target's ``on_unknown``."""
    HELD = "held"
    """Knowingly not handed over: a setting, or the target's own state, says that it is not to be touched. Surely not
    taken over; the next run asks again."""

    @property
    def is_uncertain(self) -> bool:
        """Whether the target may or may not hold the record."""
        return self in (State.PENDING, State.UNKNOWN)


class OnUnknown(StrEnum):
    """What a target does with a record of which nobody knows whether it arrived."""

    SEND_AGAIN = "send again"
    """The write is addressed by its key and a repeat changes nothing."""
    READ_BACK = "read back"
    """The target is asked what it holds (it is ``Readable``), and that decides."""
    HOLD = "hold"
    """Neither is possible: it is shown, and not sent again until a person settles it, or it is forced."""


@dataclass(frozen=True)
class Record:
    """One thing that a target is to hold.

    ``key`` is unique per account and target, ``partition`` the business date it belongs to. ``payload`` is what is sent
    (objects of JSON, with Decimal for money); it may hold personal data and is therefore never shown. With
    ``newest_wins`` a record of an earlier partition than the one handed over last is out of date and not sent.
    ``left_out`` says in words, without personal data, what the record lacks on purpose; the ledger keeps it.
    """

    key: str
    partition: date
    payload: Mapping[str, Any] = field(repr=False)
    newest_wins: bool = False
    left_out: str = ""

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the payload's canonical JSON."""
        return content_hash(self.payload)


@dataclass(frozen=True)
class Prepared:
    """Records built for a target, what a person should know about what was left out, and figures about it."""

    records: tuple[Record, ...]
    messages: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of one record of a batch.

    ``answer`` is the target's answer in a form that may be stored and shown: no personal data. ``counts`` are figures
    of the target's own, such as rows written. ``stop`` says that there is no use in sending anything else now, and
    ``retry_after`` until when the target wants to be left alone altogether.
    """

    key: str
    state: State
    answer: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    stop: bool = False
    retry_after: datetime | None = None


class Target(Protocol):
    """A system that records are handed to."""

    @property
    def name(self) -> str:
        """Name in the ledger, the settings and the commands."""

    @property
    def batch_size(self) -> int:
        """Most records that ``send`` takes at once."""

    @property
    def on_unknown(self) -> OnUnknown:
        """What follows where nobody knows whether a record arrived."""

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Hand over a batch; one outcome per record. A failure of the target is an outcome, never an exception."""


@runtime_checkable
class Readable(Protocol):
    """A target that can be asked what it holds."""

    def holds(self, record: Record) -> bool:
        """Whether the target holds exactly this record. Asking writes nothing anywhere: a dry run asks too.

        Raises:
            NotReadError: the target cannot be read, so nobody knows.
        """


class NotReadError(Exception):
    """A target cannot be read, and why; ``stop`` says that asking it for anything else is of no use now."""

    def __init__(self, message: str, *, stop: bool = False) -> None:
        super().__init__(message)
        self.stop = stop


@runtime_checkable
class Comparable(Protocol):
    """A target that can tell how what it holds differs from a record."""

    def difference(self, record: Record) -> Sequence[str]:
        """What would change at the target, a line each and without personal data; it changes nothing.

        Raises:
            NotReadError: the target cannot be read.
        """


@runtime_checkable
class Journaled(Protocol):
    """A target that keeps notes of its own about what it began and has not brought to its end."""

    def settle(self, records: Sequence[Record]) -> None:
        """Note that nothing is left to do about these records, which ``holds`` just found; a dry run never calls it."""


@runtime_checkable
class Limited(Protocol):
    """A target with limits beside the size of a batch, which it keeps itself."""

    @property
    def requests_per_second(self) -> float | None:
        """Most requests in a second."""

    @property
    def record_bytes(self) -> int | None:
        """Most bytes of one record; a longer one is rejected without being sent."""


@runtime_checkable
class InDatabase(Protocol):
    """A target that is a table. Where the ledger is in the same database, both are written in one transaction."""

    @property
    def url(self) -> sa.URL:
        """Which database it is."""

    def send_within(self, connection: sa.Connection, batch: Sequence[Record]) -> list[Outcome]:
        """As ``send``, in a transaction that the caller has begun and ends.

        A record that is not taken leaves nothing behind, and the transaction in use.

        Raises:
            sqlalchemy.exc.DBAPIError: the connection is lost, and with it the transaction.
        """


@dataclass(frozen=True)
class Change:
    """A record and why it is where it is; ``details`` is how it differs from what the target holds, where known."""

    key: str
    partition: date
    reason: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What one call of ``deliver`` did.

    ``changes`` are the records that had to be sent, ``unchanged`` counts those that the target holds already, and
    ``unsure`` those that were delivered and that the target could not be asked about; they stay delivered. The
    counts per state cover the records of this call, also one that stays rejected or held because nothing about it
    changed; ``refused`` names the rejected ones with the target's reason. ``counts`` are the figures noted while the
    records were built, and the sum of the target's own. ``unread`` says why not all of them could be compared with
    what the target holds.
    """

    target: str
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    delivered: int = 0
    retry: int = 0
    rejected: int = 0
    unknown: int = 0
    held: int = 0
    unsure: int = 0
    refused: tuple[Change, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    dry_run: bool = False
    unread: tuple[str, ...] = ()

    @property
    def planned(self) -> int:
        """How many records had to be sent."""
        return len(self.changes)

    @property
    def states(self) -> dict[str, int]:
        """How many records are in each state, also in those in which none is."""
        return {
            "delivered": self.delivered,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "unknown": self.unknown,
            "retry": self.retry,
            "held": self.held,
        }

    @property
    def failed(self) -> bool:
        """Whether something is neither delivered nor knowingly rejected or held, or the target could not be asked."""
        return self.retry + self.unknown + self.unsure > 0
