"""How soon the command answers, and a whole night's run of ten stores on the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from benchmarks.measure import Measured, clean_environment, measure
from benchmarks.period import TIMEZONE
from benchmarks.result import Bar, Result, Table
from benchmarks.workshop import Workshop, say
from sitoo_pipeline.operations.demo import environment
from sitoo_pipeline.sandbox import Chain, Sandbox

PART = "command_line"
_HELP, _NIGHT = 0.3, 10.0
_STORES, _LOADED = 10, 7
_HISTORY = timedelta(days=21)


def command_line(workshop: Workshop) -> Result:
    """Time both."""
    helped, imported = _starts(workshop)
    nights = _nights(workshop)
    ratio = helped / imported
    night = nights["run --date, yesterday"].seconds
    return Result(
        PART,
        "Command line",
        tables=[
            Table(
                "Seconds from start to end, the median of several:",
                ("", "seconds"),
                [("sitoo-pipeline --help", f"{helped:.2f}"), ("import dagster", f"{imported:.2f}")],
            ),
            Table(
                f"A night of {_STORES} stores on the sandbox, {_LOADED} days loaded before; to SQL, CSV, SameSystem "
                "and Ometria:",
                ("", "seconds", "processor s", "peak MB"),
                [
                    (name, f"{one.seconds:.2f}", f"{one.cpu_seconds:.1f}", f"{(one.peak_memory or 0) / 1e6:,.0f}")
                    for name, one in nights.items()
                ],
            ),
        ],
        bars=[
            Bar(f"--help in under {_HELP:g} times the time of `import dagster`", f"{ratio:.2f} times", ratio < _HELP),
            Bar(
                f"a night's run of {_STORES} stores under {_NIGHT:g} seconds, start to delivered",
                f"{night:.1f} s",
                night < _NIGHT,
            ),
        ],
        notes=[
            "The sandbox runs in the benchmark's own process, so that its time is not in the processor seconds. "
            "`run` without a date also asks what came late or changed, and runs those dates again."
        ],
        figures={"help": helped, "import_dagster": imported, "night": night},
    )


def _starts(workshop: Workshop) -> tuple[float, float]:
    workshop.folder.mkdir(parents=True, exist_ok=True)
    commands = (["-m", "sitoo_pipeline", "--help"], ["-c", "import dagster"])
    found: tuple[list[float], list[float]] = ([], [])
    say("the command's answer to --help")
    for _ in range(2 * workshop.sizes.repeats + 1):
        for command, seconds in zip(commands, found, strict=True):
            begin = time.perf_counter()
            called = [sys.executable, *command]
            subprocess.run(called, cwd=workshop.folder, env=clean_environment(), check=True, capture_output=True)
            seconds.append(time.perf_counter() - begin)
    return median(found[0]), median(found[1])


def _nights(workshop: Workshop) -> dict[str, Measured]:
    today = datetime.now(ZoneInfo(TIMEZONE)).date()
    first, yesterday = today - timedelta(days=_LOADED + 1), today - timedelta(days=1)
    folder = workshop.new_folder("nights")
    folder.mkdir(parents=True)
    chain = Chain(stores=_STORES, opened=first - _HISTORY, timezone=TIMEZONE)
    say(f"a night of {_STORES} stores on the sandbox")
    with Sandbox(chain=chain) as sandbox:
        variables = environment(sandbox, first, account="bench")
        before = ["backfill", "--from", first.isoformat(), "--to", (yesterday - timedelta(days=1)).isoformat()]
        _command(before, folder, variables)
        return {
            "run --date, yesterday": _command(["run", "--date", yesterday.isoformat()], folder, variables),
            "run, with what came late": _command(["run"], folder, variables),
        }


def _command(arguments: list[str], folder: Path, variables: Mapping[str, str]) -> Measured:
    environ = clean_environment() | dict(variables) | {"SITOO_PIPELINE_DATA_DIR": str(folder), "TERM": "dumb"}
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
    return measure([sys.executable, "-m", "sitoo_pipeline", *arguments], cwd=folder, environ=environ)
