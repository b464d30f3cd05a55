"""From Sitoo's pages to the marts: the pipeline's command line, dlt, and the floor, over the same orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure import Measured
from benchmarks.pipeline import Backfill
from benchmarks.result import Bar, Result, Table
from benchmarks.workshop import Script, Workshop, agree

PART = "end_to_end"
_PROMISED = {"small": 8.0, "large": 12.0}
_MEMORY = 1.0e9
_MARTS, _TARGETS, _TUNED, _DEFAULT, _FLOOR = (
    "pipeline, to the marts", "pipeline, to SQL and CSV", "dlt, tuned", "dlt, default", "floor",
)  # fmt: skip
_NO_DLT = (
    "dlt is not installed here, so its rows are left out: `pip install -e '.[bench]'`, or name a Python that has it "
    "with `--dlt-python`."
)


@dataclass(frozen=True)
class _Side:
    """Runs of one side over the same orders; the one of median wall time stands for them."""

    runs: list[Backfill] | list[Script]

    @property
    def middle(self) -> Backfill | Script:
        runs: Sequence[Backfill | Script] = self.runs
        return sorted(runs, key=lambda run: run.measured.seconds)[(len(runs) - 1) // 2]

    @property
    def measured(self) -> Measured:
        return self.middle.measured

    @property
    def disk(self) -> int:
        run = self.middle
        return run.warehouse + run.landing if isinstance(run, Backfill) else run.disk


def end_to_end(workshop: Workshop) -> Result:
    """Measure both sizes."""
    sizes = workshop.sizes
    result = Result(PART, "End to end", sizes=sizes.in_words)
    for size, orders in (("small", sizes.small), ("large", sizes.large)):
        sides = _sides(workshop, size, orders)
        floor = sides[_FLOOR].runs[0]
        assert isinstance(floor, Script)
        for side in sides.values():
            for run in side.runs:
                agree(floor, run)
        result.tables.append(_table(orders, floor, sides))
        result.figures[size] = {name: _figures(orders, side) for name, side in sides.items()}
        result.bars += _bars(size, orders, sides)
        loaded = sides[_MARTS].middle
        assert isinstance(loaded, Backfill)
        result.figures[size]["z-reports"] = loaded.reconciled
        told = ", ".join(f"{number:,} {status}" for status, number in loaded.reconciled.items())
        result.notes.append(f"Z-reports of the {orders:,} orders: {told}.")
        result.notes += [_stages(name, side.middle) for name, side in sides.items() if isinstance(side.middle, Script)]
    if workshop.dlt_python is None:
        result.notes.append(_NO_DLT)
    return result


def _sides(workshop: Workshop, size: str, orders: int) -> dict[str, _Side]:
    days, times = workshop.sizes.days, workshop.sizes.repeats if size == "small" else 1
    sides = {}
    for number in range(1, times + 1):  # in turn, so that a slow minute of the machine meets all of them
        sides[_FLOOR] = _Side(workshop.script("floor", orders, days, times=number))
        sides[_MARTS] = _Side(workshop.load(orders, days, times=number))
    sides[_TARGETS] = _Side(workshop.load(orders, days, sinks=True))
    if workshop.dlt_python:
        sides[_TUNED] = _Side(workshop.script("tuned", orders, days))
        if size == "small":
            sides[_DEFAULT] = _Side(workshop.script("default", orders, days))
    return {name: sides[name] for name in (_MARTS, _TARGETS, _TUNED, _DEFAULT, _FLOOR) if name in sides}


def _stages(name: str, script: Script) -> str:
    """What a script did with its time, and with which versions where it is not this Python."""
    spent = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in script.stages.items())
    with_what = f" ({script.said['dlt']}, DuckDB {script.said['duckdb']})" if "dlt" in script.said else ""
    return f"{script.orders:,} orders by {name}{with_what}: {spent}."


def _figures(orders: int, side: _Side) -> dict[str, float]:
    measured = side.measured
    return {
        "seconds": measured.seconds,
        "orders_per_second": orders / measured.seconds,
        "processor_seconds": measured.cpu_seconds,
        "peak_memory": measured.peak_memory or 0,
        "disk": side.disk,
        "requests": side.middle.watched.requests.total(),
    }


def _table(orders: int, floor: Script, sides: dict[str, _Side]) -> Table:
    tuned = sides.get(_TUNED)
    rows = []
    for name, side in sides.items():
        one = side.measured
        rows.append(
            (
                name,
                f"{one.seconds:.2f}",
                f"{orders / one.seconds:,.0f}",
                f"{tuned.measured.seconds / one.seconds:.1f}" if tuned else "",
                f"{sides[_FLOOR].measured.seconds / one.seconds:.2f}",
                f"{one.cpu_seconds:.1f}",
                "" if one.peak_memory is None else f"{one.peak_memory / 1e6:,.0f}",
                f"{side.disk / 1e6:,.0f}",
                f"{side.middle.watched.requests.total():,}",
            )
        )
    received = int(str(floor.said["bytes"]))
    return Table(
        f"{floor.orders:,} orders of {received / floor.orders / 1000:.1f} KB JSON and "
        f"{floor.lines / floor.orders:.2f} lines each"
        + (f"; the median of {len(sides[_MARTS].runs)} runs" if len(sides[_MARTS].runs) > 1 else "")
        + ":",
        (
            "",
            "seconds",
            "orders/s",
            "times dlt, tuned",
            "times the floor",
            "processor s",
            "peak MB",
            "disk MB",
            "requests",
        ),
        rows,
    )


def _bars(size: str, orders: int, sides: dict[str, _Side]) -> list[Bar]:
    ours, promised = sides[_MARTS].measured, _PROMISED[size]
    promise = f"at least {promised:g} times tuned dlt, {orders:,} orders"
    if _TUNED in sides:
        ratio = sides[_TUNED].measured.seconds / ours.seconds
        bars = [Bar(promise, f"{ratio:.1f} times", ratio >= promised)]
    else:
        bars = [Bar(promise, "dlt is not installed", None)]
    if size == "large":
        most = max(sides[name].measured.peak_memory or 0 for name in (_MARTS, _TARGETS))
        promise = f"peak memory of the process tree at most {_MEMORY / 1e9:.1f} GB, {orders:,} orders"
        bars.append(Bar(promise, f"{most / 1e9:.2f} GB", most <= _MEMORY if most else None))
    return bars
