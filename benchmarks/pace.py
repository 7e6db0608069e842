"""How well the time model is found again, and how fast: `python -m benchmarks.pace`.

Vendors are drawn whose coefficients lie around the assumed ones; their answers take lognormal
times, some are idle, some clicked through. Beside the fit stand what is assumed, least squares, and
statsmodels' robust regression without a prior. Then a catalogue of many answers is made, read and
fitted.
"""

import multiprocessing
import os
import resource
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import statsmodels.api as sm
import typer
from sqlalchemy import create_engine, insert
from statsmodels.robust.norms import TukeyBiweight

from annotation import Effort, Work, fit_pace
from annotation.pace import TERMS
from catalog import Catalog
from catalog.schema import Answer, AnswerState, Desk, Question, QuestionKind, now
from catalog.timings import Timing, timings

VERIFY = QuestionKind.VERIFY
ASSUMED = Effort()
USUAL = np.array([getattr(ASSUMED.line(Work.VERIFY), term) for term in TERMS[Work.VERIFY]])
SHEET = np.array([1.0, 30.0, 2.0, 1.0])
"""The sheet that is predicted: itself, its pictures, its intruders, its name."""
DIFFERENCE = 0.4
"""Standard deviation of the logarithm of a vendor's coefficients around the assumed ones."""
SPREAD = 0.35
NAMED = 0.7
"""Share of the sheets whose name was not suggested."""
VENDORS = 100
ANSWERS = (1, 10, 30, 100, 300, 1_000, 3_000)
IDLE = (0.0, 0.1, 0.2)
SITES = ("vendor-a", "vendor-b", "vendor-c")
LOCALES = ("en-US", "de-DE", "sv-SE", "ja-JP", "ar-EG")
ANSWERS_PER_QUESTION = 4

Float = np.ndarray


def main(
    n_answers: Annotated[int, typer.Option(help="Answers of the catalogue.")] = 2_000_000,
    out: Annotated[Path, typer.Option(help="The page that is written.")] = Path(
        "benchmarks/results/pace.md"
    ),
) -> None:
    lines = [
        "# The pace of annotators",
        "",
        f"Error of the seconds predicted of a sheet of {SHEET[1]:.0f} pictures, {SHEET[2]:.0f} of"
        f" them intruders, that is named; {NAMED:.0%} of those answered are. The median of"
        f" {VENDORS} vendors whose coefficients differ from the assumed ones by"
        f" {DIFFERENCE:.0%} and whose times spread by {SPREAD:.0%} (standard deviations of"
        " logarithms). Of the idle answers three in four took 10 to 1,000 times as long, the others"
        " were clicked through in a twentieth. `held` is how many of the true coefficients lie in"
        " the fit's 95 % intervals.",
        "",
        "| answers | idle | assumed | least squares | RLM, Tukey | fit | held |",
        "|---:|---:|---:|---:|---:|---:|---:|",
        *(_line(n, idle) for idle in IDLE for n in ANSWERS),
        "",
        *_speed(n_answers),
    ]
    page = "\n".join(lines) + "\n"
    print(page)
    out.write_text(page)


def _line(n: int, idle: float) -> str:
    draw = np.random.default_rng(n)
    errors, n_held = [], 0
    for _ in range(VENDORS):
        true = USUAL * draw.lognormal(0, DIFFERENCE, len(USUAL))
        design, seconds = _answers(draw, true, n, idle)
        usual = design @ USUAL
        robust = sm.RLM(seconds / usual, design / usual[:, None], M=TukeyBiweight())
        found = fit_pace(_timings(design, seconds), ASSUMED).of("a", "de-DE", Work.VERIFY)
        guesses = {
            "assumed": USUAL,
            "least squares": np.linalg.lstsq(design, seconds, rcond=None)[0],
            "robust": robust.fit().params if n >= 10 else np.full(len(USUAL), np.nan),
            "fit": found.mean,
        }
        errors.append([abs(SHEET @ each / (SHEET @ true) - 1) for each in guesses.values()])
        within = zip(found.coefficients.values(), true, strict=True)
        n_held += sum(c.low <= t <= c.high for c, t in within)
    cells = ("–" if np.isnan(each) else f"{each:.1%}" for each in np.median(errors, axis=0))
    return f"| {n:,} | {idle:.0%} | {' | '.join(cells)} | {n_held / (len(USUAL) * VENDORS):.0%} |"


