"""The verbs that look after what is kept: upgrades of the warehouse. Part of ``cli``."""

from __future__ import annotations

from typing import Annotated

import typer

from sitoo_pipeline.command import accounts_or_exit, clearly, say, settings_or_exit, standard_console

app = typer.Typer(rich_markup_mode=None)

AccountName = Annotated[str | None, typer.Option("--account", help="Only this account; every account without it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]


@app.command(short_help="Warehouses brought to this version's schema.")
@clearly
def upgrade(account: AccountName = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Bring each warehouse to the schema of this version, after a copy was put beside it, and say what is to do then.

    The next run would do the same. A warehouse that a newer version wrote is refused. Ends with 1 if one could not be
    upgraded.
    """
    settings = settings_or_exit()
    accounts = accounts_or_exit(settings, account)
    from dataclasses import asdict

    from sitoo_pipeline.operations.upgrading import upgrade_warehouse

    console = standard_console()
    done = [upgrade_warehouse(chosen) for chosen in accounts]
    for outcome in done:
        if outcome.problem:
            say(f"{outcome.account}: {outcome.problem}")
        elif not as_json:
            for line in outcome.lines:
                console.print(f"{outcome.account}: {line}")
    if as_json:
        console.print_json(data=[asdict(outcome) for outcome in done])
    if any(outcome.problem for outcome in done):
        raise typer.Exit(1)
