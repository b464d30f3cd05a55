"""Where an order's goods come from or go back to, and its delivery in Sitoo's JSON form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitoo_pipeline.sandbox.sales import Sale, is_sent_by_supplier
from sitoo_pipeline.sandbox.stores import CENTRAL_WAREHOUSE, NO_WAREHOUSE
from sitoo_pipeline.sandbox.tills import Kind

if TYPE_CHECKING:
    from sitoo_pipeline.sandbox.chain import Chain

_FIRST_DELIVERY_ID = 100_000


def warehouse_of(chain: Chain, sale: Sale) -> int | None:
    """The warehouse on which an order is registered.

    It is that of the till's store; for a web order the central one or that of a store that ships it, or none.
    """
    if not sale.till.is_web:
        warehouse = sale.till.store(sale.day).warehouseid
        return None if warehouse == NO_WAREHOUSE else warehouse
    if is_sent_by_supplier(sale.day, sale.index):
        return None
    ships = (sale.day.toordinal() + sale.index) % (5 * len(chain.store_list))
    return chain.store_list[ships].warehouseid if ships < len(chain.store_list) else CENTRAL_WAREHOUSE


def delivered_from(chain: Chain, sale: Sale) -> int | None:
    """The warehouse whose stock the order changes: some of what comes back to a store goes on to the central one."""
    return CENTRAL_WAREHOUSE if goes_back_to_central(sale) else warehouse_of(chain, sale)


def goes_back_to_central(sale: Sale) -> bool:
    """Whether what comes back is booked into the central warehouse and not into the store's."""
    has_stock = not sale.till.is_web and sale.till.store(sale.day).warehouseid != NO_WAREHOUSE
    return has_stock and sale.slot.kind is Kind.RETURN and (sale.day.toordinal() + sale.index) % 5 == 0


def delivery_id(sale: Sale) -> int:
    """The id of the order's delivery; every order has at most one."""
    return _FIRST_DELIVERY_ID + sale.id


def render_delivery(chain: Chain, sale: Sale) -> dict[str, object]:
    """The delivery of an order that has been delivered."""
    number = delivery_id(sale)
    items = [
        {
            "orderdeliveryitemid": number * 16 + index,
            "orderdeliveryid": number,
            "orderitemid": index,
            "quantity": line.shown_quantity,
        }
        for index, line in enumerate(sale.slot.cart.lines)
    ]
    return {
        "orderdeliveryid": number,
        "orderid": sale.id,
        "warehouseid": delivered_from(chain, sale),
        "orderdeliveryref": "",
        "datedelivery": sale.delivered_at,
        "datecancelled": None,
        "pluginname": "",
        "orderdeliveryitems": items,
    }