def _answers(draw: np.random.Generator, true: Float, n: int, idle: float) -> tuple[Float, Float]:
    """Sheets (N, 4), each itself, its pictures, intruders and name; the seconds (N,) of each."""
    pictures = draw.integers(2, 61, n)
    removed = np.minimum(draw.poisson(1.0, n), pictures // 2)
    design = np.column_stack([np.ones(n), pictures, removed, draw.random(n) < NAMED])
    seconds = design @ true * draw.lognormal(-(SPREAD**2) / 2, SPREAD, n)
    away = np.where(draw.random(n) < 0.75, draw.lognormal(np.log(100), 1, n).clip(10, 1000), 0.05)
    return design, np.where(draw.random(n) < idle, seconds * away, seconds)


def _timings(design: Float, seconds: Float) -> Iterator[Timing]:
    for sheet, each in zip(design.tolist(), seconds.tolist(), strict=True):
        _, pictures, removed, named = sheet
        yield Timing("a", "de-DE", VERIFY, int(pictures), int(removed), bool(named), each)


def _speed(n_answers: int) -> Iterable[str]:
    with TemporaryDirectory() as scratch:
        url = f"sqlite:///{scratch}/catalogue.sqlite"
        Catalog(url).close()
        _fill(url, n_answers)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            yield pool.apply(_read_and_fit, (url,))


def _read_and_fit(url: str) -> str:
    """In a process of its own, so that its peak of memory is its own."""
    catalog = Catalog(url)
    start = time.perf_counter()
    with catalog.read() as transaction:
        n_read = sum(1 for _ in timings(transaction))
    read, cpu = time.perf_counter(), time.process_time()
    with catalog.read() as transaction:
        found = fit_pace(timings(transaction), ASSUMED)
    done, cpu = time.perf_counter(), time.process_time() - cpu
    catalog.close()
    return (
        f"A catalogue (SQLite) with {n_read:,} answers of {len(found.known())} vendors, locales and"
        f" works, on {os.cpu_count()} cores shared with other work: read in {read - start:.0f} s,"
        f" read and fitted in {done - read:.0f} s ({cpu:.0f} CPU seconds), with a peak of"
        f" {_peak_mb():,.0f} MB for the whole process."
    )


def _fill(url: str, n_answers: int) -> None:
    draw = np.random.default_rng(0)
    engine = create_engine(url)
    n_questions = n_answers // ANSWERS_PER_QUESTION
    for start in range(0, n_questions, 10_000):
        with engine.begin() as connection:
            numbers = range(start, min(start + 10_000, n_questions))
            design, _ = _answers(draw, USUAL, len(numbers), 0)
            connection.execute(insert(Question), list(map(_question, numbers, design.tolist())))
            every = np.repeat(design, ANSWERS_PER_QUESTION, axis=0)
            seconds = every @ USUAL * draw.lognormal(0, SPREAD, len(every))
            answers = zip(every.tolist(), seconds.tolist(), strict=True)
            connection.execute(
                insert(Answer),
                [
                    _answer(start + number // ANSWERS_PER_QUESTION, number, sheet, each)
                    for number, (sheet, each) in enumerate(answers)
                ],
            )
    engine.dispose()


def _question(number: int, sheet: Sequence[float]) -> dict[str, object]:
    return {
        "id": f"{number:032x}",
        "kind": list(QuestionKind)[number % len(QuestionKind)],
        "locale": LOCALES[number % len(LOCALES)],
        "site": SITES[number % len(SITES)],
        "image_ids": [f"{number:032x}{place:032x}" for place in range(int(sheet[1]))],
        "reference_ids": [],
        "asked_at": now(),
    }


def _answer(
    question: int, number: int, sheet: Sequence[float], seconds: float
) -> dict[str, object]:
    return {
        "id": f"{question:016x}{number:016x}",
        "question_id": f"{question:032x}",
        "annotation": str(number),
        "revision": 0,
        "annotator": f"annotator-{number % ANSWERS_PER_QUESTION}",
        "state": AnswerState.GIVEN,
        "verdict": "confirm",
        "intruder_ids": [f"{question:032x}{place:032x}" for place in range(int(sheet[2]))],
        "name": "name" if sheet[3] else None,
        "flags": [],
        "seconds": seconds,
        "answered_at": now(),
        "desk": Desk.CROWD,
        "groups": [],
        "pulled_at": now(),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    typer.run(main)
