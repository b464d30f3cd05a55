"""The table of wrong inputs: what is written, and the exact line that answers it."""

# ruff: noqa: E501 - one wrong input is one line

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sitoo_pipeline_tests.settings.support import ACCOUNT, CREDENTIALS, ENVIRON, WEBHOOK_SECRET, faults, write

AN_AMOUNT = "must be an amount of 0 or more with at most two decimals, such as 10.50, not"
NO_ZONE = "is no known time zone; take an IANA name such as Europe/Stockholm"
RECEIPTS = 'from_name = "A", from_email = "a@example.com", subject = "B", template_id = 3'
MAIL = '{sender = "a@b.se", recipients = ["c@d.se"], '
BASE = "https://api.mysitoo.com/v2/accounts/1500"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SITOO_ACCOUNT", "Main-Shop", "'Main-Shop' is no account name; it must be a small letter, then small letters, digits and underscores"),
        ("SITOO_BASE_URL", BASE + " ", "has a space in it or around it; take it out"),
        ("SITOO_BASE_URL", "api.mysitoo.com/v2/accounts/1500", "must be a whole address that begins with https:// and a host"),
        ("SITOO_BASE_URL", "https:///accounts/1500", "must be a whole address that begins with https:// and a host"),
        ("SITOO_BASE_URL", "https://host:port/accounts/1", "must be a whole address that begins with https:// and a host"),
        ("SITOO_BASE_URL", "ftp://host/accounts/1", "must be a whole address that begins with https:// and a host"),
        ("SITOO_BASE_URL", "https://me:hush@host/accounts/1", "must not hold a user or password before the host; they have settings of their own"),
        ("SITOO_BASE_URL", BASE + "?key=hush", "must end with its path, without ? or #"),
        ("SITOO_BASE_URL", "https://api.mysitoo.com/v2", "'https://api.mysitoo.com/v2' must end with /accounts/<number>, as in https://api.mysitoo.com/v2/accounts/1500; the Sitoo Backoffice shows it under Settings > Sitoo REST API"),
        ("SITOO_API_ID", "1500-12,", "has an empty entry in its list; take out the comma too many"),
        ("SITOO_API_ID", "1500-12:hush", "must not hold a colon; an API id looks like 1500-12"),
        ("SITOO_API_ID", "1500-12,1500-12", "names an API id twice; Sitoo takes one request at a time from each"),
        ("SITOO_API_PASSWORD", "", "is not set; put it in the environment or in .env"),
        ("SITOO_API_PASSWORD", "hush,", "has an empty entry in its list; take out the comma too many"),
        ("SITOO_API_PASSWORD", "hush,hush", "lists 2 passwords, but there are 1 API ids; both are separated by commas and must have the same length and order"),
        ("SITOO_TIMEZONE", "Europe/Stokholm", "'Europe/Stokholm' is no known time zone; did you mean Europe/Stockholm?"),
        ("SITOO_TIMEZONE", "Europe", f"'Europe' {NO_ZONE}"),
        ("SITOO_TIMEZONE", "../etc/passwd", f"'../etc/passwd' {NO_ZONE}"),
        ("SITOO_START_DATE", "", "is not set; for example SITOO_START_DATE=2024-01-01"),
        ("SITOO_START_DATE", "20240101", "'20240101' is no date; write it as 2024-01-31"),
        ("SITOO_START_DATE", "31.01.2024", "'31.01.2024' is no date; write it as 2024-01-31"),
        ("SITOO_START_DATE", "2023-02-29", "2023-02-29 is not in the calendar"),
        ("SITOO_START_DATE", "0024-01-01", "0024-01-01 is before 2000-01-01, the earliest date that is taken"),
        ("SAMESYSTEM_CONFIRM", "maybe", "must be true or false, not 'maybe'"),
        ("SAMESYSTEM_EMAIL", "not an address", "must be one e-mail address"),
        ("SAMESYSTEM_PASSWORD", "", "is not set; put it in the environment or in .env"),
        ("OMETRIA_BASE_URL", "https://k:hush@api.ometria.com", "must not hold a user or password before the host; they have settings of their own"),
        ("WEEKLY_BALANCE_URL", "hush", "must be a SQLAlchemy URL such as postgresql+psycopg://user:password@host/database"),
        ("WEEKLY_BALANCE_URL", "oracle://u:hush@db/x", "names a database of the kind oracle; those that can be used are sqlite, postgresql, mysql, mariadb, mssql"),
        ("DELIVERIES_URL", "mysql://u:hush@db/x", "names a database of the kind mysql; those that can be used are sqlite, postgresql"),
        ("DELIVERIES_URL", "postgres://u:hush@db/x", "must begin with postgresql+psycopg://, not with postgres://, which SQLAlchemy does not know"),
    ],
)  # fmt: skip
def test_one_wrong_variable_is_one_line(tmp_path: Path, name: str, value: str, message: str) -> None:
    right = ENVIRON | {
        "OMETRIA_API_KEY": "k",
        "SAMESYSTEM_BASE_URL": "https://in.samesystem.com/api/v1",
        "SAMESYSTEM_EMAIL": "pos@example.com",
        "SAMESYSTEM_PASSWORD": "p",
    }
    assert faults(tmp_path, right | {name: value}) == [f"{name}: {message}"]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("base_url", "1500", "base_url: must be text in quotes, not 1500"),
        ("start_date", "2024-01-01T00:00:00", "start_date: '2024-01-01 00:00:00' is no date; write it as 2024-01-31"),
        ("start_date", "2024", "start_date: '2024' is no date; write it as 2024-01-31"),
        ("api_id_env", "3", "api_id_env: must be the name of an environment variable, in capital letters, digits and underscores; the value itself belongs in that variable"),
        ("api_password_env", '"hush"', "api_password_env: must be the name of an environment variable, in capital letters, digits and underscores; the value itself belongs in that variable"),
        ("api_password_env", '"NOT_THERE"', "api_password_env: the environment variable NOT_THERE is not set; give it a value there or in .env"),
        ("api_password_env", '"EMPTY"', "api_password_env: the environment variable EMPTY is set, but empty; give it a value there or in .env"),
        ("api_password_env", '"TWO"', "api_password_env: the value of TWO lists 2 passwords, but there are 1 API ids; both are separated by commas and must have the same length and order"),
        ("api_password", '"hush"', "api_password: must not be in the file; put it in an environment variable and name that with api_password_env"),
        ("time_zone", '"Europe/Oslo"', "time_zone: is not a setting; did you mean timezone?"),
        ("name", '"x"', "name: is not a setting; known here: base_url, api_id_env, api_password_env, timezone, start_date, ready_by, reread_days, deep_reread_days, open_orders_max_age_days, late_ids_margin, landing_retention_days, rejected_retention_days, history_retention_days, deliveries_retention_days, runs_retention_days, chunk_days, lock_timeout, read_copy_personal_data, http, stores, visitors, targets, alerts, deliveries_url_env"),
        ("ready_by", '"01:30"', "ready_by: 01:30 is not between 02:15 and 23:00; the night's load begins at 02:00"),
        ("reread_days", "-1", "reread_days: must be 0 or more, not -1"),
        ("reread_days", "1.5", "reread_days: must be a whole number, not 1.5"),
        ("reread_days", "99999", "reread_days: must be 3660 or less, not 99999"),
        ("landing_retention_days", "0", "landing_retention_days: must be 1 or more, not 0"),
        ("late_ids_margin", '"500"', "late_ids_margin: must be a whole number, not '500'"),
        ("chunk_days", "true", "chunk_days: must be a whole number, not true"),
        ("http", "5", "http: must be a table, not 5"),
        ("http.attempts", "0", "http.attempts: must be 1 or more, not 0"),
        ("http.wait_initial", "45", "http.wait_max: 30 is less than wait_initial (45); it must be as long or longer"),
        ("http.read_timeout", "0", "http.read_timeout: must be more than 0, not 0"),
        ("http.read_timeout", "nan", "http.read_timeout: must be a number, not nan"),
        ("http.read_timeout", '"60"', "http.read_timeout: must be a number, not '60'"),
        ("http.timeout", "60", "http.timeout: is not a setting; did you mean read_timeout?"),
        ("stores", "[]", "stores: must be a table"),
        ('stores."01.1"', "3", 'stores."01.1": must be a table, not 3'),
        ('stores."01.1".timezone', '"Mars"', f'stores."01.1".timezone: \'Mars\' {NO_ZONE}'),
        ('stores."01.1".zone', '"Mars"', 'stores."01.1".zone: is not a setting; did you mean timezone?'),
        ("visitors", '"cm_visitors"', "visitors: must be a table, not 'cm_visitors'"),
        ("visitors", "{}", "visitors.folder: is missing, and so is metric; visitors are counted by one of the two"),
        ("visitors", '{metric = "cm_a", folder = "b"}', "visitors.folder: stands beside metric; visitors are counted by one of the two"),
        ("visitors.metric", '"visitors"', "visitors.metric: 'visitors' is no key of a custom metric; Sitoo's begin with cm_, as in cm_visitors"),
        ("visitors.folder", '" "', "visitors.folder: must be the path of a folder; a relative one is below the account's folder"),
        ("targets.omtria", "{}", "targets.omtria: is not a setting; did you mean ometria?"),
        ("targets.weekly_balance.channels", '"pos"', "targets.weekly_balance.channels: must be a list, not 'pos'"),
        ("targets.weekly_balance.channels", "[]", "targets.weekly_balance.channels: must name at least one"),
        ("targets.weekly_balance.channels", '["pos", "web"]', "targets.weekly_balance.channels.1: must be 'pos' or 'online', not 'web'"),
        ("targets.weekly_balance.channels", '["pos", "pos"]', "targets.weekly_balance.channels: names a channel twice; name each once"),
        ("targets.weekly_balance.hold_back_above", "-1", f"targets.weekly_balance.hold_back_above: {AN_AMOUNT} -1"),
        ("targets.weekly_balance.hold_back_above", "0.005", f"targets.weekly_balance.hold_back_above: {AN_AMOUNT} 0.005"),
        ("targets.weekly_balance.hold_back_above", "inf", f"targets.weekly_balance.hold_back_above: {AN_AMOUNT} inf"),
        ("targets.weekly_balance.hold_back_above", "true", f"targets.weekly_balance.hold_back_above: {AN_AMOUNT} True"),
        ("targets.weekly_balance.hold_back_above", '"10 SEK"', f"targets.weekly_balance.hold_back_above: {AN_AMOUNT} '10 SEK'"),
        ("targets.weekly_balance.hold_back", "1", "targets.weekly_balance.hold_back: is not a setting; did you mean hold_back_above?"),
        ("targets.weekly_balance_sql.url", '"sqlite://"', "targets.weekly_balance_sql.url: must not be in the file; put it in an environment variable and name that with url_env"),
        ("targets.weekly_balance_csv.separator", '","', "targets.weekly_balance_csv.decimal_mark: ',' is the separator already; the two must differ"),
        ("targets.weekly_balance_csv.decimal_mark", '"."', "targets.weekly_balance_csv.thousands_mark: '.' is the decimal_mark already; the two must differ"),
        ("targets.weekly_balance_csv.separator", '""', "targets.weekly_balance_csv.separator: '' must be one character that no date, hour, number or text is written with"),
        ("targets.weekly_balance_csv.separator", '":"', "targets.weekly_balance_csv.separator: ':' must be one character that no date, hour, number or text is written with"),
        ("targets.weekly_balance_csv.date_format", '"%d.%m"', "targets.weekly_balance_csv.date_format: '%d.%m' does not write a whole date; take year, month and day, as in %Y-%m-%d"),
        ("targets.weekly_balance_csv.date_format", '"%Y;%m;%d"', "targets.weekly_balance_csv.date_format: '%Y;%m;%d' writes the separator into the date"),
        ("targets.weekly_balance_csv.register_id", "0", "targets.weekly_balance_csv.register_id: must be 1 or more, not 0"),
        ("targets.weekly_balance_csv.gross_sales", '"net"', "targets.weekly_balance_csv.gross_sales: must be 'incl_vat' or 'excl_vat', not 'net'"),
        ("targets.weekly_balance_csv.returns", "-1", "targets.weekly_balance_csv.returns: must be 'positive' or 'negative', not -1"),
        ("targets.weekly_balance_csv.encoding", '"utf-7"', "targets.weekly_balance_csv.encoding: must be 'utf-8', 'utf-8-sig', 'iso-8859-1' or 'windows-1252', not 'utf-7'"),
        ("targets.weekly_balance_csv.opening_hours", '"10-20"', "targets.weekly_balance_csv.opening_hours: '10-20' is not understood; write it as 10:00-20:00, or Mo-Fr 10:00-20:00; Sa 10:00-18:00, or 24/7"),
        ("targets.weekly_balance_csv.opening_hours", '"20:00-10:00"', "targets.weekly_balance_csv.opening_hours: '20:00-10:00' must be two times of one day, the earlier one first; 24:00 is the day's end"),
        ('stores."01.1".opening_hours', '"Mo-Su"', "stores.\"01.1\".opening_hours: 'Mo-Su' is not understood; write it as 10:00-20:00, or Mo-Fr 10:00-20:00; Sa 10:00-18:00, or 24/7"),
        ("alerts", "{mails = 1}", "alerts.mails: is not a setting; did you mean mail?"),
        ("alerts", "{repeat_hours = 0}", "alerts.repeat_hours: must be 1 or more, not 0"),
        ("alerts", '{webhook_url = "https://example.com"}', "alerts.webhook_url: must not be in the file; put it in an environment variable and name that with webhook_url_env"),
        ("alerts", '{webhook_url_env = "ONE"}', "alerts.webhook_url_env: the value of ONE must be a web address, such as https://example.com/hooks/1"),
        ("targets.weekly_balance_mail", '{sender = "a@b.se", recipients = ["c@d.se"]}', 'targets.weekly_balance_mail.host: is missing; write for example host = "smtp.example.com"'),
        ("targets.weekly_balance_mail", MAIL + 'host = "smtp://x"}', "targets.weekly_balance_mail.host: 'smtp://x' must be the name or IP address of a computer, such as smtp.example.com"),
        ("targets.weekly_balance_mail", MAIL + 'host = "x", security = "ssl"}', "targets.weekly_balance_mail.security: must be 'starttls', 'tls' or 'none', not 'ssl'"),
        ("targets.weekly_balance_mail", MAIL + 'host = "x", port = 70000}', "targets.weekly_balance_mail.port: must be 65535 or less, not 70000"),
        ("targets.weekly_balance_mail", MAIL + 'host = "x", user = "u"}', "targets.weekly_balance_mail.password_env: must be set together with user; leave out both where the server asks for no login"),
        ("targets.weekly_balance_mail", MAIL + 'host = "x", password_env = "ONE"}', "targets.weekly_balance_mail.password_env: the value of ONE must be set together with user; leave out both where the server asks for no login"),
        ("targets.weekly_balance_mail", MAIL + 'host = "x", password = "hush"}', "targets.weekly_balance_mail.password: must not be in the file; put it in an environment variable and name that with password_env"),
        ("targets.weekly_balance_mail", '{host = "x", sender = "Ann <a@b.se>", recipients = ["c@d.se"]}', "targets.weekly_balance_mail.sender: must be one e-mail address"),
        ("targets.weekly_balance_mail", '{host = "x", sender = "å@b.se", recipients = ["c@d.se"]}', "targets.weekly_balance_mail.sender: must be one plain e-mail address of ASCII characters, without a name before it"),
        ("targets.weekly_balance_mail", '{host = "x", sender = "a@b.se", recipients = []}', "targets.weekly_balance_mail.recipients: must name at least one"),
        ("targets.weekly_balance_mail", '{host = "x", sender = "a@b.se", recipients = ["c@d.se", "c@d.se"]}', "targets.weekly_balance_mail.recipients: names an address twice; name each once"),
        ("targets.weekly_balance_mail", MAIL + 'host = "x", subject = "{day}"}', "targets.weekly_balance_mail.subject: '{day}' cannot be filled in; {date} and {account} are what can stand in it"),
        ("targets.weekly_balance_mail", MAIL + 'host = "x", max_age_days = 0}', "targets.weekly_balance_mail.max_age_days: must be 1 or more, not 0"),
        ("targets.webhooks", '{Hook = {url = "https://x", secret_env = "HOOK"}}', "targets.webhooks: 'Hook' is no name; it must be a small letter, then small letters, digits and underscores"),
        ("targets.webhooks.one", '{secret_env = "HOOK"}', 'targets.webhooks.one.url: is missing; write for example url = "https://example.com/hooks/sitoo"'),
        ("targets.webhooks.one", '{url = "https://u:hush@x", secret_env = "HOOK"}', "targets.webhooks.one.url: must not hold a user or password before the host; they have settings of their own"),
        ("targets.webhooks.one", '{url = "https://x#y", secret_env = "HOOK"}', "targets.webhooks.one.url: must not have a part after #"),
        ("targets.webhooks.one", '{url = "https://x", secret_env = "ONE"}', "targets.webhooks.one.secret_env: the value of ONE must be whsec_ and the base64 of 24 to 64 random bytes, as the receiving system shows it"),
        ("targets.webhooks.one", '{url = "https://x"}', 'targets.webhooks.one.secret_env: is missing; write for example secret_env = "WEBHOOK_SECRET"'),
        ("targets.webhooks.one", '{url = "https://x", secret_env = "HOOK", tables = ["daily_sales", "sales"]}', "targets.webhooks.one.tables.1: must be 'hourly_sales' or 'daily_sales', not 'sales'"),
        ("targets.webhooks.one", '{url = "https://x", secret_env = "HOOK", tables = ["daily_sales", "daily_sales"]}', "targets.webhooks.one.tables: names a table twice; name each once"),
        ("targets.ometria", "{}", 'targets.ometria.api_key_env: is missing; write for example api_key_env = "OMETRIA_API_KEY"'),
        ("targets.ometria", '{api_key_env = "ONE", id_prefix = "a b"}', "targets.ometria.id_prefix: 'a b' must be letters, digits and the characters _ . : - only"),
        ("targets.ometria", '{api_key_env = "ONE", product_id = "ean"}', "targets.ometria.product_id: must be 'sku' or 'product_id', not 'ean'"),
        ("targets.ometria", '{api_key_env = "ONE", collection = ""}', "targets.ometria.collection: '' must be text without spaces or line ends around it, and not empty"),
        ("targets.ometria", '{api_key_env = "ONE", opt_in = "perhaps"}', "targets.ometria.opt_in: must be true or false, not 'perhaps'"),
        ("targets.ometria", '{api_key_env = "ONE", start_date = "soon"}', "targets.ometria.start_date: 'soon' is no date; write it as 2024-01-31"),
        ("targets.ometria", '{api_key_env = "ONE", unlinked_returns = "send"}', "targets.ometria.unlinked_returns: must be 'hold_out' or 'negative_order', not 'send'"),
        ("targets.ometria", '{api_key_env = "ONE", verify = true}', "targets.ometria.verify: must be 'none', 'sample' or 'all', not true"),
        ("targets.ometria", '{api_key_env = "ONE", errors_wait = -1}', "targets.ometria.errors_wait: must be 0 or more, not -1"),
        ("targets.ometria", '{api_key_env = "ONE", errors_every = 0}', "targets.ometria.errors_every: must be more than 0, not 0"),
        ("targets.ometria", '{api_key_env = "ONE", reads_per_second = 0}', "targets.ometria.reads_per_second: must be more than 0, not 0"),
        ("targets.ometria", '{api_key_env = "ONE", receipt = {}}', "targets.ometria.receipt: is not a setting; did you mean receipts?"),
        ("targets.ometria", f'{{api_key_env = "ONE", receipts = {{{RECEIPTS}, stream = "My Stream"}}}}', "targets.ometria.receipts.stream: 'My Stream' must be small letters, digits, _ and - only, without spaces"),
        ("targets.ometria", f'{{api_key_env = "ONE", receipts = {{{RECEIPTS}}}}}', 'targets.ometria.receipts.stream: is missing; write for example stream = "receipts"'),
        *(
            ("targets.samesystem", f'{{base_url = "https://in.samesystem.com/api/v1", email = "a@b.c", password_env = "ONE", {wrong}}}', f"targets.samesystem.{line}")
            for wrong, line in (
                ('login = "oauth"', "login: must be 'user' or 'department', not 'oauth'"),
                ("ctx_tokens = 5", 'ctx_tokens: must be a table of texts of letters and digits, such as { "0101" = "c1500d10" }'),
                ('ctx_tokens = { 1 = "c1/../d2" }', 'ctx_tokens: must be a table of texts of letters and digits, such as { "0101" = "c1500d10" }'),
                ('ctx_tokens = { 1 = "c1d1", 2 = "c1d2", 3 = "c1d1" }', "ctx_tokens: gives c1d1 to the stores 1 and 3; a department is one store's"),
                ("registers = { a = 0 }", 'registers: must be a table of numbers from 1 to 99, such as { "{3CCB9848-...}" = 2 }'),
                ('confirm_from = "2"', 'confirm_from: must be a time such as "02:00"'),
                ('confirm_from = "06:00"', "auto_confirm_at: 05:00 is not after confirm_from (06:00)"),
                ("fields = { returns = true }", 'fields.returns: must be a field\'s code or name in quotes, its id as a number, or "" to send nothing'),
                ('fields = { returns = "A1", discounts = "a1" }', "fields.returns: 'A1' takes discounts already; each measure has a field of its own"),
                ("fields = { gross_sales = 7, net_sales = 7 }", "fields.net_sales: 7 takes gross_sales already; each measure has a field of its own"),
                ('fields = { sales = "A1" }', "fields.sales: is not a setting; did you mean net_sales?"),
            )
        ),
        ("deliveries_url_env", '"ONE"', "deliveries_url_env: the value of ONE must be a SQLAlchemy URL such as postgresql+psycopg://user:password@host/database"),
    ],
)  # fmt: skip
def test_one_wrong_key_is_one_line(tmp_path: Path, key: str, value: str, line: str) -> None:
    kept = [
        each for each in ACCOUNT.splitlines() if not each.startswith(f"{key} ") and not each.startswith(f"{key}_env")
    ]
    write(tmp_path, "\n".join([*kept, f"{key} = {value}"]))
    environ = CREDENTIALS | {"ONE": "hush", "TWO": "hush,hush", "EMPTY": " ", "HOOK": WEBHOOK_SECRET}
    assert faults(tmp_path, environ) == [f"accounts.main.{line}"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["accounts: must hold at least one account, as a table [accounts.<name>]"]),
        ("[accounts]", ["accounts: must hold at least one account, as a table [accounts.<name>]"]),
        ("accounts = 3", ["accounts: must hold at least one account, as a table [accounts.<name>]"]),
        ("[accounts]\nbase_url = 'x'", ["accounts.base_url: must be a table, [accounts.base_url]; settings of an account stand in its table"]),
        (
            "[accounts.main]",
            [
                'accounts.main.base_url: is missing; write for example base_url = "https://api.mysitoo.com/v2/accounts/1500"',
                'accounts.main.api_id_env: is missing; write for example api_id_env = "SITOO_API_ID"',
                'accounts.main.api_password_env: is missing; write for example api_password_env = "SITOO_API_PASSWORD"',
                'accounts.main.start_date: is missing; write for example start_date = "2024-01-01"',
            ],
        ),
        (ACCOUNT.replace("main", '"Shop 1"'), ['accounts."Shop 1": \'Shop 1\' is no account name; it must be a small letter, then small letters, digits and underscores']),
        ("data_dirs = 'x'" + ACCOUNT, ["data_dirs: is not a setting; did you mean data_dir?"]),
        ("data_dir = 3" + ACCOUNT, ['data_dir: must be the path of a folder, in quotes, such as "data"']),
        ("data_dir = ' '" + ACCOUNT, ['data_dir: must be the path of a folder, in quotes, such as "data"']),
        ("log_format = 'yaml'" + ACCOUNT, ["log_format: must be \"text\" or \"json\", not 'yaml'"]),
        ("code_url = 3" + ACCOUNT, ["code_url: must be where a browser finds the files, such as https://github.com/example/sitoo_pipeline/blob/v0.1.0"]),
        (ACCOUNT + "base_url =", ["sitoo_pipeline.toml: is not valid TOML: Invalid value (at end of document)"]),
        ("data_dir = data" + ACCOUNT, ["sitoo_pipeline.toml: is not valid TOML: Invalid value (at line 1, column 12)"]),
    ],
)  # fmt: skip
def test_wrong_files(tmp_path: Path, text: str, lines: list[str]) -> None:
    write(tmp_path, text)
    assert faults(tmp_path, CREDENTIALS) == lines


