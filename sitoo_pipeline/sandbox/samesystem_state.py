"""What SameSystem holds: figures per department, day and register, what is confirmed, approved, and thereby used.

Documented: a saved day counts nowhere until all its registers are confirmed; confirming fails with 412 where a
mandatory figure is missing (unless the whole day is empty) or an overrun has no comment; approving a week needs
confirmed days. Assumed, as the stricter of what is possible:

- saving a confirmed day, and saving or unconfirming in an approved week, is refused with 412;
- so is confirming, unconfirming, approving or unapproving what already is;
- a day is empty only where all its registers are;
- a week is approved per register and needs all its seven days confirmed;
- what a save leaves out is cleared, the comment and the entries too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import orjson

from sitoo_pipeline.sandbox.samesystem_departments import Department, monday
from sitoo_pipeline.sandbox.samesystem_fields import DIFFERENCE, Value, calculated
from sitoo_pipeline.sandbox.samesystem_saving import Figures, RefusedError


class Key(NamedTuple):
    """A register's day, or with a Monday a register's week."""

    ctx_token: str
    day: date
    register: int


@dataclass(frozen=True)
class Write:
    """Something that was done: ``action`` is the last word of the address, ``lines`` what a save left there."""

    action: str
    dpt_no: str | None
    day: date
    register: int
    user: str
    lines: dict[str, Value] = field(default_factory=dict)


class Confirmation(NamedTuple):
    """When and by whom a day was confirmed; the time is the client's local time."""

    at: datetime
    user: str


