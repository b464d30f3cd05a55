"""Orders and their deliveries in Sitoo's JSON form, with every documented field. Lists are in ``order_queries``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sitoo_pipeline.sandbox.carts import ZERO, Line, cents
from sitoo_pipeline.sandbox.catalogue import GIFT_CARD
from sitoo_pipeline.sandbox.sales import CARD, EXCHANGE, KLARNA, PAID, RESERVED, Payment, Sale
from sitoo_pipeline.sandbox.sales import GIFT_CARD as GIFT_CARD_PAYMENT
from sitoo_pipeline.sandbox.stores import CENTRAL_WAREHOUSE, CURRENCY, ESHOP_ID
from sitoo_pipeline.sandbox.tills import CAME_FROM, RETURNS, Kind

if TYPE_CHECKING:
    from sitoo_pipeline.sandbox.chain import Chain

_FIRST_DELIVERY_ID = 100_000
_ISSUERS = ("Mastercard", "Visa", "Visa", "American Express")


def warehouse_of(chain: Chain, sale: Sale) -> int:
    """The warehouse that delivers ``sale``: the till's, or for a web order the central one or a store that ships it."""
    if sale.till.register is not None:
        return sale.till.register.warehouseid
    ships = (sale.day.toordinal() + sale.index) % (5 * len(chain.store_list))
    return chain.store_list[ships].warehouseid if ships < len(chain.store_list) else CENTRAL_WAREHOUSE


def render_order(chain: Chain, sale: Sale, *, now: int) -> dict[str, object]:
    """``sale`` as Sitoo shows it at ``now`` (epoch seconds)."""
    cart, customer = sale.slot.cart, sale.customer
    state, payment_state = sale.states(now)
    net = sum((line.net for line in cart.lines), ZERO)
    vat = cart.total - net
    fee = sale.delivery_fee
    fee_net = cents(fee / Decimal("1.25"))
    staff = sale.till.store.staff[sale.index % 4] if sale.till.store else None
    address = f"Storgatan {customer.number}" if customer and not sale.till.store else ""
    shown_payments = [_payment(sale, payment) for payment in sale.payments] if payment_state == PAID else []
    reserved = [_reserved(sale, payment) for payment in sale.payments] if payment_state == RESERVED else []
    return {
        "orderid": sale.id,
        "eshopid": ESHOP_ID,
        "externalid": external_id(sale),
        "creditorderid": credited_order(chain, sale),
        "checkouttypeid": 0,
        "deliverytypeid": 0,
        "email": customer.email if customer else "",
        "namefirst": customer.first_name if customer else "",
        "namelast": customer.last_name if customer else "",
        "personalid": "",
        "company": "",
        "phone": customer.phone if customer else "",
        "invoice_address": address,
        "invoice_address2": "",
        "invoice_zip": "411 05" if address else "",
        "invoice_city": "Göteborg" if address else "",
        "invoice_state": "",
        "invoice_countryid": "se" if address else "",
        "delivery_address": address,
        "delivery_address2": "",
        "delivery_zip": "411 05" if address else "",
        "delivery_city": "Göteborg" if address else "",
        "delivery_state": "",
        "delivery_countryid": "se" if address else "",
        "comment": "",
        "commentinternal": "",
        "customerref": "",
        "checkoutref": "",
        "moneytotal_net": str(net),
        "moneytotal_vat": str(vat),
        "moneycheckout_net": "0.00",
        "moneycheckout_vat": "0.00",
        "moneytotal_gross_checkout": "0.00",
        "moneydelivery_net": str(fee_net),
        "moneydelivery_vat": str(fee - fee_net),
        "moneytotal_gross_delivery": str(fee),
        "moneyfinal_net": str(net + fee_net),
        "moneyfinal_vat": str(vat + fee - fee_net),
        "moneyfinal_salestax": "0.00",
        "moneytotal_gross_roundoff": str(sale.roundoff),
        "moneytotal_gross_all": str(sale.total),
        "checkouttypename": _checkout_type(sale),
        "checkoutmethodid": 0,
        "checkoutmethodsubid": 0,
        "deliverytypename": "" if sale.till.store else "PostNord",
        "orderdate": sale.ordered_at,
        "orderstateid": state,
        "paymentstateid": payment_state,
        "ordertypeid": sale.order_type,
        "userid_staff": staff.userid if staff else None,
        "registerid": sale.till.register.registerid if sale.till.register else None,
        "warehouseid": warehouse_of(chain, sale),
        "datereserved": sale.ordered_at + 14 * 86400 if sale.slot.kind is Kind.BOOKING else None,
        "currencycode": CURRENCY,
        "additionaldata": _order_data(chain, sale),
        "orderitems": [_item(sale, index, line) for index, line in enumerate(cart.lines)],
        "payments": shown_payments,
        "reservedpayments": reserved,
        "orderlogitems": render_log(sale),
    }


