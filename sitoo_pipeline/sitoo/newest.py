"""The newest record of a resource: what has a higher id came later."""

from __future__ import annotations

from sitoo_pipeline.sitoo.client import Params, SitooClient
from sitoo_pipeline.sitoo.resources import Resource


def newest_id(client: SitooClient, resource: Resource) -> int:
    """The highest id that Sitoo has of an account-wide resource with an id cursor; 0 where it has none.

    Raises:
        SitooError: Sitoo could not be asked.
    """
    asked: Params = {"sort": f"-{resource.cursor}", "start": 0, "num": 1, "fields": resource.cursor}
    body = client.get(resource.path, asked, expect="envelope")
    found = [record.get(resource.cursor) for record in body.items]
    return max((number for number in found if isinstance(number, int)), default=0)