class State:
    """The weekly balances of all departments, with the rules for changing them.

    ``writes`` is everything that was done, oldest first. ``refuses_confirmed`` and ``clears_omitted`` switch two of the
    assumptions off; ``largest_overrun`` is the difference that needs no comment yet.
    """

    def __init__(self, departments: Iterable[Department], clock: Callable[[], datetime]) -> None:
        self.departments = {department.ctx_token: department for department in departments}
        self.writes: list[Write] = []
        self.refuses_confirmed = True
        self.clears_omitted = True
        self.largest_overrun = Decimal(100)
        self._figures: dict[Key, Figures] = {}
        self._confirmed: dict[Key, Confirmation] = {}
        self._approved: set[Key] = set()
        self._clock = clock

    def department(self, dpt_no: str) -> Department:
        """The department with that number.

        Raises:
            KeyError: there is none.
        """
        for department in self.departments.values():
            if department.dpt_no == dpt_no:
                return department
        raise KeyError(dpt_no)

    def key(self, dpt_no: str, day: date, register: int = 1) -> Key:
        """The key of a register's day.

        Raises:
            KeyError: there is no such department.
        """
        return Key(self.department(dpt_no).ctx_token, day, register)

    def figures(self, key: Key) -> Figures:
        """What was saved for a register's day; nothing where nothing was."""
        return self._figures.get(key, Figures())

    def lines(self, key: Key) -> dict[int, Value]:
        """What a register's day shows, by field id in the order of the fields: saved and calculated values."""
        fields = self.departments[key.ctx_token].fields
        saved = self.figures(key).lines
        values = {**saved, **calculated(fields, saved)}
        return {field.field_id: values[field.field_id] for field in fields if field.field_id in values}

    def confirmation(self, key: Key) -> Confirmation | None:
        """Who confirmed a register's day; None where it is not confirmed."""
        return self._confirmed.get(key)

    def is_week_approved(self, week: Key) -> bool:
        """Whether a register's week is approved; ``week`` has its Monday."""
        return week in self._approved

    def saved_days(self) -> list[Key]:
        """The registers' days that have figures, in order."""
        return sorted(key for key, figures in self._figures.items() if not figures.is_empty)

    def shown(self, dpt_no: str, day: date) -> dict[int, dict[str, Value]]:
        """What each register of a department shows for a day, by field name, confirmed or not."""
        department = self.department(dpt_no)
        names = {field.field_id: field.name for field in department.fields}
        return {
            register: {names[key]: value for key, value in self.lines(Key(department.ctx_token, day, register)).items()}
            for register in department.registers(day)
        }

    def used(self, dpt_no: str, day: date) -> dict[str, Decimal] | None:
        """What the rest of SameSystem reckons with: a day's totals by field name.

        None until every register is confirmed.
        """
        if not self.is_confirmed(dpt_no, day):
            return None
        totals: dict[str, Decimal] = {}
        summable = {field.name for field in self.department(dpt_no).fields if field.is_summable}
        for lines in self.shown(dpt_no, day).values():
            for name, value in lines.items():
                if name in summable and isinstance(value, Decimal):
                    totals[name] = totals.get(name, Decimal(0)) + value
        return totals

    def is_confirmed(self, dpt_no: str, day: date, register: int | None = None) -> bool:
        """Whether a register, or without one every register, is confirmed for a day."""
        department = self.department(dpt_no)
        registers = department.registers(day) if register is None else (register,)
        return all(Key(department.ctx_token, day, number) in self._confirmed for number in registers)

    def is_approved(self, dpt_no: str, day: date, register: int | None = None) -> bool:
        """Whether the week of ``day`` is approved for a register, or without one for every register."""
        department = self.department(dpt_no)
        registers = department.registers(day) if register is None else (register,)
        return all(week_of(Key(department.ctx_token, day, number)) in self._approved for number in registers)

    def save(self, key: Key, figures: Figures, user: str) -> None:
        """Puts ``figures`` in place of what was saved.

        Raises:
            RefusedError: the week is approved or the day confirmed.
        """
        self._require_open_week(key)
        if self.refuses_confirmed and key in self._confirmed:
            raise RefusedError(f"{key.day} register #{key.register} is confirmed", 412)
        if not self.clears_omitted:
            before = self.figures(key)
            figures.lines = {**before.lines, **figures.lines}
            for name in ("comment", "expenses", "deposits"):
                if getattr(figures, name) is None:
                    setattr(figures, name, getattr(before, name))
        self._figures[key] = figures
        names = {field.field_id: field.name for field in self.departments[key.ctx_token].fields}
        self._note("save", key, user, {names[field_id]: value for field_id, value in figures.lines.items()})

    def confirm(self, key: Key, user: str, at: datetime | None = None) -> None:
        """Confirms a register's day.

        Raises:
            RefusedError: it is confirmed, a mandatory figure is missing, or an overrun has no comment.
        """
        if key in self._confirmed:
            raise RefusedError(f"{key.day} register #{key.register} is already confirmed", 412)
        department = self.departments[key.ctx_token]
        lines = self.lines(key)
        present = {*lines, *department.unavailable_ids(key.register)}
        is_closed = all(self.figures(key._replace(register=n)).is_empty for n in department.registers(key.day))
        for one in department.fields:
            if one.is_mandatory and one.field_id not in present and not is_closed:
                raise RefusedError(f"Field '{one.name}' must be filled in", 412)
            overrun = lines.get(one.field_id) if one.name == DIFFERENCE else None
            if isinstance(overrun, Decimal) and abs(overrun) > self.largest_overrun and not self.figures(key).comment:
                raise RefusedError("Comment must be filled in on balance overrun", 412)
        self._confirmed[key] = Confirmation(at or self._clock(), user)
        self._note("confirm", key, user)

    def unconfirm(self, key: Key, user: str) -> None:
        """Opens a register's day again.

        Raises:
            RefusedError: the week is approved, or the day is not confirmed.
        """
        self._require_open_week(key)
        if key not in self._confirmed:
            raise RefusedError(f"{key.day} register #{key.register} is not confirmed", 412)
        del self._confirmed[key]
        self._note("unconfirm", key, user)

    def approve_week(self, key: Key, user: str) -> None:
        """Approves a register's week.

        Raises:
            RefusedError: it is approved, or a day of it is not confirmed.
        """
        week = week_of(key)
        if week in self._approved:
            raise RefusedError(f"The week of {week.day} register #{week.register} is already approved", 412)
        for day in (week.day + timedelta(days=number) for number in range(7)):
            if week._replace(day=day) not in self._confirmed:
                raise RefusedError(f"{day} register #{week.register} is not confirmed", 412)
        self._approved.add(week)
        self._note("approve_week", key, user)

    def unapprove_week(self, key: Key, user: str) -> None:
        """Takes the approval of a register's week back; its days stay confirmed.

        Raises:
            RefusedError: it is not approved.
        """
        week = week_of(key)
        if week not in self._approved:
            raise RefusedError(f"The week of {week.day} register #{week.register} is not approved", 412)
        self._approved.remove(week)
        self._note("unapprove_week", key, user)

    def snapshot(self) -> bytes:
        """All figures, confirmations and approvals, without times: equal bytes where SameSystem holds the same."""
        days = [[*key, self._figures[key]] for key in sorted(self._figures)]
        return orjson.dumps([days, sorted(self._confirmed), sorted(self._approved)], default=str, option=_SNAPSHOT)

    def _require_open_week(self, key: Key) -> None:
        if week_of(key) in self._approved:
            raise RefusedError(f"The week of {monday(key.day)} register #{key.register} is approved", 412)

    def _note(self, action: str, key: Key, user: str, lines: dict[str, Value] | None = None) -> None:
        dpt_no = self.departments[key.ctx_token].dpt_no
        self.writes.append(Write(action, dpt_no, key.day, key.register, user, lines or {}))


_SNAPSHOT = orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS


def week_of(key: Key) -> Key:
    """The register's week that a register's day belongs to."""
    return key._replace(day=monday(key.day))
