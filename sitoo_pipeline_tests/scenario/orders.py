"""The orders, by the case that each part is about. Ids grow with the cases, not with time."""

from __future__ import annotations

from sitoo_pipeline_tests.scenario.objects import ABSENT, Json, line, order, payment
from sitoo_pipeline_tests.scenario.shops import (
    GOTHENBURG,
    GOTHENBURG_2,
    HELSINKI,
    LONDON,
    MOVED,
    NEW_YORK,
    NOWHERE,
    UNLISTED,
)

G1: Json = {"register": GOTHENBURG, "warehouse": 1, "store": "0101", "name": "Göteborg", "zone": "Europe/Stockholm"}
G2: Json = G1 | {"register": GOTHENBURG_2}
HEL: Json = {"register": HELSINKI, "warehouse": 2, "store": "0102", "zone": "Europe/Helsinki", "currency": "EUR"}
LON: Json = {"register": LONDON, "warehouse": 3, "store": "0103", "zone": "Europe/London", "currency": "GBP"}
NYC: Json = {"register": NEW_YORK, "warehouse": 7, "store": "NYC-1", "zone": "America/New_York", "currency": "USD"}
CARD = {"giftcard-cardnumber": "6064 0001"}


def _row(amount: str) -> Json:
    return {"orderitem-moneyrowdiscount": amount}


