"""Who Ometria thinks its customers are: contacts and orders clustered into profiles, and each profile's consent.

Profiles cannot be written. They follow from the records held: first by the customer's id, then by the e-mail address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]


@dataclass
class Profile:
    """One person, as Ometria sees it: ids of contacts and orders."""

    contacts: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)


class Consents:
    """Marketing consent per contact, kept apart from the contacts: a record that says nothing changes nothing."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, str, bool]] = {}

    def note(self, contact: Record) -> None:
        """Take over what a contact says. What was forced gives way only to what is forced."""
        value = contact.get("marketing_optin")
        is_forced = bool(contact.get("@force_optin"))
        number = str(contact["id"])
        was_forced = self._said.get(number, ("", "", False))[2]
        if value is not None and (is_forced or not was_forced):
            self._said[number] = (str(contact["email"]).lower(), value, is_forced)

    def of(self, email: str) -> str:
        """The consent of an address: a forced word wins, else an opt-out anywhere, else an opt-in."""
        said = [(value, is_forced) for of, value, is_forced in self._said.values() if of == email.lower()]
        forced = [value for value, is_forced in said if is_forced]
        if forced:
            return forced[-1]
        values = {value for value, _ in said}
        return next((v for v in ("EXPLICITLY_OPTEDOUT", "EXPLICITLY_OPTEDIN") if v in values), "NOT_SPECIFIED")


def profiles(contacts: Mapping[str, Record], orders: Mapping[str, Record]) -> list[Profile]:
    """The profiles that follow from these records, in the order in which they came up.

    An order without id and address of its customer belongs to nobody. Of several contacts with an order's address, the
    one without a customer id has it.
    """
    found: dict[str, Profile] = {}
    by_email: dict[str, list[str]] = defaultdict(list)
    for number, contact in contacts.items():
        email, customer = str(contact["email"]).lower(), contact.get("customer_id")
        key = f"id {customer}" if customer else f"email {email}"
        found.setdefault(key, Profile()).contacts.append(number)
        if key not in by_email[email]:
            by_email[email].append(key)
    for number, order in orders.items():
        customer = order.get("customer") or {}
        by_id, email = f"id {customer.get('id')}", str(customer.get("email", "")).lower()
        if by_id in found or (customer.get("id") and not by_email.get(email)):
            found.setdefault(by_id, Profile()).orders.append(number)
            by_email[email] = by_email.get(email) or [by_id]
        elif email:
            keys = by_email.get(email) or [f"email {email}"]
            own = f"email {email}"
            found.setdefault(own if own in keys else keys[0], Profile()).orders.append(number)
    return list(found.values())
