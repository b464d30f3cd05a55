"""The newest record of a resource: what has a higher id came later."""

from __future__ import annotations

from sitoo_pipeline.sitoo.client import Params, SitooClient
from sitoo_pipeline.sitoo.plan import paths_of
from sitoo_pipeline.sitoo.resources import Resource
from sitoo_pipeline.sitoo.window import Scope


def newest_id(client: SitooClient, resource: Resource, scope: Scope) -> int:
    """The highest id that Sitoo has of a resource with an id cursor, in any site of ``scope``; 0 where it has none.

    Raises:
        SitooError: Sitoo could not be asked.
    """
    asked: Params = {"sort": f"-{resource.cursor}", "start": 0, "num": 1, "fields": resource.cursor}
    bodies = [client.get(path, asked, expect="envelope") for path in paths_of(resource, scope)]
    found = [record.get(resource.cursor) for body in bodies for record in body.items]
    return max((number for number in found if isinstance(number, int)), default=0)
