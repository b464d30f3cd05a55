"""What SameSystem does by itself at night: files that came in are imported at 02:00, days are confirmed at 05:00.

Documented: the two times. Assumed: they are the client's local time; a confirmed register, or one of an approved week,
is passed over by the import unless it is told to overwrite, and stays as it was; at 05:00 every past day that has a
figure is confirmed with all its registers, and a register that cannot be is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from sitoo_pipeline.sandbox.samesystem_csv import Hours, Layout, read_hours
from sitoo_pipeline.sandbox.samesystem_saving import Figures, RefusedError
from sitoo_pipeline.sandbox.samesystem_state import Key, State, week_of

IMPORT_HOUR = 2
CONFIRM_HOUR = 5

_BY_IMPORT, _BY_ITSELF = "Import", "Auto confirm"


@dataclass(frozen=True)
class Imported:
    """What became of a file: the registers' days taken, those passed over, and why a file was refused."""

    taken: list[Key] = field(default_factory=list)
    passed_over: list[Key] = field(default_factory=list)
    refusal: str | None = None


class Nights:
    """The nightly import and confirmation, at the first request after their time, or when told.

    ``confirms`` switches the confirmation on; ``layout`` is how files are written, ``imports`` what became of them, and
    ``hours`` the hourly figures imported.
    """

    def __init__(self, state: State, clock: Callable[[], datetime]) -> None:
        self.confirms = False
        self.layout = Layout()
        self.imports: list[Imported] = []
        self.hours: Hours = {}
        self._state = state
        self._clock = clock
        self._inbox: list[bytes] = []
        self._seen: datetime | None = None

    def receive(self, content: bytes) -> None:
        """Takes in a file, which waits for the next import."""
        self._inbox.append(content)

    def pass_by(self) -> None:
        """Does what was due since the last time, in order."""
        now = self._clock()
        seen, self._seen = self._seen or now, now
        if now <= seen:
            return
        day = seen.replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= now:
            for hour, act in ((IMPORT_HOUR, self._import_all), (CONFIRM_HOUR, self._confirm_all)):
                due = day.replace(hour=hour)
                if seen < due <= now:
                    act(due)
            day += timedelta(days=1)

    def import_file(self, content: bytes, *, overwrite: bool = False) -> Imported:
        """Imports a file at once, as the import tool does; ``overwrite`` reopens what is confirmed or approved."""
        try:
            hours = read_hours(content, self._state, self.layout)
        except RefusedError as error:
            done = Imported(refusal=error.description)
        else:
            done = Imported()
            for key in sorted(hours):
                try:
                    self._take(key, hours[key], overwrite=overwrite)
                    done.taken.append(key)
                except RefusedError:
                    done.passed_over.append(key)
        self.imports.append(done)
        return done

    def _take(self, key: Key, hours: dict[int, dict[str, Decimal]], *, overwrite: bool) -> None:
        """Puts the day's totals into the fields of the same names, beside what else the day has."""
        if overwrite:
            if self._state.is_week_approved(week_of(key)):
                self._state.unapprove_week(key, _BY_IMPORT)
            if self._state.confirmation(key):
                self._state.unconfirm(key, _BY_IMPORT)
        elif self._state.confirmation(key):
            raise RefusedError("confirmed", 412)
        department, before = self._state.departments[key.ctx_token], self._state.figures(key)
        totals: dict[str, Decimal] = {}
        for figures in hours.values():
            for name, value in figures.items():
                totals[name.lower()] = totals.get(name.lower(), Decimal(0)) + value
        unavailable = department.unavailable_ids(key.register)
        lines = dict(before.lines)
        for one in department.fields:
            if one.name.lower() in totals and one.field_id not in unavailable:
                lines[one.field_id] = totals[one.name.lower()]
        self._state.save(key, Figures(lines, before.comment, before.expenses, before.deposits), _BY_IMPORT)
        self.hours[key] = hours

    def _import_all(self, due: datetime) -> None:
        waiting, self._inbox = self._inbox, []
        for content in waiting:
            self.import_file(content)

    def _confirm_all(self, due: datetime) -> None:
        if not self.confirms:
            return
        days = {(key.ctx_token, key.day) for key in self._state.saved_days() if key.day < due.date()}
        for ctx_token, day in sorted(days):
            for register in self._state.departments[ctx_token].registers(day):
                key = Key(ctx_token, day, register)
                if self._state.confirmation(key) is None:
                    self._confirm(key, due)

    def _confirm(self, key: Key, due: datetime) -> None:
        try:
            self._state.confirm(key, _BY_ITSELF, due)
        except RefusedError:
            return  # it lacks something, and waits for staff
