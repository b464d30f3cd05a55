"""Where the chain sells: its stores, their registers and warehouses, opening hours and how busy they are."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle, islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sitoo_pipeline.sandbox.markets import FINLAND, NEW_YORK, SWEDEN, Market

ACCOUNT = 1500
ESHOP_ID = 1
CENTRAL_WAREHOUSE = 1
NO_WAREHOUSE = 0
COMPANY, COMPANY_ID = "Lindö Hem & Mode AB", "556677-8899"

_NAMESPACE = uuid.UUID("6f1d2f3e-0f3c-4a53-9e0b-3b1f8a0f1500")


class _Place(NamedTuple):
    """Where a store is. ``zone`` None is the chain's own."""

    externalid: str
    name: str
    address: str
    zip: str
    city: str
    hours: str
    market: Market = SWEDEN
    zone: str | None = None


_HELSINKI = _Place(
    "0601", "Lindö Helsinki Kämp", "Pohjoisesplanadi 33", "00100", "Helsinki", "late", FINLAND, "Europe/Helsinki"
)
_SOHO = _Place(
    "NYC-1", "Lindö New York SoHo", "101 Greene St", "10012", "New York", "mall", NEW_YORK, "America/New_York"
)
_GOTHENBURG = _Place("0101", "Lindö Göteborg Nordstan", "Götgatan 10", "411 05", "Göteborg", "mall")
_MALMO = _Place("0102", "Lindö Malmö Triangeln", "Södra Förstadsgatan 41", "211 43", "Malmö", "mall")
_STOCKHOLM = _Place("310", "Lindö Stockholm Östermalm", "Nybrogatan 18", "114 39", "Stockholm", "long")
_SMALLER = (
    _Place("0203", "Lindö Örebro Våghustorget", "Drottninggatan 25", "702 10", "Örebro", "street"),
    _Place("0311", "Lindö Umeå Utopia", "Rådhusesplanaden 7", "903 28", "Umeå", "mall"),
    _Place("412", "Lindö Växjö Grand", "Storgatan 31", "352 31", "Växjö", "street"),
    _Place("0413", "Lindö Västerås Gallerian", "Smedjegatan 8", "722 13", "Västerås", "street"),
    _Place("514", "Lindö Linköping Ågatan", "Ågatan 22", "582 22", "Linköping", "street"),
    _Place("0515", "Lindö Skellefteå", "Nygatan 46", "931 31", "Skellefteå", "street"),
    _Place("616", "Lindö Helsingborg Väla", "Marknadsvägen 9", "260 36", "Ödåkra", "mall"),
    _Place("0617", "Lindö Jönköping A6", "Kompanigatan 1", "553 05", "Jönköping", "mall"),
    _Place("718", "Lindö Gävle Söder", "Södra Kungsgatan 12", "802 51", "Gävle", "street"),
)
_POP_UP = _Place("", "Lindö på torget", "Stortorget", "", "", "street")

# Minutes after local midnight: Monday to Friday, Saturday, Sunday. More than 1440 is after midnight.
_HOURS: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "mall": ((600, 1200), (600, 1080), (660, 1020)),
    "street": ((600, 1110), (600, 960), (720, 960)),
    "late": ((660, 1140), (720, 1530), (720, 1020)),
    "long": ((660, 1140), (720, 1470), (720, 1020)),
}
_LONG_NIGHT = (720, 1650)
_STAFF = ("Åke Ström", "Eva Löf", "Omar Haddad", "Sara Ny")
_REGISTER_SHARES = {1: (1.0,), 2: (0.62, 0.38), 3: (0.5, 0.32, 0.18)}


@dataclass(frozen=True, slots=True)
class Register:
    """A till. ``share`` is its part of the store's orders, ``number`` its place in the store, from 1."""

    registerid: str
    registerkey: str
    number: int
    share: float

    @property
    def manufacturerid(self) -> str:
        """The till's maker's id: ``SITOO`` and the guid without braces and dashes."""
        return "SITOO" + self.registerid.strip("{}").replace("-", "")


class Employee(NamedTuple):
    """Someone who works at a till."""

    userid: str
    externalid: str
    name: str


