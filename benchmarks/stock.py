"""The warehouse transactions of a book: one for each order that moved goods, in the warehouses of some stores."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from itertools import count

import orjson

from benchmarks.book import FIRST_ORDER, Book
from benchmarks.listing import Listing, Names
from sitoo_pipeline.sandbox.markets import cents
from sitoo_pipeline.sandbox.stock import REFUND, SALES

_FIRST = 5_000_001
_NAMES = Names("warehousetransactionid", "datecreatedfrom", "datecreatedto", until_included=False)
_AT_FIRST = Decimal("100000.000")


def transactions(book: Book, stores: int) -> Listing:
    """The transactions of the first ``stores`` stores."""
    warehouses = {store.warehouseid for store in book.chain.store_list[:stores]}
    stock: defaultdict[tuple[int, str], Decimal] = defaultdict(lambda: _AT_FIRST)
    numbers = count(_FIRST)
    dates: list[int] = []
    bodies: list[bytes] = []
    for row, at in enumerate(book.dates):
        template, till = book.templates[book.template_of[row]], book.tills[book.till_of[row]]
        warehouse = till.store.warehouseid
        if warehouse not in warehouses or template.kind.is_web or not template.kind.counts:
            continue
        for kind, sign in ((SALES, 1), (REFUND, -1)):
            items = []
            for line in template.lines:
                if line.moves_stock and line.quantity * sign > 0:
                    stock[warehouse, line.product.sku] -= line.total_quantity
                    left, cost = stock[warehouse, line.product.sku], line.product.cost
                    items.append(
                        {
                            "decimalquantity": f"{-line.total_quantity:.3f}",
                            "decimaltotal": f"{left:.3f}",
                            "moneypricein": str(cost),
                            "moneytotal": str(cents(left * cost)),
                            "moneyvalue": str(cents(-line.total_quantity * cost)),
                            "sku": line.product.sku,
                        }
                    )
            if items:
                dates.append(at)
                bodies.append(
                    orjson.dumps(
                        {
                            "warehousetransactionid": next(numbers),
                            "warehouseid": warehouse,
                            "datecreated": at,
                            "transactiontype": kind,
                            "description": "",
                            "orderdeliveryid": FIRST_ORDER + row,
                            "shipmentid": None,
                            "externalid": None,
                            "reasoncode": None,
                            "items": items,
                        }
                    )
                )
    return Listing(_NAMES, first=_FIRST, dates=dates, render=bodies.__getitem__)
