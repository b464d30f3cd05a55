"""What the demo shows at its end: the stores' sales, the z-reports, the deliveries, and what to try next."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sitoo_pipeline.assets.day_status import DayStatus, Place
from sitoo_pipeline.operations.console import span
from sitoo_pipeline.operations.status_report import balanced, day_as_json, targets
from sitoo_pipeline.settings.demo import DEMO_ACCOUNT, demo_data_dir
from sitoo_pipeline.sinks import State

_FIGURES = "SELECT business_date, store_id, gross_sales, transactions FROM marts.daily_sales ORDER BY ALL"
_GAP = 2
_FIXED = len("2026-03-31") + len("z-rep.") + len("sent") + 2 * _GAP


def print_demo(days: Sequence[DayStatus], troubles: Sequence[str], console: Console) -> None:
    """What each store sold on each day, whether the z-reports balance, what was delivered, and what to try next."""
    places = sorted({place for day in days for place in day.sold if place[1] == "pos"})
    columns = {place: _width(place, days) for place in places}
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    console.print(f"\nGross sales of the stores, {span([day.business_date for day in days])}", style="bold")
    if _FIXED + sum(width + _GAP for width in columns.values()) <= console.width:
        _one_row_per_day(table, days, places)
        console.print(table)
    else:
        _one_row_per_store(table, days, places)
        console.print(table)
    console.print("z-rep.: z-reports that balance. sent: targets that have all of the day.\n")
    _print_totals(days, console)
    for trouble in troubles:
        console.print(trouble, style="red")
    _print_next(console)


def demo_as_json(days: Sequence[DayStatus], troubles: Sequence[str], *, success: bool) -> dict[str, Any]:
    """The same for other programs: whether all went well, the state of each date, and what went wrong."""
    return {"success": success, "days": [day_as_json(day) for day in days], "troubles": list(troubles)}


def money(amount: Decimal, *, places: int = 2) -> str:
    """``12 345.60``: a space between thousands."""
    return f"{amount:,.{places}f}".replace(",", " ")


def _width(place: Place, days: Sequence[DayStatus]) -> int:
    return max(len(place[0]), *(len(money(day.sold.get(place, Decimal()), places=0)) for day in days))


def _one_row_per_day(table: Table, days: Sequence[DayStatus], places: Sequence[Place]) -> None:
    """Stores as columns, in whole units of the currency."""
    table.add_column("date", no_wrap=True)
    for store, _, _ in places:
        table.add_column(store, justify="right", no_wrap=True)
    for column in ("z-rep.", "sent"):
        table.add_column(column, justify="right", no_wrap=True)
    for day in days:
        amounts = [money(day.sold[place], places=0) if place in day.sold else "-" for place in places]
        table.add_row(str(day.business_date), *amounts, balanced([day.reconciliation]), targets(day))


def _one_row_per_store(table: Table, days: Sequence[DayStatus], places: Sequence[Place]) -> None:
    """For more stores than fit side by side; what is said of the whole day stands in its first row."""
    right = {"gross sales", "z-rep.", "sent"}
    for column in ("date", "store", "name", "gross sales", "", "z-rep.", "sent"):
        table.add_column(column, justify="right" if column in right else "left", no_wrap=column != "name")
    for day in days:
        of_day = [balanced([day.reconciliation]), targets(day)]
        for place in places:
            store, _, currency = place
            amount = money(day.sold[place]) if place in day.sold else "-"
            name = day.store_names.get(store) or ""
            table.add_row(str(day.business_date), store, name, amount, currency, *of_day)
            of_day = ["", ""]


def _print_totals(days: Sequence[DayStatus], console: Console) -> None:
    names = {store: name for day in days for store, name in day.store_names.items()}
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for column in ("store", "name", "tills", "online", ""):
        table.add_column(column, justify="right" if column in ("tills", "online") else "left", no_wrap=column != "name")
    for store, currency in sorted({(store, currency) for day in days for store, _, currency in day.sold}):
        sums = [_sold(days, store, channel, currency) for channel in ("pos", "online")]
        name = "web shop, no store" if store == "unknown" else names[store]
        table.add_row("" if store == "unknown" else store, name, *map(money, sums), currency)
    for currency in sorted({currency for day in days for _, _, currency in day.sold}):
        sums = [_sold(days, None, channel, currency) for channel in ("pos", "online")]
        table.add_row("", "all", *map(money, sums), currency, style="bold")
    console.print(table)
    reconciled = sum((day.reconciliation for day in days), Counter[str]())
    console.print(f"\nz-reports: {reconciled['balanced']} of {reconciled.total()} balance with the orders.")
    handed = {target: sum((day.deliveries[target] for day in days), Counter[State]()) for target in days[0].deliveries}
    delivered = ", ".join(f"{name} {counts[State.DELIVERED]}/{counts.total()}" for name, counts in handed.items())
    console.print(f"Delivered: {delivered}.", soft_wrap=False)


def _sold(days: Sequence[DayStatus], store: str | None, channel: str, currency: str) -> Decimal:
    """Gross sales of one store, or of all."""
    found = [
        amount
        for day in days
        for place, amount in day.sold.items()
        if store in (None, place[0]) and place[1:] == (channel, currency)
    ]
    return sum(found, Decimal())


def _print_next(console: Console) -> None:
    """Commands that work as they are printed, where they are printed."""
    copy = _here(demo_data_dir() / DEMO_ACCOUNT / "warehouse_read.duckdb")
    query = f"import duckdb; duckdb.connect({copy!r}, read_only=True).sql('{_FIGURES}').show()"
    program = _here(Path(sys.argv[0]).absolute())
    console.print("\nNext:", style="bold")
    console.print("1. Look at the figures, with Python or any DuckDB client:")
    console.print(f'   {_here(Path(sys.executable))} -c "{query}"')
    console.print("2. See where they come from in Dagster's UI, at http://127.0.0.1:3000:")
    console.print(f"   {program} ui")
    console.print("3. Load a day again there (Lineage, Materialize all), while the sandbox runs:")
    console.print(f"   {program} sandbox")
    console.print("Your own account: copy .env.example to .env, fill it in, and try 'doctor'.")


def _here(path: Path) -> str:
    """The path as a person would type it from the working directory."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
