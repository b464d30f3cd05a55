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

from sitoo_pipeline.sinks.circuit import Circuit
from sitoo_pipeline.sinks.contract import (
    Change,
    Comparable,
    InDatabase,
    Journaled,
    NotReadError,
    OnUnknown,
    Outcome,
    Record,
    Report,
    State,
    Target,
)
from sitoo_pipeline.sinks.ledger import Ledger
from sitoo_pipeline.sinks.ledger_rows import Entry
from sitoo_pipeline.sinks.plan import FOUND, Do, Look, Step, plan

LONGEST_WAIT = timedelta(days=1)
"""A target that asks to be left alone for longer is asked again after this time."""

_NAMED = 20  # records that get a message each


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
    circuit: Circuit | None = None,
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
        circuit: whether the target works, where several calls belong together: what one call found out spares the next
            to try it again.

    Returns:
        What was sent and why, counts per state, and messages. A failing target is reported, not raised.

    Raises:
        ValueError: where two records have the same key.
    """
    circuit = circuit or Circuit()
    retry_at = None if force else ledger.retry_at(account, target.name, datetime.now(UTC))
    look = Look(target, circuit.reason)
    steps = plan(look, list(records), ledger, account, force=force, rejected=rejected)
    to_send = [step.record for step in steps if step.do is Do.SEND]
    if dry_run or not to_send:  # otherwise sending will tell whether the target works
        circuit.reason = look.why
    outcomes: list[Outcome] = []
    unread = [step.reason for step in steps if step.do is Do.UNREAD]
    if dry_run:
        changes = [_compared(target, step, circuit, unread) for step in steps if step.do is Do.SEND]
    else:
        changes = [Change(s.record.key, s.record.partition, s.reason) for s in steps if s.do is Do.SEND]
        settled = [(s.record, Outcome(s.record.key, State.DELIVERED, s.reason)) for s in steps if s.do is Do.SETTLE]
        tried = {step.record.key: step.attempts for step in steps}
        stand = ledger.finish(account, target.name, settled, attempts=tried, run_id=run_id, is_begun=False)
        messages = (*messages, *(f"{key}: {_stands(FOUND, entry)}" for key, entry in stand.items()))
        if isinstance(target, Journaled):
            target.settle([step.record for step in steps if step.reason == FOUND])
        doubts = {step.record.key: step.doubt for step in steps if step.doubt}
        repeats = frozenset(step.record.key for step in steps if step.is_repeat)
        handing = _Handing(target, ledger, account, run_id, circuit, tried, doubts, repeats)
        if retry_at:
            outcomes = handing.postpone(to_send, why=_wait(retry_at), retry_at=retry_at)
        elif circuit.is_open:
            outcomes = handing.postpone(to_send, why=f"not tried: {circuit.reason}")
        else:
            outcomes = handing.send(to_send)
    counts = Counter(noted or {})
    for outcome in outcomes:
        counts.update(outcome.counts)
    did = Counter(step.do for step in steps)
    became = Counter(outcome.state for outcome in outcomes)
    refused = _refused(steps, outcomes)
    waits = (f"{_wait(retry_at)}; --force asks now",) if dry_run and retry_at and to_send else ()
    return Report(
        target=target.name,
        changes=tuple(changes),
        unchanged=did[Do.LEAVE] + did[Do.SETTLE],
        delivered=became[State.DELIVERED],
        retry=became[State.RETRY],
        rejected=len(refused),
        unknown=became[State.UNKNOWN] + did[Do.HOLD],
        held=became[State.HELD],
        unsure=did[Do.UNREAD],
        refused=refused,
        counts=dict(counts),
        messages=(*messages, *waits, *_troubles(steps, refused, outcomes), *([] if dry_run else _left(unread))),
        dry_run=dry_run,
        unread=tuple(dict.fromkeys(unread)),
    )


def _wait(until: datetime) -> str:
    return f"the target wants nothing before {until:%Y-%m-%d %H:%M} UTC"


def _compared(target: Target, step: Step, circuit: Circuit, unread: list[str]) -> Change:
    """What would be sent and why, and how it differs from what the target holds, where that can be read.

    Why it cannot be goes to ``unread``; a target that does not answer is not asked again.
    """
    details: Sequence[str] = ()
    if isinstance(target, Comparable):
        try:
            if circuit.is_open:
                raise NotReadError(circuit.reason)
            details = target.difference(step.record)
        except NotReadError as error:
            unread.append(str(error))
            circuit.reason = circuit.reason or (str(error) if error.stop else "")
    return Change(step.record.key, step.record.partition, step.reason, tuple(details))


@dataclass(frozen=True)
class _Handing:
    """Handing over the records of one call.

    ``tried`` is how often each was tried before, ``doubts`` the hash of the content that may have arrived then. The
    target has those of ``repeats``: they stay delivered where the repeat surely does not happen.
    """

    target: Target
    ledger: Ledger
    account: str
    run_id: str
    circuit: Circuit
    tried: Mapping[str, int | None]
    doubts: Mapping[str, str]
    repeats: frozenset[str]

    def send(self, records: list[Record]) -> list[Outcome]:
        """Batch by batch, until the target does not work any more; the rest waits for the next run."""
        outcomes: list[Outcome] = []
        size = self.target.batch_size
        for start in range(0, len(records), size):
            batch = records[start : start + size]
            if self.target.on_unknown is OnUnknown.HOLD:
                mine = [record for record in batch if self._claims(record)]
                outcomes += [Outcome(r.key, State.UNKNOWN, _ANOTHER) for r in batch if r not in mine]
                if not (batch := mine):
                    continue
            done = self._send_batch(batch)
            outcomes += done
            self.circuit.note(done)
            if self.circuit.is_open:
                rest = records[start + size :]
                retry_at = max((o.retry_after for o in done if o.retry_after), default=None)
                outcomes += self.postpone(rest, why=_NOT_WORKING, retry_at=retry_at)
                break
        return outcomes

    def _claims(self, record: Record) -> bool:
        """What cannot be taken back is sent by the one process that wrote first that it would."""
        attempts = self.tried[record.key]
        return self.ledger.claim(self.account, self.target.name, record, attempts=attempts, run_id=self.run_id)

    def _send_batch(self, batch: list[Record]) -> list[Outcome]:
        account, target, ledger = self.account, self.target, self.ledger
        within = target.send_within if isinstance(target, InDatabase) and ledger.is_in(target.url) else None
        # In one database, rows and ledger come about together or not at all.
        with ledger.transaction() if within else nullcontext() as connection:
            if target.on_unknown is OnUnknown.HOLD:  # ``_claims`` has begun it
                attempts = {record.key: (self.tried[record.key] or 0) + 1 for record in batch}
            else:
                attempts = ledger.begin(account, target.name, batch, run_id=self.run_id)
            sent = within(connection, batch) if within and connection else target.send(batch)
            became = {outcome.key: outcome for outcome in sent}
            # A target that forgets a record has not said that it was not taken.
            results = [(r, _patient(became.get(r.key, Outcome(r.key, State.UNKNOWN, "no outcome")))) for r in batch]
            # Forced in vain, what may have arrived before is in doubt as it was: no later run sends it by itself.
            is_held = target.on_unknown is OnUnknown.HOLD
            again = {o.key for _, o in results if is_held and o.state is State.RETRY and o.key in self.doubts}
            results = [(r, _in_doubt(o) if o.key in again else o) for r, o in results]
            doubts = {key: self.doubts[key] for key in again}
            in_vain = {o.key for _, o in results if o.state is State.RETRY and o.key in self.repeats}
            results = [(r, _not_repeated(o) if o.key in in_vain else o) for r, o in results]
            stand = ledger.finish(
                account, target.name, results, attempts=attempts, run_id=self.run_id, doubts=doubts, stay=in_vain
            )
        return [_overtaken(outcome, stand[r.key]) if r.key in stand else outcome for r, outcome in results]

    def postpone(self, records: list[Record], *, why: str, retry_at: datetime | None = None) -> list[Outcome]:
        """The target takes nothing now: what was not tried goes out with a later run.

        An uncertain record stays that. One that was delivered stays that too where it was to be repeated, or where it
        cannot be taken back: then another process was quicker.
        """
        entries = self.ledger.of(self.account, self.target.name, [record.key for record in records])
        uncertain = {key for key, entry in entries.items() if entry.state.is_uncertain}
        results = []
        for record in records:
            state = State.UNKNOWN if record.key in uncertain else State.RETRY
            outcome = Outcome(record.key, state, why, retry_after=retry_at)
            results.append((record, _not_repeated(outcome) if record.key in self.repeats else outcome))
        is_held = self.target.on_unknown is OnUnknown.HOLD
        stay = {key for key, e in entries.items() if e.state is State.DELIVERED and (is_held or key in self.repeats)}
        there = {(key, entries[key].content_hash) for key in stay}
        noted = [(record, outcome) for record, outcome in results if (record.key, record.content_hash) not in there]
        # Not only what was read above: another process may have begun with a record at this moment.
        self.ledger.postpone(self.account, self.target.name, noted, attempts=self.tried, run_id=self.run_id)
        return [outcome for _, outcome in results]


_ANOTHER = "another run is sending it; look again when that has ended"
_NOT_WORKING = "not tried: the target was not working"


def _not_repeated(outcome: Outcome) -> Outcome:
    said = f"{outcome.answer}; delivered before, and not repeated: no later run does that, so force it again"
    return replace(outcome, answer=said)


def _in_doubt(outcome: Outcome) -> Outcome:
    return replace(outcome, state=State.UNKNOWN, answer=f"{outcome.answer}; an earlier attempt may have arrived")


def _overtaken(outcome: Outcome, entry: Entry) -> Outcome:
    """What this run found out, where somebody else has noted something since it began: only a look can tell."""
    return replace(outcome, state=State.UNKNOWN, answer=_stands(f"{outcome.state} ({outcome.answer})", entry))


def _stands(became: str, entry: Entry) -> str:
    return (
        f"{became}, but meanwhile the ledger says {entry.state} ({entry.answer}): that stands, see whether it is right"
    )


def _patient(outcome: Outcome) -> Outcome:
    """The outcome, with a wait that a person can live with."""
    latest = datetime.now(UTC) + LONGEST_WAIT
    return replace(outcome, retry_after=min(outcome.retry_after, latest)) if outcome.retry_after else outcome


def _refused(steps: list[Step], outcomes: list[Outcome]) -> tuple[Change, ...]:
    """The records that the target refuses, now or before and with the same content, with its reason."""
    now = {outcome.key: outcome.answer for outcome in outcomes if outcome.state is State.REJECTED}
    stay = {step.record.key: step.reason for step in steps if step.do is Do.STAY_REJECTED}
    said = now | stay
    return tuple(
        Change(step.record.key, step.record.partition, said[step.record.key])
        for step in steps
        if step.record.key in said
    )


def _troubles(steps: list[Step], refused: Sequence[Change], outcomes: list[Outcome]) -> list[str]:
    """A line for each record that is refused or held, and one for each other trouble however many records it met."""
    lines = [f"{each.key}: {_told(each.reason)}" for each in refused]
    lines += [f"{step.record.key}: {step.reason}" for step in steps if step.do is Do.HOLD]
    lines += [f"{outcome.key}: held: {outcome.answer}" for outcome in outcomes if outcome.state is State.HELD]
    more = [f"and {len(lines) - _NAMED} more records like these"] if len(lines) > _NAMED else []
    others = Counter((o.state, o.answer) for o in outcomes if o.state in (State.RETRY, State.UNKNOWN))
    told = [f"{number} x {state}: {answer}" for (state, answer), number in others.items()]
    return lines[:_NAMED] + more + told


def _left(unread: Sequence[str]) -> list[str]:
    """A line for each reason why delivered records were left as they are."""
    return [f"{n} delivered before and left as they are, not compared: {why}" for why, n in Counter(unread).items()]


def _told(reason: str) -> str:
    return reason if reason.startswith("rejected before") else f"rejected: {reason}"
