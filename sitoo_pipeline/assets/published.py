"""The read copy: what analysts open while loads run."""

from typing import Any

import dagster as dg

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.specs import OWNER, key
from sitoo_pipeline.tables import marts


def read_copy_key(account: str) -> dg.AssetKey:
    """The asset of the read copy."""
    return dg.AssetKey([account, "published", "warehouse_read"])


def read_copy_asset(runtime: Runtime) -> dg.AssetsDefinition:
    """A copy of the whole warehouse, put in place by an atomic rename; whoever has the old one open keeps it."""
    account = runtime.account.name

    @dg.asset(
        key=read_copy_key(account),
        deps=[key(account, table) for table in marts.TABLES],
        group_name=f"{account}_published",
        owners=[OWNER],
        kinds={"duckdb", "file"},
        tags={"account": account, "layer": "published"},
        metadata={"path": dg.MetadataValue.path(str(runtime.warehouse.read_copy))},
    )
    def warehouse_read() -> dg.MaterializeResult[Any]:
        """The warehouse for readers: open this file from any DuckDB client, also while loads run."""
        path = runtime.warehouse.publish()
        return dg.MaterializeResult(
            metadata={"path": dg.MetadataValue.path(str(path)), "megabytes": round(path.stat().st_size / 1e6, 1)}
        )

    return warehouse_read
