"""Fields and types of what Sitoo documents, written down here as facts."""

from __future__ import annotations

import re
from collections.abc import Iterable

import httpx

from sitoo_pipeline_tests.sandbox.conftest import Json, World

ORDER_LIST = """\
orderid eshopid email namefirst namelast company moneyfinal_net moneyfinal_vat moneytotal_gross_roundoff
moneytotal_gross_all checkouttypename deliverytypename orderdate orderstateid paymentstateid ordertypeid
registerid warehouseid datereserved currencycode additionaldata orderitems payments"""
ORDER = f"""\
{ORDER_LIST} externalid creditorderid personalid phone invoice_address invoice_address2 invoice_zip invoice_city
invoice_state invoice_countryid delivery_address delivery_address2 delivery_zip delivery_city delivery_state
delivery_countryid comment commentinternal customerref checkoutref moneytotal_net moneytotal_vat
moneycheckout_net moneycheckout_vat moneytotal_gross_checkout moneydelivery_net moneydelivery_vat
moneytotal_gross_delivery moneyfinal_salestax userid_staff reservedpayments orderlogitems checkouttypeid
deliverytypeid checkoutmethodid checkoutmethodsubid"""
ITEM = """\
orderitemid orderitemtype productid productname sku productattributes externalinput externalinputtitle unitlabel
quantity decimalunitquantity moneynetpriceperunit moneypriceorg vatvalue deliveryinfo moneyitemtotal_net
moneyitemtotal_vat voucherid vouchercode vouchername moneyoriginalprice moneydiscountedprice moneydiscount
salestaxes additionaldata decimalquantitytotal moneynetpriceperquantity"""
PAYMENT = "name moneyamount externalid reftype refid cardissuer additionaldata reservedpaymentid"
Z_REPORT = """\
zreportid registerid manufacturerid registerkey registernumber datecreated dateopened dateadded eshopid store_id
store_name company companyid address address2 address3 currencycode staff staffuserid comment moneysalestotal
moneysalestotalnet numsales numsalesitems vatgroupssales productgroupssales moneysalesnotdeliveredtotal
moneysalesnotdeliveredtotalnet numsalesnotdelivered numsalesnotdelivereditems vatgroupssalesnotdelivered
productgroupssalesnotdelivered discountssalesnotdelivered moneysalestaxinadvance moneyrefundtotal
moneyrefundtotalnet numrefund numrefunditems vatgroupsrefund productgroupsrefund salestaxessales
salestaxesrefund moneysummarysales moneysummaryrefund moneysummarysubtotal moneysummarysalestax
moneysummaryroundoff moneysummarytotal moneyroundoff paymentssales paymentsrefund moneydiscount discountssales
discountsrefund moneycash_in moneycash_salesrefunds moneycash_petty moneycash_bank moneycash_expected
moneycash_counted moneycash_diff moneycash_bankfinal moneycash_out numsalestypeproduct numsalestypeservice
numsalestypegiftcard numreceipts numopendrawer numpractice moneypractice moneygrandtotalsales
moneygrandtotalrefund moneygrandtotalnet"""
TRANSACTION = """\
warehousetransactionid warehouseid datecreated transactiontype description orderdeliveryid shipmentid externalid
reasoncode items"""
TRANSACTION_ITEM = "decimalquantity decimaltotal moneypricein moneytotal moneyvalue sku"
STORE = """\
storeid eshopid storetype name externalid externalgroupid phone email address address2 zip city state countryid
latitude longitude nearby_stores usetype_movein usetype_moveout usetype_manualin usetype_manualout
usetype_shipmentin usetype_shipmentout tags additional_data"""
WAREHOUSE = """\
warehouseid warehousetype usetype storeid sellable currencycode name address address2 zip city state countryid
externalid"""
REGISTER = """\
registerid manufacturerid registerkey company companyid address address2 zip city state countryid currencycode
receiptlanguagetag storesettingid warehouseid salestaxgroupid"""
PRODUCT_GROUP = "vatid value productgrouptype productgroupname comment"
PRODUCT_LIST = """\
productid sku datemodified active activepos vatid manufacturerid stockcountenable barcode moneyprice
moneyfinalprice stockallowbackorder"""
SITE = "siteid protocol server abspath siteurl eshopid"


