"""Settings: read from `sitoo_pipeline.toml` or the environment, validated, explained.

`load_settings()` is the way in. Importing this package reads nothing and pulls in nothing heavier than pydantic.
Reaching out (does the password work, does the database answer) is not done here but by `sitoo-pipeline doctor`.
"""

from sitoo_pipeline.settings.account import Account, ApiUserSettings, Http, StoreSettings
from sitoo_pipeline.settings.alerts import AlertMail, Alerts
from sitoo_pipeline.settings.errors import Fault, SettingsError
from sitoo_pipeline.settings.load import Settings, is_configured, load_settings
from sitoo_pipeline.settings.ometria import Ometria, OmetriaReceipts
from sitoo_pipeline.settings.samesystem import SameSystem
from sitoo_pipeline.settings.targets import Targets
from sitoo_pipeline.settings.webhook import Webhook
from sitoo_pipeline.settings.weekly_balance import WeeklyBalance, WeeklyBalanceCsv, WeeklyBalanceMail, WeeklyBalanceSql

__all__ = [
    "Account",
    "AlertMail",
    "Alerts",
    "ApiUserSettings",
    "Fault",
    "Http",
    "Ometria",
    "OmetriaReceipts",
    "SameSystem",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "Targets",
    "Webhook",
    "WeeklyBalance",
    "WeeklyBalanceCsv",
    "WeeklyBalanceMail",
    "WeeklyBalanceSql",
    "is_configured",
    "load_settings",
]