def render_log(sale: Sale) -> list[dict[str, object]]:
    """The order's log: that it was made."""
    return [{"datelog": sale.ordered_at, "orderid": sale.id, "orderlogtypeid": 0, "strvalue": None, "fvalue": None}]


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
            "quantity": line.quantity,
        }
        for index, line in enumerate(sale.slot.cart.lines)
    ]
    return {
        "orderdeliveryid": number,
        "orderid": sale.id,
        "warehouseid": warehouse_of(chain, sale),
        "orderdeliveryref": "",
        "datedelivery": sale.delivered_at,
        "datecancelled": None,
        "pluginname": "",
        "orderdeliveryitems": items,
    }


def external_id(sale: Sale) -> str | None:
    """The web shop's own number of an order; none for a till's."""
    return None if sale.till.store else f"WEB-{sale.id}"


def credited_order(chain: Chain, sale: Sale) -> int | None:
    """The id of the purchase that ``sale`` returns, None where it returns none or has no receipt."""
    if sale.slot.origin is None:
        return None
    day, index = sale.slot.origin
    return chain.orders.id_of(sale.till, day, index)


def _checkout_type(sale: Sale) -> str:
    if not sale.payments:
        return ""
    return f"Sitoo POS - {sale.payments[0].name}" if sale.till.store else sale.payments[0].name


def _order_data(chain: Chain, sale: Sale) -> dict[str, str]:
    store, register = sale.till.store, sale.till.register
    if store is None or register is None:
        return {}
    staff = store.staff[sale.index % 4]
    data = {
        "pos-receiptid": f"{register.registerkey}{chain.orders.receipt_number(sale)}",
        "pos-timezone": chain.timezone,
        "store-externalid": store.externalid,
        "store-name": store.name,
        "pos-staff-userid": staff.userid,
        "pos-staff-externalid": staff.externalid,
    }
    if sale.index % 67 == 66:  # an old version of the till sends no store: it follows from the register's warehouse
        data["store-externalid"] = ""
    if sale.slot.kind in RETURNS:
        data["refundreasoncode-reasoncode"] = "RC10"
        data["refundreasoncode-comment"] = "Ånger"
    if sale.slot.origin is not None:
        data["pos-originalsales-orderid"] = str(credited_order(chain, sale))
    if sale.slot.kind is Kind.EXCHANGE_RETURN:
        data["pos-refundsales-orderid"] = str(chain.orders.id_of(sale.till, sale.day, sale.index + 1))
    if sale.slot.kind is Kind.EXCHANGE_SALE:
        data["pos-refund-orderid"] = str(chain.orders.id_of(sale.till, sale.day, sale.index - 1))
        data["pos-refund-receiptid"] = f"{register.registerkey}{chain.orders.receipt_number(sale) - 1}"
    if sale.slot.kind in CAME_FROM:
        data["pos-sourceorderid"] = str(chain.orders.id_of(sale.till, sale.day, sale.index - 1))
    if sale.customer is not None:
        data["crm-membernumber"] = f"M{sale.customer.number:05d}"
    return data


def _item(sale: Sale, index: int, line: Line) -> dict[str, object]:
    group, campaign = line.product.group, line.campaign
    weight = line.weight if line.weight is not None else Decimal(1)
    data = {"product-group-name": group.name}
    if line.row_discount is not None:
        data["orderitem-moneyrowdiscount"] = str(line.row_discount)
        data["reasoncode-manualdiscount"] = "RC20"
    if group.kind == GIFT_CARD:
        data["giftcard-cardnumber"] = f"7340{sale.id:08d}{index:02d}"
    if line.quantity < 0:
        data["reasoncode-return"] = "RC10"
        if sale.slot.origin is not None:
            data["pos-originalsales-orderitemid"] = "0"
    return {
        "orderitemid": index,
        "orderitemtype": 10,
        "productid": line.product.productid,
        "productname": line.product.title,
        "sku": line.product.sku,
        "productattributes": line.product.attributes,
        "externalinput": "",
        "externalinputtitle": "",
        "unitlabel": "kg" if line.weight is not None else "",
        "quantity": line.quantity,
        "decimalunitquantity": str(line.weight) if line.weight is not None else None,
        "moneynetpriceperunit": str(line.unit_charged),
        "moneypriceorg": "0.00",
        "vatvalue": group.vat_percent,
        "deliveryinfo": "",
        "moneyitemtotal_net": str(line.net),
        "moneyitemtotal_vat": str(line.gross - line.net),
        "voucherid": campaign.voucherid if campaign else 0,
        "vouchercode": campaign.code if campaign else "",
        "vouchername": campaign.name if campaign else "",
        "moneyoriginalprice": str(line.unit_original),
        "moneydiscountedprice": str(line.unit_charged) if line.unit_discount else "0.00",
        "moneydiscount": str(line.unit_discount),
        "salestaxes": [],
        "additionaldata": data,
        "decimalquantitytotal": str(line.total_quantity),
        "moneynetpriceperquantity": str(cents(line.unit_charged * weight)),
    }


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


def _payment(sale: Sale, payment: Payment) -> dict[str, object]:
    return {
        "name": payment.name,
        "moneyamount": str(payment.amount),
        **_reference(sale, payment),
        "reservedpaymentid": None,
    }


def _reserved(sale: Sale, payment: Payment) -> dict[str, object]:
    number = f"{sale.id}-1"
    return {"id": number, "name": payment.name, "moneyreserved": str(payment.amount), **_reference(sale, payment)}
