"""The console of a command, and dates as a person reads them. What is shown of long work is in ``progress``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from io import UnsupportedOperation
from typing import TextIO

from rich.console import Console


def standard_output() -> TextIO:
    """Standard output as it is now. While a step runs, Dagster turns the descriptor 1 to a file of its own."""
    try:
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", 1, encoding=sys.stdout.encoding, errors="replace")
    except UnsupportedOperation:  # something that only looks like a file, as in tests
        return sys.stdout


def make_console() -> Console:
    """The console of a command. Lines are as long as their text, so that they can be copied."""
    return Console(file=standard_output(), soft_wrap=True, highlight=False, markup=False)


def span(dates: Sequence[date]) -> str:
    """``2026-03-01`` or ``2026-03-01 to 2026-03-31``."""
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"


def spans(dates: Sequence[date]) -> list[list[date]]:
    """``dates`` in order, in pieces without a gap."""
    pieces: list[list[date]] = []
    for day in sorted(dates):
        if pieces and day - pieces[-1][-1] == timedelta(days=1):
            pieces[-1].append(day)
        else:
            pieces.append([day])
    return pieces
