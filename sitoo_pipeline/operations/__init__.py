"""What an operator does: run dates, look at their state, find what is wrong, try the demo.

The command line is a thin layer over this room. Work on figures happens in the assets, through Dagster, as from its UI.
"""
