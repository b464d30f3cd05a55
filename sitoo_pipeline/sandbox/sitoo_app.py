"""Sitoo's REST API v2 over a chain: routes, and the resources with no module of their own. Access is in ``server``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from sitoo_pipeline.sandbox import reference
from sitoo_pipeline.sandbox.chain import Chain
from sitoo_pipeline.sandbox.deliveries import render_delivery
from sitoo_pipeline.sandbox.order_queries import find_order, list_orders
from sitoo_pipeline.sandbox.orders import render_log, render_order
from sitoo_pipeline.sandbox.queries import BadRequestError, NotFoundError, Query, pick
from sitoo_pipeline.sandbox.stock_queries import find_transaction, list_transactions
from sitoo_pipeline.sandbox.stores import ESHOP_ID
from sitoo_pipeline.sandbox.tills import Till
from sitoo_pipeline.sandbox.visitors import list_metrics, list_values
from sitoo_pipeline.sandbox.zreports import Period

MOST_Z_REPORTS = 500
_EMPTY: dict[str, object] = {"totalcount": 0, "items": []}


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the parameters in its path and query, and the time as epoch seconds."""

    path: Mapping[str, str]
    query: Query
    now: int


Handler = Callable[[Call], object]


def error(status: int, text: str) -> Response:
    """Sitoo's error body."""
    return Response(orjson.dumps({"statuscode": status, "errortext": text}), status, media_type="application/json")


