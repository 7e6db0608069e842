"""The rounds of the loop: a step that is done is not done again in the same round."""

from collections.abc import Callable
from dataclasses import dataclass

from prefect import get_run_logger

from catalog import digest, models, rounds
from tasks.settings import load_settings


@dataclass(frozen=True)
class Round:
    """One turn of the loop over the same sources, whichever process works on it."""

    number: int
    sources: str

    @classmethod
    def begin(cls, *sources: object) -> "Round":
        """The round over `sources` that was begun and not finished, or a new one."""
        identity = digest(*sources)
        with load_settings().catalog.begin() as transaction:
            return cls(rounds.open_round(transaction, identity), identity)

    @staticmethod
    def n_finished(*sources: object) -> int:
        """How many rounds over `sources` are finished."""
        with load_settings().catalog.begin() as transaction:
            return rounds.n_finished(transaction, digest(*sources))

    def once(self, step: str, work: Callable[[], object]) -> None:
        """Do `work` unless this round has done `step` before."""
        catalog = load_settings().catalog
        with catalog.begin() as transaction:
            done = rounds.is_done(transaction, self.number, step)
        if done:
            get_run_logger().info("round %d has done %s before: going on", self.number, step)
            return
        work()
        with catalog.begin() as transaction:
            rounds.finish(transaction, self.number, step, self.sources)


def has_champion() -> bool:
    """Whether there is a model to cluster with."""
    with load_settings().catalog.begin() as transaction:
        return models.champion(transaction) is not None
