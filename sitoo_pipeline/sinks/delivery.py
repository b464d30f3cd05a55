"""``deliver``: plan what differs from what was delivered, send it batch by batch, and account for every record.

What belongs here: the order of things between ledger and target, the same for all targets. What does not: how a target
is spoken to, and which records there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from sitoo_pipeline.sinks.contract import (
    Change,
    Comparable,
    InDatabase,
    Journaled,
    OnUnknown,
    Outcome,
    Readable,
    Record,
    Report,
    State,
    Target,
)
from sitoo_pipeline.sinks.ledger import Ledger
from sitoo_pipeline.sinks.ledger_rows import Entry

GIVE_UP_AFTER = 3
"""Batches in a row of which nothing was taken: then the target is not working and the rest waits for the next run."""

LONGEST_WAIT = timedelta(days=1)
"""A target that asks to be left alone for longer is asked again after this time."""

_NAMED = 20  # records that get a message each
_FOUND = "found at the target"
_TAKEN = (State.DELIVERED, State.REJECTED, State.HELD)
"""What a target that works makes of a record."""


class _Do(Enum):
    SEND = auto()
    LEAVE = auto()
    """The target holds it, and the ledger says so."""
    SETTLE = auto()
    """The target holds it, and the ledger does not know yet."""
    STAY_REJECTED = auto()
    HOLD = auto()


@dataclass(frozen=True)
class _Step:
    record: Record
    do: _Do
    reason: str
    attempts: int | None = None
    """How often it was tried before; None where it never was."""


def deliver(
    *,
    target: Target,
    records: Iterable[Record],
    ledger: Ledger,
    account: str,
    run_id: str,
    dry_run: bool = False,
    force: bool = False,
    rejected: bool = False,
    messages: Sequence[str] = (),
    noted: Mapping[str, int] | None = None,
) -> Report:
    """Hand records to a target, each once, and say what became of them.

    Args:
        target: where to.
        records: everything that the target is to hold of the period in question; what it holds already is not sent.
        ledger: remembers the deliveries.
        account: the account that the records are of.
        run_id: the run that does this.
        dry_run: find out what would be sent, write and send nothing.
        force: send all of them, also what was delivered, rejected or is held, and to a target that asked to wait.
        rejected: send what was rejected before once more, though nothing about it changed.
        messages: what was noted while the records were built; it opens the report's messages.
        noted: figures found while the records were built; they open the report's counts.

    Returns:
        What was sent and why, counts per state, and messages. A failing target is reported, not raised.

    Raises:
        ValueError: where two records have the same key.
    """
    now = datetime.now(UTC)
    steps = _plan(target, list(records), ledger, account, force=force, rejected=rejected)
    to_send = [step.record for step in steps if step.do is _Do.SEND]
    tried = {step.record.key: step.attempts for step in steps}
    retry_at = None if force else ledger.retry_at(account, target.name, now)
    outcomes: list[Outcome] = []
    if not dry_run:
        settled = [(s.record, Outcome(s.record.key, State.DELIVERED, s.reason)) for s in steps if s.do is _Do.SETTLE]
        ledger.finish(account, target.name, settled, run_id=run_id)
        if isinstance(target, Journaled):
            target.settle([step.record for step in steps if step.reason == _FOUND])
        if retry_at:
            outcomes = _postpone(target, to_send, ledger, account, run_id, why=_wait(retry_at), retry_at=retry_at)
        else:
            outcomes = _send(target, to_send, ledger, account, run_id, tried)
    counts = Counter(noted or {})
    for outcome in outcomes:
        counts.update(outcome.counts)
    did = Counter(step.do for step in steps)
    became = Counter(outcome.state for outcome in outcomes)
    refused = _refused(steps, outcomes)
    waits = (f"{_wait(retry_at)}; --force asks now",) if dry_run and retry_at and to_send else ()
    return Report(
        target=target.name,
        changes=tuple(_change(target, step, is_compared=dry_run) for step in steps if step.do is _Do.SEND),
        unchanged=did[_Do.LEAVE] + did[_Do.SETTLE],
        delivered=became[State.DELIVERED],
        retry=became[State.RETRY],
        rejected=len(refused),
        unknown=became[State.UNKNOWN] + did[_Do.HOLD],
        held=became[State.HELD],
        refused=refused,
        counts=dict(counts),
        messages=(*messages, *waits, *_troubles(steps, refused, outcomes)),
        dry_run=dry_run,
    )


def _wait(until: datetime) -> str:
    return f"the target wants nothing before {until:%Y-%m-%d %H:%M} UTC"


def _change(target: Target, step: _Step, *, is_compared: bool) -> Change:
    """What is sent and why; in a dry run also how it differs from what the target holds, where that can be read."""
    details = target.difference(step.record) if is_compared and isinstance(target, Comparable) else ()
    return Change(step.record.key, step.record.partition, step.reason, tuple(details))


def _plan(
    target: Target, records: list[Record], ledger: Ledger, account: str, *, force: bool, rejected: bool
) -> list[_Step]:
    twice = sorted(key for key, number in Counter(record.key for record in records).items() if number > 1)
    if twice:
        raise ValueError(f"records for {target.name} with the same key: {', '.join(twice)}")
    entries = ledger.of(account, target.name, [record.key for record in records])
    steps = [_judge(target, record, entries.get(record.key), force=force, rejected=rejected) for record in records]
    return [replace(s, attempts=entries[s.record.key].attempts if s.record.key in entries else None) for s in steps]


def _judge(target: Target, record: Record, entry: Entry | None, *, force: bool, rejected: bool) -> _Step:
    """What is to be done with one record. The order of the questions matters."""
    if force:
        return _Step(record, _Do.SEND, "forced")
    if isinstance(target, Readable) and target.holds(record):
        known = entry is not None and entry.state is State.DELIVERED and entry.delivered_hash == record.content_hash
        is_same = known and entry is not None and entry.left_out == record.left_out
        return _Step(record, _Do.LEAVE if is_same else _Do.SETTLE, _FOUND)
    if entry is None:
        return _Step(record, _Do.SEND, "new")
    if record.newest_wins and record.partition < entry.partition:
        return _Step(record, _Do.LEAVE, "out of date")
    if entry.state.is_uncertain:
        if target.on_unknown is OnUnknown.HOLD:
            return _Step(record, _Do.HOLD, "it may have arrived: not sent again unless forced")
        return _Step(record, _Do.SEND, "it may have arrived")
    if entry.delivered_hash == record.content_hash:
        if isinstance(target, Readable):
            return _Step(record, _Do.SEND, "missing or different at the target")
        return _Step(record, _Do.LEAVE if entry.state is State.DELIVERED else _Do.SETTLE, "delivered before")
    if entry.state is State.REJECTED and entry.content_hash == record.content_hash:
        return _Step(record, _Do.SEND if rejected else _Do.STAY_REJECTED, f"rejected before: {entry.answer}")
    if entry.state is State.HELD:
        return _Step(record, _Do.SEND, f"held before: {entry.answer}")
    return _Step(record, _Do.SEND, "not delivered yet" if entry.delivered_hash is None else "changed")


def _send(
    target: Target, records: list[Record], ledger: Ledger, account: str, run_id: str, tried: Mapping[str, int | None]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    in_vain = 0
    within = target.send_within if isinstance(target, InDatabase) and ledger.is_in(target.url) else None
    for start in range(0, len(records), target.batch_size):
        batch = records[start : start + target.batch_size]
        if target.on_unknown is OnUnknown.HOLD:
            # What cannot be taken back is sent by the one process that wrote first that it would.
            mine = [r for r in batch if ledger.claim(account, target.name, r, attempts=tried[r.key], run_id=run_id)]
            outcomes += [Outcome(r.key, State.UNKNOWN, _ANOTHER) for r in batch if r not in mine]
            if not (batch := mine):
                continue
        # In one database, rows and ledger come about together or not at all.
        with ledger.transaction() if within else nullcontext() as connection:
            if target.on_unknown is not OnUnknown.HOLD:
                ledger.begin(account, target.name, batch, run_id=run_id)
            sent = within(connection, batch) if within and connection else target.send(batch)
            became = {outcome.key: outcome for outcome in sent}
            # A target that forgets a record has not said that it was not taken.
            results = [(r, _patient(became.get(r.key, Outcome(r.key, State.UNKNOWN, "no outcome")))) for r in batch]
            ledger.finish(account, target.name, results, run_id=run_id)
        outcomes += [outcome for _, outcome in results]
        taken = any(outcome.state in _TAKEN for _, outcome in results)
        in_vain = 0 if taken else in_vain + 1
        if in_vain == GIVE_UP_AFTER or any(outcome.stop for _, outcome in results):
            rest = records[start + target.batch_size :]
            retry_at = max((o.retry_after for _, o in results if o.retry_after), default=None)
            outcomes += _postpone(target, rest, ledger, account, run_id, why=_NOT_WORKING, retry_at=retry_at)
            break
    return outcomes


_ANOTHER = "another run is sending it; look again when that has ended"
_NOT_WORKING = "not tried: the target was not working"


def _patient(outcome: Outcome) -> Outcome:
    """The outcome, with a wait that a person can live with."""
    latest = datetime.now(UTC) + LONGEST_WAIT
    return replace(outcome, retry_after=min(outcome.retry_after, latest)) if outcome.retry_after else outcome


def _postpone(
    target: Target,
    records: list[Record],
    ledger: Ledger,
    account: str,
    run_id: str,
    *,
    why: str,
    retry_at: datetime | None,
) -> list[Outcome]:
    """The target takes nothing now: what was not tried goes out with a later run.

    An uncertain record stays that. So does one that was delivered meanwhile where that cannot be taken back: another
    process was quicker.
    """
    entries = ledger.of(account, target.name, [record.key for record in records])
    uncertain = {key for key, entry in entries.items() if entry.state.is_uncertain}
    results = []
    for record in records:
        state = State.UNKNOWN if record.key in uncertain else State.RETRY
        results.append((record, Outcome(record.key, state, why, retry_after=retry_at)))
    is_final = target.on_unknown is OnUnknown.HOLD
    there = {(key, e.content_hash) for key, e in entries.items() if is_final and e.state is State.DELIVERED}
    noted = [(record, outcome) for record, outcome in results if (record.key, record.content_hash) not in there]
    ledger.finish(account, target.name, noted, run_id=run_id)
    return [outcome for _, outcome in results]


def _refused(steps: list[_Step], outcomes: list[Outcome]) -> tuple[Change, ...]:
    """The records that the target refuses, now or before and with the same content, with its reason."""
    now = {outcome.key: outcome.answer for outcome in outcomes if outcome.state is State.REJECTED}
    stay = {step.record.key: step.reason for step in steps if step.do is _Do.STAY_REJECTED}
    said = now | stay
    return tuple(
        Change(step.record.key, step.record.partition, said[step.record.key])
        for step in steps
        if step.record.key in said
    )


def _troubles(steps: list[_Step], refused: Sequence[Change], outcomes: list[Outcome]) -> list[str]:
    """A line for each record that is refused or held, and one for each other trouble however many records it met."""
    lines = [f"{each.key}: {_told(each.reason)}" for each in refused]
    lines += [f"{step.record.key}: {step.reason}" for step in steps if step.do is _Do.HOLD]
    lines += [f"{outcome.key}: held: {outcome.answer}" for outcome in outcomes if outcome.state is State.HELD]
    more = [f"and {len(lines) - _NAMED} more records like these"] if len(lines) > _NAMED else []
    others = Counter((o.state, o.answer) for o in outcomes if o.state in (State.RETRY, State.UNKNOWN))
    return lines[:_NAMED] + more + [f"{number} x {state}: {answer}" for (state, answer), number in others.items()]


def _told(reason: str) -> str:
    return reason if reason.startswith("rejected before") else f"rejected: {reason}"
