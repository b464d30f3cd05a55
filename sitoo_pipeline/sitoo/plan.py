"""Which requests make up a landing: one slice of work for each site, register, part of a window, or batch of ids.

Slices do not depend on each other, so several API users can fetch them at once. A window is cut only where that saves
time: into no more parts than it has pages. Fetching them is in ``landing``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from urllib.parse import quote

from sitoo_pipeline.sitoo.client import Params, Value
from sitoo_pipeline.sitoo.paging import Fetch, Pages, by_date_added, by_id_cursor, by_offset
from sitoo_pipeline.sitoo.resources import Resource
from sitoo_pipeline.sitoo.window import Scope, Window

_IDS_PER_REQUEST = 100  # keeps addresses far below the 8,000 characters that servers commonly accept
_PARTS_PER_USER = 4  # hours are not equally busy, so there are more parts than users to even that out


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of a resource that is read from its first page to its last by one API user."""

    resource: Resource
    path: str
    query: Params
    registers: tuple[str, ...]

    def pages(self, fetch: Fetch) -> Pages:
        """Its pages, each with at least one record, in the way in which the resource pages."""
        one = self.resource
        match one.paging:
            case "id_cursor":
                return by_id_cursor(fetch, path=self.path, query=self.query, cursor=one.cursor, page_size=one.page_size)
            case "offset":
                return by_offset(fetch, path=self.path, query=self.query, key=one.key, page_size=one.page_size)
            case "added":
                return by_date_added(
                    fetch,
                    path=self.path,
                    query=self.query,
                    cursor=one.cursor,
                    key=one.key,
                    page_size=one.page_size,
                    registers=self.registers,
                )


def plan(
    *, resource: Resource, window: Window | None, scope: Scope, extra: Params, concurrency: int, fetch: Fetch
) -> tuple[Slice, ...]:
    """The slices of a landing, in the order of their files.

    Where a window may be worth cutting, its records are counted first, which is one short request.

    Raises:
        SitooError: They could not be counted.
        ValueError: The resource has no such parameter or no dates, or the scope names nothing to ask for.
    """
    paths = paths_of(resource, scope)
    may_cut = resource.paging == "id_cursor" and resource.key[0] not in extra and len(paths) < concurrency
    registers = tuple(register for _, register in scope.registers)

    def windows(path: str) -> tuple[Window | None, ...]:
        most = _PARTS_PER_USER * concurrency
        if window is None or not may_cut or len(window.split(most)) == 1:
            return (window,)
        return window.split(min(most, _pages(fetch, path, resource, resource.query(window=window, extra=extra))))

    return tuple(
        Slice(resource=resource, path=path, query=resource.query(window=part, extra=batch), registers=registers)
        for path in paths
        for part in windows(path)
        for batch in _batches(resource, extra)
    )


def _pages(fetch: Fetch, path: str, resource: Resource, query: Params) -> int:
    """How many pages a query has by Sitoo's count; more than ever matters where it does not count."""
    counting = {**query, "sort": resource.cursor, "start": 0, "num": 1, "fields": resource.cursor}
    total = fetch(path, counting, "envelope").total
    return sys.maxsize if total is None else max(1, ceil(total / resource.page_size))


def paths_of(resource: Resource, scope: Scope) -> tuple[str, ...]:
    """The paths at which a resource has to be asked for: one for the account, or one for each site or register.

    Raises:
        ValueError: The scope names nothing to ask for.
    """
    paths: tuple[str, ...]
    match resource.scope:
        case "account":
            return (resource.path,)
        case "site":
            paths = tuple(resource.path.format(siteid=site) for site in scope.sites)
        case "register":
            paths = tuple(
                resource.path.format(siteid=site, registerid=quote(register, safe=""))
                for site, register in scope.registers
            )
    if not paths:
        raise ValueError(f"{resource.name} is asked for by {resource.scope}, and the scope names none")
    return paths


def _batches(resource: Resource, extra: Params) -> Iterator[Params]:
    """``extra`` as it is, or in several pieces where it lists more ids than one request should carry."""
    name = resource.key[0]
    ids: Value = extra.get(name)
    if ids is None or isinstance(ids, str | int) or len(ids) <= _IDS_PER_REQUEST:
        yield extra
        return
    for first in range(0, len(ids), _IDS_PER_REQUEST):
        yield {**extra, name: ids[first : first + _IDS_PER_REQUEST]}
