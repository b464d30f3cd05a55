"""The account: its stores in four time zones, their warehouses and registers, and its product groups."""

from __future__ import annotations

from sitoo_pipeline_tests.scenario.objects import Json

ACCOUNT_TIMEZONE = "Europe/Stockholm"
STORE_TIMEZONES = {"0102": "Europe/Helsinki", "0103": "Europe/London"}
"""The store in New York is not in the settings: its orders say where they were sold, its z-reports do not."""

GOTHENBURG, GOTHENBURG_2 = "{11111111-155A-49E1-7CA8-5F7F78FC3067}", "{12121212-155A-49E1-7CA8-5F7F78FC3067}"
HELSINKI, LONDON = "{21212121-155A-49E1-7CA8-5F7F78FC3067}", "{31313131-155A-49E1-7CA8-5F7F78FC3067}"
NEW_YORK, MOVED = "{71717171-155A-49E1-7CA8-5F7F78FC3067}", "{91919191-155A-49E1-7CA8-5F7F78FC3067}"
LONDON_2, LONDON_3 = "{32323232-155A-49E1-7CA8-5F7F78FC3067}", "{33333333-155A-49E1-7CA8-5F7F78FC3067}"
NOWHERE, UNLISTED = "{81818181-155A-49E1-7CA8-5F7F78FC3067}", "{82828282-155A-49E1-7CA8-5F7F78FC3067}"


def _store(storeid: int, externalid: str | None, name: str, kind: int = 10, country: str = "SE") -> Json:
    return {
        "storeid": storeid,
        "eshopid": 1,
        "storetype": kind,
        "name": name,
        "externalid": externalid,
        "externalgroupid": "",
        "phone": "",
        "email": "",
        "address": "",
        "city": "",
        "countryid": country,
        "nearby_stores": [],
        "usetype_movein": 10,
        "usetype_moveout": 20,
        "tags": [],
        "additional_data": None,
    }


def _warehouse(warehouseid: int, storeid: int | None, currency: str | None, kind: int = 10) -> Json:
    return {
        "warehouseid": warehouseid,
        "warehousetype": kind,
        "usetype": 10,
        "storeid": storeid,
        "sellable": True,
        "currencycode": currency,
        "name": f"Lager {warehouseid}",
        "address": "",
        "city": "",
        "countryid": "SE",
        "externalid": None,
    }


def _register(registerid: str, warehouseid: int | None, currency: str) -> Json:
    return {
        "registerid": registerid,
        "manufacturerid": "SITOO" + registerid.strip("{}").replace("-", ""),
        "registerkey": f"SII00000015000{registerid[1:3]}",
        "company": "Kedjan AB",
        "companyid": "556677-8899",
        "address": "",
        "address2": "",
        "zip": "",
        "city": "",
        "state": "",
        "countryid": "se",
        "currencycode": currency,
        "receiptlanguagetag": "sv",
        "storesettingid": 1,
        "warehouseid": warehouseid,
        "salestaxgroupid": None,
    }


def _group(vatid: int, name: str, rate: float, kind: int) -> Json:
    return {"vatid": vatid, "value": rate, "productgrouptype": kind, "productgroupname": name, "comment": ""}


STORES = [
    _store(1, "0101", "Göteborg Nordstan"),
    _store(2, "0102", "Helsingfors Å", country="FI"),
    _store(3, "0103", "London “Covent Garden”", country="GB"),
    _store(4, "0104", "Stängd butik"),
    _store(5, None, "Lager utan externt id"),
    _store(6, "0106", "東京ポップアップ", kind=30, country="JP"),
    _store(7, "NYC-1", "New York", country="US"),
    _store(8, "0104", "Stängd butik, dubblett", kind=20),
    _store(9, "", "Tomt externt id"),
]
WAREHOUSES = [
    _warehouse(14, 4, "EUR"),
    _warehouse(4, 4, "SEK"),
    _warehouse(1, 1, "SEK"),
    _warehouse(2, 2, "EUR"),
    _warehouse(3, 3, "GBP"),
    _warehouse(5, 5, "SEK"),
    _warehouse(6, 6, None),
    _warehouse(7, 7, "USD"),
    _warehouse(8, None, "SEK", kind=20),
    _warehouse(9, 9, "SEK"),
]
REGISTERS = [
    _register(GOTHENBURG, 1, "SEK"),
    _register(GOTHENBURG_2, 1, "SEK"),
    _register(HELSINKI, 2, "EUR"),
    _register(LONDON, 3, "GBP"),
    _register(LONDON_2, 3, "GBP"),
    _register(LONDON_3, 3, "GBP"),
    _register(NEW_YORK, 7, "USD"),
    _register(MOVED, 2, "EUR"),
    _register(NOWHERE, 8, "SEK"),
]
PRODUCT_GROUPS = [
    _group(2, "Kläder", 25, 10),
    _group(3, "Böcker", 6, 10),
    _group(4, "Livsmedel", 12, 10),
    _group(5, "Presentkort", 0, 30),
    _group(6, "Skrädderi", 25, 20),
]
