"""What one business date has and what it lacks, and the one word for it. Filled in ``inventory``; no dagster here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sitoo_pipeline.sinks import State

Place = tuple[str, str, str]
"""A store's id, the channel and the currency: what an amount is about."""

_NAMED = 3
_SETTLED = {State.DELIVERED, State.REJECTED, State.HELD}


class DayState(StrEnum):
    """What a date lacks most. A date that lacks several things has the first of these."""

    FAILED = "failed"
    """The last attempt at one of its tables failed. What was loaded before is still there."""
    MISSING = "missing"
    """It is over, and was never loaded."""
    INCOMPLETE = "incomplete"
    """It is over, and was loaded in part, or before it was over, or not computed again since its source changed."""
    UNDELIVERED = "undelivered"
    """A target lacks something that it did not refuse."""
    UNRECONCILED = "unreconciled"
    """A z-report differs from its orders, or orders have none. Nobody failed: the figures are what Sitoo has."""
    DONE = "done"
    OPEN = "open"
    """It is not over in every zone of the settings: what it lacks is not missing yet."""

    @property
    def is_failure(self) -> bool:
        """Whether somebody has to do something about it."""
        return self in (DayState.FAILED, DayState.MISSING, DayState.INCOMPLETE, DayState.UNDELIVERED)


@dataclass
class DayStatus:
    """One business date of one account.

    Attributes:
        account: Name of the account.
        business_date: The date.
        is_over: Whether it is over in every zone of the settings.
        loaded: Tables (``schema.table``) that hold it.
        absent: Tables that do not.
        outdated: For a table that was made before its source changed: that source.
        read_early: When its objects were last asked for, where that was before the date was over; in the account's
            zone.
        failed: For each table of which the last attempt failed: why.
        refused: Objects in quarantine.
        reconciliation: How many rows of ``marts.z_report_reconciliation`` have each status.
        deliveries: For each target, how many records are in each state.
        in_doubt: Targets with records of which only a person can find out what became of them.
        not_handed_over: Targets that should have records of it and have none.
        left_out: For each target, what its records leave out on purpose.
        transactions: Orders with a sale.
        sold: Gross sales of each place.
        store_names: Names of the stores that sold.
    """

    account: str
    business_date: date
    is_over: bool = True
    loaded: set[str] = field(default_factory=set)
    absent: list[str] = field(default_factory=list)
    outdated: dict[str, str] = field(default_factory=dict)
    read_early: datetime | None = None
    failed: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    reconciliation: Counter[str] = field(default_factory=Counter)
    deliveries: dict[str, Counter[State]] = field(default_factory=dict)
    in_doubt: set[str] = field(default_factory=set)
    not_handed_over: set[str] = field(default_factory=set)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    transactions: int = 0
    sold: dict[Place, Decimal] = field(default_factory=dict)
    store_names: dict[str, str | None] = field(default_factory=dict)

    @property
    def state(self) -> DayState:
        """What the date lacks most."""
        if self.failed:
            return DayState.FAILED
        if not self.is_over:
            return DayState.OPEN
        if not self.loaded:
            return DayState.MISSING
        if self.gaps:
            return DayState.INCOMPLETE
        if not self.is_delivered:
            return DayState.UNDELIVERED
        return DayState.UNRECONCILED if self.unreconciled else DayState.DONE

    @property
    def gaps(self) -> list[str]:
        """Why a date that was loaded is not loaded whole, in words."""
        found = []
        if self.absent:
            more = f" and {len(self.absent) - _NAMED} more" if len(self.absent) > _NAMED else ""
            found.append(f"not loaded: {', '.join(self.absent[:_NAMED])}{more}")
        if self.outdated:
            table, source = next(iter(self.outdated.items()))
            more = f", and {len(self.outdated) - 1} more like it" if len(self.outdated) > 1 else ""
            found.append(f"{table} is older than {source}{more}")
        if self.read_early:
            found.append(f"read at {self.read_early:%Y-%m-%d %H:%M}, before the date was over")
        return found

    @property
    def needs_no_fetch(self) -> bool:
        """Whether computing it again from ``raw`` makes an incomplete date whole."""
        is_there = not any(table.startswith("raw.") for table in self.absent)
        return self.state is DayState.INCOMPLETE and is_there and not self.read_early

    @property
    def unreconciled(self) -> int:
        """Z-reports that differ from their orders, and registers whose orders have none."""
        return self.reconciliation["unbalanced"] + self.reconciliation["missing_z_report"]

    @property
    def is_delivered(self) -> bool:
        """Whether every target has what it is to have of the date, or has refused some of it for a reason."""
        return all(self.is_delivered_to(target) for target in self.deliveries)

    def is_delivered_to(self, target: str) -> bool:
        """Whether the target has what it is to have of the date, or has refused some of it for a reason."""
        return target not in self.not_handed_over and set(self.deliveries[target]) <= _SETTLED

    @property
    def reasons(self) -> list[str]:
        """What failed, each once."""
        return list(dict.fromkeys(self.failed.values()))

    @property
    def remarks(self) -> list[str]:
        """All that is not as it should be, in words: failures, gaps, refusals, deliveries. Z-reports apart."""
        is_told = bool(self.failed) or not self.loaded or not self.is_over  # then what is not there needs no words
        said = [*self.reasons, *([] if is_told else self.gaps)]
        if self.refused:
            said.append(f"{self.refused} objects refused, see meta.quarantine")
        for target, counts in sorted(self.deliveries.items()):
            lacking = [f"{counts[state]} {state}" for state in State if state is not State.DELIVERED and counts[state]]
            if counts[State.REJECTED]:
                lacking.append(f"why says deliver --target {target} --dry-run")
            if target in self.in_doubt:
                lacking.append(f"look there, and say what became of them with deliver --target {target} --settle")
            if target in self.not_handed_over and self.loaded and not self.absent:
                lacking.append("nothing handed over")
            lacking += [f"left out: {what}" for what in self.left_out.get(target, [])]
            if lacking:
                said.append(f"{target}: {', '.join(lacking)}")
        return said


def z_report_remarks(counts: Counter[str]) -> list[str]:
    """``z-reports: 2 unbalanced``: how many do not balance with their orders; nothing where all do."""
    others = [f"{number} {status}" for status, number in sorted(counts.items()) if status != "balanced"]
    return [f"z-reports: {', '.join(others)}"] if others else []
