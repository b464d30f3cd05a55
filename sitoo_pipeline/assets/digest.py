"""What people are told, and how: the digest of an account's dates, and the way of every notice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sitoo_pipeline.assets.day_status import DayState, DayStatus, z_report_remarks
from sitoo_pipeline.assets.inventory import dates_until, lacking, take_inventory
from sitoo_pipeline.assets.inventory_check import what_to_do
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.weekly_balance_files import mail_server
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline.sinks.notice import Mailbox, Notice, mail, post

_NAMED = 10


def digest(runtime: Runtime, now: datetime) -> Notice:
    """How yesterday is, which dates lack something, and what the targets refuse, at ``now``.

    Raises:
        WarehouseLockedError: the warehouse is open in another program, and there is no read copy yet.
        WarehouseVersionError: the warehouse has another version.
        DatabaseUrlError: the ledger's URL cannot be used.
        sqlalchemy.exc.OperationalError: the ledger does not answer.
    """
    account = runtime.account.name
    days = take_inventory(runtime, dates_until(runtime, now)[:-1], now=now).days
    if not days:
        return Notice(f"{account}: no date is over yet", [], {"account": account, "kind": "digest"})
    yesterday, found, refused = days[-1], lacking(days), _refused(runtime)
    failures = [day for day in found if day.state.is_failure]
    subject = f"{account}: {yesterday.business_date} is {yesterday.state}"
    if failures:
        subject += f"; {len(failures)} of {len(days)} dates need attention"
    lines = [_yesterday(yesterday), *_listed(found)]
    lines += [f"{target} refuses {number} records: sitoo-pipeline deliver --target {target} --dry-run says why"
              for target, number in refused.items()]  # fmt: skip
    if found:
        lines += ["", "What to do:", *what_to_do(found, account).splitlines()]
    facts = {
        "account": account,
        "kind": "digest",
        "business_date": str(yesterday.business_date),
        "state": yesterday.state.value,
        "ready_by": runtime.account.ready_by,
        "dates": {str(day.business_date): day.state.value for day in found},
        "rejected": refused,
    }
    return Notice(subject, lines, facts)


def _yesterday(day: DayStatus) -> str:
    z_reports = f"{day.reconciliation['balanced']} of {day.reconciliation.total()} z-reports balance"
    delivered = sum(day.is_delivered_to(target) for target in day.deliveries)
    loaded = "loaded" if day.loaded and not day.absent else "not loaded whole"
    return f"{day.business_date}: {loaded}, {z_reports}, {delivered} of {len(day.deliveries)} targets have all of it"


def _listed(days: Sequence[DayStatus]) -> list[str]:
    """The failures, then the rest, the latest first."""
    order = sorted(days, key=lambda day: (day.state is DayState.UNRECONCILED, -day.business_date.toordinal()))
    lines = [
        f"{day.business_date} {day.state}: {'; '.join([*day.remarks, *z_report_remarks(day.reconciliation)])}"
        for day in order[:_NAMED]
    ]
    return (
        [*lines, f"and {len(order) - _NAMED} more: sitoo-pipeline status lists them"] if len(order) > _NAMED else lines
    )


def _refused(runtime: Runtime) -> dict[str, int]:
    account = runtime.account
    with Ledger.to_look_at(account.deliveries_url.get_secret_value()) as ledger:
        counts = {target: len(ledger.rejected(account.name, target)) for target in ledger.targets(account.name)}
    return {target: number for target, number in counts.items() if number}


def failure(account: str, *, dates: Sequence[date], reasons: Sequence[str], job: str, run_id: str) -> Notice:
    """An alert: a run failed, for which dates, why, and what to do."""
    period = f"{dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else "") if dates else ""
    subject = f"{account}: {job} failed" + (f" for {period}" if period else "")
    again = f"sitoo-pipeline backfill --account {account} --from {dates[0]} --to {dates[-1]}" if dates else ""
    lines = [*reasons, "", f"The whole story: Dagster run {run_id}."]
    lines += [f"Put the cause right, then: {again}"] if again else ["sitoo-pipeline doctor looks for the cause."]
    facts = {
        "account": account,
        "kind": "failure",
        "dates": [str(day) for day in dates],
        "reasons": list(reasons),
        "run_id": run_id,
    }
    return Notice(subject, lines, facts)


def tell(runtime: Runtime, notice: Notice) -> list[str]:
    """Hand a notice to everybody whom the settings name; returns what went wrong, and raises nothing for it."""
    said, problems = runtime.account.alerts, []
    if said and said.webhook_url:
        problems.append(post(notice, said.webhook_url.get_secret_value()))
    if said and said.mail:
        box = Mailbox(mail_server(runtime.account, said.mail), said.mail.sender, said.mail.recipients)
        problems.append(mail(notice, box))
    return [problem for problem in problems if problem]
