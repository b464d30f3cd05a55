"""What Ometria holds, and its queue: a record is taken first and looked at later, and only then held or refused."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence

from sitoo_pipeline.sandbox.ometria_profiles import Consents
from sitoo_pipeline.sandbox.ometria_rules import Finding, Record, first_finding

MOST_ERRORS = 100


class OmetriaState:
    """Records by type and id, behind a queue.

    May be changed at any time:

    Attributes:
        clock: Seconds of any clock that does not go back.
        delay: For how many seconds a record is in the queue before it is looked at.
        queue_limit: How many records the queue takes.
        merges_always: Every record changes what it names and leaves the rest, as Ometria once did. Otherwise only one
            with ``@merge`` does, and any other replaces what was held as a whole.
        refuses: What else is found wrong with a record; None where nothing is.
    """

    def __init__(self) -> None:
        self.clock: Callable[[], float] = time.monotonic
        self.delay = 0.0
        self.queue_limit = 50_000
        self.merges_always = False
        self.refuses: Callable[[Record], Finding | None] = lambda _: None
        self._held: dict[str, dict[str, Record]] = defaultdict(dict)
        self._consents = Consents()
        self._errors: deque[Finding] = deque(maxlen=MOST_ERRORS)
        self._queue: deque[tuple[float, Record]] = deque()
        self._lock = threading.RLock()

    @property
    def records(self) -> dict[str, dict[str, Record]]:
        """Everything held by now, by type and id."""
        self._look()
        return self._held

    @property
    def errors(self) -> list[Finding]:
        """What was found wrong by now: the last hundred, the newest last."""
        self._look()
        return list(self._errors)

    @property
    def consents(self) -> Consents:
        """What is known by now of who wants to be written to."""
        self._look()
        return self._consents

    @property
    def queue_room(self) -> int:
        """How many records the queue takes now."""
        self._look()
        return self.queue_limit - len(self._queue)

    def take(self, records: Sequence[Record]) -> None:
        """Put records into the queue; those that are due are looked at."""
        with self._lock:
            self._queue.extend((self.clock() + self.delay, record) for record in records)
        self._look()

    def refuse(self, found: Finding) -> None:
        """Note an error of a record that did not get into the queue."""
        with self._lock:
            self._errors.append(found)

    def _look(self) -> None:
        with self._lock:
            while self._queue and self._queue[0][0] <= self.clock():
                self._judge(self._queue.popleft()[1])

    def _judge(self, record: Record) -> None:
        of_kind = self._held[str(record.get("@type"))]
        number = str(record.get("id"))
        whole = record
        if record.get("@merge") or self.merges_always:
            whole = {**of_kind.get(number, {}), **{name: value for name, value in record.items() if name != "@merge"}}
        found = first_finding(whole) or self.refuses(whole)
        if found is not None:
            self._errors.append(found)
            return
        of_kind[number] = whole
        if record["@type"] == "contact":
            self._consents.note(record)
