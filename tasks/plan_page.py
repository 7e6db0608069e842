"""The page of the plan: what is asked in a turn, of whom and why, and what is not."""

from collections import defaultdict
from collections.abc import Iterable

from annotation import Guarantee
from annotation.agenda import Entry
from annotation.targets import Targets, hours
from catalog.schema import AuditSubject
from tasks.accept import standing
from tasks.artifacts import bullets, picture, table
from tasks.certify import frontiers
from tasks.frontier import plot_frontier
from tasks.settings import load_settings
from tasks.turn import Agenda

KINDS = ("source", "locale", "kind", "questions", "images", "expected", "time", "s an image")
QUESTIONS = ("site", "locale", "kind", "images", "expected", "s", "s an image", "why")
SECOND = ("locale", "expected precision", "after", "asked again", "too dear")
LEFT = ("locale", "images", "why they are not asked about")
SHOWN = 30


def plan_page(agenda: Agenda) -> tuple[str, ...]:
    """The plan as sections of a page."""
    settings = load_settings()
    return (
        table(KINDS, kind_lines(agenda.entries, settings.annotate.targets)),
        said_of(agenda),
        f"## The first {SHOWN} questions",
        table(QUESTIONS, question_lines(agenda.entries)),
        "## Who is asked",
        bullets(allotment_lines(agenda)),
        "## How sure the products are",
        table(SECOND, second_lines(agenda)),
        "## What is left",
        table(LEFT, left_lines(agenda)),
        "## What is accepted without asking",
        bullets(acceptance_lines(agenda, settings.annotate.acceptance)),
        *_frontiers(agenda.entries, settings.annotate.targets),
    )


def said_of(agenda: Agenda) -> str:
    """The plan in a sentence."""
    seconds = sum(each.seconds for each in agenda.entries)
    gain = sum(each.gain for each in agenda.entries)
    return (
        f"{len(agenda.entries)} questions and {agenda.n_gold} of gold: {gain:.0f} images in"
        f" {hours(seconds)} of work, one answer to each; {len(agenda.accepted)} are accepted"
        " without asking."
    )


def kind_lines(entries: Iterable[Entry], targets: Targets) -> list[tuple[str, ...]]:
    """For each source, locale and kind: questions, images on them, images gained, time and price.

    The time is given with its price where an hour has one.
    """
    groups: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for each in entries:
        groups[each.source, each.question.locale, each.question.kind].append(each)
    lines = []
    for key, group in sorted(groups.items()):
        gain, seconds = (sum(values) for values in zip(*map(_worth, group), strict=True))
        price = targets.price(seconds)
        money = "" if price is None else f", {price:.2f} {targets.currency}"
        lines.append(
            (
                *key,
                str(len(group)),
                str(sum(len(each.question.image_ids) for each in group)),
                f"{gain:.1f}",
                f"{hours(seconds)}{money}",
                f"{seconds / max(gain, 1e-9):.1f}",
            )
        )
    return lines


def question_lines(entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    """The questions whose images are cheapest."""
    return [
        (
            each.question.site,
            each.question.locale,
            each.question.kind,
            str(len(each.question.image_ids)),
            f"{each.gain:.1f}",
            f"{each.seconds:.0f}",
            f"{each.price:.1f}",
            each.reason,
        )
        for each in list(entries)[:SHOWN]
    ]


def allotment_lines(agenda: Agenda) -> list[str]:
    """Why each vendor is asked what."""
    if agenda.allotment.sentences:
        return list(agenda.allotment.sentences)
    return ["No contract is recorded: each question goes to a site that serves its locale."]


def second_lines(agenda: Agenda) -> list[tuple[str, ...]]:
    """For each locale, how sure its products are before and after the second answers."""
    return [
        (
            locale,
            f"{found.before:.2%}",
            f"{found.after:.2%}",
            str(len(found.entries)),
            str(found.n_dear),
        )
        for locale, found in sorted(agenda.second.items())
    ]


def left_lines(agenda: Agenda) -> list[tuple[str, ...]]:
    """What waits on, and why."""
    return [(each.locale, str(each.n_images), each.why) for each in agenda.left]


def acceptance_lines(agenda: Agenda, guarantee: Guarantee) -> list[str]:
    """What the champion may accept in each locale, and how many audits are missing."""
    lines = [f"{locale}, {subject}: {said}" for locale, subject, _, _, said in standing()]
    off = sorted(set(AuditSubject).difference(guarantee.subjects, {AuditSubject.PAIR}))
    return [*lines, *(f"{subject}: never, by `subjects` in groundtruth.toml" for subject in off)]


def _worth(entry: Entry) -> tuple[float, float]:
    return entry.gain, entry.seconds


def _frontiers(entries: tuple[Entry, ...], targets: Targets) -> list[str]:
    return [
        picture(
            plot_frontier(each.choices, each.choice, targets.currency or "no currency"),
            f"{each.locale}: what this plan gives, for how much and in how many days",
        )
        for each in frontiers(entries)
    ]
