"""SameSystem's departments: one per store of the chain, and the head office, which has no number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from sitoo_pipeline.sandbox.samesystem_fields import Field, standard_fields
from sitoo_pipeline.sandbox.stores import ACCOUNT, Store

_FIRST_NUMBER = 5200
_ONE_BALANCE_EACH = 4


@dataclass
class Department:
    """A department and how its weekly balance is set up. Tests may change the set-up while the sandbox runs.

    Args:
        name: may be changed by an administrator at any time.
        ctx_token: the key in every address; never changes.
        dpt_no: the number that the client gave it, here the store's external id; None where it has none.
        fields: of the weekly balance.
        register_count: its registers, which are numbered from 1.
        register_counts: the counts of weeks that differ, by their Monday.
        unavailable: names of the fields that a register does not have, by register number.
        expense_groups: names by group id; every expense belongs to one.
        deposit_groups: the same for deposits.
    """

    name: str
    ctx_token: str
    dpt_no: str | None
    fields: tuple[Field, ...]
    register_count: int = 1
    register_counts: dict[date, int] = field(default_factory=dict)
    unavailable: dict[int, frozenset[str]] = field(default_factory=dict)
    expense_groups: dict[int, str] = field(default_factory=lambda: {1: "Local expenses", 2: "Outsource"})
    deposit_groups: dict[int, str] = field(default_factory=dict)

    def registers(self, day: date) -> range:
        """The numbers of the registers in the week of ``day``."""
        return range(1, self.register_counts.get(monday(day), self.register_count) + 1)

    def field_id(self, name: str) -> int:
        """The id of the field called ``name``.

        Raises:
            KeyError: there is none.
        """
        return {field.name: field.field_id for field in self.fields}[name]

    def unavailable_ids(self, register: int) -> list[int]:
        """The ids of the fields that ``register`` does not have."""
        names = self.unavailable.get(register, frozenset())
        return [field.field_id for field in self.fields if field.name in names]


def monday(day: date) -> date:
    """The first day of the week of ``day``."""
    return day - timedelta(days=day.weekday())


def build_departments(stores: Iterable[Store]) -> tuple[Department, ...]:
    """The departments of ``stores`` and the head office.

    A department has as many registers as the store has tills, except that every fourth store keeps one balance for all
    of them. Visitors are counted at the door and belong to register 1.
    """
    found = [Department("Huvudkontor", f"c{ACCOUNT}d{_FIRST_NUMBER}", None, standard_fields(100 * _FIRST_NUMBER))]
    for store in stores:
        number = _FIRST_NUMBER + store.storeid
        count = 1 if store.storeid % _ONE_BALANCE_EACH == 0 else len(store.registers)
        department = Department(
            store.name, f"c{ACCOUNT}d{number}", store.externalid, standard_fields(100 * number), count
        )
        department.unavailable = dict.fromkeys(range(2, count + 1), frozenset({"Visitors"}))
        found.append(department)
    return tuple(found)
