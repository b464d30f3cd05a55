"""Ometria, a CRM: records handed to its push API, and seen through until it has looked at them.

What belongs here: batches, limits, and the way of a record from accepted to delivered. What does not: the shape of the
records (``ometria_orders``, ``ometria_customers``), one call with its retries (``ometria_http``, ``ometria_push``), and
the search for a record that Ometria found wrong (``ometria_search``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar, Literal

from sitoo_pipeline.sinks.canonical import wire_json
from sitoo_pipeline.sinks.closing import Closing
from sitoo_pipeline.sinks.contract import NotReadError, OnUnknown, Outcome, Record, State
from sitoo_pipeline.sinks.ometria_errors import ErrorList
from sitoo_pipeline.sinks.ometria_http import Api, Pace, Patience
from sitoo_pipeline.sinks.ometria_push import Accepted, Push
from sitoo_pipeline.sinks.ometria_readback import Readback
from sitoo_pipeline.sinks.ometria_search import Parcel, Search, not_taken, reason_for
from sitoo_pipeline.sinks.target_http import NotTakenError

Verify = Literal["none", "sample", "all"]

_GIVE_UP_AFTER = 3  # requests in a row without an answer
_NOT_TRIED = "not tried: Ometria was not working"
_UNSEEN = "its list of errors is full of one same error and shows nothing new; set verify to have records read back"


class Ometria(Closing):
    """The push API of one Ometria account, for orders and contacts. A context manager.

    **Unknown**: an order or a contact is always sent whole and addressed by its id, so a repeat changes nothing: it is
    sent again.

    **Accepted is not delivered**: Ometria looks at records after it has taken them, and puts what it finds on a list of
    errors that does not name them. After a push that list is watched. Where something new is on it, the records are
    pushed again, halved and halved again, until the wrong ones are alone: those are rejected. A record is ``delivered``
    when nothing new was on the list, and, where it was read back, Ometria holds it. Until then the ledger has it as
    pending, and where it cannot be found out as unknown.
    """

    name: ClassVar[str] = "ometria"
    batch_size: ClassVar[int] = 1000
    """Records that are watched together. A request has at most ``request_records``."""
    request_records: ClassVar[int] = 100
    record_bytes: ClassVar[int] = 60_000  # it says 60 KB, and the smaller reading of that is safe
    sample_size: ClassVar[int] = 5
    on_unknown: ClassVar[OnUnknown] = OnUnknown.SEND_AGAIN

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        requests_per_second: float = 8,
        reads_per_second: float = 4,
        errors_wait: float = 5,
        errors_every: float = 1,
        verify: Verify = "none",
        patience: Patience | None = None,
    ) -> None:
        """Name the account.

        Args:
            base_url: up to the version, ``https://api.ometria.com/v2``.
            api_key: sent with each request, never shown.
            requests_per_second: Ometria's limit of pushes.
            reads_per_second: Ometria's limit of reads.
            errors_wait: for how many seconds the errors are watched after a push; less where Ometria says that its
                queue is empty. With 0 they are not: then what is accepted counts as delivered.
            errors_every: seconds between two looks at the errors.
            verify: how many of the accepted records are read back: none, five of each thousand, or all.
            patience: how long one request is tried.
        """
        self.requests_per_second = requests_per_second
        self._wait, self._every, self._verify = errors_wait, errors_every, verify
        self._api = Api(base_url=base_url, api_key=api_key, patience=patience or Patience())
        reads = Pace(reads_per_second)
        self._push = Push(self._api, requests_per_second=requests_per_second)
        self._errors = ErrorList(self._api, pace=reads, wait=errors_wait, every=errors_every)
        self._readback = Readback(self._api, pace=reads)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def difference(self, record: Record) -> list[str]:
        """How what Ometria holds differs from the record; nothing where records are not read back.

        Raises:
            NotReadError: it cannot be read back.
        """
        if self._verify == "none":
            return []
        try:
            differs = self._readback.differs(record)
        except NotTakenError as error:
            raise NotReadError(str(error), stop=True) from None
        return [differs] if differs else []

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Hand over up to 1,000 records, each type in requests of its own, and see them through."""
        parcels = [(record, wire_json(record.payload)) for record in batch]
        became = {
            record.key: Outcome(record.key, State.REJECTED, f"the record has {len(body)} bytes; Ometria takes {limit}")
            for record, body in parcels
            if len(body) > (limit := self.record_bytes)
        }
        requests = self._requests([parcel for parcel in parcels if parcel[0].key not in became])
        if not requests:
            return list(became.values())
        try:
            if self._wait:
                self._errors.start()
        except NotTakenError as error:
            # Nothing was pushed, and nothing is: what would become of it could not be known.
            error.may_have_arrived, error.stop = False, True
            return [*became.values(), *(not_taken(record, error) for request in requests for record, _ in request)]
        became |= self._push_all(requests)
        became |= self._seen_through(
            [[parcel for parcel in request if _is_accepted(became, parcel)] for request in requests], became
        )
        return list(became.values())

    def _requests(self, parcels: list[Parcel]) -> list[list[Parcel]]:
        found = []
        for _, of_type in groupby(parcels, key=lambda parcel: parcel[0].payload["@type"]):
            all_of_type = list(of_type)
            found += [
                all_of_type[start : start + self.request_records]
                for start in range(0, len(all_of_type), self.request_records)
            ]
        return found

    def _push_all(self, requests: list[list[Parcel]]) -> dict[str, Outcome]:
        became: dict[str, Outcome] = {}
        in_vain, is_stopped = 0, False
        for request in requests:
            if is_stopped or in_vain == _GIVE_UP_AFTER:
                found = [Outcome(record.key, State.RETRY, _NOT_TRIED, stop=True) for record, _ in request]
            else:
                found = self._hand_over(request)
            became.update((outcome.key, outcome) for outcome in found)
            is_stopped = is_stopped or any(outcome.stop for outcome in found)
            in_vain = in_vain + 1 if all(o.state in (State.UNKNOWN, State.RETRY) for o in found) else 0
        return became

    def _hand_over(self, parcels: list[Parcel]) -> list[Outcome]:
        """One request; where Ometria takes only part of it, halves of it, until the rejected records are found."""
        try:
            self._make_room(len(parcels))
            answer = self._push([body for _, body in parcels])
        except NotTakenError as error:
            return [not_taken(record, error) for record, _ in parcels]
        if isinstance(answer, Accepted) and answer.rejected == 0:
            return [Outcome(record.key, State.DELIVERED, answer.text) for record, _ in parcels]
        if len(parcels) == 1 or (isinstance(answer, Accepted) and answer.rejected >= len(parcels)):
            return [Outcome(r.key, State.REJECTED, reason_for(r, answer.text)) for r, _ in parcels]
        middle = len(parcels) // 2
        return self._hand_over(parcels[:middle]) + self._hand_over(parcels[middle:])

    def _make_room(self, number: int) -> None:
        """Wait while Ometria's queue has no room for that many records; once, where it says so with pushes only.

        Raises:
            NotTakenError: there is still none after the longest wait.
        """
        until = time.monotonic() + self._api.patience.longest_wait
        while (room := self._api.queue_room) is not None and room < number:
            left = until - time.monotonic()
            if left <= 0:
                raise NotTakenError(f"Ometria's queue has room for {room} records only", stop=True)
            time.sleep(min(max(number / self.requests_per_second, self._every), left))
            if not self._wait:
                return
            self._errors.refresh()

    def _seen_through(self, requests: list[list[Parcel]], became: dict[str, Outcome]) -> dict[str, Outcome]:
        """What became of the accepted records once Ometria has looked at them."""
        accepted = [parcel for request in requests for parcel in request]
        if not accepted:
            return {}
        until = time.monotonic() + self._wait
        found: dict[str, Outcome] = {}
        unseen: set[str] = set()
        if self._wait:
            try:
                settled = self._errors.settle()
            except NotTakenError as error:
                why = f"its errors cannot be read: {error}"
                return {record.key: _unsure(record, became, why) for record, _ in accepted}
            if settled.is_blind:
                unseen = {record.key for record, _ in accepted}
            if settled.errors:
                search = Search(self._push, self._errors, None if self._verify == "none" else self._readback.differs)
                found = search.run([request for request in requests if request], settled.errors)
                unseen = search.unseen
        became = became | found
        passed = [record for record, _ in accepted if became[record.key].state is State.DELIVERED]
        if self._verify == "none":
            return found | {r.key: _unsure(r, became, _UNSEEN) for r in passed if r.key in unseen}
        return found | self._read_back(passed, became, until, everything=bool(unseen) or self._verify == "all")

    def _read_back(
        self, records: list[Record], became: dict[str, Outcome], until: float, *, everything: bool
    ) -> dict[str, Outcome]:
        """Read back what the setting says; where one of a sample is not as it was pushed, all the others too."""
        if not records:
            return {}
        step = 1 if everything else -(-len(records) // self.sample_size)
        chosen = {record.key: record for record in records[::-1][::step]}
        found = {key: self._read_one(record, became, until) for key, record in chosen.items()}
        if any(outcome.state is not State.DELIVERED for outcome in found.values()):
            found |= {r.key: self._read_one(r, became, until) for r in records if r.key not in found}
        return found

    def _read_one(self, record: Record, became: dict[str, Outcome], until: float) -> Outcome:
        while True:
            try:
                differs = self._readback.differs(record)
            except NotTakenError as error:
                return _unsure(record, became, f"it cannot be read back: {error}")
            if not differs:
                return Outcome(record.key, State.DELIVERED, f"{became[record.key].answer}, read back")
            if time.monotonic() >= until:
                return _unsure(record, became, f"not found when read back ({differs})")
            time.sleep(min(self._every, max(0.0, until - time.monotonic())))


def _is_accepted(became: dict[str, Outcome], parcel: Parcel) -> bool:
    return became[parcel[0].key].state is State.DELIVERED


def _unsure(record: Record, became: dict[str, Outcome], why: str) -> Outcome:
    return Outcome(record.key, State.UNKNOWN, f"{became[record.key].answer}, but {why}")
