"""What runs together, and when: jobs and schedules. What a step does is in ``assets``."""

from sitoo_pipeline.automation.jobs import daily_name, jobs, stage_name
from sitoo_pipeline.automation.schedules import schedules

__all__ = ["daily_name", "jobs", "schedules", "stage_name"]
