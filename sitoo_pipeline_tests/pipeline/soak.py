"""A chain goes to every target while everything fails now and then and the process is killed again and again.

What belongs here: the lives of the process, when each is killed, and the long run by hand::

    python -m sitoo_pipeline_tests.pipeline.soak --stores 10 --days 30 --seed 1

What does not: the servers and their faults (``soak_world``), and what must be held in the end (``soak_findings``).
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sitoo_pipeline.sandbox import Chain
from sitoo_pipeline_tests.pipeline.soak_findings import findings, further_run, in_doubt, states, undelivered
from sitoo_pipeline_tests.pipeline.soak_settling import settle
from sitoo_pipeline_tests.pipeline.soak_world import AT_MOST_ONCE, CALLS, FIRST, World

LONGEST = 3600
"""Seconds after which a life that does not end is a failure."""


@dataclass(frozen=True)
class Moment:
    """When a life is to end: so many seconds after the ``number``-th call of a kind came in."""

    call: str
    number: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds * 1000:.0f} ms after call {self.number} of {self.call}"


@dataclass(frozen=True)
class Life:
    """One process, and how it ended: ``code`` is negative where it was killed."""

    code: int
    seconds: float
    said: str
    meant: Moment | None

    @property
    def was_killed(self) -> bool:
        return self.code < 0

    def __str__(self) -> str:
        end = "killed" if self.was_killed else f"exit {self.code}, left {', '.join(sorted(self.leaves)) or 'nothing'}"
        return f"{self.seconds:.0f} s, {end}; to be killed {self.meant or 'never'}"

    @property
    def leaves(self) -> set[str]:
        """The targets that it says it could not hand everything to; ``*`` where something else failed."""
        reasons = re.split(r"\S+ (?:to \S+ )?failed: ", self.said)[1:]
        found = [re.findall(r"(\w+): \d+ of \d+ records were not delivered", reason) or ["*"] for reason in reasons]
        return {name for names in found for name in names} or ({"*"} if self.code else set())


@dataclass
class Soak:
    """The lives so far, under faults of ``rate``; what chance decides, ``seed`` decides."""

    world: World
    usual: Counter[str]
    seed: int
    rate: float = 0.1
    lives: list[Life] = field(default_factory=list)
    tell: Callable[[str], None] = lambda _: None

    def run(self, *, kills: int, most_lives: int) -> None:
        """Kill as many processes, then run until one has nothing left to do but what a person has to decide."""
        rng = random.Random(self.seed)
        while len(self.lives) < most_lives:
            missing = kills - sum(life.was_killed for life in self.lives)
            # Half of the lives see a fault at a time, the others three in a row: as many in all.
            self.world.spoil(rate=self.rate, burst=1 + 2 * (len(self.lives) % 2), seed=rng.randrange(10**6))
            life = self._live(self._moment(rng, kills) if missing > 0 else None)
            self.lives.append(life)
            self.tell(f"life {len(self.lives)}: {life}")
            if missing <= 0 and not life.was_killed and self._is_settled(life):
                break
        self.world.heal()

    def _moment(self, rng: random.Random, kills: int) -> Moment:
        """Any kind of call alike, and early enough that all the lives together need not begin anything anew."""
        is_settled = any(not life.was_killed and self._is_settled(life) for life in self.lives)
        call = rng.choice(["sitoo"] if is_settled else sorted(self.usual))  # nothing else is called any more
        longest = rng.choice([0.0, 0.05, 0.5])
        return Moment(call, rng.randint(1, max(1, self.usual[call] // max(kills, 1))), rng.uniform(0, longest))

    def _is_settled(self, life: Life) -> bool:
        return life.leaves <= AT_MOST_ONCE and "retry" not in states(self.world).values()

    def _live(self, moment: Moment | None) -> Life:
        dates = self.world.dates
        command = [sys.executable, "-m", "sitoo_pipeline", "backfill", "--from", str(dates[0]), "--to", str(dates[-1])]
        project, started, seen = self.world.project, time.monotonic(), 0
        with (
            tempfile.TemporaryFile("w+") as out,
            subprocess.Popen(
                command,
                cwd=project.folder,
                env={**project.environment(), "COLUMNS": "10000"},
                stdout=out,
                stderr=subprocess.STDOUT,
            ) as process,
        ):

            def on_call(kind: str) -> None:
                nonlocal seen
                if moment is not None and kind == moment.call:
                    seen += 1
                    if seen == moment.number:
                        threading.Timer(moment.seconds, process.kill).start() if moment.seconds else process.kill()

            self.world.on_call = on_call
            try:
                code = process.wait(LONGEST)
            finally:
                self.world.on_call = lambda _: None
                process.kill()
            out.seek(0)
            return Life(code, time.monotonic() - started, " ".join(out.read().split()), moment)


def in_peace(world: World) -> Counter[str]:
    """Take everything through once, without any fault; returns how many calls of each kind that takes."""
    usual: Counter[str] = Counter()
    world.on_call = lambda kind: usual.update([kind])
    world.heal()
    outcomes = world.load()
    assert all(outcome.success for outcome in outcomes), [outcome.failed for outcome in outcomes]
    assert set(usual) == set(CALLS)
    return usual


def main() -> int:
    """The long run; what was found wrong is printed, and makes the exit code 1."""
    asked = argparse.ArgumentParser(description=__doc__)
    for name, default in (("stores", 10), ("days", 30), ("seed", 1), ("orders-per-day", 110), ("kills", 10)):
        asked.add_argument(f"--{name}", type=int, default=default)
    given = asked.parse_args()
    chain = Chain(stores=given.stores, seed=given.seed, opened=FIRST, orders_per_day=given.orders_per_day)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        World(Path(folder, "peace"), chain, given.days, patience=60.0, is_apart=True) as peace,
        World(Path(folder, "soak"), chain, given.days, patience=1.0, is_apart=True) as at,
    ):
        began = time.monotonic()
        usual = in_peace(peace)
        _say(f"in peace: {time.monotonic() - began:.0f} s, calls {dict(usual)}, records {_told(peace)}")
        soak = Soak(at, usual, given.seed, tell=_say)
        soak.run(kills=given.kills, most_lives=4 * given.kills + 20)
        _say(f"calls in all {dict(at.calls)}, of which failed {dict(at.faults_given)}, records {_told(at)}")
        _say(f"in doubt, for a person to decide: {in_doubt(at) or 'nothing'}")
        wrong = findings(peace, at)
        _say("\n".join(wrong) or "every target holds exactly what it holds in peace")
        more = further_run(at)
        _say("\n".join(more) or "a further run sends nothing")
        settle(at)
        left = [f"after it was settled: {line}" for line in (*findings(peace, at), *undelivered(at), *further_run(at))]
        _say("\n".join(left) or "settled: everything is delivered once, and a further run sends nothing")
    return 1 if wrong or more or left else 0


def _told(world: World) -> dict[str, int]:
    return dict(Counter(f"{target} {state}" for (_, target, _), state in sorted(states(world).items())))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
