"""Hourly sales of a Sitoo POS chain: extracted, computed, reconciled with the tills' z-reports and delivered."""
