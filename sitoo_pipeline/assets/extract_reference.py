"""From Sitoo to ``raw``, lists without dates: read whole each time, but for the products. No dagster here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import floor

from sitoo_pipeline.assets.extract import Extracted, notes, tidy
from sitoo_pipeline.assets.landing import fetch_folder
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.sitoo import RESOURCES, Scope, land
from sitoo_pipeline.sitoo.client import Params
from sitoo_pipeline.sitoo.errors import CredentialsRefused, NotFound, SitooError
from sitoo_pipeline.tables import raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.warehouse import last_merge, load_reference, merge_site

PRODUCTS_MARGIN = timedelta(days=1)
"""How long before the last load changed products are asked for again: Sitoo's clock is not ours."""


def extract_reference(runtime: Runtime, table: RawTable, *, run_id: str) -> Extracted:
    """Fetch and load one list of reference data. The sites come first: the others are asked for site by site.

    Raises:
        SitooError: the fetch failed; nothing was loaded and the last good rows stay.
        WarehouseLockedError: the warehouse stayed open elsewhere.
    """
    if table is raw.PRODUCTS:
        return extract_products(runtime, run_id=run_id)
    started_at = datetime.now(UTC)
    with runtime.warehouse.connect() as con:
        scope = runtime.scope(con)
    with runtime.sitoo() as client:
        landed = land(
            client=client,
            resource=RESOURCES[table.name],
            scope=scope,
            folder=fetch_folder(runtime.account.landing_folder, table.name, "all", started_at),
            shape=table.shape,
        )
    loaded = load_reference(
        runtime.warehouse,
        table,
        landed.files,
        layout=landed.layout,
        landing=runtime.account.landing_folder,
        run_id=run_id,
        started_at=started_at,
        unknown_fields=landed.unknown_fields,
    )
    tidy(runtime, table, landed, [loaded])
    return Extracted({}, landed.records, landed.requests, landed.unknown_fields, notes(landed))


def extract_products(runtime: Runtime, *, run_id: str) -> Extracted:
    """Fetch and load the products of each site: all of them the first time, then those that changed since the last.

    An API user who may not read products stops nothing: gift cards are then known by their number and group name only.

    Raises:
        SitooError: the fetch failed; the sites before it are loaded.
        WarehouseLockedError: the warehouse stayed open elsewhere.
    """
    table, landing = raw.PRODUCTS, runtime.account.landing_folder
    parts: list[Extracted] = []
    with runtime.warehouse.connect() as con:
        since = {site: last_merge(con, table, f"{table.name}/{_span(site)}") for site in runtime.scope(con).sites}
    for site, last in since.items():
        started_at = datetime.now(UTC)
        changed: Params = {"datelastmodified": floor((last - PRODUCTS_MARGIN).timestamp())} if last else {}
        try:
            with runtime.sitoo() as client:
                landed = land(
                    client=client,
                    resource=RESOURCES[table.name],
                    scope=Scope(sites=(site,)),
                    folder=fetch_folder(landing, table.name, _span(site), started_at),
                    shape=table.shape,
                    extra_params=changed,
                )
        except (CredentialsRefused, NotFound) as error:
            parts.append(Extracted({}, 0, error.tries, frozenset(), (_unreadable(site, error),)))
            continue
        loaded = merge_site(
            runtime.warehouse,
            table,
            landed.files,
            site=site,
            layout=landed.layout,
            landing=landing,
            folder=landed.folder,
            run_id=run_id,
            started_at=started_at,
            requests=landed.requests,
            unknown_fields=landed.unknown_fields,
        )
        tidy(runtime, table, landed, [loaded])
        parts.append(Extracted({}, landed.records, landed.requests, landed.unknown_fields, notes(landed)))
    return Extracted(
        loaded={},
        records=sum(part.records for part in parts),
        requests=sum(part.requests for part in parts),
        unknown_fields=frozenset().union(*(part.unknown_fields for part in parts)),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _span(site: int) -> str:
    return f"site-{site}"


def _unreadable(site: int, error: SitooError) -> str:
    return (
        f"the products of site {site} cannot be read ({error.came_back}), so a gift card is known by its card number, "
        "by the name of its group and by products loaded before. In Sitoo, let the API user read products"
    )
