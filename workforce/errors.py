"""What is wrong with what is recorded of the workforce; each message says how to mend it."""


class WorkforceError(ValueError):
    """A record cannot be used, or one that is needed is not there."""
