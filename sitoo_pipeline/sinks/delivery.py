"""``deliver``: plan what differs from what was delivered, send it batch by batch, and account for every record.

What belongs here: the order of things between ledger and target, the same for all targets. What does not: how a target
is spoken to, and which records there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from sitoo_pipeline.sinks.contract import Change, OnUnknown, Outcome, Readable, Record, Report, State, Target
from sitoo_pipeline.sinks.ledger import Entry, Ledger

GIVE_UP_AFTER = 3
"""Batches in a row of which nothing was taken: then the target is not working and the rest waits for the next run."""


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


def deliver(
    *,
    target: Target,
    records: Iterable[Record],
    ledger: Ledger,
    account: str,
    run_id: str,
    dry_run: bool = False,
    force: bool = False,
    messages: Sequence[str] = (),
) -> Report:
    """Hand records to a target, each once, and say what became of them.

    Args:
        target: where to.
        records: everything that the target is to hold of the period in question; what it holds already is not sent.
        ledger: remembers the deliveries.
        account: the account that the records are of.
        run_id: the run that does this.
        dry_run: find out what would be sent, write and send nothing.
        force: send all of them, also what was delivered, rejected or is held.
        messages: what was noted while the records were built; it opens the report's messages.

    Returns:
        What was sent and why, counts per state, and messages. A failing target is reported, not raised.

    Raises:
        ValueError: where two records have the same key.
    """
    steps = _plan(target, list(records), ledger, account, force=force)
    to_send = [step.record for step in steps if step.do is _Do.SEND]
    settled = [
        (step.record, Outcome(step.record.key, State.DELIVERED, step.reason)) for step in steps if step.do is _Do.SETTLE
    ]
    outcomes: list[Outcome] = []
    if not dry_run:
        ledger.finish(account, target.name, settled, run_id=run_id)
        outcomes = _send(target, to_send, ledger, account, run_id)
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        counts.update(outcome.counts)
    did = Counter(step.do for step in steps)
    became = Counter(outcome.state for outcome in outcomes)
    return Report(
        target=target.name,
        changes=tuple(Change(s.record.key, s.record.partition, s.reason) for s in steps if s.do is _Do.SEND),
        unchanged=did[_Do.LEAVE] + did[_Do.SETTLE],
        delivered=became[State.DELIVERED],
        retry=became[State.RETRY],
        rejected=became[State.REJECTED] + did[_Do.STAY_REJECTED],
        unknown=became[State.UNKNOWN] + did[_Do.HOLD],
        counts=dict(counts),
        messages=(*messages, *_said(steps), *_troubles(outcomes)),
        dry_run=dry_run,
    )


def _plan(target: Target, records: list[Record], ledger: Ledger, account: str, *, force: bool) -> list[_Step]:
    twice = sorted(key for key, number in Counter(record.key for record in records).items() if number > 1)
    if twice:
        raise ValueError(f"records for {target.name} with the same key: {', '.join(twice)}")
    entries = ledger.of(account, target.name, [record.key for record in records])
    return [_judge(target, record, entries.get(record.key), force=force) for record in records]


def _judge(target: Target, record: Record, entry: Entry | None, *, force: bool) -> _Step:
    """What is to be done with one record. The order of the questions matters."""
    if force:
        return _Step(record, _Do.SEND, "forced")
    if isinstance(target, Readable) and target.holds(record):
        known = entry is not None and entry.state is State.DELIVERED and entry.delivered_hash == record.content_hash
        is_same = known and entry is not None and entry.left_out == record.left_out
        return _Step(record, _Do.LEAVE if is_same else _Do.SETTLE, "found at the target")
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
            return _Step(record, _Do.SEND, "missing at the target")
        return _Step(record, _Do.LEAVE if entry.state is State.DELIVERED else _Do.SETTLE, "delivered before")
    if entry.state is State.REJECTED and entry.content_hash == record.content_hash:
        return _Step(record, _Do.STAY_REJECTED, f"rejected before: {entry.answer}")
    return _Step(record, _Do.SEND, "not delivered yet" if entry.delivered_hash is None else "changed")


def _send(target: Target, records: list[Record], ledger: Ledger, account: str, run_id: str) -> list[Outcome]:
    outcomes: list[Outcome] = []
    in_vain = 0
    for start in range(0, len(records), target.batch_size):
        batch = records[start : start + target.batch_size]
        ledger.begin(account, target.name, batch, run_id=run_id)
        became = {outcome.key: outcome for outcome in target.send(batch)}
        # A target that forgets a record has not said that it was not taken.
        results = [(r, became.get(r.key, Outcome(r.key, State.UNKNOWN, "no outcome"))) for r in batch]
        ledger.finish(account, target.name, results, run_id=run_id)
        outcomes += [outcome for _, outcome in results]
        taken = any(outcome.state in (State.DELIVERED, State.REJECTED) for _, outcome in results)
        in_vain = 0 if taken else in_vain + 1
        if in_vain == GIVE_UP_AFTER or any(outcome.stop for _, outcome in results):
            outcomes += _postpone(target, records[start + len(batch) :], ledger, account, run_id)
            break
    return outcomes


def _postpone(target: Target, records: list[Record], ledger: Ledger, account: str, run_id: str) -> list[Outcome]:
    """The target is not working: what was not tried goes out with the next run. An uncertain record stays that."""
    entries = ledger.of(account, target.name, [record.key for record in records])
    uncertain = {key for key, entry in entries.items() if entry.state.is_uncertain}
    results = []
    for record in records:
        state = State.UNKNOWN if record.key in uncertain else State.RETRY
        results.append((record, Outcome(record.key, state, "not tried: the target was not working")))
    ledger.finish(account, target.name, results, run_id=run_id)
    return [outcome for _, outcome in results]


def _said(steps: list[_Step]) -> list[str]:
    return [f"{s.record.key}: {s.reason}" for s in steps if s.do in (_Do.STAY_REJECTED, _Do.HOLD)]


def _troubles(outcomes: list[Outcome]) -> list[str]:
    """A line for each rejected record, and one for each other trouble however many records it met."""
    rejected = [f"{o.key}: rejected: {o.answer}" for o in outcomes if o.state is State.REJECTED]
    others = Counter((o.state, o.answer) for o in outcomes if o.state in (State.RETRY, State.UNKNOWN))
    return rejected + [f"{number} x {state}: {answer}" for (state, answer), number in others.items()]
