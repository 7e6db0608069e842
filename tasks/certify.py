"""Tasks that draw audits of a locale's partition, certify it, and say whether to go on."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from annotation import Effort, Partition, partition
from annotation.agenda import Entry
from annotation.certificate import ONE_IN_A_HUNDRED, Certificate, Interval, certify
from annotation.frontier import Choice, Crew, chosen, frontier
from annotation.pair_answers import accuracy_on_gold, found_same
from annotation.pairs import Drawn, Frame, Stratum
from annotation.questions import merge_question
from annotation.targets import Advice, Point, Step, Targets, advise, forecast, hours
from catalog import (
    Transaction,
    certificates,
    clusters,
    decisions,
    digest,
    features,
    forecasts,
    images,
    labels,
    models,
)
from catalog import schema as rows
from catalog.database import one_at_a_time
from catalog.identity import set_digest
from catalog.schema import Audit, AuditDraw, Question, QuestionKind
from tasks.artifacts import picture, table
from tasks.confidentiality import confidential
from tasks.frontier import plot_frontier
from tasks.knowledge import log_of
from tasks.models import load
from tasks.settings import load_settings
from tasks.sites import sites_for

DRAWS = "draws of audits"
HALF_WIDTH = 0.02
"""The half-width of an interval that a page says the price of, in audits."""


@dataclass(frozen=True)
class Certified:
    """What a locale's partition is worth, and what follows.

    `slack` is how far precision and recall would move if one answer in a hundred were wrong;
    `choices` are the best ways to go on, of which `choice` is marked.
    """

    locale: str
    round: int
    certificate: Certificate
    n_open: int
    advice: Advice
    slack: tuple[float, float]
    choices: tuple[Choice, ...]
    choice: Choice | None


@task(cache_policy=NO_CACHE)
def draw_audits(locale: str) -> int:
    """Draw pairs of a locale's images and ask about them; how many questions are new.

    Nothing is drawn while an earlier draw is not answered, before there is a model, or where people
    have decided nothing since the last draw.
    """
    settings = load_settings()
    blocks = sites_for(settings)
    with settings.catalog.read() as transaction:
        before = certificates.newest_draw(transaction, locale)
        if before is not None and _open(transaction, before):
            return 0
        known, identity = _known(transaction, locale)
        model = models.champion(transaction)
        if model is None or (before is not None and before.partition == identity):
            return 0
        image_ids = clusters.embedded(transaction, model.id, locale)
        terms = confidential(transaction, settings, image_ids)
        image_ids = [each for each in image_ids if terms.may_be_seen([each], locale, blocks)]
        places = clusters.features_of(transaction, model.id, image_ids)
        past = certificates.history(transaction, locale)
    if len(image_ids) < 2:
        return 0
    _, lander = load(model.location)
    lander.predict(features.read(settings.blob_store, image_ids, places))
    pieces = np.unique([known.product_of.get(i, i) for i in image_ids], return_inverse=True)[1]
    frame = Frame.of(pieces, *lander.linkage_.edges())
    number = before.round + 1 if before is not None else 1
    drawn = frame.draw(
        settings.annotate.audits_per_round,
        seed=digest("audits", locale, number, identity),
        found={name: (same, n) for name, (same, n) in past[-1].found.items()} if past else {},
    )
    questions = [_question(known, image_ids, pair, locale) for pair in drawn]
    for question in questions:
        question.site = terms.site_of(question, blocks)
    draw = AuditDraw(
        locale=locale, round=number, partition=identity, strata=_strata(frame, drawn, questions)
    )
    audits = [
        Audit(
            question_id=question.id,
            purpose=certificates.PURPOSE,
            locale=locale,
            subject="pair",
            score=pair.score,
            chance=pair.chance,
        )
        for pair, question in zip(drawn, questions, strict=True)
    ]
    with settings.catalog.begin() as transaction:
        one_at_a_time(transaction, DRAWS)
        newest = certificates.newest_draw(transaction, locale)
        if newest is not None and newest.round >= number:
            return 0
        n_new = decisions.add_questions(transaction, questions)
        certificates.record_draw(transaction, draw, audits)
    return n_new


@task(cache_policy=NO_CACHE)
def certify_partition(locale: str) -> Certified | None:
    """Certify what a locale's last draw measures, and record it; None before there are answers."""
    settings = load_settings()
    targets, effort = settings.annotate.targets, settings.annotate.effort
    with settings.catalog.read() as transaction:
        draw = certificates.newest_draw(transaction, locale)
        if draw is None:
            return None
        asked = {each["name"]: each["question_ids"] for each in draw.strata}
        standing = decisions.current_decisions(transaction, question_ids=certificates.asked(draw))
        found = found_same(asked, {each.question_id: each.kind for each in standing})
        gold = decisions.gold_questions(transaction)
        answers = decisions.answers_to(transaction, sorted(gold))
        past = [
            each for each in certificates.history(transaction, locale) if each.round < draw.round
        ]
        seconds, first, last = certificates.work(transaction, locale)
        known, _ = _known(transaction, locale)
        n_open = len(_open(transaction, draw))
        if not any(n for _, n in found.values()):
            return None
        of_locale = [each for each in gold.values() if each.locale == locale]
        accuracy = accuracy_on_gold(of_locale, answers)
        strata = [_stratum(each) for each in draw.strata]
        made = certify(strata, found, accuracy)
        true_pairs = _true_pairs(strata, made.precision.value, made.recall.value)
        waiting = _waiting(transaction, locale)
        expected = forecasts.of(transaction, [each.id for each in waiting])
        plan = waiting_steps(waiting, expected, known, effort, true_pairs)
    promised = sum(step.gain for step in plan)
    on = (last or draw.drawn_at).date()
    now = Point(
        seconds,
        targets.price(seconds),
        on,
        made.precision,
        made.recall,
        made.recall_of_all,
        past[-1].promised if past else 0.0,
    )
    so_far = [*_points(past), now]
    advice = advise(targets, so_far, plan, dt.datetime.now(dt.UTC).date())
    row = _row(draw, standing, found, made, now, advice, promised, targets.currency)
    with settings.catalog.begin() as transaction:
        certificates.record(transaction, row)
    choices = (
        frontier(forecast(so_far, plan), _crews(targets, seconds, first, last)) if plan else []
    )
    return Certified(
        *(locale, draw.round, made, n_open, advice, _slack(strata, found)),
        *(tuple(choices), chosen(choices, targets.recall_at_least)),
    )