def test_faults_of_the_whole_file_come_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        colour = "green"
        [accounts.one]
        base_url = "https://api.mysitoo.com/v2"
        api_id_env = "NOT_THERE"
        api_password_env = "SITOO_API_PASSWORD"
        timezone = "Mars"
        start_date = 2999-01-01
        [accounts.two]
        start_date = "soon"
        reread = 3
        [accounts.two.targets.ometria]
        opt_in = 7
        """,
    )
    paths = [line.split(": ")[0] for line in faults(tmp_path, CREDENTIALS)]
    assert paths == [
        "colour",
        "accounts.one.api_id_env",
        "accounts.one.base_url",
        "accounts.one.timezone",
        "accounts.one.start_date",
        "accounts.two.reread",
        "accounts.two.base_url",
        "accounts.two.api_id_env",
        "accounts.two.api_password_env",
        "accounts.two.start_date",
        "accounts.two.targets.ometria.api_key_env",
        "accounts.two.targets.ometria.opt_in",
    ]


def test_the_first_business_date_has_come(tmp_path: Path) -> None:
    # Two days ahead it is tomorrow or later in every zone.
    ahead = datetime.now(UTC).date() + timedelta(days=2)
    (line,) = faults(tmp_path, ENVIRON | {"SITOO_START_DATE": str(ahead)})
    assert line.startswith(f"SITOO_START_DATE: {ahead} is in the future; the first business date must be 2")


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    write(tmp_path, ACCOUNT)
    (line,) = faults(tmp_path, CREDENTIALS | {"SITOO_PIPELINE_CONFIG": "gone.toml"})
    assert line == (
        f"SITOO_PIPELINE_CONFIG: {tmp_path}/gone.toml is not a file; "
        "name a settings file, or unset the variable to use sitoo_pipeline.toml"
    )


def test_a_folder_or_other_bytes_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "sitoo_pipeline.toml").mkdir()
    assert faults(tmp_path, {}) == ["sitoo_pipeline.toml: is not a file"]
    (tmp_path / "other.toml").write_bytes(ACCOUNT.replace("main", "räv").encode("latin-1"))
    environ = CREDENTIALS | {"SITOO_PIPELINE_CONFIG": "other.toml"}
    assert faults(tmp_path, environ) == ["other.toml: is not UTF-8 text; save it with that encoding"]


def test_the_data_folder_is_no_file(tmp_path: Path) -> None:
    write(tmp_path, "", name="data")
    line = f"SITOO_PIPELINE_DATA_DIR: {tmp_path}/data is a file; name a folder, which need not exist yet"
    assert faults(tmp_path, ENVIRON) == [line]
