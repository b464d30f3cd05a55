"""Orders added up, in the two senses of a sale: without gift cards, and as a till counts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sitoo_pipeline_tests.oracle.account import Sale

AMOUNTS = ("gross_sales", "net_sales", "discounts", "returns", "returns_net", "gift_card_sales", "roundoff")
COUNTS = ("transactions", "return_transactions", "goods_sold", "goods_returned")


def total(sales: Iterable[Sale]) -> dict[str, Any]:
    """The figures of a weekly balance's sense: gift cards are no sales and no goods."""
    figures: dict[str, Any] = {name: Decimal(0) for name in AMOUNTS} | dict.fromkeys(COUNTS, 0)
    for sale in sales:
        figures["roundoff"] += sale.roundoff
        figures["transactions"] += any(line.sold for line in sale.lines)
        figures["return_transactions"] += any(not line.sold for line in sale.lines)
        for line in sale.lines:
            if line.gift_card:
                figures["gift_card_sales"] += line.gross
            elif line.sold:
                figures["gross_sales"] += line.gross
                figures["net_sales"] += line.net
                figures["discounts"] += line.discount
                figures["goods_sold"] += line.goods
            else:
                figures["returns"] -= line.gross
                figures["returns_net"] -= line.net
                figures["goods_returned"] += line.goods
    return figures


def with_gift_cards(sales: Iterable[Sale]) -> dict[str, Any]:
    """The figures of a z-report's sense: gift cards are sales and goods like any other."""
    sales = list(sales)
    sold = [line for sale in sales for line in sale.lines if line.sold]
    back = [line for sale in sales for line in sale.lines if not line.sold]
    nothing = Decimal(0)
    return {
        "gross_sales": sum((line.gross for line in sold), nothing),
        "net_sales": sum((line.net for line in sold), nothing),
        "goods_sold": sum(line.goods for line in sold),
        "returns": -sum((line.gross for line in back), nothing),
        "goods_returned": sum(line.goods for line in back),
        "discounts": sum((line.discount for line in sold), nothing),
        "roundoff": sum((sale.roundoff for sale in sales), nothing),
        "numsales": sum(any(line.sold for line in sale.lines) for sale in sales),
        "numrefund": sum(any(not line.sold for line in sale.lines) for sale in sales),
    }


def measures(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The measures of the sales marts in their order."""
    return {
        "gross_sales": figures["gross_sales"],
        "net_sales": figures["net_sales"],
        "vat": figures["gross_sales"] - figures["net_sales"],
        **{name: figures[name] for name in (*AMOUNTS[2:], *COUNTS)},
        "visitors": None,
    }
