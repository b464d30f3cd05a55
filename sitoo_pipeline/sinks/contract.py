"""The delivery contract: the words that every target, the ledger and ``deliver`` share.

What belongs here: the states in which a delivery can be, what a target has to offer, and what is reported. What does
not: how one target works (a module each), how deliveries are remembered (``ledger``) or carried out (``delivery``).

A new target is a class with the members of ``Target``, and of ``Readable`` where it can be read back, in a module of
its own; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

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
    """Neither is possible: it is shown, and not sent again unless forced."""


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
    """Records built for a target, and what a person should know about what was left out."""

    records: tuple[Record, ...]
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of one record of a batch.

    ``answer`` is the target's answer in a form that may be stored and shown: no personal data. ``counts`` are figures
    of the target's own, such as rows written. ``stop`` says that there is no use in sending anything else now.
    """

    key: str
    state: State
    answer: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    stop: bool = False


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
        """Whether the target holds exactly this record; False also where it cannot be reached."""


@dataclass(frozen=True)
class Change:
    """A record that is (or, in a dry run, would be) sent, and why."""

    key: str
    partition: date
    reason: str


@dataclass(frozen=True)
class Report:
    """What one call of ``deliver`` did.

    ``changes`` are the records that had to be sent, ``unchanged`` counts those that the target holds already. The
    counts per state cover the records of this call, also one that stays rejected or held because nothing about it
    changed. ``counts`` adds up the target's own figures.
    """

    target: str
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    delivered: int = 0
    retry: int = 0
    rejected: int = 0
    unknown: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def planned(self) -> int:
        """How many records had to be sent."""
        return len(self.changes)

    @property
    def failed(self) -> bool:
        """Whether something is neither delivered nor knowingly rejected."""
        return self.retry + self.unknown > 0
