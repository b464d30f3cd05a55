"""Lists of warehouse transactions as Sitoo filters, sorts and cuts them, and a single one."""

from __future__ import annotations

from collections.abc import Callable

from sitoo_pipeline.sandbox.chain import Chain
from sitoo_pipeline.sandbox.listing import Filter, Page
from sitoo_pipeline.sandbox.markets import cents
from sitoo_pipeline.sandbox.queries import NotFoundError, Query, pick
from sitoo_pipeline.sandbox.stock import MOVE_IN, MOVE_OUT, STOCKTAKING, Movement

_DESCRIPTIONS = {MOVE_IN: "Move In", MOVE_OUT: "Move Out", STOCKTAKING: "Stocktaking has been completed!"}


def list_transactions(chain: Chain, query: Query, warehouse: int | None, *, now: int) -> dict[str, object]:
    """One page of transactions, of one warehouse or of all. Both upper bounds are exclusive.

    Raises:
        BadRequestError: a parameter that must be an integer is none.
    """
    page, fields = query.page(sort_key="warehousetransactionid"), query.fields(())
    warehouse = query.integer("warehouseid") if warehouse is None else warehouse
    wanted = Filter[Movement](
        id_from=query.integer("warehousetransactionidfrom"),
        id_to=query.integer("warehousetransactionidto"),
        dated_from=query.integer("datecreatedfrom"),
        dated_to=query.integer("datecreatedto"),
        ids=query.integers("warehousetransactionid"),
        matches=_test(warehouse, query.integer("transactiontype")),
    )
    total, movements = chain.stock.page(wanted, page, now=now)
    return {"totalcount": total, "items": [pick(_render(movement), fields) for movement in movements]}


def find_transaction(chain: Chain, warehouse: int, number: int, *, now: int) -> dict[str, object]:
    """One transaction of a warehouse.

    Raises:
        NotFoundError: the warehouse has no such transaction, or it has not arrived by ``now``.
    """
    wanted = Filter[Movement](ids=frozenset({number}), matches=_test(warehouse, None))
    _, movements = chain.stock.page(wanted, Page(num=1), now=now)
    if not movements:
        raise NotFoundError
    return _render(movements[0])


def _test(warehouse: int | None, kind: int | None) -> Callable[[Movement], bool] | None:
    if warehouse is None and kind is None:
        return None
    return lambda movement: warehouse in (None, movement.warehouseid) and kind in (None, movement.kind)


def _render(movement: Movement) -> dict[str, object]:
    items = [
        {
            "decimalquantity": f"{change:.3f}",
            "decimaltotal": f"{total:.3f}",
            "moneypricein": str(product.cost),
            "moneytotal": str(cents(total * product.cost)),
            "moneyvalue": str(cents(change * product.cost)),
            "sku": product.sku,
        }
        for (product, change), total in zip(movement.changes, movement.totals, strict=True)
    ]
    return {
        "warehousetransactionid": movement.id,
        "warehouseid": movement.warehouseid,
        "datecreated": movement.dated_at,
        "transactiontype": movement.kind,
        "description": _DESCRIPTIONS.get(movement.kind, ""),
        "orderdeliveryid": movement.deliveryid,
        "shipmentid": None,
        "externalid": None,
        "reasoncode": None,
        "items": items,
    }