def check(objects: Iterable[Json], names: str) -> None:
    """Exactly these fields, with the types that Sitoo's prefixes stand for."""
    wanted = set(names.split())
    for item in objects:
        assert set(item) == wanted
        for name, value in item.items():
            if name.startswith("money"):
                assert re.fullmatch(r"-?\d+\.\d\d", value), (name, value)
                assert value != "-0.00"
            elif name.startswith("decimal"):
                assert value is None or re.fullmatch(r"-?\d+\.\d\d\d", value), (name, value)
            elif name.startswith(("date", "num")) or name in ("orderdate", "quantity", "vatvalue"):
                assert value is None or type(value) is int, (name, value)
            elif name == "registerid" or name.startswith("userid"):
                assert value is None or re.fullmatch(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", value)


def test_orders(api: httpx.Client, world: World) -> None:
    check(world.orders, ORDER_LIST)
    check((item for order in world.orders for item in order["orderitems"]), ITEM)
    check((payment for order in world.orders for payment in order["payments"]), PAYMENT)
    check([api.get(f"/sites/1/orders/{order['orderid']}.json").json() for order in world.orders[::600]], ORDER)
    for order in world.orders:
        assert all(isinstance(value, str) for value in order["additionaldata"].values())
        assert [item["orderitemid"] for item in order["orderitems"]] == list(range(len(order["orderitems"])))


def test_z_reports(world: World) -> None:
    check(world.z_reports, Z_REPORT)
    for report in world.z_reports:
        for side in ("sales", "refund"):
            check(report[f"vatgroups{side}"], "vatvalue moneytotal moneytotalnet moneytotalvat")
            check(report[f"productgroups{side}"], "name vatvalue numtotal moneytotal moneytotalnet moneytotalvat")
            check(report[f"discounts{side}"], "vouchercode moneytotal moneytotalnet moneytotalvat")
            check(report[f"payments{side}"], "name moneytotal moneycaptured moneyinadvance moneyreserved subpayments")


def test_warehouse_transactions(world: World) -> None:
    check(world.transactions, TRANSACTION)
    check((item for transaction in world.transactions for item in transaction["items"]), TRANSACTION_ITEM)


def test_reference_data(api: httpx.Client) -> None:
    for path, names, key in (
        ("stores", STORE, "storeid"),
        ("warehouses", WAREHOUSE, "warehouseid"),
        ("cashregisters", REGISTER, "registerid"),
        ("productgroups", PRODUCT_GROUP, "vatid"),
    ):
        page = api.get(f"/sites/1/{path}.json?num=1000").json()
        assert page["totalcount"] == len(page["items"]) > 0
        check(page["items"], names)
        single = api.get(f"/sites/1/{path}/{page['items'][0][key]}.json").json()
        assert single == page["items"][0]
    check(api.get("/sites.json").json()["items"], SITE)
    check(api.get("/sites/1/products.json").json()["items"], PRODUCT_LIST)


def test_lists_are_cut_and_filtered(api: httpx.Client) -> None:
    page = api.get("/sites/1/products.json?start=10&num=5&fields=productid,title").json()
    assert [set(product) for product in page["items"]] == [{"productid", "title"}] * 5
    by_sku = api.get("/sites/1/products.json?sku[]=10038-1&sku[]=20101-1").json()
    assert [product["sku"] for product in by_sku["items"]] == ["10038-1", "20101-1"]
    assert api.get("/sites/1/products.json?sku=10038-1&sku=20101-1").json()["totalcount"] == 1


def test_a_register_leads_to_its_store_over_its_warehouse(api: httpx.Client, world: World) -> None:
    warehouses = {row["warehouseid"]: row["storeid"] for row in api.get("/sites/1/warehouses?num=100").json()["items"]}
    stores = {row["storeid"]: row["externalid"] for row in api.get("/sites/1/stores?num=100").json()["items"]}
    registers = {
        row["registerid"]: row["warehouseid"] for row in api.get("/sites/1/cashregisters?num=100").json()["items"]
    }
    assert None in warehouses.values()
    assert any(number.startswith("0") for number in stores.values())
    latest = {report["registerid"]: report["store_id"] for report in world.z_reports}
    assert latest == {register: stores[warehouses[warehouse]] for register, warehouse in registers.items()}
    moved = [report for report in world.z_reports if report["store_id"] != latest[report["registerid"]]]
    assert {(report["store_id"], latest[report["registerid"]]) for report in moved} == {("310", "0101")}
