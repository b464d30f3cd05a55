"""Every step wired as a Dagster asset: get, transform, put.

``account_assets`` is the one factory: all assets of an account come from it, and nothing of an account exists outside
it. What a step does is in the rooms below (``sitoo``, ``warehouse``, ``transforms``, ``sinks``); when it runs is in
``automation``.
"""

from sitoo_pipeline.assets.account import AccountAssets, account_assets
from sitoo_pipeline.assets.runtime import Runtime

__all__ = ["AccountAssets", "Runtime", "account_assets"]