def certificate_page(certified: Sequence[Certified], targets: Targets) -> tuple[str, ...]:
    """What was certified, as sections of a page."""
    if not certified:
        return ("No audit is answered yet: `groundtruth collect` reads the answers.",)
    header = (
        *("locale", "round", "audits", "open", "precision", "recall", "recall of all pairs"),
        *("far", f"audits to ±{HALF_WIDTH:.0%}", "next point of recall"),
    )
    lines = [
        (
            *(each.locale, each.round, each.certificate.n_audits, each.n_open),
            *(each.certificate.precision, each.certificate.recall, each.certificate.recall_of_all),
            f"{each.certificate.far_share:.0%}",
            each.certificate.audits_needed(HALF_WIDTH),
            _price(each.advice, targets.currency),
        )
        for each in certified
    ]
    pictures = [
        picture(
            plot_frontier(each.choices, each.choice, targets.currency or "no currency"),
            f"{each.locale}: quality, cost and days",
        )
        for each in certified
        if each.choices
    ]
    return (
        table(header, lines),
        "\n".join(f"* {each.locale}: {each.advice.why}" for each in certified),
        "\n".join(
            f"* {each.locale}: if one answer in a hundred were wrong, precision would move by"
            f" {each.slack[0]:+.1%} and recall by {each.slack[1]:+.1%}."
            for each in certified
        ),
        "Intervals are of 95 %. *recall* is that of pairs within reach of a link; targets are about"
        " the recall of all pairs, and *far* is the share of its width that the others are behind.",
        *pictures,
    )


@dataclass(frozen=True)
class Ahead:
    """The best ways to go on in a locale from its last certificate, of which `choice` is marked."""

    locale: str
    choices: tuple[Choice, ...]
    choice: Choice | None


