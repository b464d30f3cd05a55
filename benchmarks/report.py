"""The figures as a page that people read: the same on the screen and in ``results.md``."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.comparison import Comparison
from benchmarks.measure import Measured
from benchmarks.pipeline import STAGES

_PACKAGES = ("dagster", "duckdb", "polars", "pyarrow", "httpx")
_SLOWEST = 12


def as_markdown(found: Comparison) -> str:
    """Machine, figures, and what they mean."""
    floor, backfills = found.floor, list(found.backfills.values())
    measured = [floor.measured, *(one.measured for one in backfills)]
    requests = [floor.requests, *(one.requests for one in backfills)]
    furthest = backfills[-1]
    return "\n".join(
        [
            "# Benchmark",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}.",
            "",
            f"{floor.orders:,} orders of {floor.json_bytes / floor.orders / 1000:.1f} KB JSON and "
            f"{floor.lines / floor.orders:.2f} lines each, in {found.period.days} days "
            f"({found.period.first} to {found.period.last}):",
            "",
            *_table(
                ("", "floor", *(f"pipeline, {way}" for way in found.backfills)),
                [
                    ("seconds", *(f"{one.seconds:.2f}" for one in measured)),
                    ("orders per second", *(f"{floor.orders / one.seconds:,.0f}" for one in measured)),
                    ("times the floor", *(f"{one.seconds / floor.measured.seconds:.2f}" for one in measured)),
                    ("processor seconds", *(f"{one.cpu_seconds:.2f}" for one in measured)),
                    ("peak memory, MB", *(_megabytes(one) for one in measured)),
                    ("requests", *(f"{one.total():,}" for one in requests)),
                    ("warehouse, MB", "", *(f"{one.warehouse / 1e6:.1f}" for one in backfills)),
                    ("landing folder, MB", "", *(f"{one.landing / 1e6:.1f}" for one in backfills)),
                ],
            ),
            "",
            "Seconds per stage of the pipeline; `other` is the start of the program and what lies between the runs:",
            "",
            *_table(
                ("stage", *found.backfills),
                [
                    *((stage, *(f"{one.stages[stage]:.2f}" for one in backfills)) for stage in STAGES),
                    ("other", *(f"{one.measured.seconds - sum(one.stages.values()):.2f}" for one in backfills)),
                ],
            ),
            "",
            "Seconds per stage of the floor, the start of Python left out: "
            + ", ".join(f"{name} {seconds:.2f}" for name, seconds in floor.stages.items())
            + ".",
            "",
            f"The {_SLOWEST} slowest steps of the last backfill:",
            "",
            *_table(
                ("step", "seconds"),
                (
                    (step, f"{seconds:.2f}")
                    for step, seconds in sorted(furthest.steps.items(), key=lambda item: -item[1])[:_SLOWEST]
                ),
            ),
            "",
            "Its requests: "
            + ", ".join(f"{path} {number:,}" for path, number in sorted(furthest.requests.items()))
            + ".",
            "",
            "Its z-reports: "
            + ", ".join(f"{number:,} {status}" for status, number in furthest.reconciled.items())
            + ".",
            "",
            _NOTES,
            "",
        ]
    )


_NOTES = """\
How it is measured: a server on this machine gives pages of 1,000 orders of the sandbox, compressed
beforehand, to one API user, without latency. The pipeline is its own command line (`backfill`) in a new
process over an empty account: start of Python, Dagster's runs and history, every table, every check and the
read copy included. It also fetches the reference lists, the z-reports and the stock of one store, which the
floor does not. The floor is a bare script: it fetches the same orders, reads them once into orders, lines and
payments, and adds up the lines by store and hour. Both must come to the same number of orders and the same
gross amount, or there are no figures.

Peak memory is the kernel's own peak of resident memory (`VmHWM`) of the process and of those below it; the
server is not in it. Requests are counted by the server. Processor seconds are those of all threads."""


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, Python {platform.python_version()}, {packages}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _megabytes(measured: Measured) -> str:
    return "" if measured.peak_memory is None else f"{measured.peak_memory / 1e6:,.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:]]
