"""What the events of a failed run say: which dates failed, and why, in words that may be shown."""

from collections.abc import Mapping
from datetime import date, timedelta

import dagster as dg

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
_PARTITION = "dagster/partition"
_SHOWN = ("sitoo_pipeline.sitoo.errors.", "sitoo_pipeline.warehouse.")
"""Where the errors live whose texts are written to be shown."""


def failed_dates(event: dg.DagsterEvent) -> dict[date, str]:
    """The dates that a step which failed names, each with its reason; none where it names none."""
    said = event.step_failure_data.user_failure_data
    listed = said.metadata.get("failed_dates") if said else None
    if isinstance(listed, dg.JsonMetadataValue) and isinstance(listed.value, dict):
        return {date.fromisoformat(day): str(why) for day, why in listed.value.items()}
    return {}


def reason(event: dg.DagsterEvent, run_id: str) -> str:
    """The step's error: its own text where that is written to be shown, else what it was and where its story is."""
    said = event.step_failure_data.user_failure_data
    if said and said.description:
        return said.description
    error, kind = event.step_failure_data.error, ""
    while error:
        kind, _, text = error.message.strip().partition(": ")
        if kind.startswith(_SHOWN):
            return " ".join(text.split())
        error = error.cause
    return f"{event.step_key}: {kind or 'no reason given'}; see the log of Dagster run {run_id}"


def dates_of(run: dg.DagsterRun) -> list[date]:
    """The dates that a run was about, as its tags say."""
    return dates_of_tags(run.tags)


def dates_of_tags(tags: Mapping[str, str]) -> list[date]:
    """The dates that the tags of a run name."""
    if RANGE_START in tags and RANGE_END in tags:
        first, last = date.fromisoformat(tags[RANGE_START]), date.fromisoformat(tags[RANGE_END])
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [date.fromisoformat(tags[_PARTITION])] if _PARTITION in tags else []


def is_of_account(run: dg.DagsterRun, account: str) -> bool:
    """Whether it is a run of the account's jobs, or of assets of it that somebody chose in the UI."""
    chosen = [*(run.asset_selection or ()), *(check.asset_key for check in run.asset_check_selection or ())]
    return run.tags.get("account") == account or any(key.path[0] == account for key in chosen)
