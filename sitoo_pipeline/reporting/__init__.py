"""What analysts take away: the report, one HTML page with pictures, and the figures as CSV, Parquet or XLSX.

Everything is read from the marts, through a connection that only reads. No dagster here, and nothing is computed anew
but sums, shares and differences of what the marts hold.
"""
