"""A SameSystem on loopback with a chain's departments, and what the pipeline would hand to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from sitoo_pipeline.sandbox import Sandbox
from sitoo_pipeline.sandbox.samesystem_state import State as Books
from sitoo_pipeline.sinks import Ledger, Report, deliver
from sitoo_pipeline.sinks.samesystem import SameSystem
from sitoo_pipeline.sinks.samesystem_api import Access
from sitoo_pipeline.sinks.samesystem_journal import Journal
from sitoo_pipeline.sinks.samesystem_prepare import prepare_store_days
from sitoo_pipeline.tables.core import REGISTERS, STORES
from sitoo_pipeline.tables.marts import REGISTER_SALES, WEEKLY_BALANCE_HOURLY
from sitoo_pipeline.tables.schema import Table

ACCOUNT = "kedjan"
MONDAY = date(2026, 11, 2)
TUESDAY = date(2026, 11, 3)
WEEK = tuple(date(2026, 11, number) for number in range(2, 9))

Sold = Mapping[tuple[date, str], Iterable[tuple[str, str]]]
"""For a date and store: register id and gross sales of each till."""


def figures(gross: str) -> dict[str, Any]:
    """What a till sold: net four fifths, a discount and a return of a tenth, one receipt and two goods."""
    amount = Decimal(gross)
    tenth = (amount / 10).quantize(Decimal("0.01"))
    return {
        "gross_sales": amount,
        "net_sales": (amount * 4 / 5).quantize(Decimal("0.01")),
        "discounts": tenth,
        "returns": tenth,
        "transactions": 1 if amount else 0,
        "goods_sold": 2 if amount else 0,
        "goods_returned": 1 if amount else 0,
    }


def register_sales(sold: Sold) -> pl.DataFrame:
    """``marts.register_sales``."""
    return _frame(
        REGISTER_SALES,
        [
            {"business_date": day, "store_id": store, "register_id": till, "currency": "SEK", **figures(gross)}
            for (day, store), tills in sold.items()
            for till, gross in tills
        ],
    )


def balance(sold: Sold) -> pl.DataFrame:
    """``marts.weekly_balance_hourly``: everything at ten o'clock, and 23 hours of nothing."""
    rows = []
    for (day, store), tills in sold.items():
        day_figures = [figures(gross) for _, gross in tills]
        total = {name: sum((found[name] for found in day_figures), figures("0")[name]) for name in figures("0")}
        for hour in range(24):
            key = {"business_date": day, "store_id": store, "currency": "SEK", "hour": hour, "visitors": 0}
            rows.append({**key, **(total if hour == 10 else figures("0"))})
    return _frame(WEEKLY_BALANCE_HOURLY, rows)


