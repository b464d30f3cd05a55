"""The fields that Sitoo documents, where a list has to name them because its own choice leaves some out.

Which resource asks for them is in ``resources``.
"""

_ADDRESS = ("address", "address2", "zip", "city", "state", "countryid")

# https://developer.sitoo.com/api-reference/products: what says what an article is, without web shop texts, offers and
# links to other articles. Without `fields` the list leaves out, among others, title and product group type.
PRODUCT = (
    "productid", "sku", "skumanufacturer", "title", "barcode", "barcodealiases",
    "vatid", "vatvalue", "productgrouptype", "defaultcategoryid", "categories", "manufacturerid",
    "variantparentid", "unitlabel", "allowdecimals", "stockcountenable", "active", "activepos",
    "moneyprice", "moneypriceorg", "moneypricein",
    "custom1", "custom2", "custom3", "custom4", "custom5",
    "datecreated", "datemodified",
)  # fmt: skip

# https://developer.sitoo.com/api-reference/orders: the whole order. Without `fields` the list leaves out, among others,
# creditorderid, externalid, the fees of checkout and delivery, and sales tax.
ORDER = (
    "orderid", "eshopid", "externalid", "creditorderid",
    "email", "namefirst", "namelast", "personalid", "company", "phone",
    *(f"invoice_{part}" for part in _ADDRESS),
    *(f"delivery_{part}" for part in _ADDRESS),
    "comment", "commentinternal", "customerref", "checkoutref",
    "moneytotal_net", "moneytotal_vat",
    "moneycheckout_net", "moneycheckout_vat", "moneytotal_gross_checkout",
    "moneydelivery_net", "moneydelivery_vat", "moneytotal_gross_delivery",
    "moneyfinal_net", "moneyfinal_vat", "moneyfinal_salestax",
    "moneytotal_gross_roundoff", "moneytotal_gross_all",
    "checkouttypename", "deliverytypename",
    "orderdate", "orderstateid", "paymentstateid", "ordertypeid",
    "userid_staff", "registerid", "warehouseid", "datereserved", "currencycode",
    "additionaldata", "orderitems", "payments", "reservedpayments", "orderlogitems",
)  # fmt: skip
