"""The verbs that look after what is kept: upgrades, backup and restore, retention; and the digest. Part of ``cli``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sitoo_pipeline.command import accounts_or_exit, clearly, is_verbose, say, settings_or_exit, standard_console

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


@app.command(short_help="Warehouses, ledgers and exports as one file.")
@clearly
def backup(
    output: Annotated[Path, typer.Option("--output", help="The file to write, a tar.")],
    account: AccountName = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Write the warehouses, the ledgers of deliveries and the exports to one file, while nothing loads.

    A load that runs is waited for. Settings and secrets are not in it, and a database on a server is backed up by its
    own tools: which, stands on standard error.
    """
    settings = settings_or_exit()
    accounts = accounts_or_exit(settings, account)
    from dataclasses import asdict

    from sitoo_pipeline.operations.backup import make_backup

    console = standard_console()
    made = make_backup(accounts, output, force=force)
    for name, left_out in made.left_out.items():
        for what in left_out:
            say(f"{name}: {what}")
    if as_json:
        console.print_json(data=asdict(made))
    else:
        console.print(f"{output}: {len(made.members)} files of {', '.join(made.accounts)}")


@app.command(short_help="What a backup holds, put in its place.")
@clearly
def restore(
    file: Annotated[Path, typer.Argument(help="The file that backup wrote.", metavar="FILE")],
    account: AccountName = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Put what a backup holds in the places that the settings name, after every file of it was checked.

    What is there is not overwritten without --force. A damaged backup, and one of a newer version, changes nothing.
    """
    settings = settings_or_exit()
    accounts_or_exit(settings, account)
    from dataclasses import asdict

    from sitoo_pipeline.operations.restore import restore_backup

    done = restore_backup(settings.accounts, file, only=account, force=force)
    for name, left_out in done.left_out.items():
        for what in left_out if account in (None, name) else []:
            say(f"{name}: {what}")
    if as_json:
        standard_console().print_json(data=asdict(done))
        return
    names = [account] if account else done.accounts
    standard_console().print(
        f"{', '.join(names)}: restored as of {done.created_at}; sitoo-pipeline status shows what is lacking since"
    )


@app.command(short_help="What is older than the retention settings keep it is removed.")
@clearly
def prune(account: AccountName = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Remove old runs, landed bodies, deliveries and loads, as each account's retention job does every night."""
    settings = settings_or_exit()
    accounts = accounts_or_exit(settings, account)
    from sitoo_pipeline.operations.pruning import prune

    console = standard_console()
    gone = prune(settings, accounts, verbose=is_verbose())
    if as_json:
        console.print_json(data=gone)
        return
    for name, counts in gone.items():
        space = counts.pop("bytes_given_back", 0)
        said = ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in counts.items() if number)
        shrunk = f"; {space / 1e6:.1f} MB given back to the disk" if space else ""
        console.print(f"{name}: {said or 'nothing'} removed{shrunk}")


@app.command(short_help="How yesterday is, and what lacks something, as people are told it.")
@clearly
def digest(
    account: AccountName = None,
    send: Annotated[bool, typer.Option("--send", help="To the webhook and the mailbox of the settings, too.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show how yesterday is, which dates lack something, and what the targets refuse; with --send, tell people.

    Ends with 1 where it could not be told to somebody, or --send finds nobody in the settings. What the dates lack
    does not count here: that is what status is for.
    """
    settings = settings_or_exit()
    accounts = accounts_or_exit(settings, account)
    from datetime import UTC, datetime

    from sitoo_pipeline.assets import digest as notices
    from sitoo_pipeline.assets.runtime import Runtime

    console, told, is_told = standard_console(), [], True
    for runtime in map(Runtime.of, accounts):
        notice = notices.digest(runtime, datetime.now(UTC))
        told.append({**notice.facts, "subject": notice.subject, "lines": list(notice.lines)})
        if not as_json:
            console.print(notice.text)
        nobody = f"[accounts.{runtime.account.name}.alerts] names nobody to tell"
        problems = (notices.tell(runtime, notice) if runtime.account.alerts else [nobody]) if send else []
        for problem in problems:
            say(f"{runtime.account.name}: not told: {problem}")
        is_told = is_told and not problems
    if as_json:
        console.print_json(data=told)
    if not is_told:
        raise typer.Exit(1)
