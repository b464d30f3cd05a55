"""SameSystem: the day's totals of every store into the weekly balance of its department, confirmed.

A saved day counts nowhere in SameSystem until all its registers are confirmed, and a confirmed day has to be reopened
before it can be corrected, an approved week before that. What is reopened is closed again. What does not belong here:
HTTP (``samesystem_http``), the order of the steps (``samesystem_steps``), how a day is brought about
(``samesystem_day``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from sitoo_pipeline.sinks.closing import Closing
from sitoo_pipeline.sinks.contract import NotReadError, OnUnknown, Outcome, Record, State
from sitoo_pipeline.sinks.samesystem_api import Access, Action, Department, NotAllowedError
from sitoo_pipeline.sinks.samesystem_day import ClosedError, Days, Place, StepRefusedError, View, Work
from sitoo_pipeline.sinks.samesystem_fields import FieldsError, map_fields
from sitoo_pipeline.sinks.samesystem_http import NotAnsweredError, RefusedError, WrongAddressError
from sitoo_pipeline.sinks.samesystem_journal import Journal
from sitoo_pipeline.sinks.samesystem_login import CredentialsError
from sitoo_pipeline.sinks.samesystem_nights import Nights
from sitoo_pipeline.sinks.samesystem_records import StoreDay, Till
from sitoo_pipeline.sinks.samesystem_week import UnavailableError


class DepartmentError(Exception):
    """A store has no department, or more than one."""


FAILURES = (
    CredentialsError,
    DepartmentError,
    FieldsError,
    NotAllowedError,
    NotAnsweredError,
    RefusedError,
    UnavailableError,
    WrongAddressError,
)
"""What a call can end in; each says in words what to do."""


class SameSystem(Closing):
    """The weekly balances of the departments of one SameSystem. A context manager.

    **Unknown**: the week is read, and what is left to do follows from it.

    Args:
        access: how it is reached.
        journal: what was begun.
        fields: what the settings say of fields, by measure.
        confirm: whether saved days are confirmed; off, only what was confirmed before is.
        overwrite_approved: whether confirmed days and approved weeks are reopened where a figure differs.
        nights: when a day is over.
        now: the time.
    """

    name: ClassVar[str] = "samesystem"
    batch_size: ClassVar[int] = 10
    on_unknown: ClassVar[OnUnknown] = OnUnknown.READ_BACK
    requests_per_second: ClassVar[float | None] = None
    record_bytes: ClassVar[int | None] = None

    def __init__(
        self,
        access: Access,
        journal: Journal,
        *,
        fields: Mapping[str, str | int] | None = None,
        confirm: bool = True,
        overwrite_approved: bool = True,
        nights: Nights | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._access = access
        self._api = access.open()
        self._fields = dict(fields or {})
        self._confirm = confirm
        self._nights = nights or Nights()
        self._now = now
        self._departments: tuple[Department, ...] | None = None
        self._places: dict[str, Place] = {}
        self._silent: Exception | None = None
        self._found: dict[str, tuple[StoreDay, View]] = {}
        self.till_numbers: Mapping[Till, int] = {}
        self.journal = journal
        self._days = Days(
            self._api,
            journal,
            to_confirm=lambda entry: confirm and self._nights.is_over(entry, now()),
            reopens=overwrite_approved,
            attempts=access.attempts,
            longest_wait=access.longest_wait,
        )

    def close(self) -> None:
        """Log out, and close the connections."""
        self._api.close()
        self.journal.close()

    def departments(self) -> tuple[Department, ...]:
        """The departments, by the settings or by SameSystem's list.

        Raises:
            CredentialsError, NotAllowedError, NotAnsweredError, RefusedError, WrongAddressError: no usable answer.
        """
        if self._departments is None:
            said = self._access.ctx_tokens
            listed = tuple(Department("", ctx_token, store_id) for store_id, ctx_token in sorted(said.items()))
            self._departments = listed or self._listed()
        return self._departments

    def _listed(self) -> tuple[Department, ...]:
        """SameSystem's list; where nobody answers, no further date asks for it."""
        if self._silent:
            raise self._silent
        try:
            return self._api.departments()
        except FAILURES as error:
            self._note(error)
            raise

    def _note(self, error: Exception) -> None:
        """Remember that nobody answers: to ask for every other record too takes long."""
        self._silent = error if _not_read(error).stop else None

    def place(self, store_id: str) -> Place:
        """A store's department with its fields.

        Raises:
            DepartmentError: there is none, or more than one.
            FieldsError: it lacks a field that is to be sent.
            CredentialsError, NotAllowedError, NotAnsweredError, RefusedError, WrongAddressError: no usable answer.
        """
        if store_id not in self._places:
            found = [department for department in self.departments() if department.dpt_no == store_id]
            if len(found) != 1:
                said = "no department has its number (dpt_no)" if not found else f"{len(found)} departments have it"
                raise DepartmentError(f"store {store_id}: {said}")
            fields = self._api.fields(found[0])
            mapped = map_fields(fields, self._fields, department=found[0].label)
            self._places[store_id] = Place(found[0], fields, mapped)
        return self._places[store_id]

    def holds(self, record: Record) -> bool:
        """Whether the department has these figures, and everything that belongs to them is done.

        Raises:
            NotReadError: the department cannot be read.
        """
        entry = StoreDay.of(record)
        try:
            if self._silent:
                raise self._silent
            view = self._days.view(self.place(entry.store_id), entry)
        except FAILURES as error:
            self._note(error)
            raise _not_read(error) from None
        if view.steps or not self._is_finished(view):
            return False
        self._found[record.key] = (entry, view)
        return True

    def settle(self, records: Sequence[Record]) -> None:
        """Note in the journal that these store-days, which ``holds`` found, are brought to their end."""
        for record in records:
            self._days.settle(*self._found[record.key])

    def difference(self, record: Record) -> Sequence[str]:
        """The figures that differ, as SameSystem shows them, and what would be done about the day.

        Raises:
            NotReadError: the department cannot be read.
        """
        entry = StoreDay.of(record)
        try:
            if self._silent:
                raise self._silent
            place = self.place(entry.store_id)
            view = self._days.view(place, entry)
        except FAILURES as error:
            raise _not_read(error) from None
        names = {one.field_id: one.name for one in place.fields}
        lines = []
        for number in sorted(view.outdated):
            shown = view.week.registers[number].lines.get(entry.day.isoformat(), {})
            for field_id, value in view.wanted[number].items():
                if not view.week.registers[number].shows(entry.day, {field_id: value}):
                    there = shown.get(field_id)
                    lines.append(f"register {number} {names[field_id]}: {'-' if there is None else there} -> {value}")
        return [*lines, *(f"register {step.register}: {step.action}" for step in view.steps)]

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Bring store-days about, one after the other."""
        self.journal.keep_numbers(self.till_numbers)
        outcomes: list[Outcome] = []
        for record in batch:
            if outcomes and outcomes[-1].stop:
                outcomes.append(Outcome(record.key, State.RETRY, outcomes[-1].answer, stop=True))
            else:
                outcomes.append(self._outcome(record))
        return outcomes

    def _outcome(self, record: Record) -> Outcome:
        entry, work = StoreDay.of(record), Work()
        try:
            place = self.place(entry.store_id)
            first = self._days.view(place, entry)
            self._silent = None
            last = self._days.bring_about(place, entry, first, work)
        except ClosedError as error:
            return Outcome(record.key, State.HELD, str(error), counts=_counts(work))
        except StepRefusedError as error:
            return Outcome(record.key, *_refusal(error), counts=_counts(work))
        except NotAnsweredError as error:
            state = State.UNKNOWN if work.tried else State.RETRY
            return Outcome(record.key, state, str(error), _counts(work), stop=error.stop, retry_after=self._at(error))
        except FAILURES as error:
            return Outcome(record.key, State.RETRY, str(error), _counts(work), stop=_stops(error))
        is_late = bool(first.outdated & first.before.confirmed) and self._nights.is_late(entry, self._now())
        counts = {**_counts(work), "late_corrections": int(is_late)}
        if not self._is_finished(last):
            return Outcome(record.key, State.HELD, "saved, but not confirmed: confirm is off", counts=counts)
        return Outcome(record.key, State.DELIVERED, self._told(entry, last, work, is_late=is_late), counts=counts)

    def _is_finished(self, view: View) -> bool:
        """Whether the day counts at SameSystem, or will be confirmed by a later run of ours."""
        return self._confirm or set(view.week.registers) <= view.now.confirmed

    def _at(self, error: NotAnsweredError) -> datetime | None:
        return None if error.wait is None else self._now() + timedelta(seconds=error.wait)

    def _told(self, entry: StoreDay, view: View, work: Work, *, is_late: bool) -> str:
        done = {"saved": Action.SAVE, "confirmed": Action.CONFIRM, "weeks approved again": Action.APPROVE}
        parts = [f"{work.count(action)} {word}" for word, action in done.items() if work.count(action)]
        said = ["late correction: " * is_late + "registers: " + ", ".join(parts) if parts else "as it should be"]
        if not set(view.week.registers) <= view.now.confirmed:
            said.append("to be confirmed when the day is over")
        registers = max(view.week.registers)
        beyond = [str(number) for number in sorted(entry.figures) if number > registers]
        if beyond and registers > 1:
            said.append(f"till {', '.join(beyond)} has no register of its own: added to register {registers}")
        if work.rounded:
            said.append(f"{work.rounded} numbers of staff went back as SameSystem shows them, with six digits")
        return "; ".join(said)


def _stops(error: Exception) -> bool:
    """Whether the next record would meet it too."""
    return isinstance(error, WrongAddressError) or getattr(error, "stop", False)


def _not_read(error: Exception) -> NotReadError:
    return NotReadError(str(error), stop=isinstance(error, NotAnsweredError) or _stops(error))


def _counts(work: Work) -> dict[str, int]:
    return {
        "saved": work.count(Action.SAVE),
        "confirmed": work.count(Action.CONFIRM),
        "reopened": work.count(Action.UNCONFIRM),
        "weeks_reopened": work.count(Action.UNAPPROVE),
    }


def _refusal(error: StepRefusedError) -> tuple[State, str]:
    """What a refused step means: figures that are refused are rejected; all else waits for somebody at SameSystem."""
    number = error.step.register
    match error.step.action:
        case Action.SAVE:
            return State.REJECTED, f"register {number} is not saved: {error}"
        case Action.CONFIRM:
            return State.HELD, f"saved, but register {number} is not confirmed: {error}"
        case Action.APPROVE:
            return State.HELD, f"saved and confirmed, but the week of register {number} is not approved again: {error}"
    return State.HELD, f"register {number} cannot be reopened: {error}"
