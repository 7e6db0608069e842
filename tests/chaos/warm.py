"""All that a command imports, imported before it is asked for."""

import deployments.cli  # noqa: F401
import flows.groundtruth
import flows.reconcile  # noqa: F401