def frontiers(planned: Sequence[Entry]) -> list[Ahead]:
    """What the questions that wait and those of `planned` would give, where there is a price.

    A locale without a certificate, or whose annotators have no price, is left out.
    """
    settings = load_settings()
    targets = settings.annotate.targets
    found = []
    with settings.catalog.read() as transaction:
        for locale in images.locales(transaction):
            past = certificates.history(transaction, locale)
            draw = certificates.newest_draw(transaction, locale)
            if not past or draw is None:
                continue
            known, _ = _known(transaction, locale)
            strata = [_stratum(each) for each in draw.strata]
            true_pairs = _true_pairs(strata, past[-1].precision or 0.0, past[-1].recall)
            own = {each.question.id: each for each in planned if each.question.locale == locale}
            waiting = {each.id: each for each in _waiting(transaction, locale)}
            waiting |= {key: each.question for key, each in own.items()}
            expected = forecasts.of(transaction, list(waiting.keys() - own.keys()))
            plan = waiting_steps(
                list(waiting.values()),
                {**expected, **own},
                known,
                settings.annotate.effort,
                true_pairs,
            )
            crews = _crews(targets, *certificates.work(transaction, locale))
            choices = frontier(forecast(_points(past), plan), crews) if plan else []
            if choices:
                best = chosen(choices, targets.recall_at_least)
                found.append(Ahead(locale, tuple(choices), best))
    return found


