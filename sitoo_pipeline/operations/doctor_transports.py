"""``doctor``'s look at the mail server and the webhooks. No e-mail and no message is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from sitoo_pipeline.assets.weekly_balance_files import mail_server
from sitoo_pipeline.operations.finding import Finding
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sinks.smtp import MailServerError


def transports(account: Account) -> Iterator[Finding]:
    """What carries the figures away, as far as it can be tried without sending any."""
    if account.targets.weekly_balance_mail:
        yield _mail(account)
    for name, said in account.targets.webhooks.items():
        # Whether the receiver works shows only when it is sent something; its address and secret have the right form.
        told = f"{' and '.join(said.tables)} go to {urlsplit(said.url).netloc}, signed; nothing was sent to try it"
        yield Finding(f"{account.name}: webhook {name}", told)


def _mail(account: Account) -> Finding:
    said = account.targets.weekly_balance_mail
    assert said is not None
    server = replace(mail_server(account, said), timeout=account.http.connect_timeout)
    what = f"{account.name}: weekly balance by e-mail"
    login = "takes the login" if server.user else "asks for no login"
    try:
        with server.session():
            return Finding(what, f"{server.address} answers and {login}")
    except MailServerError as error:
        return Finding(what, problem=str(error))
