"""A chain, every target there is, and a project that delivers to all of them; each server can be told to fail."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Self

from rich.console import Console

from sitoo_pipeline.operations.execution import Outcome
from sitoo_pipeline.operations.running import run_dates
from sitoo_pipeline.sandbox import Chain, Faults, Sandbox
from sitoo_pipeline.sandbox.faults import KINDS
from sitoo_pipeline.sandbox.samesystem_saving import Figures
from sitoo_pipeline.sandbox.samesystem_state import Key, State
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.sinks.mail_server import BROKEN_OFF, MailServer
from sitoo_pipeline_tests.sinks.webhook_receiver import SECRET, Answer, Receiver

FIRST = date(2026, 10, 12)
"""A Monday; thirty days from it have the doubled hour among them."""
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

AT_MOST_ONCE = frozenset({"ometria_receipt", "weekly_balance_mail"})
"""Targets that cannot be asked what they took: what is in doubt stays so until a person decides."""

CALLS = {
    "sitoo": r"^/v2/accounts/",
    "ometria push": r"/push$",
    "ometria receipt": r"/transactional-email/send$",
    "samesystem write": r"/(save|confirm|unconfirm|approve_week|unapprove_week)/",
    "webhook": r"^webhook$",
    "mail": r"^mail DATA$",
}
"""Kinds of calls, by what their address looks like."""

HTTP = "attempts = 4, wait_initial = 0.01, wait_max = 0.05, read_timeout = {seconds}"
SLOW_MS = 1300
TARGETS = """
deliveries_url_env = "ONE_DATABASE"
[accounts.kedjan.targets.weekly_balance_sql]
url_env = "ONE_DATABASE"
[accounts.kedjan.targets.weekly_balance_mail]
host = "127.0.0.1"
port = {mail_port}
security = "none"
sender = "pipeline@example.com"
recipients = ["import@example.com"]
max_age_days = 3660
[accounts.kedjan.targets.samesystem]
base_url = "{samesystem_url}"
email = "{samesystem_user}"
password_env = "SAMESYSTEM_SECRET"
[accounts.kedjan.targets.ometria]
base_url = "{ometria_url}"
api_key_env = "OMETRIA_SECRET"
requests_per_second = 200.0
reads_per_second = 200.0
errors_wait = 1.0
errors_every = 0.05
[accounts.kedjan.targets.ometria.receipts]
from_name = "Lindo"
from_email = "shop@example.com"
subject = "Your receipt"
stream = "receipts"
template_id = 3
max_age_days = 3660
[accounts.kedjan.targets.webhooks.planning]
url = "{webhook_url}"
secret_env = "HOOK_SECRET"
"""
"""The ledger is in the database of the weekly balance."""

APART = """
[accounts.ensam]
base_url = "{sitoo_url}"
api_id_env = "KEDJAN_ID"
api_password_env = "KEDJAN_PASSWORD"
start_date = {start_date}
http = {{ {http} }}
"""
"""A second account, which keeps them apart."""


class Mailbox(MailServer):
    """Asks ``chooses`` for an answer to each command."""

    def __init__(self, chooses: Callable[[str], str | None]) -> None:
        super().__init__()
        self._chooses = chooses

    def _told(self, command: str) -> str | None:
        return self._chooses(command)


class Hook(Receiver):
    """Asks ``chooses`` for an answer to each message."""

    def __init__(self, chooses: Callable[[], Answer | None]) -> None:
        super().__init__()
        self._chooses = chooses

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        chosen = self._chooses()
        self.answers.extend([chosen] if chosen else [])
        super()._answer(handler)


class World:
    """The servers while the ``with`` block lasts, and a project of ``days`` dates from ``FIRST`` on.

    ``on_call`` is told the kind of each call that comes in, before anything is done. The weeks of the first store are
    full of what staff typed in, confirmed and approved, so each of its days is a correction. An answer that takes
    longer than ``patience`` seconds is given up. With ``is_apart`` there is a second account.
    """

    def __init__(self, folder: Path, chain: Chain, days: int, *, patience: float, is_apart: bool = False) -> None:
        self.dates = [FIRST + timedelta(days=number) for number in range(days)]
        self.on_call: Callable[[str], None] = lambda _: None
        self.calls: Counter[str] = Counter()
        self.faults_given: Counter[str] = Counter()
        self.sandbox = Sandbox(chain=chain, now=NOW)
        self.mailbox = Mailbox(self._mail_answer)
        self.hook = Hook(self._hook_answer)
        self._folder, self._stack = folder, ExitStack()
        self._is_apart = is_apart
        self._http = HTTP.format(seconds=patience)
        self._rate, self._burst, self._left, self._rng = 0.0, 1, 0, random.Random(0)

    def __enter__(self) -> Self:
        for server in (self.sandbox, self.mailbox, self.hook):
            self._stack.enter_context(server)
        email, password = self.sandbox.samesystem_user
        self.project = Project.make(
            self._folder,
            self.sandbox,
            start_date=FIRST,
            http=self._http,
            more=(TARGETS + APART * self._is_apart).format(
                mail_port=self.mailbox.port,
                samesystem_url=self.sandbox.samesystem_url,
                samesystem_user=email,
                ometria_url=self.sandbox.ometria_url,
                webhook_url=self.hook.url,
                sitoo_url=self.sandbox.sitoo_url,
                start_date=FIRST,
                http=self._http,
            ),
            environ={
                "SAMESYSTEM_SECRET": password,
                "OMETRIA_SECRET": self.sandbox.ometria_key,
                "HOOK_SECRET": SECRET,
                "ONE_DATABASE": f"sqlite:///{self._folder}/one.db",
            },
        )
        _fill_weeks(self.sandbox.samesystem.state, self.sandbox.chain.store_list[0].externalid, self.dates)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def spoil(self, *, rate: float, burst: int, seed: int) -> None:
        """Let this share of all calls go wrong, in each way that the servers know."""
        self._rate, self._burst, self._left, self._rng = rate, burst, 0, random.Random(seed)
        self.sandbox.faults = Faults(
            rate=1, kinds=KINDS, burst=burst, seed=seed, retry_after=0, pause_ms=SLOW_MS, match=self._fails
        )

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._rate = self._left = 0
        self.sandbox.faults = Faults(rate=1, match=self._fails)

    def load(self) -> list[Outcome]:
        """Take all dates of both accounts through, in this process."""
        accounts = {account.name: self.dates for account in self.project.settings.accounts}
        with self.project.home():
            return run_dates(self.project.settings, accounts, console=Console(quiet=True), trigger="soak")

    def _called(self, target: str) -> None:
        for kind, pattern in CALLS.items():
            if re.search(pattern, target):
                self.calls[kind] += 1
                self.on_call(kind)

    def _fails(self, target: str) -> bool:
        """Whether a call to the sandbox fails: as many one after the other as a burst has, and the share in all."""
        self._called(target)
        if not self._left and self._rng.random() < self._rate / (self._burst - self._rate * (self._burst - 1)):
            self._left = self._burst
        if not self._left:
            return False
        self._left -= 1
        self.faults_given["/".join(target.split("/")[1:2])] += 1
        return True

    def _mail_answer(self, command: str) -> str | None:
        self._called(f"mail {command}")
        if self._rng.random() >= self._rate / 3:  # a message takes three commands
            return None
        self.faults_given["mail"] += 1
        return self._rng.choice(["451 4.3.0 try again later", BROKEN_OFF] if command == "DATA" else ["451 4.3.0 later"])

    def _hook_answer(self) -> Answer | None:
        self._called("webhook")
        if self._rng.random() >= self._rate:
            return None
        self.faults_given["webhook"] += 1
        return self._rng.choice(
            [
                Answer(503),
                Answer(500, takes=True),
                Answer(429, headers={"Retry-After": "0"}),
                Answer(204, is_lost=True),
                Answer(204, is_lost=True, takes=True),
            ]
        )


def _fill_weeks(state: State, dpt_no: str, dates: list[date]) -> None:
    department = state.department(dpt_no)
    for monday in sorted({day - timedelta(days=day.weekday()) for day in dates}):
        for register in department.registers(monday):
            for number in range(7):
                key = Key(department.ctx_token, monday + timedelta(days=number), register)
                missing = department.unavailable_ids(register)
                fields = [department.field_id(name) for name in ("Gross sales", "Net sales", "Transactions")]
                state.save(key, Figures({one: Decimal(7) for one in fields if one not in missing}), "staff")
                state.confirm(key, "staff")
            state.approve_week(Key(department.ctx_token, monday, register), "staff")
    state.writes.clear()
