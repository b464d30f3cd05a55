"""Warnings: settings that are allowed, but perhaps not what was meant. They stop nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sitoo_pipeline.settings.account import Account
from sitoo_pipeline.settings.reading import Key, Location

_OWN_PREFIXES = ("SITOO_", "WEEKLY_BALANCE_", "DELIVERIES_", "OMETRIA_", "SAMESYSTEM_")
# What makes an account; where a file counts, a user who sets one of them expects something that does not happen.
_OF_THE_ENVIRONMENT_ALONE = ("SITOO_ACCOUNT", "SITOO_BASE_URL", "SITOO_TIMEZONE", "SITOO_START_DATE")


def unencrypted(account: Account, keys: Mapping[Location, Key]) -> list[str]:
    """One warning for each address that would send credentials or figures in the clear over a network."""
    addresses: dict[Location, str] = {("base_url",): account.base_url}
    for name in ("ometria", "samesystem"):
        if target := getattr(account.targets, name):
            addresses[("targets", name, "base_url")] = target.base_url
    found = [
        f"{keys[at].label}: http:// sends credentials and customers' data unencrypted; use https://"
        for at, address in addresses.items()
        if _is_open(address)
    ]
    found += [
        f"{keys['targets', 'webhooks', name, 'url'].label}: http:// sends figures unencrypted; use https://"
        for name, webhook in account.targets.webhooks.items()
        if _is_open(webhook.url)
    ]
    mail = account.targets.weekly_balance_mail
    if mail and mail.security == "none" and not _is_loopback(mail.host):
        label = keys["targets", "weekly_balance_mail", "security"].label
        found.append(f'{label}: "none" sends figures and login unencrypted; use "starttls" or "tls"')
    if account.alerts and (url := account.alerts.webhook_url) and _is_open(url.get_secret_value()):
        found.append(f"{keys['alerts', 'webhook_url'].label}: http:// sends alerts unencrypted; use https://")
    if account.alerts and (to := account.alerts.mail) and to.security == "none" and not _is_loopback(to.host):
        label = keys["alerts", "mail", "security"].label
        found.append(f'{label}: "none" sends alerts and login unencrypted; use "starttls" or "tls"')
    return found


def _is_open(address: str) -> bool:
    return address.startswith("http://") and not _is_loopback(urlsplit(address).hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def doubled(accounts: Iterable[Account]) -> list[str]:
    """One warning for each account that loads the same Sitoo system as one before it."""
    first: dict[str, str] = {}
    warnings = []
    for account in accounts:
        other = first.setdefault(account.base_url, account.name)
        if other != account.name:
            warnings.append(
                f"accounts.{account.name}.base_url: accounts.{other} has it too; its sales would be loaded twice"
            )
    return warnings


def misspelt(environ: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """One warning for each variable that looks like one of ours and is none."""
    names = sorted(known)
    warnings = []
    for name in sorted(set(environ) - set(names)):
        close = get_close_matches(name, names, n=1, cutoff=0.8)
        if close and close[0] not in environ and name.startswith(_OWN_PREFIXES):
            warnings.append(f"{name}: is not read; did you mean {close[0]}?")
    return warnings


def unread(environ: Mapping[str, str], *, file: Path, data_dir_variable: str) -> list[str]:
    """A warning where a file counts and variables were set that only count without one."""
    idle = [name for name in (*_OF_THE_ENVIRONMENT_ALONE, data_dir_variable) if environ.get(name, "").strip()]
    return [f"{', '.join(idle)}: not read, because {file.name} holds the settings"] if idle else []
