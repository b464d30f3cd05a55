"""What the targets hold, looked at from outside, and all in which it is not what it must be.

None lost, none twice, and a ledger that says so. Each function returns a line per finding; none is the proof.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sitoo_pipeline_tests.pipeline.soak_world import AT_MOST_ONCE, World

Key = tuple[str, str, str]
IN_DOUBT = ("unknown", "pending")


def _databases(world: World) -> dict[str, tuple[Path, Path]]:
    """Where each account keeps its ledger, and its weekly balance."""
    found = {}
    for account in world.project.settings.accounts:
        urls = (account.deliveries_url, account.targets.weekly_balance_sql.url)
        ledger_file, table_file = (Path(url.get_secret_value().removeprefix("sqlite:///")) for url in urls)
        found[account.name] = (ledger_file, table_file)
    return found


def _rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as con:
        return con.execute(query).fetchall()


def ledger(world: World, columns: str) -> dict[Key, tuple[Any, ...]]:
    """These columns of the ledgers, by account, target and key; nothing of a ledger that is not there yet."""
    found: dict[Key, tuple[Any, ...]] = {}
    for file, _ in _databases(world).values():
        if file.exists():
            rows = _rows(file, f"SELECT account, target, key, {columns} FROM deliveries ORDER BY 1, 2, 3")
            found |= {(account, target, key): tuple(more) for account, target, key, *more in rows}
    return found


def states(world: World) -> dict[Key, str]:
    """The state of every record."""
    return {key: state for key, (state,) in ledger(world, "state").items()}


def in_doubt(world: World) -> dict[str, int]:
    """How many records of each target wait for a person to decide."""
    return dict(Counter(target for (_, target, _), state in states(world).items() if state in IN_DOUBT))


def undelivered(world: World) -> list[str]:
    """Every record that the ledger does not have as delivered."""
    return [f"the ledger says {state} of {key}" for key, state in sorted(states(world).items()) if state != "delivered"]


def weekly_balances(world: World, more: str = "") -> list[tuple[Any, ...]]:
    """The rows of both SQL targets."""
    columns = "account, store_id, currency, business_date, hour, content_hash, gross_sales, net_sales, transactions"
    return [
        row
        for _, file in _databases(world).values()
        for row in _rows(file, f"SELECT {columns}{more} FROM weekly_balance_hourly ORDER BY 1, 2, 3, 4, 5")
    ]


def files(world: World) -> dict[str, bytes]:
    """The files of both accounts."""
    return {
        f"{account.name}/{path.name}": path.read_bytes()
        for account in world.project.settings.accounts
        for path in account.exports_folder.rglob("*.*")
    }


def findings(peace: World, at: World) -> list[str]:
    """Where a world that had faults and kills differs from one that had none."""
    return [
        *_vacuous(peace),
        *_differs("the rows of the weekly balance", weekly_balances(peace), weekly_balances(at)),
        *_differs("the files", files(peace), files(at)),
        *_differs("SameSystem", peace.sandbox.samesystem.state.snapshot(), at.sandbox.samesystem.state.snapshot()),
        *_differs("Ometria's records", peace.sandbox.ometria.records, at.sandbox.ometria.records),
        *_differs("the webhook's rows", peace.hook.rows, at.hook.rows),
        *_differs("the records in the ledgers", set(states(peace)), set(states(at))),
        *_ledger(peace, at),
        *_identities(at),
        *_at_most_once("ometria_receipt", receipts(peace), receipts(at), at),
        *_at_most_once("weekly_balance_mail", mails(peace), mails(at), at),
    ]


def further_run(world: World) -> list[str]:
    """What one more run sends, writes or says; it is to be nothing but what a person has to decide."""

    def looks() -> dict[str, Any]:
        return {
            "calls that write": {kind: number for kind, number in world.calls.items() if kind != "sitoo"},
            "the ledger": ledger(world, "state, content_hash, delivered_hash, attempts"),
            "rows of the weekly balance": weekly_balances(world, ", updated_at"),
            "files": files(world),
            "Ometria's requests": len(world.sandbox.ometria.requests),
            "SameSystem's writes": len(world.sandbox.samesystem.state.writes),
            "messages": (len(world.hook.messages), len(world.mailbox.taken), len(world.sandbox.ometria.outbox.tried)),
        }

    world.heal()
    before = looks()
    outcomes = world.load()
    after = looks()
    found = [f"a further run changes {name}" for name in before if before[name] != after[name]]
    doubtful = in_doubt(world)
    for outcome in outcomes:
        for day, why in outcome.failed.items():
            if outcome.account != "kedjan" or not any(f"{name}: " in why for name in doubtful):
                found.append(f"a further run fails on {day}: {why}")
    return found


def _vacuous(peace: World) -> Iterator[str]:
    """Whether the comparison would compare nothing."""
    held = Counter((account, target) for account, target, _ in states(peace))
    plain = {"weekly_balance_sql", "weekly_balance_csv"}
    targets = {*plain, *AT_MOST_ONCE, "samesystem", "ometria", "webhook_planning"}
    accounts = {account.name for account in peace.project.settings.accounts}
    expected = {(name, target) for name in accounts for target in (targets if name == "kedjan" else plain)}
    if set(held) != expected:
        yield f"in peace there are only {sorted(held)}"
    if set(states(peace).values()) != {"delivered"}:
        yield f"in peace not everything is delivered: {Counter(states(peace).values())}"
    books = peace.sandbox.samesystem.state
    for store in peace.sandbox.chain.store_list:
        for day in peace.dates:
            if not (used := books.used(store.externalid, day)) or "Gross sales" not in used:
                yield f"in peace SameSystem does not count {store.externalid} on {day}"
    first = peace.sandbox.chain.store_list[0].externalid
    if not all(books.is_approved(first, day) for day in peace.dates):
        yield f"in peace the weeks of {first} are no longer approved"


def _differs(what: str, expected: Any, found: Any) -> Iterator[str]:
    if not expected:
        yield f"{what}: there are none in peace"
    if expected != found:
        yield f"{what} are not what they are in peace"


def _ledger(peace: World, at: World) -> Iterator[str]:
    """Delivered, with the content that it has in peace; only where a target cannot be asked may there be doubt."""
    expected = ledger(peace, "content_hash")
    for key, (state, content, delivered) in ledger(at, "state, content_hash, delivered_hash").items():
        if (content,) != expected.get(key):
            yield f"the ledger has another content of {key}"
        if state == "delivered" and delivered != content:
            yield f"the ledger says of {key} that it is delivered, and not what"
        if state != "delivered" and not (state in IN_DOUBT and key[1] in AT_MOST_ONCE):
            yield f"the ledger says {state} of {key}"


def _identities(at: World) -> Iterator[str]:
    """A message that came again has the same id, and no other message has it."""
    pairs = {
        (name, json.dumps(message, sort_keys=True)) for name, message in zip(at.hook.ids, at.hook.messages, strict=True)
    }
    if len(pairs) != len({name for name, _ in pairs}) or len(pairs) != len({text for _, text in pairs}):
        yield "the webhook got one message under two ids, or two messages under one"


Sent = dict[str, list[Any]]


def receipts(world: World) -> Sent:
    """The receipts that were sent, by their key in the ledger."""
    found: Sent = {}
    for mail in [*world.sandbox.ometria.outbox.sent, *world.sandbox.ometria.outbox.tried]:
        found.setdefault(f"receipt:{mail['data']['order_id']}", []).append(mail)
    return found


def mails(world: World) -> Sent:
    """The files of the e-mails that were taken, by their key in the ledger."""
    found: Sent = {}
    for taken in world.mailbox.taken:
        found.setdefault(taken.message["Subject"].removeprefix("Weekly balance "), []).append(taken.files)
    return found


def _at_most_once(target: str, expected: Sent, found: Sent, at: World) -> Iterator[str]:
    said = {key: state for (_, name, key), state in states(at).items() if name == target}
    for key in sorted(expected.keys() | found.keys() | said.keys()):
        times, state = len(found.get(key, [])), said.get(key)
        if times > 1:
            yield f"{target} got {key} {times} times"
        elif times == 1 and found[key] != expected.get(key):
            yield f"{target} got something else for {key}"
        if state == "delivered" and times != 1:
            yield f"{target} got {key} {times} times, and the ledger says that it is delivered"
        if state is None:
            yield f"{target}: the ledger does not know {key}"
