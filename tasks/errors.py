"""What stops a task for want of something that a person can provide; each message says what."""


class SettingsError(ValueError):
    """The settings file cannot be used."""


class NoChampion(RuntimeError):
    """There is no model to cluster with."""


class NoSite(LookupError):
    """There is no Prefect block for the site."""


class NoSuchLabel(RuntimeError):
    """No single quarantined label is meant."""


class TooManyPictures(RuntimeError):
    """More pictures than one question shows."""


class NoSuchSettlement(RuntimeError):
    """There is no such settlement, or it was taken back."""


class NoSuchDecision(RuntimeError):
    """No single decision that stands is meant."""