class SitooApp:
    """The routes below ``/v2/accounts/{account}``.

    Args:
        chain: the stores.
        clock: tells the time in epoch seconds.
        worker: runs one call at a time, so that the server can notice a second one meanwhile.
        z_reports_missing: whether the account has only z-reports per register.
    """

    def __init__(
        self, *, chain: Chain, clock: Callable[[], int], worker: Executor, z_reports_missing: Callable[[], bool]
    ) -> None:
        self._chain, self._clock, self._worker, self._z_reports_missing = chain, clock, worker, z_reports_missing
        at_site = "/sites/{site}"
        routes: dict[str, Handler] = {
            "/orders": self._orders,
            "/pos-z-reports": self._z_reports,
            "/custom_metrics": lambda call: list_metrics(call.query),
            "/custom_metric_values": lambda call: list_values(chain, call.query, now=call.now),
            "/sites": lambda call: _page(reference.sites(), call),
            at_site: lambda call: reference.sites()[0],
            f"{at_site}/orders": self._orders,
            f"{at_site}/orders/{{id}}": self._order,
            f"{at_site}/orders/{{id}}/orderdeliveries": self._deliveries,
            f"{at_site}/orders/{{id}}/orderlogitems": self._log,
            f"{at_site}/cashregisters/{{id}}/zreports": self._register_z_reports,
            f"{at_site}/cashregisters/{{id}}/zreports/{{number}}": self._register_z_report,
            f"{at_site}/warehousetransactions": lambda call: list_transactions(chain, call.query, None, now=call.now),
            f"{at_site}/warehouses/{{warehouse}}/warehousetransactions": self._warehouse_transactions,
            f"{at_site}/warehouses/{{warehouse}}/warehousetransactions/{{id}}": self._warehouse_transaction,
            f"{at_site}/products": self._products,
            f"{at_site}/cashregisters": lambda call: _page(reference.cash_registers(chain, now=call.now), call),
            f"{at_site}/cashregisters/{{id}}": lambda call: _find(
                reference.cash_registers(chain, now=call.now), "registerid", call
            ),
        }
        for name, key, rows in (
            ("stores", "storeid", reference.stores(chain)),
            ("warehouses", "warehouseid", reference.warehouses(chain)),
            ("productgroups", "vatid", reference.product_groups()),
            ("products", "productid", reference.products(chain)),
        ):
            routes.setdefault(f"{at_site}/{name}", _lister(rows))
            routes[f"{at_site}/{name}/{{id}}"] = _finder(rows, key)
        self.routes = Router(
            [Route(path, self._endpoint(handler)) for path, handler in routes.items()],
            redirect_slashes=False,
            default=error(404, "Not found"),
        )

    def _endpoint(self, handler: Handler) -> Callable[[Request], object]:
        async def respond(request: Request) -> Response:
            site = request.path_params.get("site")
            if site is not None and not site.isdigit():
                return Response(
                    orjson.dumps(_EMPTY), media_type="application/json"
                )  # a guid finds nothing, and that is no error
            if site is not None and int(site) != ESHOP_ID:
                return error(404, "Not found")
            call = Call(request.path_params, Query(request.url.query), self._clock())
            try:
                body = await asyncio.get_running_loop().run_in_executor(
                    self._worker, lambda: orjson.dumps(handler(call))
                )
            except BadRequestError as refused:
                return error(400, str(refused))
            except NotFoundError:
                return error(404, "Not found")
            return Response(body, media_type="application/json")

        return respond

    def _orders(self, call: Call) -> object:
        return list_orders(self._chain, call.query, now=call.now)

    def _order(self, call: Call) -> object:
        return render_order(self._chain, find_order(self._chain, call.path["id"], now=call.now), now=call.now)

    def _deliveries(self, call: Call) -> object:
        sale = find_order(self._chain, call.path["id"], now=call.now)
        delivered = sale.delivered_at is not None and sale.delivered_at <= call.now
        return _page([render_delivery(self._chain, sale)] if delivered else [], call)

    def _log(self, call: Call) -> object:
        return _page(render_log(find_order(self._chain, call.path["id"], now=call.now)), call)

    def _z_reports(self, call: Call) -> object:
        if self._z_reports_missing():
            raise NotFoundError
        query, z_reports = call.query, self._chain.z_reports
        since, until = query.integer("dateaddedfrom"), query.integer("dateaddedto")
        stores, registers, sites = query.texts("store_id"), query.texts("registerid"), query.integers("eshopid")

        def of(period: Period) -> bool:
            assert period.till.register is not None
            return (
                (stores is None or period.till.store(period.day).externalid in stores)
                and (registers is None or period.till.register.registerid in registers)
                and (sites is None or ESHOP_ID in sites)
            )

        until = call.now if until is None else min(until, call.now)
        found = z_reports.added(since=since or 0, until=until, of=of)
        return [z_reports.render(period) for period in islice(found, MOST_Z_REPORTS)]

    def _till(self, registerid: str) -> Till:
        for till in self._chain.tills:
            if till.register is not None and till.register.registerid == registerid:
                return till
        raise NotFoundError

    def _register_z_reports(self, call: Call) -> object:
        till, page = self._till(call.path["id"]), call.query.page()
        since, until = call.query.integer("datecreatedfrom"), call.query.integer("datecreatedto")
        until = call.now if until is None else min(until, call.now)
        found = [p for p in self._chain.z_reports.closed(till, since=since or 0, until=until) if p.added_at <= call.now]
        shown = [self._without_added(self._chain.z_reports.render(p)) for p in found[page.start :][: page.num]]
        return {"totalcount": len(found), "items": shown}

    def _register_z_report(self, call: Call) -> object:
        till = self._till(call.path["id"])
        for period in self._chain.z_reports.closed(till, since=0, until=call.now):
            if str(period.number) == call.path["number"] and period.added_at <= call.now:
                return self._without_added(self._chain.z_reports.render(period))
        raise NotFoundError

    @staticmethod
    def _without_added(report: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in report.items() if name != "dateadded"}

    def _warehouse_transactions(self, call: Call) -> object:
        return list_transactions(self._chain, call.query, _number(call.path["warehouse"]), now=call.now)

    def _warehouse_transaction(self, call: Call) -> object:
        return find_transaction(self._chain, _number(call.path["warehouse"]), _number(call.path["id"]), now=call.now)

    def _products(self, call: Call) -> object:
        query = call.query
        skus, ids, modified = query.texts("sku"), query.integers("productid"), query.integer("datelastmodified")
        found = [
            row
            for row in reference.products(self._chain)
            if (skus is None or row["sku"] in skus)
            and (ids is None or row["productid"] in ids)
            and (modified is None or int(str(row["datemodified"])) > modified)
        ]
        return _page(found, call, reference.PRODUCT_FIELDS)


def _number(text: str) -> int:
    if not text.isdigit():
        raise BadRequestError("Invalid value")
    return int(text)


def _page(rows: list[dict[str, object]], call: Call, default: Iterable[str] = ()) -> dict[str, object]:
    """A page over a list that is short enough to be made whole."""
    page, fields = call.query.page(), call.query.fields(default)
    return {"totalcount": len(rows), "items": [pick(row, fields) for row in rows[page.start :][: page.num]]}


def _lister(rows: list[dict[str, object]]) -> Handler:
    return lambda call: _page(rows, call)


def _finder(rows: list[dict[str, object]], key: str) -> Handler:
    return lambda call: _find(rows, key, call)


def _find(rows: list[dict[str, object]], key: str, call: Call) -> dict[str, object]:
    for row in rows:
        if str(row[key]) == call.path["id"]:
            return row
    raise NotFoundError
