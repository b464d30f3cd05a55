"""The verb ``deliver``: a period to one target again. Nothing heavy is imported before it needs it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from sitoo_pipeline.command import (
    accounts_or_exit,
    clearly,
    fail,
    is_verbose,
    parse_day,
    settings_or_exit,
    standard_console,
)

AccountName = Annotated[str | None, typer.Option("--account", help="Only this account; every account without it.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]
OverwriteApproved = Annotated[
    bool | None,
    typer.Option(
        "--overwrite-approved/--keep-approved",
        help="SameSystem: whether confirmed days and approved weeks are reopened where a figure differs, and restored. "
        "As the settings say without it.",
    ),
]


@clearly
def deliver(
    target: Annotated[str, typer.Option("--target", help="The target's name, as in the ledger.")],
    first: Annotated[date, typer.Option("--from", parser=parse_day, metavar="DATE", help="First business date.")],
    last: Annotated[date, typer.Option("--to", parser=parse_day, metavar="DATE", help="Last business date, included.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; send and write nothing.")] = False,  # noqa: FBT002
    force: Annotated[bool, typer.Option("--force", help="Send everything, also what the target has already.")] = False,  # noqa: FBT002
    rejected: Annotated[bool, typer.Option("--rejected", help="Send also what the target refused before.")] = False,  # noqa: FBT002
    settle: Annotated[
        str | None,
        typer.Option(
            "--settle",
            metavar="delivered|retry|rejected",
            help="Say of records in doubt (unknown, pending) what became of them: they arrived; they did not, and are "
            "to be sent; they did not, and are not to be sent. An e-mail in retry can be rejected too, by its --key.",
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="With --settle: how you know. Kept with the record.")] = "",
    keys: Annotated[
        list[str] | None, typer.Option("--key", help="With --settle: only this record. May be given several times.")
    ] = None,
    overwrite_approved: OverwriteApproved = None,
    account: AccountName = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Hand a period to one target again: what is new, changed or not delivered yet, and nothing else.

    With --dry-run nothing is sent: it shows each record that would be, and how the target differs where that can be
    read; it ends with 1 where a target could not be read. Dates have to be loaded. With --settle you say what became
    of records in doubt; then their dates are handed over as usual.
    """
    if settle is None and (why or keys):
        fail("--why and --key go with --settle", 2)
    if settle is not None and (dry_run or force or rejected):
        fail("--settle goes without --dry-run, --force and --rejected", 2)
    if overwrite_approved is not None and target != "samesystem":
        fail("--overwrite-approved and --keep-approved go with --target samesystem", 2)
    settings = settings_or_exit()
    accounts = accounts_or_exit(settings, account)
    from sitoo_pipeline.operations import delivering

    said = None if settle is None else delivering.settlement(settle, why=why, keys=keys or [])
    console, found = standard_console(), []
    if dry_run:
        success = True
        for compared in delivering.compare(
            accounts, target, first, last, force=force, rejected=rejected, overwrite_approved=overwrite_approved
        ):
            success = success and compared.trouble is None
            found.append(delivering.compared_as_json(compared, target))
            if not as_json:
                delivering.print_compared(compared, target, console)
    else:
        outcomes = delivering.hand_over(
            settings, accounts, target, first, last, force=force, rejected=rejected, console=console, settlement=said,
            is_quiet=as_json, verbose=is_verbose(), overwrite_approved=overwrite_approved,
        )  # fmt: skip
        success = all(outcome.success for outcome in outcomes)
        for outcome in outcomes:
            found += delivering.outcome_as_json(outcome, target)
            if not as_json:
                delivering.print_handed_over(outcome, target, console)
    if as_json:
        console.print_json(data=found)
    if not success:
        raise typer.Exit(1)
