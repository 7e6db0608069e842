"""What a person can mend when a network is to be built; light to import."""


class BackboneError(ValueError):
    """There is no such backbone, or it cannot be read."""


class MissingExtra(ModuleNotFoundError):
    """A backbone needs a library that is not installed."""