def _frame(table: Table, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    empty = {column.name: 0 if not column.nullable else None for column in table.columns}
    return pl.DataFrame([{**empty, "account": ACCOUNT, **row} for row in rows], schema=table.polars_schema)


@dataclass
class Chain:
    """SameSystem as the pipeline meets it: by URL, with a ledger and a journal in a file."""

    sandbox: Sandbox
    folder: Path
    now: Callable[[], datetime]
    settings: dict[str, Any] = field(default_factory=dict)
    access: dict[str, Any] = field(default_factory=dict)
    last: SameSystem | None = None

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/deliveries.db"

    @property
    def books(self) -> Books:
        """What SameSystem holds."""
        return self.sandbox.samesystem.state

    def ledger(self) -> Ledger:
        return Ledger(self.url)

    def open(self) -> SameSystem:
        """The target."""
        email, password = self.sandbox.samesystem_user
        reached = {"base_url": self.sandbox.samesystem_url, "email": email, "password": password}
        patience = {"attempts": 5, "timeout": 10, "longest_wait": 5}
        access = Access(**{**reached, **patience, **self.access})
        settings = {"now": self.now, **self.settings}
        return SameSystem(access, Journal(self.url, account=ACCOUNT), **settings)

    def hand(self, sold: Sold, *, is_whole: bool = False, **how: Any) -> Report:
        """One run of the pipeline over the dates in ``sold``, whose other stores sold nothing where it ``is_whole``."""
        with self.open() as target, self.ledger() as ledger:
            prepared = prepare_store_days(
                target,
                balance=balance(sold),
                registers=register_sales(sold),
                tills=self.tills(),
                stores=self.stores(),
                known=ledger.keys(ACCOUNT, SameSystem.name, {day for day, _ in sold}) if is_whole else (),
                **{name: how.pop(name) for name in ("numbers", "with_online", "held") if name in how},
            )
            return deliver(
                target=target,
                records=prepared.records,
                ledger=ledger,
                account=ACCOUNT,
                run_id="run",
                messages=prepared.messages,
                noted=prepared.counts,
                **how,
            )

    def tills(self) -> pl.DataFrame:
        """``core.registers``: the chain's tills."""
        return pl.DataFrame(
            [
                {"register_id": till.registerid, "register_key": till.registerkey, "store_id": store.externalid}
                for store in self.sandbox.chain.store_list
                for till in store.registers
            ],
            schema={name: REGISTERS.polars_schema[name] for name in ("register_id", "register_key", "store_id")},
        )

    def stores(self) -> pl.DataFrame:
        """``core.stores``: all in crowns."""
        return pl.DataFrame(
            [{"store_id": store.externalid, "currency": "SEK"} for store in self.sandbox.chain.store_list],
            schema={name: STORES.polars_schema[name] for name in ("store_id", "currency")},
        )

    def till(self, store_id: str, number: int = 1) -> str:
        """The id of a store's till."""
        [store] = [store for store in self.sandbox.chain.store_list if store.externalid == store_id]
        return store.registers[number - 1].registerid

    def day(self, store_id: str, *gross: str, day: date = MONDAY) -> Sold:
        """A day on which the store's tills sold these amounts."""
        return {(day, store_id): [(self.till(store_id, n), amount) for n, amount in enumerate(gross, start=1)]}

    def week(self, store_id: str, *gross: str) -> Sold:
        """The same on all days of the week."""
        return {key: tills for day in WEEK for key, tills in self.day(store_id, *gross, day=day).items()}

    def state(self, store_id: str, day: date = MONDAY) -> str:
        """What the ledger says of a store's day."""
        with self.ledger() as ledger:
            return ledger.of(ACCOUNT, "samesystem", [f"{store_id}/{day}"])[f"{store_id}/{day}"].state

    def answer(self, store_id: str, day: date = MONDAY) -> str:
        """The answer that it remembers."""
        with self.ledger() as ledger:
            return ledger.of(ACCOUNT, "samesystem", [f"{store_id}/{day}"])[f"{store_id}/{day}"].answer

    def noted(self) -> list[tuple[Any, ...]]:
        """The days in the journal, as they are written."""
        with sqlite3.connect(self.folder / "deliveries.db") as file:
            return file.execute("SELECT * FROM samesystem_days ORDER BY store_id, business_date").fetchall()

    def gross(self, store_id: str, day: date = MONDAY) -> list[Decimal | None]:
        """Gross sales that each register shows."""
        shown = self.books.shown(store_id, day)
        return [lines.get("Gross sales") for _, lines in sorted(shown.items())]  # type: ignore[misc]

    def actions(self) -> list[tuple[str, str, int]]:
        """What was done at SameSystem since the last time: action, date and register."""
        done = [(write.action, str(write.day), write.register) for write in self.books.writes]
        self.books.writes.clear()
        return done

    def posts(self) -> list[str]:
        """The addresses that were posted to since the last time, without logins."""
        found = [path for method, path, _ in self.sandbox.requests if method == "POST" and "weekly_balance" in path]
        self.sandbox.clear_requests()
        return [path.split("/weekly_balance/")[1] for path in found]

    def approve(self, store_id: str) -> None:
        """Somebody at the office approves the week of all registers."""
        for register in self.books.department(store_id).registers(MONDAY):
            self.books.approve_week(self.books.key(store_id, MONDAY, register), "Office")
        self.books.writes.clear()
