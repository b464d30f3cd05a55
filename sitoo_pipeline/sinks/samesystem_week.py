"""A department's week as SameSystem shows it, and what a save has to say of one of its days.

A save takes the place of everything that was there: what staff typed in is read and sent back along. SameSystem shows
numbers with six digits, so two figures that agree in six digits look the same here. What does not belong here: what is
to be done about a difference (``samesystem_steps``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sitoo_pipeline.sinks.canonical import wire_json
from sitoo_pipeline.sinks.samesystem_fields import Field

Number = Decimal | int
Value = Number | str
Figures = Mapping[int, Number]
"""What is to be in the fields of one register and day, by field id."""

_DIGITS = 6
_SURELY_EXACT = 10_000
"""Below this, an amount with two decimals has no more than six digits."""


@dataclass(frozen=True)
class Register:
    """One register's week. Days are in the form 2026-11-02; those without an entry are left out of each mapping."""

    number: int
    is_approved: bool
    unavailable: frozenset[int]
    confirmed: frozenset[str]
    comments: Mapping[str, str]
    lines: Mapping[str, Mapping[int, Value]]
    expenses: Mapping[str, list[Any]]
    deposits: Mapping[str, list[Any]]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Register:
        """From SameSystem's object; LookupError, TypeError or ValueError where that is none."""
        return cls(
            number=int(said["register_number"]),
            is_approved=bool(said["week_approved"]),
            unavailable=frozenset(int(field_id) for field_id in said.get("unavailable_fields") or ()),
            confirmed=frozenset(_by_day(said, "confirmed")),
            comments=_by_day(said, "comments"),
            lines={
                day: {int(line["field_id"]): line["value"] for line in lines}
                for day, lines in _by_day(said, "lines").items()
            },
            expenses=_by_day(said, "expenses"),
            deposits=_by_day(said, "deposits"),
        )

    def shows(self, day: date, figures: Figures) -> bool:
        """Whether the day has these figures, as far as SameSystem shows them."""
        shown = self.lines.get(day.isoformat(), {})
        return all(_looks_like(shown.get(field_id), value) for field_id, value in figures.items())

    def is_confirmed(self, day: date) -> bool:
        """Whether the day is confirmed for this register."""
        return day.isoformat() in self.confirmed

    def body(self, day: date, figures: Figures, fields: Sequence[Field]) -> bytes:
        """The body of a save: these figures, and everything else that the day has."""
        kept = self._others(day, figures, fields)
        lines = [{"field_id": field_id, "value": value} for field_id, value in sorted({**kept, **figures}.items())]
        text = day.isoformat()
        return wire_json(
            {
                "comments": self.comments.get(text, ""),
                "lines": lines,
                "expenses": self.expenses.get(text, []),
                "deposits": self.deposits.get(text, []),
            }
        )

    def rounded(self, day: date, figures: Figures, fields: Sequence[Field]) -> int:
        """How many of the numbers that are sent back along may have had more digits than SameSystem shows."""
        entries = [*self.expenses.get(day.isoformat(), []), *self.deposits.get(day.isoformat(), [])]
        values = [*self._others(day, figures, fields).values(), *(entry["value"] for entry in entries)]
        return sum(not isinstance(value, str) and abs(value) >= _SURELY_EXACT for value in values)

    def _others(self, day: date, figures: Figures, fields: Sequence[Field]) -> dict[int, Value]:
        """What the day has in fields that are not ours; sums of entries are left to SameSystem."""
        kept = {field.field_id for field in fields if not field.is_calculated and field.kind in ("number", "text")}
        shown = self.lines.get(day.isoformat(), {})
        others = kept - set(figures) - self.unavailable
        return {field_id: value for field_id, value in shown.items() if field_id in others and value is not None}


@dataclass(frozen=True)
class Week:
    """A department's week: its registers by number."""

    registers: Mapping[int, Register]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Week:
        """From SameSystem's object; LookupError, TypeError or ValueError where that is none."""
        registers = {register.number: register for register in map(Register.read, said["registers"])}
        if sorted(registers) != list(range(1, int(said["register_count"]) + 1)) or not registers:
            raise ValueError("registers are not numbered from 1")
        return cls(dict(sorted(registers.items())))

    def spread(self, figures: Mapping[int, Mapping[str, Number]], fields: Mapping[str, int]) -> dict[int, Figures]:
        """What each register is to have, by field id, of figures by the tills' numbers.

        A till whose number no register has is added to the last register. Where a register lacks a field, the figure
        goes to the first that has it. A register without a till gets zeros.
        """
        last = max(self.registers)
        found: dict[int, dict[int, Number]] = {
            number: {field_id: 0 for field_id in fields.values() if field_id not in register.unavailable}
            for number, register in self.registers.items()
        }
        for till, measures in sorted(figures.items()):
            for measure, value in measures.items():
                if measure in fields:
                    field_id, mine = fields[measure], min(till, last)
                    takes = next((n for n in (mine, *self.registers) if field_id in found[n]), None)
                    if takes is None:
                        raise UnavailableError(f"no register has the field for {measure}")
                    found[takes][field_id] += value
        return dict(found)


class UnavailableError(Exception):
    """A figure that no register of the week can take."""


def _by_day(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A mapping by day; nothing where SameSystem says null or writes an empty mapping as a list."""
    found = said.get(name) or {}
    if not isinstance(found, dict):
        raise TypeError(name)
    return found


def _looks_like(shown: Any, value: Number) -> bool:
    if isinstance(shown, bool) or not isinstance(shown, int | Decimal):
        return False
    there, here = Decimal(shown), Decimal(value)
    if len(there.normalize().as_tuple().digits) > _DIGITS:
        return there == here  # it shows more than it must
    # Half a unit of the last digit either way: whoever rounds, from decimals or from binary fractions.
    return abs(there - here) * 2 <= Decimal(1).scaleb(here.adjusted() + 1 - _DIGITS)
