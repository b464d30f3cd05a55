"""What SameSystem is to be told of some dates: the stores that have a department, and what a killed process left.

What belongs here: which records there are. What does not: how a store's figures come about (``samesystem_records``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import polars as pl

from sitoo_pipeline.sinks.contract import Prepared
from sitoo_pipeline.sinks.samesystem import FAILURES, SameSystem
from sitoo_pipeline.sinks.samesystem_records import days_without_sales, number_tills, store_days


def prepare_store_days(
    target: SameSystem,
    *,
    balance: pl.DataFrame,
    registers: pl.DataFrame,
    tills: pl.DataFrame,
    stores: pl.DataFrame,
    known: Collection[str] = (),
    numbers: Mapping[str, int] | None = None,
    with_online: bool = False,
    held: Mapping[date, Collection[str]] | None = None,
) -> Prepared:
    """The records of the dates in ``balance``, and those of other dates that were begun and not brought to their end.

    Nothing else is ever sent of another date. Tills that have no number yet get theirs.

    Args:
        target: tells which departments there are, and keeps the numbers.
        balance: ``marts.weekly_balance_hourly``.
        registers: ``marts.register_sales``.
        tills: ``core.registers``.
        stores: ``core.stores``.
        known: keys of what was ever handed over of the dates in question.
        numbers: numbers of tills that the settings give, by register id.
        with_online: whether the balance counts sales that no till made.
        held: stores held back, by date.

    Raises:
        TillsDifferError: the two marts do not fit together.
    """
    try:
        departments = {department.dpt_no for department in target.departments() if department.dpt_no}
    except FAILURES:
        departments = None  # sending will tell why
    key_of = dict(tills.select("register_id", "register_key").iter_rows())
    placed = tills.drop_nulls("store_id").select("store_id", "register_id")
    seen = pl.concat([placed, registers.select("store_id", "register_id")]).unique()
    tills_of = target.journal.numbers()
    tills_of |= number_tills(
        tills_of, ((store, register, key_of.get(register)) for store, register in seen.iter_rows())
    )
    target.till_numbers = tills_of
    chosen = {till: (numbers or {}).get(till[1], number) for till, number in tills_of.items()}
    prepared = store_days(
        balance,
        registers,
        numbers=chosen,
        home_currency=dict(stores.drop_nulls(["store_id", "currency"]).select("store_id", "currency").iter_rows()),
        with_online=with_online,
        departments=departments,
        held=held,
    )
    gone = days_without_sales(known, balance, departments=departments, held=held)
    prepared = Prepared((*prepared.records, *gone), prepared.messages)
    mine = {record.key for record in prepared.records}
    others = tuple(record for record in target.journal.unfinished() if record.key not in mine)
    said = tuple(f"{record.key}: begun by a run that ended, and brought to its end now" for record in others)
    return Prepared((*others, *prepared.records), (*prepared.messages, *said))
