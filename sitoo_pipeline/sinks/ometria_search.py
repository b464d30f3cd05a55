"""Finding the records that Ometria found wrong, where it does not say which.

Every record is whole and addressed, so pushing it again changes nothing: parts of a batch are pushed alone, each in a
request of its own, and the list of errors is watched. A part without an error is right, one with an error is halved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sitoo_pipeline.sinks.contract import Outcome, Record, State
from sitoo_pipeline.sinks.ometria_errors import Error, ErrorList
from sitoo_pipeline.sinks.ometria_push import Accepted, Push
from sitoo_pipeline.sinks.target_http import NotTakenError

Parcel = tuple[Record, bytes]
"""A record, and the JSON that it is pushed as."""

MOST_REQUESTS = 200
"""Pushes that one search makes; what it has not told apart by then is unknown, and searched again in the next run."""

_PERSONAL = ("email", "firstname", "lastname", "phone_number")


class Search:
    """One search in what was just accepted.

    Args:
        push: hands over a request.
        errors: watched after each.
        differs: how what Ometria holds differs from a record; None where records are not read back. A record that
            Ometria holds as it was pushed is right, whatever is on the list: others push to the same account.

    Attributes:
        unseen: Keys of records of which an error could not have been seen, the list being full of one same error.
    """

    def __init__(self, push: Push, errors: ErrorList, differs: Callable[[Record], str] | None) -> None:
        self._push, self._errors, self._differs = push, errors, differs
        self._left = MOST_REQUESTS
        self.unseen: set[str] = set()

    def run(self, requests: Sequence[list[Parcel]], seen: Sequence[Error]) -> dict[str, Outcome]:
        """What became of each record.

        Args:
            requests: the records as they were pushed, each request of one type.
            seen: what came onto the list of errors after that.
        """
        named = [
            parcel
            for request in requests
            for parcel in request
            if any(_names(error, parcel[0].payload) for error in seen)
        ]
        found: dict[str, Outcome] = {}
        for parcel in named:
            found |= self._alone([parcel])
        if sum(outcome.state is State.REJECTED for outcome in found.values()) >= len(seen):
            return found  # every error has its record: the others stay as they were accepted
        rest = [[parcel for parcel in request if parcel[0].key not in found] for request in requests]
        suspects = [request for request in rest if request]
        if len(suspects) == 1 and len(suspects[0]) > 1:  # all of it was pushed just now, and had an error
            return found | self._halves(suspects[0])
        for request in suspects:
            found |= self._alone(request)
        return found

    def _halves(self, parcels: list[Parcel]) -> dict[str, Outcome]:
        middle = len(parcels) // 2
        return self._alone(parcels[:middle]) | self._alone(parcels[middle:])

    def _alone(self, parcels: list[Parcel]) -> dict[str, Outcome]:
        """Push these alone and see whether there is an error among them."""
        if not self._left:
            why = "accepted, but Ometria found an error among records that were not told apart yet"
            return {record.key: Outcome(record.key, State.UNKNOWN, why) for record, _ in parcels}
        self._left -= 1
        try:
            answer = self._push([body for _, body in parcels])
            found = self._errors.settle()
        except NotTakenError as error:
            error.may_have_arrived = True  # it was accepted before
            self._left = 0 if error.stop else self._left
            return {record.key: not_taken(record, error) for record, _ in parcels}
        if isinstance(answer, Accepted) and answer.rejected == 0 and not found.errors:
            self.unseen |= {record.key for record, _ in parcels} if found.is_blind else set()
            return {record.key: Outcome(record.key, State.DELIVERED, answer.text) for record, _ in parcels}
        if len(parcels) > 1:
            return self._halves(parcels)
        [(record, _)] = parcels
        if found.errors:
            return {record.key: self._verdict(record, answer.text, found.errors)}
        return {record.key: Outcome(record.key, State.REJECTED, reason_for(record, answer.text))}

    def _verdict(self, record: Record, answer: str, errors: Sequence[Error]) -> Outcome:
        if self._differs is not None:
            try:
                if not self._differs(record):
                    return Outcome(record.key, State.DELIVERED, answer)
            except NotTakenError as error:
                return Outcome(record.key, State.UNKNOWN, f"it may be wrong, and cannot be read back: {error}")
        text = "; ".join(dict.fromkeys(error.text for error in errors))
        return Outcome(record.key, State.REJECTED, reason_for(record, text))


def not_taken(record: Record, error: NotTakenError) -> Outcome:
    """What a push without a usable answer leaves of a record."""
    state = State.UNKNOWN if error.may_have_arrived else State.RETRY
    retry_after = None if error.wait is None else datetime.now(UTC) + timedelta(seconds=error.wait)
    return Outcome(record.key, state, str(error), stop=error.stop, retry_after=retry_after)


def reason_for(record: Record, text: str) -> str:
    """The target's words, unless they quote a person."""
    return QUOTES if quotes_a_person(text, record.payload) else text


QUOTES = "Ometria rejected it; its words quote personal data and are not kept"


def quotes_a_person(text: str, payload: Mapping[str, Any]) -> bool:
    """Whether a text has in it what a payload says of a person."""
    people = (payload, payload.get("customer", {}), payload.get("to", {}))
    personal = [str(of[name]).lower() for of in people for name in (*_PERSONAL, "name") if of.get(name)]
    return any(value in text.lower() for value in personal)


def _names(error: Error, payload: Mapping[str, Any]) -> bool:
    """Whether an error has the record's id in it, as a word of its own."""
    return bool(re.search(rf"(?<![\w.-]){re.escape(str(payload['id']))}(?![\w-])", f"{error.message} {error.path}"))
