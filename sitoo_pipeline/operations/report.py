"""What a person reads when work is done. About the state of dates: ``status_report``; the demo: ``demo_report``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from sitoo_pipeline.operations.console import span, spans
from sitoo_pipeline.operations.execution import Outcome


def print_outcomes(outcomes: Sequence[Outcome], console: Console) -> None:
    """Which dates are done, and which failed and why; dates that follow each other and failed alike share a line."""
    for outcome in outcomes:
        if outcome.done:
            done, number = len(outcome.done), len(outcome.done) + len(outcome.failed)
            console.print(f"{outcome.account}: {done} of {number} dates done")
        for why in dict.fromkeys(outcome.failed[day] for day in sorted(outcome.failed)):
            for dates in spans([day for day in outcome.failed if outcome.failed[day] == why]):
                console.print(f"{outcome.account}: {span(dates)} failed: {why}")
        for note in outcome.notes:
            console.print(f"{outcome.account}: {note}")
        for warning in outcome.warnings:
            console.print(f"{outcome.account}: {warning}")


def outcomes_as_json(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The same for other programs: per account, the dates that are done, and why others failed."""
    return [
        {
            "account": outcome.account,
            "success": outcome.success,
            "done": [str(day) for day in sorted(outcome.done)],
            "failed": {str(day): outcome.failed[day] for day in sorted(outcome.failed)},
            "notes": outcome.notes,
            "warnings": outcome.warnings,
        }
        for outcome in outcomes
    ]
