"""Fictitious customers and staff: invented names, addresses in the reserved domain example.com."""

from __future__ import annotations

import unicodedata
from itertools import product
from typing import NamedTuple

from sitoo_pipeline.sandbox.stores import Store, guid

_FIRST = ("Åsa", "Örjan", "Maja", "Elif", "Göran", "Saga", "Nils", "Amira", "Bosse", "Käthe", "Leo", "Märta")
_LAST = ("Ängström", "Öberg", "Lindqvist", "Håkansson", "Yılmaz", "Nyström", "Björk", "Sjöö", "Ek", "Wallin")
_STAFF = ("Åke Ström", "Eva Löf", "Omar Haddad", "Sara Ny")


class Customer(NamedTuple):
    """A customer who gave an e-mail address."""

    number: int
    first_name: str
    last_name: str
    email: str
    phone: str


class Employee(NamedTuple):
    """Someone who works at a till."""

    userid: str
    externalid: str
    name: str


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().replace("ı", "i"))
    return plain.encode("ascii", "ignore").decode()


CUSTOMERS = tuple(
    Customer(number, first, last, f"{_ascii(first)}.{_ascii(last)}@example.com", f"+4670174{number:04d}")
    for number, (first, last) in enumerate(product(_FIRST, _LAST), start=1)
)


def staff_of(store: Store) -> tuple[Employee, ...]:
    """The people who work in ``store``."""
    return tuple(
        Employee(guid("staff", store.storeid, name), f"{store.storeid:02d}{number}", name)
        for number, name in enumerate(_STAFF, start=1)
    )
