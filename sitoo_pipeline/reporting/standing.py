"""How far the dates of a report can be trusted: what is missing, not reconciled or not delivered, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sitoo_pipeline.reporting.wording import spans

OVERVIEW = {
    "failed": "could not be loaded when it was last tried; shown as it was before, if it was loaded at all",
    "missing": "not loaded: in no figure below",
    "incomplete": "loaded in part, or before the date was over",
    "undelivered": "some target does not have all of it",
    "unreconciled": "a z-report differs from its orders, or is not there",
    "open": "not over yet",
}
"""What each state means for whoever reads the figures, the worst first. A date that is done lacks nothing."""

_UNRECONCILED = "unreconciled"
_LOADED_AGAIN = ("failed", "missing", "incomplete")


@dataclass(frozen=True)
class DateStanding:
    """One business date: the word for what it lacks most, and all that it lacks in words.

    ``unreconciled`` says how many z-reports do not balance, in words; nothing where all do. ``deliveries`` has for each
    target how many records are in each state; ``whole`` are the targets that have all of the date.
    """

    business_date: date
    state: str
    remarks: tuple[str, ...] = ()
    unreconciled: tuple[str, ...] = ()
    deliveries: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Notice:
    """Dates in one state, with what was said of each and, where loading mends it, the command."""

    state: str
    meaning: str
    number: int
    dates: str
    remarks: tuple[str, ...]
    command: str = ""


def notices(standings: Sequence[DateStanding]) -> list[Notice]:
    """What the reader has to know before the first figure; nothing where every date is done.

    A date stands once, with what it lacks most, and once more where it is not reconciled.
    """
    found = []
    for state, meaning in OVERVIEW.items():
        if state == _UNRECONCILED:
            told = [(one, one.unreconciled) for one in standings if one.unreconciled]
        else:
            told = [(one, one.remarks) for one in standings if one.state == state]
        days = [one for one, _ in told]
        if days:
            remarks = tuple(f"{one.business_date}: {remark}" for one, said in told for remark in said)
            dates = spans([one.business_date for one in days])
            first, last = days[0].business_date, days[-1].business_date
            command = f"sitoo-pipeline backfill --from {first} --to {last}" if state in _LOADED_AGAIN else ""
            found.append(Notice(state, meaning, len(days), dates, remarks, command))
    return found


def delivered(standings: Sequence[DateStanding]) -> dict[str, dict[str, int]]:
    """For each target, how many records of the period are in each state."""
    added: dict[str, dict[str, int]] = {}
    for one in standings:
        for target, counts in one.deliveries.items():
            of_target = added.setdefault(target, {})
            for state, number in counts.items():
                of_target[state] = of_target.get(state, 0) + number
    return {target: added[target] for target in sorted(added)}
