"""``python -m sitoo_pipeline``: the command line, where the package is there but its command is not on the PATH."""

from sitoo_pipeline.cli import main

main()
