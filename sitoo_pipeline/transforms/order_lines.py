"""``core.order_lines``: each line's side, whether it is a gift card, and the goods and discount that it counts for.

The rules for single lines are all here; the marts only add up.
"""

from __future__ import annotations

import polars as pl

from sitoo_pipeline.tables import core
from sitoo_pipeline.transforms.frames import ZERO, fit

PRODUCT = 10
GIFT_CARD_GROUP = 30


def order_lines(
    source: pl.DataFrame, *, product_groups: pl.DataFrame, products: pl.DataFrame | None = None
) -> pl.DataFrame:
    """``core.order_lines``: the lines with what follows from them and from the product line that they belong to.

    - A line of type 10 is a product line; so is one without a type. Any other (a discount row, for one) belongs to the
      nearest product line before it in its order, by ``line_no``, and has that line's side and gift-card mark, whatever
      its own quantity. Without one before it, its own quantity and marks decide.
    - ``side`` is ``sale`` for a positive, ``return`` for a negative quantity, null for 0 or none.
    - A gift card has a card number, or its product group is of type 30: the group of its product as it was last read,
      or a group of the name that the line recorded.
    - ``goods`` are the pieces of a product line that has a side, positive; of other lines 0.
    - ``discount_gross`` is 0.00 on returns and gift cards. On a product sale line it is the recorded row discount
      without its sign, else unit discount x quantity x (1 + VAT), signed as it comes out (a price raised by hand gives
      a negative one). On another line of the sale side it is the negative gross amount without its sign.
    - An amount, quantity or VAT that is absent is 0.

    Args:
        source: the columns of ``core.order_lines`` that Sitoo sends and, with ``products``, ``eshop_id`` of the order.
        product_groups: ``core.product_groups``.
        products: ``core.products``, or those of it that are gift cards, where products are loaded. A line means the
            product of its order's site; the order of no site means that of any.
    """
    quantity = pl.col("quantity").fill_null(0)
    is_product = pl.col("order_item_type").fill_null(PRODUCT) == PRODUCT
    marked = _is_marked_gift_card(product_groups, products)
    on_sale = (pl.col("side") == "sale").fill_null(value=False)
    lines = (
        source.sort("order_id", "line_no")
        .with_columns(
            _is_product=is_product,
            product_line_no=_of_product_line(pl.col("line_no"), is_product),
            _quantity=pl.coalesce(_of_product_line(quantity, is_product), quantity),
            is_gift_card=pl.coalesce(_of_product_line(marked, is_product), marked),
            money_item_total_gross=pl.sum_horizontal(
                pl.col("money_item_total_net").fill_null(0), pl.col("money_item_total_vat").fill_null(0)
            ),
        )
        .with_columns(
            side=pl.when(pl.col("_quantity") > 0)
            .then(pl.lit("sale"))
            .when(pl.col("_quantity") < 0)
            .then(pl.lit("return"))
        )
    )
    discount = (
        pl.when(~on_sale | pl.col("is_gift_card"))
        .then(ZERO)
        .when("_is_product")
        .then(pl.coalesce(pl.col("money_row_discount").abs(), _unit_discounts_gross()))
        .when(pl.col("money_item_total_gross") < 0)
        .then(pl.col("money_item_total_gross").abs())
        .otherwise(ZERO)
    )
    counted = lines.with_columns(
        goods=pl.when("_is_product").then(quantity.abs()).otherwise(0), discount_gross=discount
    )
    return fit(counted, core.ORDER_LINES)


def _of_product_line(value: pl.Expr, is_product: pl.Expr) -> pl.Expr:
    """``value`` of the nearest product line, this one or before it; null where there is none."""
    return pl.when(is_product).then(value).forward_fill().over("order_id")


def _is_marked_gift_card(product_groups: pl.DataFrame, products: pl.DataFrame | None) -> pl.Expr:
    """Whether the line itself says gift card: by number, by its product's group, or by its recorded group's name."""
    groups = product_groups.filter(pl.col("product_group_type") == GIFT_CARD_GROUP)
    by_name = pl.col("product_group_name").is_in(groups.get_column("name").drop_nulls().to_list())
    marked = pl.col("has_gift_card_number") | by_name.fill_null(value=False)
    if products is None:
        return marked
    gift_cards = products.filter(pl.col("product_group_type") == GIFT_CARD_GROUP).select("eshop_id", "product_id")
    for (site,), of_site in gift_cards.partition_by("eshop_id", as_dict=True).items():
        is_of_site = (pl.col("eshop_id") == site).fill_null(value=True)
        by_product = pl.col("product_id").is_in(of_site.get_column("product_id").to_list())
        marked |= is_of_site & by_product.fill_null(value=False)
    return marked


def _unit_discounts_gross() -> pl.Expr:
    """Unit discount x quantity x (1 + VAT / 100) in whole digits, rounded half up (away from zero) to two decimals.

    A decimal's physical value is its digits without the point: cents, thousandths, and ten thousandths of a percent.
    So the product is in 10**-11 of the currency, and 10**9 of these are a cent. The casts before it hold it within 128
    bits: what is larger raises. Polars' own rounding of decimals is half to even.
    """
    quantity = pl.coalesce(pl.col("decimal_quantity_total"), pl.col("quantity").cast(pl.Decimal(18, 3)))
    cents = pl.col("money_discount").fill_null(0).cast(pl.Decimal(15, 2)).to_physical()
    thousandths = quantity.fill_null(0).cast(pl.Decimal(12, 3)).to_physical()
    percent = pl.col("vat_percent").fill_null(0).cast(pl.Decimal(9, 4)).to_physical()
    exact = cents.cast(pl.Int128) * thousandths.cast(pl.Int128) * (percent.cast(pl.Int128) + 1_000_000)
    rounded = exact.sign() * ((exact.abs() + 500_000_000) // 1_000_000_000)
    return (rounded.cast(pl.Decimal(38, 2)) / pl.lit(100, pl.Decimal(38, 2))).cast(pl.Decimal(18, 2))
