from datetime import date
from decimal import Decimal
from pathlib import Path

from sitoo_pipeline.settings import Http, load_settings
from sitoo_pipeline_tests.settings.support import ACCOUNT, CREDENTIALS, ENVIRON, WEBHOOK_SECRET, write


def test_the_smallest_file_equals_the_environment_alone(tmp_path: Path) -> None:
    from_environment = load_settings(tmp_path, ENVIRON | {"SITOO_ACCOUNT": "main"})
    write(tmp_path, ACCOUNT)
    assert load_settings(tmp_path, CREDENTIALS) == from_environment


def test_accounts_keep_the_order_of_the_file_and_their_own_secrets(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        data_dir = "kept"
        [accounts.zeta]
        base_url = "https://api.mysitoo.com/v2/accounts/2"
        api_id_env = "ZETA_ID"
        api_password_env = "ZETA_PASSWORD"
        start_date = "2024-02-29"
        [accounts.alpha]
        base_url = "https://api130.mysitoo.com/v2/accounts/1"
        api_id_env = "ALPHA_ID"
        api_password_env = "ALPHA_PASSWORD"
        start_date = 2023-05-01
        timezone = "Europe/Helsinki"
        deliveries_url_env = "ALPHA_LEDGER"
        """,
    )
    settings = load_settings(
        tmp_path,
        {
            "ZETA_ID": "2-1",
            "ZETA_PASSWORD": "z",
            "ALPHA_ID": "1-1,1-2",
            "ALPHA_PASSWORD": "a,b",
            "ALPHA_LEDGER": "sqlite:///ledger.db",
        },
    )
    zeta, alpha = settings.accounts
    assert (zeta.name, zeta.start_date, zeta.timezone) == ("zeta", date(2024, 2, 29), "Europe/Stockholm")
    assert (alpha.name, alpha.start_date, alpha.timezone) == ("alpha", date(2023, 5, 1), "Europe/Helsinki")
    assert [user.api_id for user in alpha.users] == ["1-1", "1-2"]
    assert [user.password.get_secret_value() for account in settings.accounts for user in account.users] == [*"zab"]
    assert alpha.deliveries_url.get_secret_value() == "sqlite:///ledger.db"
    assert zeta.deliveries_url.get_secret_value() == f"sqlite:///{tmp_path}/kept/zeta/deliveries.db"


def test_every_setting_of_an_account_is_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        ACCOUNT
        + """
        reread_days = 0
        open_orders_max_age_days = 90
        late_ids_margin = 1000
        landing_retention_days = 30
        chunk_days = 3
        http = {attempts = 2, wait_initial = 0.1, wait_max = 1, connect_timeout = 3, read_timeout = 4.5}
        [accounts.main.stores.0101]
        [accounts.main.stores."0201"]
        timezone = "Europe/Helsinki"
        [accounts.main.targets.weekly_balance]
        channels = ["online", "pos"]
        hold_back_above = 10.1
        [accounts.main.targets.weekly_balance_sql]
        enabled = false
        [accounts.main.targets.weekly_balance_csv]
        separator = "\\t"
        decimal_mark = "."
        thousands_mark = ""
        date_format = "%d/%m/%y"
        register_id = 2
        register_column = false
        header = false
        gross_sales = "excl_vat"
        net_sales = "incl_vat"
        returns = "negative"
        discounts = "negative"
        opening_hours = "Mo-Sa 10:00-20:00"
        one_file_per = "store"
        encoding = "utf-8-sig"
        enabled = false
        [accounts.main.targets.ometria]
        base_url = "https://example.com/v2/"
        api_key_env = "KEY"
        id_prefix = "sitoo-"
        product_id = "product_id"
        collection = "tills"
        opt_in = true
        store_channel = "shop"
        start_date = 2024-02-01
        unlinked_returns = "negative_order"
        requests_per_second = 4
        reads_per_second = 2.5
        errors_wait = 0
        errors_every = 0.5
        verify = "all"
        [accounts.main.targets.ometria.receipts]
        enabled = false
        sandbox = false
        from_name = "Lindo"
        from_email = "receipts@example.com"
        subject = "Ditt kvitto"
        stream = "receipts"
        template_id = 7
        max_age_days = 2
        [accounts.main.targets.samesystem]
        base_url = "https://testapi.samesystem.com/api/v1"
        email = "pos@example.com"
        password_env = "SAME"
        confirm = false
        overwrite_approved = false
        login = "department"
        ctx_tokens = { "0101" = "c1500d10" }
        registers = { "{A}" = 2 }
        confirm_from = 03:30:00
        auto_confirm_at = "06:00"
        [accounts.main.targets.samesystem.fields]
        gross_sales = "A1"
        net_sales = 5266
        visitors = ""
        """,
    )
    (account,) = load_settings(tmp_path, CREDENTIALS | {"KEY": "k", "SAME": "s"}).accounts

    assert (account.reread_days, account.open_orders_max_age_days, account.late_ids_margin) == (0, 90, 1000)
    assert (account.landing_retention_days, account.chunk_days) == (30, 3)
    assert account.http == Http(attempts=2, wait_initial=0.1, wait_max=1.0, connect_timeout=3.0, read_timeout=4.5)
    assert {store: of.timezone for store, of in account.stores.items()} == {"0101": None, "0201": "Europe/Helsinki"}
    targets = account.targets
    assert targets.weekly_balance.channels == ("online", "pos")
    assert targets.weekly_balance.hold_back_above == Decimal("10.10")
    assert targets.weekly_balance_sql.enabled is False
    assert targets.weekly_balance_csv.model_dump() == {
        "enabled": False,
        "separator": "\t",
        "decimal_mark": ".",
        "thousands_mark": "",
        "date_format": "%d/%m/%y",
        "register_id": 2,
        "register_column": False,
        "header": False,
        "gross_sales": "excl_vat",
        "net_sales": "incl_vat",
        "returns": "negative",
        "discounts": "negative",
        "opening_hours": "Mo-Sa 10:00-20:00",
        "one_file_per": "store",
        "encoding": "utf-8-sig",
    }
    assert targets.ometria is not None
    assert targets.ometria.model_dump(exclude={"api_key"}) == {
        "base_url": "https://example.com/v2",
        "id_prefix": "sitoo-",
        "product_id": "product_id",
        "collection": "tills",
        "opt_in": True,
        "store_channel": "shop",
        "start_date": date(2024, 2, 1),
        "unlinked_returns": "negative_order",
        "requests_per_second": 4.0,
        "reads_per_second": 2.5,
        "errors_wait": 0.0,
        "errors_every": 0.5,
        "verify": "all",
        "receipts": {
            "enabled": False,
            "sandbox": False,
            "from_name": "Lindo",
            "from_email": "receipts@example.com",
            "subject": "Ditt kvitto",
            "stream": "receipts",
            "template_id": 7,
            "max_age_days": 2,
        },
    }
    assert targets.samesystem is not None
    assert targets.samesystem.model_dump(exclude={"password"}) == {
        "base_url": "https://testapi.samesystem.com/api/v1",
        "email": "pos@example.com",
        "confirm": False,
        "overwrite_approved": False,
        "login": "department",
        "ctx_tokens": {"0101": "c1500d10"},
        "registers": {"{A}": 2},
        "confirm_from": "03:30",
        "auto_confirm_at": "06:00",
        "fields": {
            **dict.fromkeys(("discounts", "returns", "transactions", "goods_sold", "goods_returned")),
            "gross_sales": "A1",
            "net_sales": 5266,
            "visitors": "",
        },
    }


def test_mail_and_webhooks_are_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        ACCOUNT
        + """
        [accounts.main.stores."0201"]
        opening_hours = "24/7"
        [accounts.main.targets.weekly_balance_mail]
        host = "mail.example.com"
        security = "tls"
        port = 4650
        user = "pipeline"
        password_env = "MAIL"
        sender = "pipeline@example.com"
        recipients = ["import@example.com", "copy@example.com"]
        subject = "{account} {date}"
        correction_subject = "{subject} again"
        max_age_days = 30
        [accounts.main.targets.webhooks.planning]
        url = "https://example.com/hooks?to=planning"
        secret_env = "HOOK"
        tables = ["daily_sales"]
        max_bytes = 20000
        [accounts.main.targets.webhooks.other]
        url = "https://example.com/other/"
        secret_env = "HOOK"
        """,
    )
    (account,) = load_settings(tmp_path, CREDENTIALS | {"MAIL": "m", "HOOK": WEBHOOK_SECRET}).accounts
    assert account.stores["0201"].opening_hours == "24/7"
    mail, webhooks = account.targets.weekly_balance_mail, account.targets.webhooks
    assert mail is not None
    assert mail.password is not None
    assert mail.password.get_secret_value() == "m"
    assert mail.model_dump(exclude={"password"}) == {
        "host": "mail.example.com",
        "security": "tls",
        "port": 4650,
        "user": "pipeline",
        "sender": "pipeline@example.com",
        "recipients": ("import@example.com", "copy@example.com"),
        "subject": "{account} {date}",
        "correction_subject": "{subject} again",
        "max_age_days": 30,
    }
    assert {name: of.model_dump(exclude={"secret"}) for name, of in webhooks.items()} == {
        "planning": {"url": "https://example.com/hooks?to=planning", "tables": ("daily_sales",), "max_bytes": 20000},
        "other": {"url": "https://example.com/other/", "tables": ("hourly_sales", "daily_sales"), "max_bytes": 256000},
    }
    assert webhooks["other"].secret.get_secret_value() == WEBHOOK_SECRET


def test_a_file_elsewhere_leaves_data_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    write(tmp_path / "etc", ACCOUNT, name="pipeline.toml")
    write(tmp_path, "broken")
    settings = load_settings(tmp_path, CREDENTIALS | {"SITOO_PIPELINE_CONFIG": "etc/pipeline.toml"})
    assert settings.data_dir == tmp_path / "data"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    write(tmp_path, "\ufeff" + ACCOUNT)
    write(tmp_path, "\ufeffSITOO_API_ID=1500-77\n", name=".env")
    settings = load_settings(tmp_path, {"SITOO_API_PASSWORD": "p"})
    assert settings.accounts[0].users[0].api_id == "1500-77"


def test_addresses_that_would_send_in_the_clear(tmp_path: Path) -> None:
    write(
        tmp_path,
        ACCOUNT + "[accounts.main.targets.webhooks.one]\n"
        'url = "http://example.com/hook"\nsecret_env = "HOOK"\n'
        "[accounts.main.targets.webhooks.near]\n"
        'url = "http://127.0.0.1/hook"\nsecret_env = "HOOK"\n'
        "[accounts.main.targets.weekly_balance_mail]\n"
        'host = "mail.example.com"\nsecurity = "none"\nsender = "a@example.com"\nrecipients = ["b@example.com"]\n',
    )
    settings = load_settings(tmp_path, CREDENTIALS | {"HOOK": WEBHOOK_SECRET})
    assert settings.warnings == (
        "accounts.main.targets.webhooks.one.url: http:// sends figures unencrypted; use https://",
        'accounts.main.targets.weekly_balance_mail.security: "none" sends figures and login unencrypted; '
        'use "starttls" or "tls"',
    )


def test_warnings_of_a_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        ACCOUNT + ACCOUNT.replace("main", "copy") + "[accounts.copy.targets.ometria]\n"
        'base_url = "http://crm.example.com/v2"\napi_key_env = "KEY"\n',
    )
    settings = load_settings(tmp_path, CREDENTIALS | {"KEY": "k", "SITOO_START_DATE": "2023-01-01"})
    assert settings.warnings == (
        "SITOO_START_DATE: not read, because sitoo_pipeline.toml holds the settings",
        "accounts.copy.targets.ometria.base_url: "
        "http:// sends credentials and customers' data unencrypted; use https://",
        "accounts.copy.base_url: accounts.main has it too; its sales would be loaded twice",
    )
