"""What the pipeline logs, and how: a line per message, as text or as JSON, without secrets and personal data.

No dagster here: what a run adds to a line is in ``automation.run_log``.
"""

from sitoo_pipeline.logs.handlers import log_to_stderr, stderr_handler
from sitoo_pipeline.logs.lines import shown_error
from sitoo_pipeline.logs.secrets import secrets_of

__all__ = ["log_to_stderr", "secrets_of", "shown_error", "stderr_handler"]
