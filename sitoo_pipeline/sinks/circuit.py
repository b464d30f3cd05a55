"""Whether a target works: noted batch by batch, and remembered for as long as a step hands dates to it.

A target that is out of reach would be tried, with all the patience of a request, for every date of a run. What does not
belong here: what the ledger says of a target that asked to be left alone until some time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sitoo_pipeline.sinks.contract import Outcome, State

GIVE_UP_AFTER = 3
"""Batches in a row of which nothing was taken: then the target is not working and the rest waits for the next run."""

_TAKEN = (State.DELIVERED, State.REJECTED, State.HELD)
"""What a target that works makes of a record."""


@dataclass
class Circuit:
    """Closed while the target works. Open, it is neither asked nor given anything; ``reason`` says why."""

    reason: str = ""
    in_vain: int = 0

    @property
    def is_open(self) -> bool:
        """Whether there is no use in trying anything else."""
        return bool(self.reason)

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Take in what became of a batch. A target opens it by saying ``stop``, or by taking nothing several times."""
        stopped = [outcome for outcome in outcomes if outcome.stop]
        self.in_vain = 0 if any(outcome.state in _TAKEN for outcome in outcomes) else self.in_vain + 1
        if stopped or self.in_vain == GIVE_UP_AFTER:
            self.reason = (stopped or outcomes)[0].answer or "no reason given"
