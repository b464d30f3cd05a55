"""The Sitoo REST API v2: what can be listed, how it is asked for, and how every answer gets to disk as received.

Nothing here knows of Dagster, of DuckDB, or of what the figures mean.
"""

from sitoo_pipeline.sitoo.body import Body
from sitoo_pipeline.sitoo.client import SitooClient
from sitoo_pipeline.sitoo.drift import Shape, unknown_fields
from sitoo_pipeline.sitoo.landed import Landed, Page, Stopped
from sitoo_pipeline.sitoo.landing import land
from sitoo_pipeline.sitoo.newest import newest_id
from sitoo_pipeline.sitoo.resources import RESOURCES, Resource
from sitoo_pipeline.sitoo.retry import RetryPolicy
from sitoo_pipeline.sitoo.session import ApiUser
from sitoo_pipeline.sitoo.window import Scope, Window

__all__ = [
    "RESOURCES",
    "ApiUser",
    "Body",
    "Landed",
    "Page",
    "Resource",
    "RetryPolicy",
    "Scope",
    "Shape",
    "SitooClient",
    "Stopped",
    "Window",
    "land",
    "newest_id",
    "unknown_fields",
]
