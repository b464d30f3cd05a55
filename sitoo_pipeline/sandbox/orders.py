"""Orders in Sitoo's JSON form, with every documented field. Rows are in ``order_rows``, lists in ``order_queries``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sitoo_pipeline.sandbox.deliveries import warehouse_of
from sitoo_pipeline.sandbox.markets import ZERO, cents
from sitoo_pipeline.sandbox.oddities import as_old_till, is_by_old_till
from sitoo_pipeline.sandbox.order_rows import render_item, render_payment, render_reserved
from sitoo_pipeline.sandbox.sales import PAID, RESERVED, Sale
from sitoo_pipeline.sandbox.stores import ESHOP_ID
from sitoo_pipeline.sandbox.tills import CAME_FROM, RETURNS, Kind

if TYPE_CHECKING:
    from sitoo_pipeline.sandbox.chain import Chain


def render_order(chain: Chain, sale: Sale, *, now: int) -> dict[str, object]:
    """``sale`` as Sitoo shows it at ``now`` (epoch seconds)."""
    cart, customer = sale.slot.cart, sale.customer
    state, payment_state = sale.states(now)
    net = sum((line.net for line in cart.lines), ZERO)
    vat = cart.sales - cart.refunds - net
    delivery, checkout = sale.delivery_fee, sale.checkout_fee
    delivery_net, checkout_net = cents(delivery / Decimal("1.25")), cents(checkout / Decimal("1.25"))
    staff = None if sale.till.is_web else sale.till.store(sale.day).staff[sale.index % 4]
    address = f"Storgatan {customer.number}" if customer and sale.till.is_web else ""
    paid = [render_payment(sale, payment) for payment in sale.payments] if payment_state == PAID else []
    reserved = [render_reserved(sale, payment) for payment in sale.payments] if payment_state == RESERVED else []
    order: dict[str, object] = {
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
        "moneycheckout_net": str(checkout_net),
        "moneycheckout_vat": str(checkout - checkout_net),
        "moneytotal_gross_checkout": str(checkout),
        "moneydelivery_net": str(delivery_net),
        "moneydelivery_vat": str(delivery - delivery_net),
        "moneytotal_gross_delivery": str(delivery),
        "moneyfinal_net": str(net + delivery_net + checkout_net),
        "moneyfinal_vat": str(vat + delivery + checkout - delivery_net - checkout_net),
        "moneyfinal_salestax": str(cart.total - cart.sales + cart.refunds),
        "moneytotal_gross_roundoff": str(sale.roundoff),
        "moneytotal_gross_all": str(sale.total),
        "checkouttypename": _checkout_type(sale),
        "checkoutmethodid": 0,
        "checkoutmethodsubid": 0,
        "deliverytypename": "PostNord" if sale.till.is_web else "",
        "orderdate": sale.ordered_at,
        "orderstateid": state,
        "paymentstateid": payment_state,
        "ordertypeid": sale.order_type,
        "userid_staff": staff.userid if staff else None,
        "registerid": sale.till.register.registerid if sale.till.register else None,
        "warehouseid": warehouse_of(chain, sale),
        "datereserved": sale.ordered_at + 14 * 86400 if sale.slot.kind is Kind.BOOKING else None,
        "currencycode": cart.market.currency,
        "additionaldata": _order_data(chain, sale),
        "orderitems": [render_item(sale, index, line) for index, line in enumerate(cart.lines)],
        "payments": paid,
        "reservedpayments": reserved,
        "orderlogitems": render_log(sale),
    }
    return as_old_till(order) if chain.awkward and is_by_old_till(sale) else order


def render_log(sale: Sale) -> list[dict[str, object]]:
    """The order's log: that it was made."""
    return [{"datelog": sale.ordered_at, "orderid": sale.id, "orderlogtypeid": 0, "strvalue": None, "fvalue": None}]


def external_id(sale: Sale) -> str | None:
    """The web shop's own number of an order; none for a till's."""
    return f"WEB-{sale.id}" if sale.till.is_web else None


def credited_order(chain: Chain, sale: Sale) -> int | None:
    """The id of the purchase that ``sale`` returns, None where it returns none or has no receipt."""
    if sale.slot.origin is None:
        return None
    return chain.orders.id_of(*sale.slot.origin)


def _checkout_type(sale: Sale) -> str:
    if not sale.payments:
        return ""
    return sale.payments[0].name if sale.till.is_web else f"Sitoo POS - {sale.payments[0].name}"


def _order_data(chain: Chain, sale: Sale) -> dict[str, str]:
    register = sale.till.register
    if register is None:
        return {}
    store = sale.till.store(sale.day)
    data = {"pos-receiptid": f"{register.registerkey}{chain.orders.receipt_number(sale)}"}
    if store.listed:
        staff = store.staff[sale.index % 4]
        data |= {
            "pos-timezone": store.zone.key,
            "store-externalid": store.externalid,
            "store-name": store.name,
            "pos-staff-userid": staff.userid,
            "pos-staff-externalid": staff.externalid,
        }
    if store.listed and (sale.day.toordinal() + 3 * sale.index) % 53 == 0:
        # an old version of the till sends no store: it follows from the register's warehouse
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
