"""How fast and in how much memory the pipeline loads a chain, beside the least that a bare script needs for the same.

``python -m benchmarks`` runs it all on this machine. What belongs here is measuring: nothing of the pipeline is changed
or left out for it.
"""
