"""``python -m deployments``: the command line, where its script is not on the path."""

from deployments.cli import main

main()
