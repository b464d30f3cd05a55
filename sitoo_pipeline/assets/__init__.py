"""Every step wired as a Dagster asset: get, transform, put.

``account.account_assets`` is the one factory: all assets of an account come from it, and nothing of it exists outside
it. What a step does is in the rooms below (``sitoo``, ``warehouse``, ``transforms``, ``sinks``); when it runs is in
``automation``.

Nothing is imported here: the modules that only read (``inventory``, ``targets``, ``runtime`` and what they need) import
no Dagster, whose start takes longer than most commands.
"""
