"""The rows and payments of an order in Sitoo's JSON form, with every documented field."""

from __future__ import annotations

from decimal import Decimal

from sitoo_pipeline.sandbox.catalogue import GIFT_CARD
from sitoo_pipeline.sandbox.deliveries import goes_back_to_central
from sitoo_pipeline.sandbox.lines import DISCOUNT_ROW, PRODUCT_ROW, Line
from sitoo_pipeline.sandbox.markets import ZERO, cents
from sitoo_pipeline.sandbox.sales import CARD, EXCHANGE, KLARNA, Payment, Sale
from sitoo_pipeline.sandbox.sales import GIFT_CARD as GIFT_CARD_PAYMENT
from sitoo_pipeline.sandbox.stores import CENTRAL_WAREHOUSE

_ISSUERS = ("Mastercard", "Visa", "Visa", "American Express")


def percent(value: Decimal) -> float:
    """A percentage as JSON: whole ones without a fraction."""
    return int(value) if value == int(value) else float(value)


def sales_taxes(lines: list[Line]) -> list[dict[str, object]]:
    """The taxed sum of ``lines`` and the tax on it, as positive amounts; nothing where none is taxed."""
    taxed = [line for line in lines if line.sales_tax]
    if not taxed:
        return []
    return [
        {
            "name": "New York",
            "code": "NY",
            "externalid": "",
            "groupregion": "NY",
            "moneytotal": str(abs(sum((line.net for line in taxed), ZERO))),
            "moneytax": str(abs(sum((line.sales_tax for line in taxed), ZERO))),
            "decimaltaxvalue": str(taxed[0].market.sales_tax),
        }
    ]


def render_item(sale: Sale, index: int, line: Line) -> dict[str, object]:
    """One row. A row that is no product has quantity 1, whether it goes with a sale or a return."""
    product, campaign = line.product, line.campaign
    weight = line.weight if line.weight is not None else Decimal(1)
    is_product = line.kind == PRODUCT_ROW
    name = product.title if is_product else "Rabatt" if line.kind == DISCOUNT_ROW else "Pant"
    return {
        "orderitemid": index,
        "orderitemtype": line.kind,
        "productid": product.productid,
        "productname": name,
        "sku": product.sku,
        "productattributes": product.attributes if is_product else "",
        "externalinput": "",
        "externalinputtitle": "",
        "unitlabel": "kg" if line.weight is not None else "",
        "quantity": line.shown_quantity,
        "decimalunitquantity": str(line.weight) if line.weight is not None else None,
        "moneynetpriceperunit": str(line.unit_charged),
        "moneypriceorg": "0.00",
        "vatvalue": percent(line.vat_percent),
        "deliveryinfo": "",
        "moneyitemtotal_net": str(line.net),
        "moneyitemtotal_vat": str(line.gross - line.net),
        "voucherid": campaign.voucherid if campaign else 0,
        "vouchercode": campaign.code if campaign else "",
        "vouchername": campaign.name if campaign else "",
        "moneyoriginalprice": str(line.unit_original),
        "moneydiscountedprice": str(line.unit_charged) if line.unit_discount else "0.00",
        "moneydiscount": str(line.unit_discount),
        "salestaxes": sales_taxes([line]),
        "additionaldata": _item_data(sale, index, line),
        "decimalquantitytotal": str(line.total_quantity if is_product else Decimal("1.000")),
        "moneynetpriceperquantity": str(cents(line.unit_charged * weight)),
    }


def _item_data(sale: Sale, index: int, line: Line) -> dict[str, str]:
    data = {"product-group-name": line.product.group.name}
    if line.row_discount is not None:
        data["orderitem-moneyrowdiscount"] = str(line.row_discount)
        data["reasoncode-manualdiscount"] = "RC20"
    if line.product.group.kind == GIFT_CARD and sale.index % 3:  # every third is one by its product group only
        data["giftcard-cardnumber"] = f"7340{sale.id:08d}{index:02d}"
    if line.quantity < 0:
        data["reasoncode-return"] = "RC10"
        if sale.slot.origin is not None:
            data["pos-originalsales-orderitemid"] = str(index)
        if goes_back_to_central(sale):
            data["return-warehouseid"] = str(CENTRAL_WAREHOUSE)
    return data


def render_payment(sale: Sale, payment: Payment) -> dict[str, object]:
    """A payment that was made."""
    return {
        "name": payment.name,
        "moneyamount": str(payment.amount),
        **_reference(sale, payment),
        "reservedpaymentid": None,
    }


def render_reserved(sale: Sale, payment: Payment) -> dict[str, object]:
    """A payment that is only reserved yet."""
    number = f"{sale.id}-1"
    return {"id": number, "name": payment.name, "moneyreserved": str(payment.amount), **_reference(sale, payment)}


def _reference(sale: Sale, payment: Payment) -> dict[str, object]:
    by_card = payment.name == CARD
    kind = {CARD: "verifonelpp", KLARNA: "klarna"}.get(payment.name, "")
    data: dict[str, str] = {}
    if payment.name == EXCHANGE:
        data["virtual-payment"] = "true"
    if payment.name == GIFT_CARD_PAYMENT:
        data["giftcard-cardnumber"] = f"7340{sale.id:08d}99"
    return {
        "externalid": "",
        "reftype": kind,
        "refid": f"{sale.ordered_at} {sale.id:012d}" if kind else "",
        "cardissuer": _ISSUERS[sale.id % len(_ISSUERS)] if by_card else "",
        "additionaldata": data,
    }
