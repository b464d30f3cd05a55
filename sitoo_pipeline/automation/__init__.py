"""What runs together, and when: jobs, schedules and sensors. What a step does is in ``assets``."""

from sitoo_pipeline.automation.jobs import daily_name, jobs, poll_name, stage_name
from sitoo_pipeline.automation.retention import retention_name, retention_op
from sitoo_pipeline.automation.run_log import use_log_of
from sitoo_pipeline.automation.schedules import schedules
from sitoo_pipeline.automation.sensors import sensors

__all__ = [
    "daily_name",
    "jobs",
    "poll_name",
    "retention_name",
    "retention_op",
    "schedules",
    "sensors",
    "stage_name",
    "use_log_of",
]
