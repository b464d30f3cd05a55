"""The order of things: what has to be done to a day so that it has its figures and is as confirmed as it was or more.

A confirmed day takes no figures, and an approved week lets no day be unconfirmed. So: unapprove, unconfirm, save,
confirm, approve; each only for the registers that need it, and approval only where there was one. What does not belong
here: doing it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sitoo_pipeline.sinks.samesystem_api import Action
from sitoo_pipeline.sinks.samesystem_journal import Before
from sitoo_pipeline.sinks.samesystem_week import Week


@dataclass(frozen=True)
class Step:
    """One call."""

    action: Action
    register: int


def state_of(week: Week, day: date) -> Before:
    """What is approved and confirmed now."""
    return Before(
        frozenset(number for number, register in week.registers.items() if register.is_approved),
        frozenset(number for number, register in week.registers.items() if register.is_confirmed(day)),
    )


def steps(
    week: Week, day: date, *, outdated: Collection[int], before: Before, to_confirm: Collection[int]
) -> tuple[Step, ...]:
    """The calls that are left to make, in their order.

    Args:
        week: as it is now.
        day: the day that is to be brought about.
        outdated: registers that have to be saved.
        before: what was approved before the first call.
        to_confirm: registers of which the day is to be confirmed in the end.
    """
    now = state_of(week, day)
    reopened = sorted(outdated)
    unapprove = [number for number in reopened if number in now.approved]
    unconfirm = [number for number in reopened if number in now.confirmed]
    confirm = [number for number in sorted(to_confirm) if number not in now.confirmed or number in outdated]
    approve = [number for number in sorted(before.approved) if number not in now.approved or number in outdated]
    return (
        *(Step(Action.UNAPPROVE, number) for number in unapprove),
        *(Step(Action.UNCONFIRM, number) for number in unconfirm),
        *(Step(Action.SAVE, number) for number in reopened),
        *(Step(Action.CONFIRM, number) for number in confirm if number in week.registers),
        *(Step(Action.APPROVE, number) for number in approve if number in week.registers),
    )