class Foreseen(Protocol):
    """What is expected of a question: images that belong, and seconds."""

    @property
    def gain(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def belonging(self) -> Sequence[float]: ...


def waiting_steps(
    waiting: Sequence[Question],
    expected: Mapping[str, Foreseen],
    known: Partition,
    effort: Effort,
    true_pairs: float,
) -> list[Step]:
    """The questions that wait, the most gain per second first.

    A sheet would join each image that is expected to belong with every other and with the products
    of its references; without a forecast all of its images are. What a second answer is asked about
    is joined already.
    """
    size = {product: len(shown) for product, shown in known.images().items()}

    def n_images(image_ids: Sequence[str]) -> int:
        return sum(
            size.get(piece, 1)
            for piece in {known.product_of.get(image, image) for image in image_ids}
        )

    def is_one_product(image_ids: Sequence[str]) -> bool:
        return (
            len({known.product_of.get(image, image) for image in image_ids}) == 1 < len(image_ids)
        )

    steps = []
    for question in waiting:
        foreseen = expected.get(question.id)
        beside = n_images(question.reference_ids)
        n = len(question.image_ids) if foreseen is None else foreseen.gain
        match QuestionKind(question.kind):
            case QuestionKind.ATTACH:
                joined = n * beside
            case QuestionKind.MERGE:
                likely = foreseen.belonging[0] if foreseen and foreseen.belonging else 0.5
                joined = likely * n_images(question.image_ids) * beside
            case _:
                joined = max(n * (n - 1) / 2, 0.0)
        if is_one_product([*question.image_ids, *question.reference_ids]):
            joined = 0.0
        seconds = (
            effort.seconds(
                QuestionKind(question.kind), len(question.image_ids) + len(question.reference_ids)
            )
            if foreseen is None
            else foreseen.seconds
        )
        steps.append(Step(joined / max(true_pairs, 1.0), seconds))
    return sorted(steps, key=lambda step: -step.gain / max(step.seconds, 1e-9))


def _waiting(transaction: Transaction, locale: str) -> list[Question]:
    """The open questions of a locale, certificates' audits aside."""
    audits = certificates.audits_asked(transaction)
    waiting = decisions.undecided_questions(transaction, locale)
    return [each for each in waiting if each.id not in audits]


def _known(transaction: Transaction, locale: str) -> tuple[Partition, str]:
    """The partition, and the identity of what people decided of a locale, audits aside."""
    log, manifest = log_of(transaction), labels.manifest_labels(transaction)
    audits = certificates.audits_asked(transaction)
    own = [
        each for each in log if each.question.id not in audits and each.question.locale == locale
    ]
    of_locale = [label.id for label in manifest if label.locale == locale]
    return partition(log, manifest), set_digest([each.decision.id for each in own] + of_locale)


def _open(transaction: Transaction, draw: AuditDraw) -> list[str]:
    """The questions of a draw that nobody has decided, and that are still asked."""
    asked = certificates.asked(draw)
    decided = {
        each.question_id for each in decisions.current_decisions(transaction, question_ids=asked)
    }
    gone = decisions.withdrawn_questions(transaction)
    return [question_id for question_id in asked if question_id not in decided | gone]


def _question(known: Partition, image_ids: Sequence[str], pair: Drawn, locale: str) -> Question:
    """Whether two pictures show the same: one without a product stands among the references.

    An image that a question is about does not wait for a cluster; a reference does.
    """
    ends = sorted(
        (image_ids[pair.first], image_ids[pair.second]),
        key=lambda image: (image in known.product_of, image),
    )
    return merge_question(ends[:1], ends[1:], about=sorted(ends), locale=locale)


def _strata(
    frame: Frame, drawn: Sequence[Drawn], questions: Sequence[Question]
) -> list[dict[str, Any]]:
    return [
        {
            **vars(stratum),
            "question_ids": [
                question.id
                for pair, question in zip(drawn, questions, strict=True)
                if pair.stratum == stratum.name
            ],
        }
        for stratum in frame.strata
    ]


def _stratum(kept: Mapping[str, Any]) -> Stratum:
    return Stratum(kept["name"], kept["joined"], kept["size"], kept["expected"])


def _true_pairs(strata: Sequence[Stratum], precision: float, recall: float) -> float:
    """How many pairs within reach show one product."""
    n_joined = sum(stratum.size for stratum in strata if stratum.joined)
    right = n_joined * precision if n_joined else 0.0
    return right / recall if recall else 1.0


def _slack(strata: Sequence[Stratum], found: Mapping[str, tuple[int, int]]) -> tuple[float, float]:
    """How far precision and recall would move if one answer in a hundred were wrong."""
    other, plain = certify(strata, found, ONE_IN_A_HUNDRED), certify(strata, found)
    return (
        other.precision.value - plain.precision.value,
        other.recall.value - plain.recall.value,
    )


def _crews(
    targets: Targets, seconds: float, first: dt.datetime | None, last: dt.datetime | None
) -> list[Crew]:
    """The annotators as they worked so far; nobody before there is a price and an answer."""
    if targets.price_per_hour is None or first is None or last is None or not seconds:
        return []
    days = max((last - first) / dt.timedelta(days=1), 1.0)
    return [Crew("annotators as now", seconds / days, targets.price_per_hour)]


def _row(
    draw: AuditDraw,
    standing: Sequence[rows.Decision],
    found: Mapping[str, tuple[int, int]],
    made: Certificate,
    now: Point,
    advice: Advice,
    promised: float,
    currency: str | None,
) -> rows.Certificate:
    price = advice.next_point
    return rows.Certificate(
        id=digest("certificate", draw.locale, draw.round, *sorted(each.id for each in standing)),
        locale=draw.locale,
        round=draw.round,
        partition=draw.partition,
        n_audits=made.n_audits,
        found={name: list(counts) for name, counts in found.items()},
        precision=None if np.isnan(made.precision.value) else made.precision.value,
        precision_low=made.precision.low,
        precision_high=made.precision.high,
        recall=made.recall.value,
        recall_low=made.recall.low,
        recall_high=made.recall.high,
        recall_of_all=made.recall_of_all.value,
        recall_of_all_low=made.recall_of_all.low,
        recall_of_all_high=made.recall_of_all.high,
        seconds=now.seconds,
        money=None if now.money is None else str(now.money),
        currency=currency,
        point_seconds=price.seconds if price else None,
        point_money=str(price.money) if price and price.money is not None else None,
        promised=promised,
        go_on=advice.go_on,
        why=advice.why,
    )


def _points(past: Sequence[rows.Certificate]) -> list[Point]:
    """Earlier certificates, each with what the one before it promised."""
    promised = [0.0, *(each.promised for each in past)]
    return [
        Point(
            kept.seconds,
            None if kept.money is None else Decimal(kept.money),
            kept.decided_at.date(),
            Interval(
                float("nan") if kept.precision is None else kept.precision,
                *(kept.precision_low, kept.precision_high),
            ),
            Interval(kept.recall, kept.recall_low, kept.recall_high),
            Interval(kept.recall_of_all, kept.recall_of_all_low, kept.recall_of_all_high),
            share,
        )
        for kept, share in zip(past, promised, strict=False)
    ]


def _price(advice: Advice, currency: str | None) -> str:
    if advice.next_point is None:
        return "none left"
    money = advice.next_point.money
    return hours(advice.next_point.seconds) + (f", {money:.2f} {currency}" if money else "")
