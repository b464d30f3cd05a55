"""What a person reads when the work is done: tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from sitoo_pipeline.operations.execution import Outcome
from sitoo_pipeline.operations.status import DayStatus
from sitoo_pipeline.settings.demo import DEMO_ACCOUNT
from sitoo_pipeline.sinks import State

_NEXT = (
    ("Look at the figures", "duckdb {folder}/warehouse_read.duckdb", "or the query in the README, with Python alone"),
    ("Look at where they come from", "sitoo-pipeline ui", "then open http://127.0.0.1:3000"),
    ("Load a day again from the UI", "sitoo-pipeline sandbox", "in a second terminal, while the UI runs"),
)


def money(amount: Decimal) -> str:
    """``12 345.60``: two decimals, a space between thousands."""
    return f"{amount:,.2f}".replace(",", " ")


def print_outcomes(outcomes: Sequence[Outcome], console: Console) -> None:
    """Which dates are done, and each failed date with its reason."""
    for outcome in outcomes:
        done = len(outcome.done)
        console.print(f"{outcome.account}: {done} of {done + len(outcome.failed)} dates done")
        for day, why in sorted(outcome.failed.items()):
            console.print(f"{outcome.account}: {day} failed: {why}")
        for warning in outcome.warnings:
            console.print(f"{outcome.account}: {warning}")


def print_status(days: Sequence[DayStatus], console: Console) -> None:
    """One row per account and date."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("account", "date", "state", "z-reports", "deliveries", "note"):
        table.add_column(column, overflow="fold")
    for day in days:
        table.add_row(
            day.account, str(day.business_date), day.state, reconciled(day), delivered(day), "; ".join(day.reasons)
        )
    console.print(table)


def reconciled(day: DayStatus) -> str:
    """``12 balanced`` or ``11 balanced, 1 unbalanced``."""
    return ", ".join(f"{day.reconciliation[name]} {name}" for name in sorted(day.reconciliation)) or "none"


def delivered(day: DayStatus) -> str:
    """Each target with how many records it has, and how many it has not."""
    said = []
    for target, counts in sorted(day.deliveries.items()):
        others = [f"{counts[state]} {state}" for state in State if state is not State.DELIVERED and counts[state]]
        if target in day.not_handed_over:
            others.append("nothing handed over")
        said.append(f"{target} {counts[State.DELIVERED]}" + (f" ({', '.join(others)})" if others else ""))
    return ", ".join(said) or "no targets"


def print_demo(days: Sequence[DayStatus], troubles: Sequence[str], console: Console) -> None:
    """What each store sold on each day, whether the z-reports balance, what was delivered, and what to try next."""
    names = {store: name or store for day in days for store, name in sorted(day.store_names.items())}
    table = Table(title="Gross sales per store and day (tills, SEK)", title_justify="left", header_style="bold")
    table.add_column("date")
    for store in sorted(names):
        table.add_column(f"{store} {names[store]}", justify="right", overflow="fold")
    table.add_column("z-reports")
    table.add_column("delivered")
    for day in days:
        sold = {store: amount for (store, _), amount in day.sold.items()}
        amounts = [money(sold[store]) if store in sold else "-" for store in sorted(names)]
        table.add_row(str(day.business_date), *amounts, reconciled(day), _records(day))
    console.print(table)
    for trouble in troubles:
        console.print(trouble)
    count = sum(day.reconciliation.total() for day in days)
    balanced = sum(day.reconciliation["balanced"] for day in days)
    console.print(f"{balanced} of {count} z-reports balance with the orders.")
    totals = {target: sum(day.deliveries[target][State.DELIVERED] for day in days) for target in days[0].deliveries}
    console.print("Delivered: " + ", ".join(f"{number} to {target}" for target, number in totals.items()) + ".")
    console.print("\nNext:")
    for number, (what, command, hint) in enumerate(_NEXT, start=1):
        console.print(f"  {number}. {what}: [bold]{command.format(folder='data/' + DEMO_ACCOUNT)}[/bold] ({hint})")


def _records(day: DayStatus) -> str:
    number = sum(counts[State.DELIVERED] for counts in day.deliveries.values())
    return f"{number} records" if day.is_delivered else f"[red]not all ({number} records)[/red]"
