"""What a call of ``deliver`` has to do about each record: ledger and target against what is wanted.

What belongs here: the decision. What does not: carrying it out (``delivery``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum, auto

from sitoo_pipeline.sinks.contract import NotReadError, OnUnknown, Readable, Record, State, Target
from sitoo_pipeline.sinks.ledger import Ledger
from sitoo_pipeline.sinks.ledger_rows import Entry

FORCED = "forced"
FOUND = "found at the target"
IN_DOUBT = "it may have arrived: not sent again until a person says what became of it, with deliver --settle"


class Do(Enum):
    """What is done about a record."""

    SEND = auto()
    LEAVE = auto()
    """The target holds it, and the ledger says so."""
    SETTLE = auto()
    """The target holds it, and the ledger does not know yet."""
    STAY_REJECTED = auto()
    """The target refused it before, and nothing about it changed."""
    HOLD = auto()
    """It may have arrived, and only a person can tell."""
    UNREAD = auto()
    """It was delivered. Whether the target has it still cannot be read, so it is left as it is."""


@dataclass(frozen=True)
class Step:
    """A record, what is done about it, and why."""

    record: Record
    do: Do
    reason: str
    attempts: int | None = None
    """How often it was tried before; None where it never was."""
    doubt: str | None = None
    """The hash of the content that may have arrived before; None where nothing is in doubt."""
    is_repeat: bool = False
    """It is delivered, and is sent again as it is because somebody forces it."""


@dataclass
class Look:
    """Asking a target what it holds, for as long as that is of use; ``why`` says why it is not."""

    target: Target
    why: str = ""

    def at(self, record: Record) -> tuple[bool, str]:
        """Whether the target holds the record, and why that is not known where it cannot be read."""
        if not isinstance(self.target, Readable):
            return False, ""
        if self.why:
            return False, self.why
        try:
            return self.target.holds(record), ""
        except NotReadError as error:
            self.why = str(error) if error.stop else ""
            return False, str(error)


def plan(look: Look, records: list[Record], ledger: Ledger, account: str, *, force: bool, rejected: bool) -> list[Step]:
    """What is to be done about each record; arguments as ``deliver``, ``look`` asks the target.

    Raises:
        ValueError: where two records have the same key.
    """
    target = look.target
    twice = sorted(key for key, number in Counter(record.key for record in records).items() if number > 1)
    if twice:
        raise ValueError(f"records for {target.name} with the same key: {', '.join(twice)}")
    entries = ledger.of(account, target.name, [record.key for record in records])
    steps = [_judge(look, record, entries.get(record.key), force=force, rejected=rejected) for record in records]
    return [_with_history(step, entries.get(step.record.key)) for step in steps]


def _with_history(step: Step, entry: Entry | None) -> Step:
    if entry is None:
        return step
    doubt = entry.content_hash if entry.state.is_uncertain else None
    is_there = entry.state is State.DELIVERED and entry.delivered_hash == step.record.content_hash
    return replace(step, attempts=entry.attempts, doubt=doubt, is_repeat=is_there and step.reason == FORCED)


def _judge(look: Look, record: Record, entry: Entry | None, *, force: bool, rejected: bool) -> Step:
    """What is to be done with one record. The order of the questions matters."""
    if force:
        return Step(record, Do.SEND, FORCED)
    target = look.target
    is_held, unread = look.at(record)
    if is_held:
        known = entry is not None and entry.state is State.DELIVERED and entry.delivered_hash == record.content_hash
        is_same = known and entry is not None and entry.left_out == record.left_out
        return Step(record, Do.LEAVE if is_same else Do.SETTLE, FOUND)
    if entry is None:
        return Step(record, Do.SEND, "new")
    if record.newest_wins and record.partition < entry.partition:
        return Step(record, Do.LEAVE, "out of date")
    if entry.state.is_uncertain:
        if target.on_unknown is OnUnknown.HOLD:
            return Step(record, Do.HOLD, IN_DOUBT)
        return Step(record, Do.SEND, "it may have arrived")
    if entry.delivered_hash == record.content_hash:
        if unread and entry.state is State.DELIVERED:
            return Step(record, Do.UNREAD, unread)
        if isinstance(target, Readable):
            return Step(record, Do.SEND, "the target was not asked" if unread else "missing or different at the target")
        return Step(record, Do.LEAVE if entry.state is State.DELIVERED else Do.SETTLE, "delivered before")
    if entry.state is State.REJECTED and entry.content_hash == record.content_hash:
        return Step(record, Do.SEND if rejected else Do.STAY_REJECTED, f"rejected before: {entry.answer}")
    if entry.state is State.HELD:
        return Step(record, Do.SEND, f"held before: {entry.answer}")
    return Step(record, Do.SEND, "not delivered yet" if entry.delivered_hash is None else "changed")
