"""Lists of orders as Sitoo filters, sorts and cuts them, and a single order."""

from __future__ import annotations

from collections.abc import Callable

from sitoo_pipeline.sandbox.chain import Chain
from sitoo_pipeline.sandbox.clock import trading_day
from sitoo_pipeline.sandbox.deliveries import warehouse_of
from sitoo_pipeline.sandbox.listing import Filter, Page
from sitoo_pipeline.sandbox.orders import credited_order, external_id, render_order
from sitoo_pipeline.sandbox.queries import BadRequestError, NotFoundError, Query, pick
from sitoo_pipeline.sandbox.sales import Sale
from sitoo_pipeline.sandbox.stores import ESHOP_ID

ORDER_FIELDS = (
    "orderid", "eshopid", "email", "namefirst", "namelast", "company", "moneyfinal_net", "moneyfinal_vat",
    "moneytotal_gross_roundoff", "moneytotal_gross_all", "checkouttypename", "deliverytypename", "orderdate",
    "orderstateid", "paymentstateid", "ordertypeid", "registerid", "warehouseid", "datereserved", "currencycode",
    "additionaldata", "orderitems", "payments",
)  # fmt: skip

Test = Callable[[Sale], bool]


def list_orders(chain: Chain, query: Query, *, now: int) -> dict[str, object]:
    """One page of orders. ``orderdateto`` includes its second; ``orderidto`` is exclusive.

    Raises:
        BadRequestError: a parameter that must be an integer is none.
    """
    page, fields = query.page(sort_key="orderid"), query.fields(ORDER_FIELDS)
    dated_to = query.integer("orderdateto")
    tests = _tests(chain, query, now)
    wanted = Filter[Sale](
        id_from=query.integer("orderidfrom"),
        id_to=query.integer("orderidto"),
        dated_from=query.integer("orderdatefrom"),
        dated_to=None if dated_to is None else dated_to + 1,
        ids=_ids(chain, query, now),
        matches=(lambda sale: all(test(sale) for test in tests)) if tests else None,
    )
    total, sales = chain.orders.page(wanted, page, now=now)
    return {"totalcount": total, "items": [pick(render_order(chain, sale, now=now), fields) for sale in sales]}


def find_order(chain: Chain, orderid: str, *, now: int) -> Sale:
    """The order with this id.

    Raises:
        BadRequestError: ``orderid`` is no integer.
        NotFoundError: there is no such order, or it has not arrived by ``now``.
    """
    if not orderid.isdigit():
        raise BadRequestError("Invalid value")
    _, sales = chain.orders.page(Filter[Sale](ids=frozenset({int(orderid)})), Page(num=1), now=now)
    if not sales:
        raise NotFoundError
    return sales[0]


def _ids(chain: Chain, query: Query, now: int) -> frozenset[int] | None:
    """The ids that a receipt number or a list of ids leaves; a receipt or a credited order overrides the list."""
    receipt = query.text("receiptid")
    if receipt is not None:
        last = trading_day(now, chain.zone)
        for till in chain.tills:
            if till.register and receipt.startswith(till.register.registerkey):
                number = receipt.removeprefix(till.register.registerkey)
                found = chain.orders.find_receipt(till, int(number), last=last) if number.isdigit() else None
                return frozenset() if found is None else frozenset({found})
        return frozenset()
    if query.integer("creditorderid") is not None:
        return None
    return query.integers("orderid")


def _tests(chain: Chain, query: Query, now: int) -> list[Test]:
    tests: list[Test] = []
    sites, types = query.integers("eshopid"), query.integers("ordertype")
    states, payment_states = query.integers("orderstate"), query.integers("paymentstate")
    warehouses, externals = query.integers("warehouseid"), query.texts("externalid")
    credited, email = query.integer("creditorderid"), query.text("email")
    if sites is not None and ESHOP_ID not in sites:
        tests.append(lambda sale: False)
    if types is not None:
        tests.append(lambda sale: sale.order_type in types)
    if states is not None:
        tests.append(lambda sale: sale.states(now)[0] in states)
    if payment_states is not None:
        tests.append(lambda sale: sale.states(now)[1] in payment_states)
    if warehouses is not None:
        tests.append(lambda sale: warehouse_of(chain, sale) in warehouses)
    if externals is not None:
        tests.append(lambda sale: external_id(sale) in externals)
    if email is not None:
        tests.append(lambda sale: sale.customer is not None and sale.customer.email == email)
    if credited is not None:
        tests.append(lambda sale: credited_order(chain, sale) == credited)
    return tests
