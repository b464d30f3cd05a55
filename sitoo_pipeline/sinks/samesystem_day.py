"""One day of one department, from how it is to how it is to be: read, decide, act, read again.

No answer is taken on trust. After a call whose answer was lost the week is read, and what is left to do follows from
that; so does what a process left undone that was killed halfway. What was there before is in the journal before the
first call. What does not belong here: which days there are, and how a call is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import stamina

from sitoo_pipeline.sinks.canonical import content_hash
from sitoo_pipeline.sinks.samesystem_api import Action, Department, NotAllowedError, SameSystemApi
from sitoo_pipeline.sinks.samesystem_fields import Field
from sitoo_pipeline.sinks.samesystem_http import NotAnsweredError, RefusedError
from sitoo_pipeline.sinks.samesystem_journal import DONE, REFUSED, WAITING, Before, Journal, Saved
from sitoo_pipeline.sinks.samesystem_records import StoreDay
from sitoo_pipeline.sinks.samesystem_steps import Step, state_of, steps
from sitoo_pipeline.sinks.samesystem_week import Figures, Register, Week


@dataclass(frozen=True)
class Place:
    """A department, its fields, and which of them takes which measure."""

    department: Department
    fields: tuple[Field, ...]
    mapped: Mapping[str, int]


@dataclass(frozen=True)
class View:
    """A day as it is, and what is left to do."""

    week: Week
    wanted: Mapping[int, Figures]
    outdated: frozenset[int]
    now: Before
    before: Before
    steps: tuple[Step, ...]
    is_begun: bool

    @property
    def closed(self) -> list[int]:
        """The registers that cannot be saved as they are."""
        return sorted(self.outdated & (self.now.approved | self.now.confirmed))


@dataclass
class Work:
    """What was tried on a day: the calls, each once, and how many numbers of others went back rounded."""

    tried: set[Step] = field(default_factory=set)
    rounded: int = 0

    def count(self, action: Action) -> int:
        """How many registers it was done to."""
        return sum(step.action is action for step in self.tried)


class ClosedError(Exception):
    """Figures differ in registers that are confirmed or approved, and these are not to be reopened."""

    def __init__(self, view: View) -> None:
        what = "the week is approved" if view.outdated & view.now.approved else "the day is confirmed"
        numbers = ", ".join(map(str, view.closed))
        super().__init__(f"{what} (register {numbers}) with other figures, and overwrite_approved is off")


class StepRefusedError(Exception):
    """SameSystem refuses a step, also after another look at the week."""

    def __init__(self, step: Step, why: str) -> None:
        super().__init__(why)
        self.step = step


class Days:
    """Brings days about, and knows what is left to do on one.

    Args:
        api: the calls.
        journal: what was begun.
        to_confirm: whether a store's day is to be confirmed now.
        reopens: whether confirmed days and approved weeks are reopened to save other figures.
        attempts: how often a lost answer is followed by another look.
        longest_wait: between two of them, in seconds.
    """

    def __init__(
        self,
        api: SameSystemApi,
        journal: Journal,
        *,
        to_confirm: Callable[[StoreDay], bool],
        reopens: bool,
        attempts: int,
        longest_wait: float,
    ) -> None:
        self._api = api
        self._journal = journal
        self._to_confirm = to_confirm
        self._reopens = reopens
        self._attempts = attempts
        self._longest_wait = longest_wait

    def view(self, place: Place, entry: StoreDay) -> View:
        """Read the week."""
        week = self._api.week(place.department, entry.day)
        wanted = week.spread(entry.figures, place.mapped)
        saved = self._journal.saved(entry.store_id, entry.day)
        outdated = frozenset(
            number
            for number, register in week.registers.items()
            if not _has(register, entry.day, wanted[number], saved.get(number))
        )
        now = state_of(week, entry.day)
        state, noted = self._journal.before(entry.store_id, entry.day)
        before = now | noted
        to_confirm = week.registers if self._to_confirm(entry) else before.confirmed
        left = steps(week, entry.day, outdated=outdated, before=before, to_confirm=to_confirm)
        return View(week, wanted, outdated, now, before, left, state != DONE)

    def bring_about(self, place: Place, entry: StoreDay, view: View, work: Work) -> View:
        """Do what is left, until nothing is.

        What cannot be done is undone as far as possible: a day and a week that were confirmed and approved are so
        again.

        Args:
            place: the department.
            entry: the day and its figures.
            view: the day as it was just read.
            work: where to note what is tried.

        Returns:
            The day as it is in the end.

        Raises:
            ClosedError: it would have to be reopened, and is not to be.
            StepRefusedError: SameSystem refuses a step.
            NotAllowedError: the user may not take a step.
            NotAnsweredError: nobody knows how far it came; the journal knows that it is not done.
        """
        self._require_open(view)
        if view.steps:
            self._journal.begin(entry.store_id, entry.day, entry.payload, view.before)
        try:
            view = self._until_done(place, entry, view, work)
        except (ClosedError, StepRefusedError, NotAllowedError):
            self._restore(place, entry, view.before)
            raise
        if view.is_begun or work.tried:
            self._journal.end(entry.store_id, entry.day, DONE)
        return view

    def settle(self, entry: StoreDay, view: View) -> None:
        """Note it where nothing is left to do on a day that was begun."""
        if view.is_begun and not view.steps:
            self._journal.end(entry.store_id, entry.day, DONE)

    def _until_done(self, place: Place, entry: StoreDay, view: View, work: Work) -> View:
        refused: set[Step] = set()
        fresh: View | None = view
        for attempt in stamina.retry_context(
            on=_is_lost, attempts=self._attempts, timeout=None, wait_max=self._longest_wait
        ):
            with attempt:
                view, fresh = fresh or self.view(place, entry), None
                while view.steps:
                    self._require_open(view)
                    try:
                        self._take(view.steps, place, entry, view, work)
                    except StepRefusedError as error:
                        # Somebody, or SameSystem's own night, was quicker: look again, once for each step.
                        if error.step in refused:
                            raise
                        refused.add(error.step)
                        view = self.view(place, entry)
                        continue
                    done, view = view.steps, self.view(place, entry)
                    if view.steps == done:
                        said = "SameSystem says that it is done, and shows that it is not"
                        raise NotAnsweredError(said, may_have_arrived=True)
        return view

    def _require_open(self, view: View) -> None:
        if view.closed and not self._reopens:
            raise ClosedError(view)

    def _take(self, todo: Iterable[Step], place: Place, entry: StoreDay, view: View, work: Work) -> None:
        for step in todo:
            at = (entry.store_id, entry.day, step.register, step.action)
            body, noted = b"{}", ("", True)
            if step.action is Action.SAVE:
                register, figures = view.week.registers[step.register], view.wanted[step.register]
                body = register.body(entry.day, figures, place.fields)
                noted = (_hash(figures), not register.shows(entry.day, figures))
                work.rounded += register.rounded(entry.day, figures, place.fields)
            self._journal.begin_step(*at, content_hash=noted[0], is_visible=noted[1])
            work.tried.add(step)
            try:
                self._api.change(step.action, place.department, entry.day, step.register, body)
            except (RefusedError, NotAllowedError) as error:
                self._journal.end_step(*at, REFUSED)
                work.tried.discard(step)
                if isinstance(error, NotAllowedError):
                    raise
                raise StepRefusedError(step, str(error)) from None
            self._journal.end_step(*at, DONE)

    def _restore(self, place: Place, entry: StoreDay, before: Before) -> None:
        """Confirm and approve what was, whatever figures are there now. What fails is left for the next run."""
        try:
            week = self._api.week(place.department, entry.day)
            left = steps(week, entry.day, outdated=(), before=before, to_confirm=before.confirmed)
            view = View(week, {}, frozenset(), state_of(week, entry.day), before, left, is_begun=True)
            failed = sum(not self._is_taken(step, place, entry, view) for step in left)
        except (NotAnsweredError, NotAllowedError, RefusedError):
            return
        self._journal.end(entry.store_id, entry.day, WAITING if failed else DONE)

    def _is_taken(self, step: Step, place: Place, entry: StoreDay, view: View) -> bool:
        try:
            self._take([step], place, entry, view, Work())
        except (StepRefusedError, NotAllowedError):
            return False
        return True


def _is_lost(error: Exception) -> bool:
    return isinstance(error, NotAnsweredError) and error.may_have_arrived


def _has(register: Register, day: date, figures: Figures, saved: Saved | None) -> bool:
    """Whether a register has these figures.

    What it shows is rounded to six digits, so what was saved last counts too: a correction of a few cents would be
    invisible otherwise. Of a save that nobody saw the end of, only what it changed visibly can be told.
    """
    if not register.shows(day, figures):
        return False
    if saved is None or saved.state == REFUSED:
        return True
    return saved.content_hash == _hash(figures) and (saved.state == DONE or saved.is_visible)


def _hash(figures: Figures) -> str:
    return content_hash({str(field_id): f"{value:.2f}" for field_id, value in figures.items()})