@dataclass(frozen=True, slots=True)
class Store:
    """A shop with its registers and its own warehouse. ``busyness`` scales the chain's orders per day.

    A shop that is not ``listed`` is a stand on a square: Sitoo knows neither it nor its register, and it has no
    warehouse. ``takes_euros`` says that some pay in euros.
    """

    storeid: int
    externalid: str
    name: str
    address: str
    zip: str
    city: str
    hours_kind: str
    busyness: float
    warehouseid: int
    registers: tuple[Register, ...]
    staff: tuple[Employee, ...]
    market: Market
    zone: ZoneInfo
    listed: bool = True
    takes_euros: bool = False

    def hours(self, day: date) -> tuple[int, int] | None:
        """Opening and closing on ``day`` in minutes after local midnight, or None where it is closed."""
        if (day.month, day.day) in {(1, 1), (12, 25)}:
            return None
        if self.hours_kind == "long" and _is_before_last_sunday(day):
            return _LONG_NIGHT  # the clocks change in two of these nights
        weekdays, saturday, sunday = _HOURS[self.hours_kind]
        return saturday if day.weekday() == 5 else sunday if day.weekday() == 6 else weekdays


def guid(*parts: object) -> str:
    """A guid as Sitoo writes it, in braces and upper case, always the same for the same parts."""
    return f"{{{str(uuid.uuid5(_NAMESPACE, '/'.join(map(str, parts)))).upper()}}}"


def _staff(storeid: int) -> tuple[Employee, ...]:
    return tuple(
        Employee(guid("staff", storeid, name), f"{storeid:02d}{number}", name)
        for number, name in enumerate(_STAFF, start=1)
    )


def _is_before_last_sunday(day: date) -> bool:
    sunday = day + timedelta(days=1)
    return sunday.weekday() == 6 and sunday.month == day.month != (sunday + timedelta(days=7)).month


def _places(*, awkward: bool, seed: int) -> tuple[_Place, ...]:
    if not awkward:
        return (_GOTHENBURG, _MALMO, _STOCKHOLM, *_SMALLER)
    abroad = (_SOHO, _HELSINKI) if seed % 2 else (_HELSINKI, _SOHO)
    return (_STOCKHOLM, abroad[0], _GOTHENBURG, abroad[1], _MALMO, *_SMALLER)


def build_stores(*, count: int, seed: int, zone: ZoneInfo, awkward: bool) -> tuple[Store, ...]:
    """The first ``count`` stores; the first three have one, two and three registers, the others as ``seed`` has it.

    In an ``awkward`` chain the second and the fourth are abroad, the first takes euros, and there is a stand beside
    them.
    """
    places = _places(awkward=awkward, seed=seed)
    stores = []
    number = 0
    for index, place in enumerate(islice(cycle(places), count)):
        rng = random.Random(f"{seed}/store/{index}")  # noqa: S311 -- repeatable, not secret
        branch = index // len(places)
        shares = _REGISTER_SHARES[index + 1 if index < 3 else rng.choice((1, 2, 2, 3))]
        registers = [
            _register(seed, number + position, position, share) for position, share in enumerate(shares, start=1)
        ]
        number += len(registers)
        stores.append(
            Store(
                storeid=index + 1,
                externalid=place.externalid if branch == 0 else f"{place.externalid}-{branch + 1}",
                name=place.name if branch == 0 else f"{place.name} {branch + 1}",
                address=place.address,
                zip=place.zip,
                city=place.city,
                hours_kind=place.hours,
                busyness=rng.uniform(0.85, 1.15),
                warehouseid=CENTRAL_WAREHOUSE + 1 + index,
                registers=tuple(registers),
                staff=_staff(index + 1),
                market=place.market,
                zone=ZoneInfo(place.zone) if place.zone else zone,
                takes_euros=awkward and index == 0,
            )
        )
    if awkward:
        stores.append(_stand(seed, number + 1, zone))
    return tuple(stores)


def _register(seed: int, number: int, position: int, share: float) -> Register:
    return Register(guid(seed, "register", number), f"SII{ACCOUNT:010d}{number:03d}", position, share)


def _stand(seed: int, number: int, zone: ZoneInfo) -> Store:
    return Store(
        storeid=0,
        externalid=_POP_UP.externalid,
        name=_POP_UP.name,
        address=_POP_UP.address,
        zip=_POP_UP.zip,
        city=_POP_UP.city,
        hours_kind=_POP_UP.hours,
        busyness=0.15,
        warehouseid=NO_WAREHOUSE,
        registers=(_register(seed, number, 1, 1.0),),
        staff=_staff(0),
        market=_POP_UP.market,
        zone=zone,
        listed=False,
    )
