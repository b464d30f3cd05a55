"""A person looks at the targets that cannot be asked, and says what became of what is in doubt."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from rich.console import Console

from sitoo_pipeline.operations.delivering import hand_over
from sitoo_pipeline.sinks import Settlement, State
from sitoo_pipeline_tests.pipeline.soak_findings import IN_DOUBT, mails, receipts, states
from sitoo_pipeline_tests.pipeline.soak_world import AT_MOST_ONCE, World


def settle(world: World) -> None:
    """Say of each record in doubt what is true; what did not arrive is then sent."""
    world.heal()
    there = {"ometria_receipt": receipts(world), "weekly_balance_mail": mails(world)}
    doubtful = [(target, key) for (_, target, key), state in states(world).items() if state in IN_DOUBT]
    for account in world.project.settings.accounts:
        file = Path(account.deliveries_url.get_secret_value().removeprefix("sqlite:///"))
        with closing(sqlite3.connect(file)) as con, con:  # nobody waits here until it surely is not on its way any more
            con.execute("UPDATE deliveries SET updated_at = '2026-11-20 00:00:00.000000' WHERE state = 'pending'")
    for target in sorted(AT_MOST_ONCE):
        for verdict in (State.DELIVERED, State.RETRY):
            has = verdict is State.DELIVERED
            if keys := tuple(key for name, key in doubtful if name == target and (key in there[target]) is has):
                with world.project.home():
                    hand_over(
                        world.project.settings,
                        world.project.settings.accounts,
                        target,
                        world.dates[0],
                        world.dates[-1],
                        force=False,
                        rejected=False,
                        console=Console(quiet=True),
                        settlement=Settlement(verdict, "soak", "looked at the target", keys),
                    )
