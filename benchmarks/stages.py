"""Where a backfill's time goes: each stage's work, and what Dagster takes beside it."""

from __future__ import annotations

from benchmarks.clocked import STAGES
from benchmarks.pipeline import Backfill
from benchmarks.result import Bar, Result, Table
from benchmarks.workshop import Workshop

PART = "stages"
_TIMES_FLOOR, _SHARE = 1.5, 0.20
_SLOWEST = 15
_SUMMED = ("reference", "extract", "transform", "reconcile", "publish")


def stages(workshop: Workshop) -> Result:
    """Look into the large backfill, one with deliveries, and one of a year."""
    sizes = workshop.sizes
    year = sizes.per_day * sizes.year
    found = {
        f"{sizes.large:,} orders, {sizes.days} days": workshop.load(sizes.large, sizes.days)[-1],
        "the same, to SQL and CSV": workshop.load(sizes.large, sizes.days, sinks=True)[-1],
        f"{year:,} orders, {sizes.year} days": workshop.load(year, sizes.year)[-1],
    }
    days = dict(zip(found, (sizes.days, sizes.days, sizes.year), strict=True))
    large, _, annual = found.values()
    floor = workshop.script("floor", sizes.large, sizes.days)[-1].measured.seconds
    summed = large.seconds_of(*_SUMMED)
    share = 1 - annual.seconds_of() / annual.measured.seconds
    return Result(
        PART,
        "Stages",
        tables=[
            Table("Seconds of work, and what is beside it:", ("", *found), _rows(found, days)),
            Table(f"The {_SLOWEST} longest kinds of work, in seconds:", ("", *found), _longest(found)),
        ],
        bars=[
            Bar(
                f"without orchestration at most {_TIMES_FLOOR:g} times the floor's wall time, {sizes.large:,} orders",
                f"{summed / floor:.2f} times ({summed:.1f} s against {floor:.1f} s)",
                summed <= _TIMES_FLOOR * floor,
            ),
            Bar(
                f"at most {_SHARE:.0%} of a backfill's wall time in orchestration, {sizes.year} days of "
                f"{sizes.per_day:,} orders",
                f"{share:.0%}",
                share <= _SHARE,
            ),
        ],
        figures={
            name: {stage: one.seconds_of(stage) for stage in STAGES} | {"wall": one.measured.seconds}
            for name, one in found.items()
        },
        notes=[
            "`extract` is fetching and loading; a request was in flight in as much of it as its second row says. "
            "Orchestration is wall time in which none of this work was done: the start of the program, Dagster's runs, "
            "steps and events, and its records of materializations and checks."
        ],
        sizes=sizes.in_words,
    )


def _rows(found: dict[str, Backfill], days: dict[str, int]) -> list[tuple[str, ...]]:
    rows = []
    for stage in STAGES:
        rows.append((stage, *(f"{one.seconds_of(stage):.2f}" for one in found.values())))
        if stage == "extract":
            rows.append(
                ("  of it with a request in flight", *(f"{one.watched.in_flight:.2f}" for one in found.values()))
            )
    beside = {name: one.measured.seconds - one.seconds_of() for name, one in found.items()}
    return [
        *rows,
        ("orchestration", *(f"{seconds:.2f}" for seconds in beside.values())),
        ("  share", *(f"{beside[name] / one.measured.seconds:.0%}" for name, one in found.items())),
        (
            "  ms per date and asset",
            *(f"{beside[name] * 1000 / max(1, one.materializations):.1f}" for name, one in found.items()),
        ),
        ("  events", *(f"{one.events:,}" for one in found.values())),
        ("whole command", *(f"{one.measured.seconds:.2f}" for one in found.values())),
        ("  dates", *(f"{number}" for number in days.values())),
    ]


def _longest(found: dict[str, Backfill]) -> list[tuple[str, ...]]:
    first = next(iter(found.values())).steps
    every = {name for one in found.values() for name in one.steps}
    longest = sorted(every, key=lambda name: (-first.get(name, 0.0), name))[:_SLOWEST]
    return [(name, *(f"{one.steps.get(name, 0.0):.2f}" for one in found.values())) for name in longest]
