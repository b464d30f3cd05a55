"""Whether time per order and memory stay flat: with more orders, with more days, and when one day is loaded again."""

from __future__ import annotations

from benchmarks.period import Period
from benchmarks.pipeline import Backfill, backfill
from benchmarks.result import Bar, Result, Table
from benchmarks.workshop import Workshop, say

PART = "growth"
_RELOAD, _FLAT = 0.02, 1.15


def growth(workshop: Workshop) -> Result:
    """Load more and more, and load one day of the large account again."""
    sizes = workshop.sizes
    sold = {sizes.year: sizes.per_day * sizes.year, sizes.days: sizes.large}
    again = {days: _again(workshop, orders, days) for days, orders in sold.items()}
    by_orders = {n: workshop.load(n, sizes.days)[-1] for n in (sizes.large, sizes.small, sizes.least)}
    by_days = {n: workshop.load(n * sizes.per_day, n)[-1] for n in sorted({1, sizes.days, sizes.year})}
    orders = {f"{n:,} orders, {sizes.days} days": one for n, one in sorted(by_orders.items())}
    days = {f"{n} days of {sizes.per_day:,} orders": one for n, one in by_days.items()}
    shares = {days: one.measured.seconds / whole.measured.seconds for days, (one, whole) in again.items()}
    longer = _per_order(by_days[sizes.year]) / _per_order(by_days[sizes.days])
    more = _per_order(by_orders[sizes.large]) / _per_order(by_orders[sizes.small])
    memory = _memory(by_days[sizes.year]) / _memory(by_days[sizes.days])
    flat = f"at most {_FLAT:g} times"
    return Result(
        PART,
        "Growth",
        tables=[
            Table(
                "From nothing to the marts:",
                ("", "seconds", "ms per order", "processor ms per order", "peak MB", "disk MB"),
                [_row(name, one) for name, one in {**orders, **days}.items()],
            ),
            Table(
                "One day loaded again:",
                ("", *(f"of {days} days" for days in again)),
                [
                    ("orders of the account", *(f"{whole.orders:,}" for _, whole in again.values())),
                    ("orders of the day", *(f"{whole.orders // days:,}" for days, (_, whole) in again.items())),
                    ("seconds", *(f"{one.measured.seconds:.2f}" for one, _ in again.values())),
                    ("of it work", *(f"{one.seconds_of():.2f}" for one, _ in again.values())),
                    ("processor seconds", *(f"{one.measured.cpu_seconds:.1f}" for one, _ in again.values())),
                    ("requests", *(f"{one.watched.requests.total():,}" for one, _ in again.values())),
                    ("seconds of loading all", *(f"{whole.measured.seconds:.2f}" for _, whole in again.values())),
                ],
            ),
        ],
        bars=[
            *(
                Bar(
                    f"one day of {days} again under {_RELOAD:.0%} of the time of loading all",
                    f"{share:.1%}, with {1 / days:.1%} of the orders",
                    share < _RELOAD,
                )
                for days, share in shares.items()
            ),
            Bar(
                f"time per order flat, {sizes.small:,} to {sizes.large:,} orders ({flat})",
                f"{more:.2f} times",
                more <= _FLAT,
            ),
            Bar(
                f"time per order flat, {sizes.days} to {sizes.year} days ({flat})",
                f"{longer:.2f} times",
                longer <= _FLAT,
            ),
            Bar(
                f"peak memory flat, {sizes.days} to {sizes.year} days ({flat})", f"{memory:.2f} times", memory <= _FLAT
            ),
        ],
        figures={
            "runs": {name: _figures(one) for name, one in {**orders, **days}.items()},
            "reload": {days: one.measured.seconds for days, (one, _) in again.items()},
        },
        sizes=f"{sizes.least:,} to {sizes.large:,} orders, 1 to {sizes.year} days",
    )


def _again(workshop: Workshop, orders: int, days: int) -> tuple[Backfill, Backfill]:
    """One day of an account loaded again, and all of it loaded."""
    whole = workshop.load(orders, days)[-1]
    period = Period.of(days)
    server = workshop.server(orders, period)
    say(f"one day of {orders:,} orders in {days} days again")
    middle = period.day(days // 2)
    return backfill(server=server, period=period, folder=whole.folder, dates=Period(middle, middle)), whole


def _per_order(one: Backfill) -> float:
    return one.measured.seconds / one.orders


def _memory(one: Backfill) -> float:
    return one.measured.peak_memory or 1


def _figures(one: Backfill) -> dict[str, float]:
    return {
        "orders": one.orders,
        "seconds": one.measured.seconds,
        "processor_seconds": one.measured.cpu_seconds,
        "peak_memory": one.measured.peak_memory or 0,
    }


def _row(name: str, one: Backfill) -> tuple[str, ...]:
    return (
        name,
        f"{one.measured.seconds:.2f}",
        f"{_per_order(one) * 1000:.3f}",
        f"{one.measured.cpu_seconds * 1000 / one.orders:.3f}",
        f"{_memory(one) / 1e6:,.0f}",
        f"{(one.warehouse + one.landing) / 1e6:,.0f}",
    )
