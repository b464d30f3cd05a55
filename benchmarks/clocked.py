"""The pipeline's own command line with a clock around the functions that do the work.

``python -m benchmarks.clocked FILE ARGUMENTS`` is ``sitoo-pipeline ARGUMENTS``, and writes to FILE when each of these
functions was at work. What is not in any of them is orchestration: the start of the program, Dagster's runs, steps and
events, and what reports them.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

STAGES = ("reference", "extract", "transform", "reconcile", "check", "publish", "deliver")


class Place(NamedTuple):
    """A function that does work: where its name is looked up when it is called, and what it does."""

    module: str
    name: str
    stage: Callable[[tuple[Any, ...]], tuple[str, str]]


def _of_table(stage: str) -> Callable[[tuple[Any, ...]], tuple[str, str]]:
    return lambda arguments: (stage, f"raw {arguments[1].name}")


def _of_computation(arguments: tuple[Any, ...]) -> tuple[str, str]:
    name = f"{arguments[1].layer} {arguments[1].name}"
    return ("reconcile" if "reconciliation" in name else "transform"), name


def _of_target(arguments: tuple[Any, ...]) -> tuple[str, str]:
    return "deliver", arguments[0]._sink.name


PLACES = (
    Place("sitoo_pipeline.assets.raw", "extract_reference", _of_table("reference")),
    Place(
        "sitoo_pipeline.assets.fetching",
        "Fetcher.take",
        lambda arguments: ("extract", f"raw {arguments[0].table.name}"),
    ),
    Place("sitoo_pipeline.assets.raw", "load_fetched", _of_table("extract")),
    Place("sitoo_pipeline.assets.computed", "compute_whole", lambda arguments: ("reference", "core reference")),
    Place("sitoo_pipeline.assets.computed", "compute_dates", _of_computation),
    Place("sitoo_pipeline.assets.checks", "exceptions", lambda arguments: ("check", "checks")),
    Place("sitoo_pipeline.warehouse.connection", "Warehouse.publish", lambda arguments: ("publish", "read copy")),
    Place("sitoo_pipeline.assets.deliveries", "Handover.tied", _of_target),
    Place("sitoo_pipeline.assets.deliveries", "Handover.hand_over", _of_target),
)

Worked = list[tuple[str, str, float, float]]
"""Stage, what, begin and end of each call, in seconds since the first clock was put on."""


def put_on(place: Place, worked: Worked) -> None:
    """Put a clock around a function.

    Raises:
        AttributeError: there is no such function any more; then ``PLACES`` has to name what does that work now.
    """
    owner, name = place.name.rpartition(".")[::2]
    holder: Any = importlib.import_module(place.module)
    holder = getattr(holder, owner) if owner else holder
    works: Callable[..., Any] = getattr(holder, name)

    @wraps(works)
    def clocked(*arguments: Any, **named: Any) -> Any:
        begin = time.perf_counter()
        try:
            return works(*arguments, **named)
        finally:
            worked.append((*place.stage(arguments), begin, time.perf_counter()))

    setattr(holder, name, clocked)


def main() -> None:
    file, sys.argv = Path(sys.argv[1]), ["sitoo-pipeline", *sys.argv[2:]]
    worked: Worked = []
    for place in PLACES:
        put_on(place, worked)
    from sitoo_pipeline import cli

    try:
        cli.main()
    finally:
        file.write_text(json.dumps(worked))


if __name__ == "__main__":
    main()
