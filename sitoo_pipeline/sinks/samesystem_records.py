"""The records for SameSystem: one per store and business date, with the day's figures by the numbers of its tills.

What belongs here: from frames to records. What does not: SameSystem's fields and registers, which may change from week
to week (``samesystem_week``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from sitoo_pipeline.sinks.contract import Prepared, Record
from sitoo_pipeline.sinks.samesystem_fields import NAMES
from sitoo_pipeline.sinks.samesystem_journal import record_key
from sitoo_pipeline.sinks.samesystem_week import Number
from sitoo_pipeline.tables.marts import REGISTER_SALES, WEEKLY_BALANCE_HOURLY
from sitoo_pipeline.tables.types import MONEY

Till = tuple[str, str]
"""A store's id and a register's."""

Held = Mapping[date, Collection[str]]
"""Stores held back, by date."""

MEASURES = tuple(NAMES)
_AT_TILLS = tuple(name for name in MEASURES if name in REGISTER_SALES.names)


class TillsDifferError(RuntimeError):
    """The two tables that the figures come from do not fit together."""

    safe_to_show = True

    def __init__(self, store_id: str, day: date) -> None:
        super().__init__(
            f"marts.register_sales and marts.weekly_balance_hourly differ for store {store_id} on {day}: "
            "materialize marts.hourly_sales, marts.register_sales and marts.weekly_balance_hourly of the date again"
        )


@dataclass(frozen=True)
class StoreDay:
    """What a record says: the figures of a store's day by the number of the till, and the whole as it is kept."""

    store_id: str
    day: date
    figures: Mapping[int, Mapping[str, Number]]
    payload: Mapping[str, Any]

    @classmethod
    def of(cls, record: Record) -> StoreDay:
        """From a record that ``store_days`` built, perhaps in an earlier process."""
        figures = {
            int(number): {name: Decimal(value) if isinstance(value, str) else value for name, value in found.items()}
            for number, found in record.payload["registers"].items()
        }
        day = date.fromisoformat(record.payload["business_date"])
        return cls(record.payload["store_id"], day, figures, record.payload)


def number_tills(known: Mapping[Till, int], tills: Iterable[tuple[str, str, str | None]]) -> dict[Till, int]:
    """The numbers of tills that have none yet: each store's next ones, in the order of the keys on their receipts.

    Args:
        known: numbers given before; none of them is ever given again.
        tills: store id, register id and register key of each till, in any order.
    """
    highest: dict[str, int] = {}
    for (store_id, _), number in known.items():
        highest[store_id] = max(number, highest.get(store_id, 0))
    given: dict[Till, int] = {}
    # One that Sitoo does not list has no key and comes last.
    for store_id, _, _, register_id in sorted({(store, key is None, key or "", till) for store, till, key in tills}):
        if (store_id, register_id) not in known:
            highest[store_id] = given[store_id, register_id] = highest.get(store_id, 0) + 1
    return given


def store_days(
    balance: pl.DataFrame,
    registers: pl.DataFrame,
    *,
    numbers: Mapping[Till, int],
    home_currency: Mapping[str, str],
    with_online: bool = False,
    departments: Collection[str] | None = None,
    held: Held | None = None,
) -> Prepared:
    """One record per store and date, in the store's own currency: SameSystem knows no currencies.

    Args:
        balance: ``marts.weekly_balance_hourly``, which decides which stores and totals there are.
        registers: ``marts.register_sales`` of the same dates; empty where the tills' sales are not wanted.
        numbers: the number of each till.
        home_currency: the stores' own currencies; a store that is not in it has that of its only rows.
        with_online: whether the balance counts sales that no till made. They go to register 1.
        departments: the stores that SameSystem knows; None where that is not known.
        held: stores held back, by date.

    Raises:
        TillsDifferError: what the tills sold is not what the store sold.
    """
    records, messages, held = [], [], held or {}
    totals = _totals(balance, ["business_date", "store_id", "currency"], MEASURES)
    at_tills = _totals(registers, ["business_date", "store_id", "currency", "register_id"], _AT_TILLS)
    currencies: dict[tuple[date, str], list[str]] = {}
    for day, store_id, currency in totals:
        currencies.setdefault((day, store_id), []).append(currency)
    for (day, store_id), found in currencies.items():
        if store_id in held.get(day, ()):
            continue
        home = home_currency.get(store_id, found[0] if len(found) == 1 else "")
        why = _why_left_out(store_id, departments)
        for currency in found:
            amount = totals[day, store_id, currency]["gross_sales"] or totals[day, store_id, currency]["returns"]
            if amount and (why or currency != home):
                reason = why or f"the store's own currency is {home or 'not known'}"
                messages.append(f"{day} store {store_id}: {amount} {currency} left out of SameSystem: {reason}")
        if why or (home not in found and len(found) > 1):
            continue
        total = totals.get((day, store_id, home)) or dict.fromkeys(MEASURES, 0)
        figures: dict[int, dict[str, Number]] = {}
        for key, values in at_tills.items():
            if key[:3] == (day, store_id, home):  # two tills may share a number
                _add(figures.setdefault(numbers[store_id, key[3]], {}), values)
        rest = {name: total[name] - sum(till.get(name, 0) for till in figures.values()) for name in MEASURES}
        if any(rest[name] for name in _AT_TILLS) and not with_online:
            raise TillsDifferError(store_id, day)
        _add(figures.setdefault(1, {}), rest)
        records.append(_record(store_id, day, figures))
    return Prepared(tuple(records), tuple(messages))


def days_without_sales(
    known: Collection[str], balance: pl.DataFrame, *, departments: Collection[str] | None, held: Held | None = None
) -> list[Record]:
    """Zeros for the store-days that were handed over and are in ``balance`` no more: their sales are another store's.

    Args:
        known: keys of what was ever handed over of the dates in question.
        balance: ``marts.weekly_balance_hourly`` of these dates.
        departments: the stores that SameSystem knows; None where that is not known.
        held: stores held back, by date.
    """
    there = {record_key(store_id, day) for day, store_id in balance.select("business_date", "store_id").iter_rows()}
    records = []
    for key in sorted(set(known) - there):
        store_id, _, text = key.rpartition("/")
        day = date.fromisoformat(text)
        if store_id not in (held or {}).get(day, ()) and not _why_left_out(store_id, departments):
            records.append(_record(store_id, day, {1: {}}))
    return records


def _totals(frame: pl.DataFrame, by: list[str], names: Collection[str]) -> dict[Any, dict[str, Number]]:
    added = frame.group_by(by).agg(pl.col(name).sum() for name in names).sort(by)
    return {row[: len(by)]: dict(zip(names, row[len(by) :], strict=True)) for row in added.iter_rows()}


def _add(figures: dict[str, Number], more: Mapping[str, Number]) -> None:
    for name, value in more.items():
        figures[name] = figures.get(name, 0) + value


def _why_left_out(store_id: str, departments: Collection[str] | None) -> str:
    if store_id == "unknown":
        return "the store is not known"
    if departments is not None and store_id not in departments:
        return "no department has its number (dpt_no)"
    return ""


def _record(store_id: str, day: date, figures: Mapping[int, Mapping[str, Number]]) -> Record:
    money = {name for name in MEASURES if WEEKLY_BALANCE_HOURLY.column(name).type is MONEY}
    payload = {
        "store_id": store_id,
        "business_date": day.isoformat(),
        "registers": {
            str(number): {name: f"{found.get(name, 0):.2f}" if name in money else found.get(name, 0) for name in NAMES}
            for number, found in sorted(figures.items())
        },
    }
    return Record(record_key(store_id, day), day, payload)
