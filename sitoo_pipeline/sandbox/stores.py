"""Where the chain sells: its stores, their registers and warehouses, opening hours and how busy they are."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

ACCOUNT = 1500
ESHOP_ID = 1
CENTRAL_WAREHOUSE = 1
CURRENCY = "SEK"
COMPANY, COMPANY_ID = "Lindö Hem & Mode AB", "556677-8899"

_NAMESPACE = uuid.UUID("6f1d2f3e-0f3c-4a53-9e0b-3b1f8a0f1500")

# external id, name, street, postal code, city, kind of opening hours
_PLACES: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("0101", "Lindö Göteborg Nordstan", "Götgatan 10", "411 05", "Göteborg", "mall"),
    ("0102", "Lindö Malmö Triangeln", "Södra Förstadsgatan 41", "211 43", "Malmö", "mall"),
    ("310", "Lindö Stockholm Östermalm", "Nybrogatan 18", "114 39", "Stockholm", "late"),
    ("0203", "Lindö Örebro Våghustorget", "Drottninggatan 25", "702 10", "Örebro", "street"),
    ("0311", "Lindö Umeå Utopia", "Rådhusesplanaden 7", "903 28", "Umeå", "mall"),
    ("412", "Lindö Växjö Grand", "Storgatan 31", "352 31", "Växjö", "street"),
    ("0413", "Lindö Västerås Gallerian", "Smedjegatan 8", "722 13", "Västerås", "street"),
    ("514", "Lindö Linköping Ågatan", "Ågatan 22", "582 22", "Linköping", "street"),
    ("0515", "Lindö Skellefteå", "Nygatan 46", "931 31", "Skellefteå", "street"),
    ("616", "Lindö Helsingborg Väla", "Marknadsvägen 9", "260 36", "Ödåkra", "mall"),
    ("0617", "Lindö Jönköping A6", "Kompanigatan 1", "553 05", "Jönköping", "mall"),
    ("718", "Lindö Gävle Söder", "Södra Kungsgatan 12", "802 51", "Gävle", "street"),
)

# Minutes after local midnight: Monday to Friday, Saturday, Sunday. More than 1440 is after midnight.
_HOURS: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    "mall": ((600, 1200), (600, 1080), (660, 1020)),
    "street": ((600, 1110), (600, 960), (720, 960)),
    "late": ((660, 1140), (720, 1470), (720, 1020)),
}
_STAFF = ("Åke Ström", "Eva Löf", "Omar Haddad", "Sara Ny")
_REGISTER_SHARES = {1: (1.0,), 2: (0.62, 0.38), 3: (0.5, 0.32, 0.18)}


@dataclass(frozen=True, slots=True)
class Register:
    """A till. ``share`` is its part of the store's orders, ``number`` its place in the store, from 1."""

    registerid: str
    registerkey: str
    number: int
    warehouseid: int
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
    """A shop with its registers and its own warehouse. ``busyness`` scales the chain's orders per day."""

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

    def hours(self, day: date) -> tuple[int, int] | None:
        """Opening and closing on ``day`` in minutes after local midnight, or None where it is closed."""
        if (day.month, day.day) in {(1, 1), (12, 25)}:
            return None
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


def build_stores(*, count: int, seed: int) -> tuple[Store, ...]:
    """The first ``count`` stores; the first three have one, two and three registers, the others as ``seed`` has it."""
    stores = []
    number = 0
    for index in range(count):
        rng = random.Random(f"{seed}/store/{index}")  # noqa: S311 -- repeatable, not secret
        externalid, name, address, postal_code, city, hours = _PLACES[index % len(_PLACES)]
        branch = index // len(_PLACES)
        shares = _REGISTER_SHARES[index + 1 if index < 3 else rng.choice((1, 2, 2, 3))]
        warehouseid = CENTRAL_WAREHOUSE + 1 + index
        registers = []
        for position, share in enumerate(shares, start=1):
            number += 1
            key = f"SII{ACCOUNT:010d}{number:03d}"
            registers.append(Register(guid(seed, "register", number), key, position, warehouseid, share))
        stores.append(
            Store(
                storeid=index + 1,
                externalid=externalid if branch == 0 else f"{externalid}-{branch + 1}",
                name=name if branch == 0 else f"{name} {branch + 1}",
                address=address,
                zip=postal_code,
                city=city,
                hours_kind=hours,
                busyness=rng.uniform(0.85, 1.15),
                warehouseid=warehouseid,
                registers=tuple(registers),
                staff=_staff(index + 1),
            )
        )
    return tuple(stores)