PARTS: dict[str, list[Json]] = {
    "a plain sale, and its return": [
        order(
            1001,
            "2026-10-23T10:15:07+02:00",
            line("100.00", "25.00"),
            line("50.00", "6.00", quantity=2, rate=12, group="Livsmedel"),
            **G1,
        ),
        order(1002, "2026-10-23T11:30:00+02:00", line("-100.00", "-25.00", quantity=-1), creditorderid=1001, **G1),
    ],
    "an exchange of two linked orders": [
        order(
            1003,
            "2026-10-23T11:45:00+02:00",
            line("-25.00", "-3.00", quantity=-1, rate=12),
            extra={"pos-originalsales-orderid": "1001", "pos-refundsales-orderid": "1004"},
            payments=[payment("Exchange", "-28.00", virtual_payment="true")],
            **G1,
        ),
        order(
            1004,
            "2026-10-23T11:45:01+02:00",
            line("80.00", "20.00"),
            extra={"pos-refund-orderid": "1003"},
            payments=[payment("Exchange", "28.00", virtual_payment="true"), payment("Cash", "72.00")],
            **G1,
        ),
    ],
    "a mixed cart in one order": [
        order(
            1005,
            "2026-10-23T12:00:00+02:00",
            line("200.00", "50.00", quantity=2, discount="10.00"),
            line("-40.00", "-10.00", quantity=-1, discount="4.00"),
            **G1,
        )
    ],
    "a return to another store and warehouse than the sale's": [
        order(
            1006,
            "2026-10-23T13:00:00+03:00",
            line("-8.00", "-1.92", quantity=-1, rate=24, extra={"return-warehouseid": "1"}),
            creditorderid=1001,
            **HEL,
        )
    ],
    "gift cards sold, returned and used": [
        order(1007, "2026-10-23T14:00:00+02:00", line("500.00", "0.00", rate=0, group="", extra=CARD), **G1),
        order(
            1008,
            "2026-10-23T14:10:00+02:00",
            line("300.00", "0.00", rate=0, group="Presentkort", discount="30.00"),
            line("-10.00", "0.00", kind=20, rate=0, group=""),
            line("20.00", "5.00"),
            **G1,
        ),
        order(1009, "2026-10-23T14:20:00+02:00", line("-200.00", "0.00", quantity=-1, rate=0, extra=CARD), **G1),
        order(
            1010,
            "2026-10-23T14:30:00+02:00",
            line("400.00", "100.00"),
            payments=[payment("Gift Card", "500.00", giftcard_cardnumber="6064 0001")],
            **G1,
        ),
    ],
    "orders that do not count": [
        order(1012, "2026-10-23T15:00:00+02:00", line("10.00", "2.50"), ordertypeid=100, **G1),
        order(1013, "2026-10-23T15:01:00+02:00", line("10.00", "2.50"), ordertypeid=110, **G1),
        order(1014, "2026-10-23T15:02:00+02:00", line("10.00", "2.50"), orderstateid=20, **G1),
        order(1015, "2026-10-23T15:03:00+02:00", line("10.00", "2.50"), orderstateid=-1, **G1),
        order(1016, "2026-10-23T15:04:00+02:00", line("10.00", "2.50"), orderstateid=0, paymentstateid=10, **G1),
        order(1017, "2026-10-23T15:05:00+02:00", line("10.00", "2.50"), paymentstateid=15, **G1),
        order(1018, "2026-10-23T15:06:00+02:00", line("10.00", "2.50"), paymentstateid=99, **G1),
        order(1019, "2026-10-23T15:07:00+02:00", line("10.00", "2.50"), ordertypeid=120, **G1),
        order(1021, "2026-10-23T15:08:00+02:00", line("10.00", "2.50"), ordertypeid=None, **G1),
        order(1022, "2026-10-23T15:09:00+02:00", line("10.00", "2.50"), paymentstateid=ABSENT, **G1),
    ],
    "an unknown and an absent order state do count": [
        order(1023, "2026-10-23T15:10:00+02:00", line("1.00", "0.25"), orderstateid=7, **G1),
        order(1024, "2026-10-23T15:11:00+02:00", line("2.00", "0.50"), orderstateid=ABSENT, **G1),
    ],
    "web orders, open but paid, with and without a warehouse": [
        order(1030, "2026-10-23T20:00:00+02:00", line("60.00", "15.00"), warehouse=1, orderstateid=0),
        order(1031, "2026-10-23T20:05:00+02:00", line("70.00", "17.50"), orderstateid=0, currency="EUR"),
        order(1032, "2026-10-23T20:10:00+02:00", line("-70.00", "-17.50", quantity=-1), currency="EUR"),
    ],
    "weighed goods": [
        order(
            1040,
            "2026-10-24T09:00:00+02:00",
            line("71.00", "8.52", quantity=2, weight="0.355", rate=12, discount="9.95", group="Livsmedel"),
            line("-35.50", "-4.26", quantity=-1, weight="0.355", rate=12, discount="9.95", group="Livsmedel"),
            **G1,
        )
    ],
    "discounts per unit that end in half a hundredth, at VAT 25, 12, 6 and 0": [
        order(
            1041,
            "2026-10-24T10:00:00+02:00",
            line("9.98", "2.50", discount="0.02"),
            line("40.00", "4.80", weight="0.125", rate=12, discount="0.75", group="Livsmedel"),
            line("30.00", "1.80", weight="0.500", rate=6, discount="0.50", group="Böcker"),
            line("20.00", "0.00", weight="0.500", rate=0, discount="0.01"),
            line("10.00", "0.63", rate=6.25, discount="0.10"),
            **G1,
        )
    ],
    "discounts recorded for the row": [
        order(
            1042,
            "2026-10-24T11:00:00+02:00",
            line("160.00", "40.00", quantity=2, discount="20.00", extra=_row("50.00")),
            line("80.00", "20.00", extra=_row("-12.34")),
            line("80.00", "20.00", discount="7.00", extra=_row("0.00")),
            line("80.00", "20.00", discount="7.00", extra=_row("")),
            line("-80.00", "-20.00", quantity=-1, extra=_row("50.00")),
            **G1,
        )
    ],
    "a discount per unit although no discounted price is set, and a price raised by hand": [
        order(
            1043,
            "2026-10-24T11:30:00+02:00",
            line("72.00", "18.00", discount="8.00", moneydiscountedprice="0.00"),
            line("110.00", "27.50", discount="-10.02"),
            **G1,
        )
    ],
    "discount rows of another type": [
        order(
            1044,
            "2026-10-24T12:00:00+02:00",
            line("-5.00", "-1.25", kind=20),
            line("100.00", "25.00", quantity=3),
            line("-8.00", "-2.00", kind=20, discount="8.00", extra=_row("99.00")),
            line("-1.00", "-0.25", kind=20, quantity=-1),
            line("-2.00", "-0.50", kind=20, quantity=0),
            line("4.00", "1.00", kind=30),
            line("-100.00", "-25.00", quantity=-2),
            line("8.00", "2.00", kind=20, quantity=1),
            line("0.00", "0.00", quantity=0),
            line("-3.00", "-0.75", kind=20),
            **G1,
        ),
        order(1045, "2026-10-24T12:30:00+02:00", line("-6.00", "-1.50", kind=20, quantity=-1), **G1),
        order(1046, "2026-10-24T12:31:00+02:00", line("6.00", "1.50", kind=30), **G1),
    ],
    "lines of no quantity, and orders without lines": [
        order(1047, "2026-10-24T13:00:00+02:00", line("5.00", "1.25", quantity=0), roundoff="0.50", **G1),
        order(1048, "2026-10-24T14:00:00+02:00", roundoff="-0.25", **G1),
        order(1049, "2026-10-24T14:01:00+02:00", **(G1 | {"orderitems": None})),
        order(1050, "2026-10-24T14:02:00+02:00", **(G1 | {"orderitems": ABSENT})),
        order(1051, "2026-10-24T14:03:00+02:00", line("5.00", "1.25", quantity=None), **G1),
    ],
    "null, absent and empty values": [
        order(
            1052,
            "2026-10-24T15:00:00+02:00",
            line("10.00", "2.50", kind=None, discount="1.00", decimalquantitytotal=ABSENT, quantity=2),
            line("10.00", "0.00", rate=None, discount="1.00", decimalquantitytotal=None, additionaldata=None),
            line(None, None, moneydiscount=None, additionaldata=ABSENT, orderitemtype=ABSENT, vatvalue=ABSENT),
            line("3.00", "0.75", moneyitemtotal_vat=ABSENT, moneydiscount=ABSENT),
            **(G1 | {"moneytotal_gross_roundoff": None}),
        ),
        order(1053, "2026-10-24T15:05:00+02:00", line("11.00", "2.75"), **(G1 | {"currency": ""})),
    ],
    "cash round-off, delivery and checkout fees in the header": [
        order(1054, "2026-10-24T16:00:00+02:00", line("79.90", "19.98"), roundoff="0.12", **G1),
        order(
            1055,
            "2026-10-24T16:30:00+02:00",
            line("79.90", "19.98"),
            roundoff="-0.38",
            moneydelivery_net="39.20",
            moneydelivery_vat="9.80",
            moneycheckout_net="8.00",
            moneycheckout_vat="2.00",
            **G1,
        ),
    ],
    "goods and services of the same order": [
        order(
            1056,
            "2026-10-24T17:00:00+02:00",
            line("100.00", "25.00", group="Skrädderi"),
            line("100.00", "25.00", group="En grupp som inte finns längre"),
            **G1,
        )
    ],
    "sales tax in New York, late in the evening: already the next date for the account": [
        order(
            1060,
            "2026-10-23T22:30:00-04:00",
            line("30.00", "0.00", rate=0, salestaxes=[{"name": "NY", "code": "NY", "moneytax": "2.66"}]),
            moneyfinal_salestax="2.66",
            **NYC,
        )
    ],
    "two currencies in one store": [
        order(1061, "2026-10-23T16:00:00+02:00", line("10.00", "2.50", discount="1.00"), **(G1 | {"currency": "EUR"})),
        order(1062, "2026-10-23T16:05:00+02:00", line("90.00", "22.50"), **G1),
    ],
    "just after midnight in Helsinki: still the date before for the account": [
        order(1063, "2026-10-24T00:30:00+03:00", line("10.00", "2.40", rate=24), **HEL),
        order(1064, "2026-10-25T12:00:00+02:00", line("20.00", "4.80", rate=24), **HEL),
    ],
    "the doubled autumn hour": [
        order(1065, "2026-10-25T02:30:00+02:00", line("11.00", "2.75"), **G2),
        order(1066, "2026-10-25T02:30:00+01:00", line("12.00", "3.00", quantity=3), **G2),
        order(1067, "2026-10-25T02:59:59+01:00", line("-4.00", "-1.00", quantity=-1), **G2),
        order(1068, "2026-10-25T01:30:00+01:00", line("13.00", "2.60", rate=20), **LON),
    ],
    "around the missing spring hour": [
        order(1069, "2026-03-29T01:59:59+01:00", line("14.00", "3.50"), **G1),
        order(1070, "2026-03-29T03:00:00+02:00", line("15.00", "3.75"), **G1),
    ],
    "a store open past midnight": [
        order(1071, "2026-10-23T23:59:59+02:00", line("16.00", "4.00"), **G2),
        order(1072, "2026-10-24T00:00:00+02:00", line("17.00", "4.25"), **G2),
        order(1073, "2026-10-24T01:10:00+02:00", line("18.00", "4.50"), **G2),
    ],
    "a register that moved to another store": [
        order(1074, "2026-10-24T18:00:00+02:00", line("19.00", "4.75"), **(G1 | {"register": MOVED})),
        order(1075, "2026-10-26T18:00:00+02:00", line("21.00", "5.04", rate=24), register=MOVED, currency="EUR"),
    ],
    "orders without store-externalid": [
        order(1080, "2026-10-26T10:00:00+01:00", line("22.00", "5.50"), register=GOTHENBURG),
        order(1081, "2026-10-26T10:01:00+01:00", line("23.00", "5.75"), register=UNLISTED, warehouse=1),
        order(1082, "2026-10-26T10:02:00+01:00", line("24.00", "6.00"), register=NOWHERE, warehouse=3, currency="GBP"),
        order(1083, "2026-10-26T10:03:00+01:00", line("25.00", "6.25"), warehouse=5),
    ],
    "orders with nothing to go by": [
        order(1084, "2026-10-26T10:04:00+01:00", line("26.00", "6.50"), additionaldata=None),
        order(
            1085,
            "2026-10-26T10:05:00+01:00",
            line("27.00", "6.75"),
            register="",
            store="",
            name="",
            zone="",
            warehouse=9,
        ),
        order(1086, "2026-10-26T10:06:00+01:00", line("28.00", "7.00"), register=UNLISTED, store="", name="Torget"),
    ],
    "a time zone that does not exist": [
        order(1087, "2026-10-26T23:30:00+01:00", line("29.00", "7.25"), **(G1 | {"zone": "Mars/Base"})),
        order(1088, "2026-10-26T23:40:00+02:00", line("31.00", "7.44", rate=24), **(HEL | {"zone": "UTC+2"})),
    ],
    "a store that is not listed any more, under two names": [
        order(1090, "2026-10-26T12:00:00+01:00", line("32.00", "8.00"), store="0099", zone="Europe/Stockholm"),
        order(1091, "2026-10-26T12:01:00+01:00", line("33.00", "8.25"), store="0099", name="Malmö Öst"),
        order(1092, "2026-10-26T12:02:00+01:00", line("34.00", "8.50"), store="0099", name="Malmö"),
        order(1093, "2026-10-26T13:02:00+01:00", line("35.00", "8.75"), store="99", name="Malmö utan nollor"),
    ],
    "an offline till that came back": [order(2001, "2026-10-23T17:45:00+02:00", line("36.00", "9.00"), **G1)],
}
