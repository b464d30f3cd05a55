"""From the settings of an account to its SameSystem. No dagster here."""

from __future__ import annotations

from datetime import time

from sitoo_pipeline.settings import Account
from sitoo_pipeline.sinks.samesystem import SameSystem
from sitoo_pipeline.sinks.samesystem_api import Access
from sitoo_pipeline.sinks.samesystem_journal import Journal
from sitoo_pipeline.sinks.samesystem_nights import Nights


def samesystem_of(account: Account) -> SameSystem:
    """The SameSystem of an account that has one in its settings.

    Raises:
        ValueError: it has none.
    """
    said = account.targets.samesystem
    if said is None:
        raise ValueError(f"{account.name} has no SameSystem")
    access = Access(
        base_url=said.base_url,
        email=said.email,
        password=said.password.get_secret_value(),
        by_department=said.login == "department",
        ctx_tokens=said.ctx_tokens,
        attempts=account.http.attempts,
        timeout=account.http.read_timeout,
        longest_wait=account.http.wait_max,
    )
    nights = Nights(
        confirm_from=time.fromisoformat(said.confirm_from),
        auto_confirm_at=time.fromisoformat(said.auto_confirm_at),
        timezone=account.timezone,
        store_timezones={store: each.timezone for store, each in account.stores.items() if each.timezone},
    )
    return SameSystem(
        access,
        Journal(account.deliveries_url.get_secret_value(), account=account.name),
        fields=said.fields.model_dump(exclude_none=True),
        confirm=said.confirm,
        overwrite_approved=said.overwrite_approved,
        nights=nights,
    )
