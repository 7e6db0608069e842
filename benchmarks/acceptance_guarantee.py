"""Automatic acceptance: is the promised precision kept, at what cost, and when is a drift noticed?

    python -m benchmarks.acceptance_guarantee FEATURES

FEATURES holds what `python -m benchmarks.domains` embedded. A stream is what one champion meets: 20
rounds of 600 questions. Drawn worlds say how scores and truth go together; real ones are questions
about test classes that neither encoder nor Hi-LANDER has learnt, drawn again and again, and from
the turn on about classes that look unlike the first.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.stats import beta, binom

from annotation.acceptance import BETS, SCORES_FIRST, SHARES, Audited, Guarantee, history
from annotation.annotators import Share
from benchmarks.domains import load
from clustering import HiLander

RESULT = Path(__file__).parent / "results" / "acceptance_guarantee.md"
STREAMS = 200
FIRST_SEED = 5000
"""No other seeds were reported, and none of these was used to choose anything."""
ROUNDS = 20
QUESTIONS = 600
TURN = 10
"""The round in which a world changes, where it does."""
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOLDOUT = 600
"""Audits of the holdout that is labelled once."""
REPEATS = 3
"""How often the images of a split are halved into known and new ones."""
PLACES = (
    ("fruit", "packages"),
    ("packages", "fruit"),
    ("three alphabets", "two alphabets"),
    ("other three", "other two"),
    ("glyphs", "products"),
    ("products", "glyphs"),
    ("fruit and three alphabets", "packages"),
    ("fruit and three alphabets", "two alphabets"),
)
"""Splits and test sets whose questions are asked."""
TURNS = {
    "alphabets, then others": (PLACES[2], PLACES[3]),
    "alphabets, then packages, one model": (PLACES[7], PLACES[6]),
    "alphabets, then products": (PLACES[3], PLACES[4]),
    "packages, then products": (PLACES[0], PLACES[4]),
    "fruit, then glyphs": (PLACES[1], PLACES[5]),
}
"""What real streams are about before and after the turn, each by split and test set."""

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Questions:
    """Questions of one round: score, share of images that are right, and images of each."""

    score: Float
    right: Float
    n: Float

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Questions":
        return Questions(self.score[rows], self.right[rows], self.n[rows])


World = Callable[[int, np.random.Generator], Questions]


@dataclass(frozen=True)
class Outcome:
    """What came of one stream.

    Attributes
    ----------
    kept
        After each round at whose end anything stands: whether all that stands, of all rounds so
        far together, is as precise as promised.
    own
        At the end, of each round of which anything stands: whether that is, by itself.
    last
        Whether all that stands at the end is; true where nothing does.
    stands, waits
        The shares of all images that stand at the end, and that wait to.
    audits
        How many there were.
    noticed
        The audits above the threshold from the turn to the alarm, None without one.
    """

    kept: tuple[bool, ...]
    own: tuple[bool, ...]
    last: bool
    stands: float
    waits: float
    audits: int
    noticed: int | None


Method = Callable[[Sequence[Questions], Guarantee, np.random.Generator], Outcome]


# --- worlds ---------------------------------------------------------------------------------------


def drawn(
    of_round: int, rng: np.random.Generator, *, worse: Callable[[int], float], told: float = 1.0
) -> Questions:
    """Questions of which 60 % are nearly always right, and a share of 1 - score^`told` is wrong.

    `worse` says by how much more often than at first a question of a round is wrong; its score
    does not show it. A wrong question has any share of right images.
    """
    sure = rng.random(QUESTIONS) < 0.6
    score = np.where(sure, 1 - 0.004 * rng.random(QUESTIONS), rng.beta(6, 2, QUESTIONS))
    wrong = rng.random(QUESTIONS) < np.minimum((1 - score**told) * worse(of_round), 1)
    right = np.where(wrong, rng.random(QUESTIONS), 1.0)
    return Questions(score, right, 1.0 + rng.geometric(1 / 8, QUESTIONS))


def useless(of_round: int, rng: np.random.Generator) -> Questions:
    """Scores that say nothing: one question in twenty is wrong."""
    wrong = rng.random(QUESTIONS) < 0.05
    right = np.where(wrong, rng.random(QUESTIONS), 1.0)
    n = 1.0 + rng.geometric(1 / 8, QUESTIONS)
    return Questions(0.9 + 0.1 * rng.random(QUESTIONS), right, n)


def resampled(
    of_round: int, rng: np.random.Generator, *, before: Questions, after: Questions
) -> Questions:
    """Real questions, of other classes from the turn on."""
    pool = before if of_round < TURN else after
    return pool.take(rng.integers(len(pool.score), size=QUESTIONS))


def real_questions(
    features: Path, split: str, test: str, rng: np.random.Generator
) -> dict[str, Questions]:
    """Attachments (an image each) and clusters of test classes, half of whose images are known."""
    learnt = load(features, split)
    lander = HiLander().fit(learnt.unseen, learnt.unseen_classes)
    rows, classes = learnt.tests[test]
    found: dict[str, list[tuple[float, float, int]]] = {"attachments": [], "clusters": []}
    for _ in range(REPEATS):
        known, new = np.array_split(rng.permutation(len(rows)), 2)
        attached = lander.attach(rows[new], rows[known], classes[known])
        found["attachments"] += [
            (probability, float(product == truth), 1)
            for probability, product, truth in zip(
                attached.probability, attached.products, classes[new], strict=True
            )
            if product >= 0
        ]
        labels = lander.predict(rows[new])
        for cluster, purity in enumerate(lander.purity_):
            members = classes[new][labels == cluster]
            share = np.unique(members, return_counts=True)[1].max() / len(members)
            if len(members) > 1:
                found["clusters"].append((purity, share if share > 0.5 else 0.0, len(members)))
    return {kind: Questions(*np.array(each, float).T) for kind, each in found.items()}


def read_pools(features: Path) -> dict[tuple[str, str], dict[str, Questions]]:
    """The questions of each split and test set."""
    rng = np.random.default_rng(5)
    return {place: real_questions(features, *place, rng) for place in PLACES}


# --- methods --------------------------------------------------------------------------------------


def audited(
    asked: Questions, share: Float, guarantee: Guarantee, rng: np.random.Generator
) -> NDArray[np.bool_]:
    return rng.random(len(asked.n)) < np.minimum(1, share * asked.n / guarantee.typical_images)


def with_audits(
    rounds: Sequence[Questions], guarantee: Guarantee, rng: np.random.Generator
) -> Outcome:
    """What `annotation.acceptance` does."""
    audits: list[Audited] = []
    values: list[float] = []
    taken: list[Questions] = []
    standing: list[list[Questions]] = []
    past = history(audits, guarantee)
    noticed = None
    for of_round, asked in enumerate(rounds):
        at = START + of_round * DAY
        value = np.inf if past.threshold.value is None else past.threshold.value
        accepted = asked.score >= value
        share = np.where(accepted, guarantee.audit_share, guarantee.holdout_share)
        rows = np.flatnonzero(audited(asked, share, guarantee, rng))
        audits += [
            Audited(
                float(asked.score[row]),
                float(asked.right[row]),
                at,
                at + DAY / 2 + dt.timedelta(seconds=place),
            )
            for place, row in enumerate(rows)
        ]
        taken.append(asked.take(accepted))
        values.append(value)
        past = history(audits, guarantee)
        # All that a round accepted has its threshold's score or more.
        standing.append(
            [
                each
                for number, (each, least) in enumerate(zip(taken, values, strict=True))
                if past.held(least, START + number * DAY)
            ]
        )
        turn = START + TURN * DAY
        if noticed is None and past.begun is not None and past.begun > turn:
            noticed = sum(
                turn <= each.drawn_at and each.known_at <= past.begun and each.score >= value
                for each in audits
            )
    waiting = [
        each
        for number, (each, least) in enumerate(zip(taken, values, strict=True))
        if past.covers(least, START + number * DAY)
    ]
    return outcome(standing, waiting, rounds, guarantee, len(audits), noticed)


def by_score(
    rounds: Sequence[Questions], guarantee: Guarantee, rng: np.random.Generator
) -> Outcome:
    """A calibrated score is believed."""
    return fixed(rounds, guarantee, guarantee.precision_at_least, 0)


def by_one_holdout(
    rounds: Sequence[Questions], guarantee: Guarantee, rng: np.random.Generator
) -> Outcome:
    """A threshold from one holdout, by fixed-sequence testing, and no audits after it."""
    scores: list[float] = []
    rights: list[float] = []
    since = 0
    for asked in rounds:
        since += 1
        rows = audited(asked, np.full(QUESTIONS, guarantee.holdout_share), guarantee, rng)
        scores += asked.score[rows].tolist()
        rights += asked.right[rows].tolist()
        if len(scores) >= HOLDOUT:
            break
    score, right = np.array(scores), np.array(rights)
    value = np.inf
    for share in SHARES[1:]:
        above = score >= np.quantile(score, 1 - share)
        n, defects = int(above.sum()), int((right[above] < 1).sum())
        if beta.ppf(guarantee.confidence, defects + 1, n - defects) > (
            1 - guarantee.precision_at_least
        ):
            break
        value = float(np.quantile(score, 1 - share))
    return fixed(rounds, guarantee, value, len(scores), since=since)


def fixed(
    rounds: Sequence[Questions], guarantee: Guarantee, value: float, audits: int, since: int = 0
) -> Outcome:
    """The outcome of one threshold from a round on: all that it accepts stands at once."""
    taken = [
        each.take((each.score >= value) & (number >= since)) for number, each in enumerate(rounds)
    ]
    standing = [taken[: number + 1] for number in range(len(rounds))]
    return outcome(standing, taken, rounds, guarantee, audits, None)


def precision(standing: Sequence[Questions]) -> float:
    """Of the images, the share that is right; 1 where there are none."""
    images = sum(each.n.sum() for each in standing)
    return float(sum((each.right * each.n).sum() for each in standing) / images) if images else 1.0


def outcome(
    standing: Sequence[Sequence[Questions]],
    covered: Sequence[Questions],
    rounds: Sequence[Questions],
    guarantee: Guarantee,
    audits: int,
    noticed: int | None,
) -> Outcome:
    """What to report of what stood after each round, and of what stands or waits at the end."""

    def is_kept(those: Sequence[Questions]) -> bool:
        return precision(those) >= guarantee.precision_at_least

    def images(those: Sequence[Questions]) -> float:
        return float(sum(each.n.sum() for each in those))

    last = standing[-1]
    return Outcome(
        kept=tuple(is_kept(each) for each in standing if images(each)),
        own=tuple(is_kept([each]) for each in last if images([each])),
        last=is_kept(last),
        stands=images(last) / images(rounds),
        waits=(images(covered) - images(last)) / images(rounds),
        audits=audits,
        noticed=noticed,
    )


METHODS: dict[str, Method] = {
    "with audits (ours)": with_audits,
    "one holdout, no audits": by_one_holdout,
    "the score alone": by_score,
}


# --- which bound ----------------------------------------------------------------------------------


def betting(right: Float, m: float, risk: float) -> int:
    """The audit by which betting has shown a precision of m; 0 where none has."""
    capital = np.exp(
        [np.cumsum(np.log1p(bet / m * (right - m))) for bet in BETS],
    ).mean(axis=0)
    return _first(capital >= 1 / risk)


def clopper_pearson(right: Float, m: float, risk: float) -> int:
    """The same by the exact binomial test, looked at after each audit; any defect counts whole."""
    defects, n = np.cumsum(right < 1), np.arange(1, len(right) + 1)
    return _first(binom.cdf(defects, n, 1 - m) <= risk)


def hoeffding_bentkus(right: Float, m: float, risk: float) -> int:
    """The same by Hoeffding's and Bentkus's inequality (Angelopoulos et al., 2021)."""
    n = np.arange(1, len(right) + 1)
    loss = np.cumsum(1 - right)
    mean = np.minimum(loss / n, 1 - m)
    entropy = mean * np.log(np.maximum(mean, 1e-300) / (1 - m)) + (1 - mean) * np.log(
        (1 - mean) / m
    )
    p = np.minimum(np.exp(-n * entropy), np.e * binom.cdf(np.ceil(loss), n, 1 - m))
    return _first(p <= risk)


BOUNDS = {
    "betting, each audit looked at (ours)": betting,
    "Clopper-Pearson, each audit looked at": clopper_pearson,
    "Hoeffding-Bentkus, each audit looked at": hoeffding_bentkus,
}


def _first(reached: NDArray[np.bool_]) -> int:
    return int(np.argmax(reached)) + 1 if reached.any() else 0


def bounds_table(streams: int, rng: np.random.Generator) -> list[str]:
    lines = [
        "| bound | turned on wrongly: precision 98.9 % | audits: no defects | 0.2 % | 0.5 % |",
        "|---|---|---|---|---|",
    ]
    for name, bound in BOUNDS.items():
        cells = [
            str(
                Share.of(
                    sum(bound(_stream(0.011, rng), 0.99, 0.05) > 0 for _ in range(streams)), streams
                )
            )
        ]
        for defects in (0.0, 0.002, 0.005):
            found = [bound(_stream(defects, rng), 0.99, 0.05) for _ in range(streams)]
            on = [each for each in found if each]
            cells.append(f"{median(on):.0f} ({len(on) / streams:.0%} turn on)" if on else "never")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _stream(defects: float, rng: np.random.Generator) -> Float:
    """3,000 audits of which a share is wholly wrong."""
    return (rng.random(3000) >= defects).astype(float)


# --- the page -------------------------------------------------------------------------------------


def main(
    features: Annotated[Path, typer.Argument(help="What `benchmarks.domains` embedded.")],
    streams: Annotated[int, typer.Option(help="Streams of each world.")] = STREAMS,
    workers: Annotated[int, typer.Option(help="Processes that share the work.")] = 2,
) -> None:
    """Measure, and write the page."""
    worlds: dict[str, tuple[World, float]] = {
        "scores are calibrated": (partial(drawn, worse=lambda _: 1.0), 0.99),
        "scores promise too much": (partial(drawn, worse=lambda _: 1.0, told=4.0), 0.99),
        "scores say nothing": (useless, 0.99),
        "6x more errors from the turn on": (
            partial(drawn, worse=lambda n: 6.0 if n >= TURN else 1.0),
            0.99,
        ),
        "30x more errors from the turn on": (
            partial(drawn, worse=lambda n: 30.0 if n >= TURN else 1.0),
            0.99,
        ),
        "errors grow slowly to 10x": (partial(drawn, worse=lambda n: 1 + 9 * n / ROUNDS), 0.99),
        "30x more errors from round 10 to 12": (
            partial(drawn, worse=lambda n: 30.0 if TURN <= n < TURN + 2 else 1.0),
            0.99,
        ),
    }
    pools = read_pools(features)
    for name, (before, after) in TURNS.items():
        for kind, promises in {"attachments": (0.99, 0.95), "clusters": (0.95,)}.items():
            world = partial(resampled, before=pools[before][kind], after=pools[after][kind])
            for promised in promises:
                worlds[f"real {kind}: {name}; promised {promised:.0%}"] = (world, promised)
    lines = [
        "| world | method | rounds kept | streams kept at the end | streams kept in each round"
        " | own rounds kept | stands | waits | audits | alarm after audits |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    jobs = [(name, method) for name in worlds for method in METHODS]
    with ProcessPoolExecutor(workers, get_context("fork"), _know, (worlds, streams)) as pool:
        for line in pool.map(_row_of, jobs):
            lines.append(line)
            print(line, flush=True)
    chosen = bounds_table(streams, np.random.default_rng(0))
    RESULT.write_text(
        "\n".join([*head(streams), *lines, "", *BOUND_HEAD, *chosen, ""]), encoding="utf-8"
    )


KNOWN: dict[str, tuple[World, float]] = {}
N_STREAMS = [STREAMS]


def _know(worlds: dict[str, tuple[World, float]], streams: int) -> None:
    KNOWN.update(worlds)
    N_STREAMS[0] = streams


def _row_of(job: tuple[str, str]) -> str:
    """The line of one method in one world."""
    name, method = job
    world, promised = KNOWN[name]
    images = float(world(0, np.random.default_rng(0)).n.mean())
    guarantee = Guarantee(precision_at_least=promised, typical_images=images)
    found = []
    for seed in range(FIRST_SEED, FIRST_SEED + N_STREAMS[0]):
        own = np.random.default_rng(seed)
        rounds = [world(of_round, own) for of_round in range(ROUNDS)]
        found.append(METHODS[method](rounds, guarantee, own))
    return row(name, method, found)


def row(world: str, method: str, found: Sequence[Outcome]) -> str:
    kept = [round_kept for each in found for round_kept in each.kept]
    own = [round_kept for each in found for round_kept in each.own]
    noticed = [each.noticed for each in found if each.noticed is not None]
    cells = (
        world,
        method,
        f"{np.mean(kept):.1%} of {len(kept)}" if kept else "nothing stands",
        f"{np.mean([each.last for each in found]):.1%}",
        f"{np.mean([all(each.kept) for each in found]):.1%}",
        f"{np.mean(own):.1%}" if own else "-",
        f"{np.mean([each.stands for each in found]):.1%}",
        f"{np.mean([each.waits for each in found]):.1%}",
        f"{np.mean([each.audits for each in found]):.0f}",
        f"{median(noticed):.0f} ({len(noticed)} streams)" if noticed else "-",
    )
    return "| " + " | ".join(cells) + " |"


def head(streams: int) -> tuple[str, ...]:
    return (
        "# Automatic acceptance: is the promise kept?",
        "",
        f"{streams} streams of each world, {ROUNDS} rounds of {QUESTIONS} questions each, seeds"
        f" {FIRST_SEED} to {FIRST_SEED + streams - 1}, which were used for nothing else. Written by"
        " `python -m benchmarks.acceptance_guarantee FEATURES`. Promised are 99 % precision with"
        " 95 % confidence, where nothing else is said. Where a world turns, it does in round"
        f" {TURN}, and drawn scores do not show it. Drawn questions have 9 images on average, and a"
        " wrong one any share of right images; an attachment has one.",
        "",
        "A round is *kept* if of all that stands at its end (accepted in it or in any round before,"
        " shown by audits, not taken back) the share of right images is at least the promise; of"
        " the rounds at whose end anything stands, whose number is given. An *own round* is what"
        " one round accepted and still stands at the end of the stream, by itself: nothing is"
        " promised of that. *Stands* and *waits* are shares of all images at the end: what waits"
        " was accepted, is not asked, and is not in the training set.",
        "",
    )


BOUND_HEAD = (
    "## Which bound",
    "",
    "One threshold, 3,000 audits of which a share is wholly wrong. The exact test needs 299 clean"
    " audits and is sound for one look; looked at after each audit it turns on wrongly more often"
    " than the 5 % that it is meant to allow. Betting may be looked at always. The four thresholds"
    f" of the scores (after {SCORES_FIRST} audits) share the risk: then 529 clean audits turn"
    " acceptance on.",
    "",
)


if __name__ == "__main__":
    typer.run(main)
