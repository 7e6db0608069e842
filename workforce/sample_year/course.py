"""How a sample year goes: each question that is asked, and all that becomes of it.

Everything is drawn from the seed, cell by cell (vendor and locale), so that a year in which a
vendor degrades is, until then and of the others, the same year as one in which none does.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np

from catalog.schema import Desk, QuestionKind, Verdict
from workforce.records import Vendor, Workforce
from workforce.records.calendar import WorkingCalendar
from workforce.sample_year.agreed import (
    ALPHA,
    BETA,
    GAMMA,
    READERS,
    USUAL_ANSWERS,
    Recording,
    agreed,
    annotator,
    lead,
    recordings,
)

A_DAY = dt.timedelta(days=1)
A_MINUTE = dt.timedelta(minutes=1)
AN_HOUR = dt.timedelta(hours=1)

DEGRADES_IN_WEEK = 30
DEGRADES_FOR = 70
"""Days from the first sign until a degrading vendor is as bad as it becomes."""

SHARES = {
    (ALPHA, "de-DE"): 0.20,
    (ALPHA, "sv-SE"): 0.10,
    (ALPHA, "en-US"): 0.10,
    (BETA, "ja-JP"): 0.20,
    (BETA, "en-US"): 0.12,
    (GAMMA, "ar-EG"): 0.18,
    (GAMMA, "en-US"): 0.10,
}
"""Of all answers, those of a vendor in a locale."""

KINDS = (QuestionKind.VERIFY, QuestionKind.ATTACH, QuestionKind.MERGE)
KIND_WEIGHTS = (0.7, 0.2, 0.1)
GOLD_SHARE = 0.12  # of the questions; everybody who reads the locale answers them
SECOND_SHARE = 0.04  # of the others: a second annotator is asked as well
LOOKED_AT_SHARE = 0.04  # of those that one annotator answered: the lead looks at them later
AUDIT_SHARE = 0.06
STRANGERS = 0.15  # of the sheets, those that show a stranger
RECENT = 200  # sheets of which gold and merges are made
FEWEST = 3  # members that these have
ANSWERS_PER_QUESTION = 1.25
PLANNED_PER_ANSWER = 1.65  # pictures
NEVER_SHARE = 0.002  # is never answered
FOUND_SHARE = 0.5  # of wrong labels, those that a customer reports
FOUND_AFTER_DAYS = 35
STOPPED_SHARES = (0.008, 0.15)  # of right and of wrong labels, those that the gate stops

MISSES, FALSE_TICKS, MISTAKES = 0.010, 0.0025, 0.015
"""A usual annotator's chance to leave a stranger in, to tick a member, to mistake two products."""
LEADS_SLIPS = 0.2
MISTAKEN = {Verdict.CONFIRM: Verdict.DIFFERENT, Verdict.DIFFERENT: Verdict.CONFIRM}
SECONDS, SECONDS_PER_PICTURE = 8.0, 0.9
WORSE, SLOWER, LATER = 4.5, 0.35, 0.8
"""What a vendor that is as bad as it becomes adds to slips, seconds and delays, as shares."""


def collected(at: dt.datetime) -> dt.datetime:
    """When what was said at a moment is read from its site: ten minutes past each hour."""
    return at.replace(minute=0, second=0) + AN_HOUR + 10 * A_MINUTE


@dataclass(frozen=True, slots=True)
class Answered:
    """What one annotator said of a question; `ticked` are places among its pictures."""

    annotator: str
    desk: Desk
    at: dt.datetime
    seconds: float
    verdict: Verdict
    ticked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """What follows from the first `n_answers`, or was `reported` and decided by hand."""

    at: dt.datetime
    n_answers: int
    verdict: Verdict
    ticked: tuple[int, ...]
    reported: str | None = None

    def keeps(self, place: int) -> bool:
        """Whether a picture was found to show the product that was asked about."""
        return self.verdict is Verdict.CONFIRM and place not in self.ticked


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown: pictures asked about as `product`, and references of the other side.

    Pictures are numbered by vendor and locale. `strangers` are the places of those that show
    another product than `product`; `verdict` is the true one. What is labelled already is shown
    again by gold and by merges.
    """

    kind: QuestionKind
    product: int
    pictures: tuple[int, ...]
    references: tuple[int, ...] = ()
    strangers: tuple[int, ...] = ()
    verdict: Verdict = Verdict.CONFIRM


@dataclass(frozen=True, slots=True)
class Labelled:
    """What the decision of a number changed for a picture: the product that it shows from then on.

    None where the label is withdrawn.
    """

    place: int
    decision: int
    at: dt.datetime
    product: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and all that became of it, each with its moment.

    `due` is by when the contract of the day wants it decided. `stopped` are the places of the
    labels that the gate keeps back.
    """

    number: int
    site: str
    locale: str
    at: dt.datetime
    due: dt.datetime
    sheet: Sheet
    gold: bool
    audited: bool
    answers: tuple[Answered, ...] = ()
    decisions: tuple[Decided, ...] = ()
    stopped: frozenset[int] = frozenset()

    @property
    def shows_new_pictures(self) -> bool:
        """Whether it asks about pictures that have no label yet."""
        return not self.gold and self.sheet.kind is not QuestionKind.MERGE

    @property
    def on_time(self) -> bool:
        """Whether it was decided by when it was due."""
        return bool(self.decisions) and self.decisions[0].at <= self.due

    def labelled(self) -> Iterator[Labelled]:
        """How its pictures were labelled, in the order of the decisions.

        A picture that a customer reported is known to show the look-alike, `product` + 1.
        """
        if not self.shows_new_pictures:
            return
        shown: dict[int, int | None] = {}
        for number, decided in enumerate(self.decisions):
            for place in range(len(self.sheet.pictures)):
                product = None
                if decided.keeps(place):
                    product = self.sheet.product
                elif decided.reported:
                    product = self.sheet.product + 1
                if product != shown.get(place):
                    shown[place] = product
                    yield Labelled(place, number, decided.at, product)

    def is_right(self, said: Answered | Decided) -> bool:
        """Whether an answer or a decision says what is true."""
        return (said.verdict, said.ticked) == (self.sheet.verdict, self.sheet.strangers)


@dataclass(frozen=True)
class SampleYear:
    """A year of three vendors; `degrades` and `overbills` name the vendors at fault, if any."""

    year: int = 2026
    seed: int = 0
    answers: int = USUAL_ANSWERS
    degrades: str | None = None
    overbills: str | None = None

    @property
    def before(self) -> dt.datetime:
        """A moment before anything of it is recorded."""
        return dt.datetime(self.year - 1, 11, 30, tzinfo=dt.UTC)

    @property
    def planned(self) -> dict[str, int]:
        """The pictures wanted of each locale in the year: a few more than are labelled."""
        locales = sorted({locale for _, locale in SHARES})
        shares = {name: sum(n for at, n in SHARES.items() if at[1] == name) for name in locales}
        return {name: round(PLANNED_PER_ANSWER * self.answers * n) for name, n in shares.items()}

    @property
    def degrades_from(self) -> dt.date:
        return dt.date.fromisocalendar(self.year, DEGRADES_IN_WEEK, 1)

    @cached_property
    def recordings(self) -> list[Recording]:
        """What was recorded of the workforce, and when."""
        return recordings(self.year, self.seed, self.answers)

    @cached_property
    def agreed(self) -> Workforce:
        """The records as they stand when the year is over."""
        return agreed(self.recordings)

    def decline(self, site: str, day: dt.date) -> float:
        """How far a vendor has come from as good as ever (0) to as bad as it becomes (1)."""
        if site != self.degrades:
            return 0.0
        return min(max((day - self.degrades_from).days / DEGRADES_FOR, 0.0), 1.0)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """Every question of the year, vendor by vendor and locale by locale."""
        found: list[Asked] = []
        for vendor in self.agreed.vendors:
            shifts = Shifts(vendor, self.year)
            for locale in vendor.locales:
                found += _Cell(self, vendor, locale, shifts).asked()
        return tuple(found)


class Shifts:
    """A vendor's shifts from the first day of a year on, one behind the other.

    A moment is a number of working days: 3.5 is the middle of the fourth shift. It is what
    `WorkingCalendar.after` counts, for thousands of moments.
    """

    def __init__(self, vendor: Vendor, year: int) -> None:
        calendar = WorkingCalendar(vendor)
        first, last = dt.date(year, 1, 1), dt.date(year + 1, 3, 31)
        days = (first + n * A_DAY for n in range((last - first).days + 1))
        self.days = [day for day in days if calendar.works_on(day)]
        self.n_of_year = bisect_right(self.days, dt.date(year, 12, 31))
        self._shifts = [calendar.shift(day) for day in self.days]

    def moment(self, working_days: float) -> dt.datetime:
        """To the second, as sites say when an answer was given."""
        whole = min(int(working_days), len(self._shifts) - 1)
        starts, ends = self._shifts[whole]
        return (starts + (working_days - whole) * (ends - starts)).replace(microsecond=0)

    def ends(self, place: int) -> dt.datetime:
        """When a shift ends."""
        return self._shifts[place][1]


@dataclass(frozen=True)
class _Strain:
    """How hard a question is that day: factors of slips and seconds, working days of delay."""

    slips: float
    slower: float
    delay: float


class _Cell:
    """The work of a vendor in a locale."""

    def __init__(self, year: SampleYear, vendor: Vendor, locale: str, shifts: Shifts) -> None:
        self.year, self.site, self.locale, self.shifts = year, vendor.site, locale, shifts
        self.named = f"{year.year} {year.seed} {self.site} {locale}"
        self.people = [annotator(self.site, number) for number in READERS[self.site][locale]]
        self.lead = lead(self.site)
        self.skills = {self.lead: (LEADS_SLIPS, 1.1), **_skills(year.seed, self.site)}
        self.chance = Random(self.named)
        self.sheets: list[Sheet] = []
        self.n_asked = self.n_pictures = self.n_products = 0

    def asked(self) -> Iterator[Asked]:
        n_days = self.shifts.n_of_year
        a_day = self.year.answers * SHARES[self.site, self.locale] / ANSWERS_PER_QUESTION / n_days
        counts = np.random.default_rng(self.chance.getrandbits(64)).poisson(a_day, n_days).tolist()
        for place, (day, n_questions) in enumerate(zip(self.shifts.days, counts, strict=False)):
            iso = day.isocalendar()
            busy = Random(f"{self.named} {iso.year} {iso.week}").lognormvariate(0, 0.1)
            # Each day is drawn by itself: what a vendor at fault draws more moves no later day.
            self.chance = Random(f"{self.named} {day}")
            for _ in range(n_questions):
                self.n_asked += 1
                yield self._question(place, busy)

    def _question(self, place: int, busy: float) -> Asked:
        chance, day = self.chance, self.shifts.days[place]
        decline = self.year.decline(self.site, day)
        gold = chance.random() < GOLD_SHARE and len(self.sheets) > 1
        sheet = self._gold_sheet() if gold else self._sheet()
        agreed_days = self._agreed_days(sheet.kind, day)
        strain = _Strain(
            slips=chance.gammavariate(2, 0.5) * (1 + WORSE * decline),
            slower=1 + SLOWER * decline,
            delay=agreed_days / 6 * busy * (1 + LATER * decline),
        )
        answers: list[Answered] = []
        decisions: list[Decided] = []
        if gold:
            for person in self.people:
                at = place + chance.gammavariate(2, strain.delay)
                answers.append(self._answer(sheet, person, at, strain))
        elif chance.random() >= NEVER_SHARE:
            answers, decisions = self._answered(sheet, place, strain)
        return Asked(
            number=self.n_asked,
            site=self.site,
            locale=self.locale,
            at=self.shifts.moment(place) - 2 * AN_HOUR,
            due=self.shifts.ends(place + agreed_days - 1),
            sheet=sheet,
            gold=gold,
            audited=not gold and chance.random() < AUDIT_SHARE,
            answers=tuple(answers),
            decisions=tuple(decisions),
            stopped=frozenset(
                at
                for at in range(len(sheet.pictures))
                if chance.random() < STOPPED_SHARES[at in sheet.strangers]
            ),
        )

    def _sheet(self) -> Sheet:
        """The next sheet; pictures that were not shown before are numbered on."""
        empty: tuple[int, ...] = ()
        chance = self.chance
        if len(self.sheets) < 2:
            kind = QuestionKind.VERIFY
        else:
            kind = chance.choices(KINDS, KIND_WEIGHTS)[0]
        if kind is QuestionKind.VERIFY:
            pictures = self._new_pictures(chance.randint(2, 4))
            strange = chance.random() < STRANGERS
            strangers = (chance.randrange(len(pictures)),) if strange else empty
            self.n_products += 2
            sheet = Sheet(kind, self.n_products, pictures, strangers=strangers)
            if len(_members(sheet)) >= FEWEST:
                self.sheets.append(sheet)
            return sheet
        known, other = chance.sample(self.sheets[-RECENT:], 2)
        same = chance.random() >= STRANGERS
        if kind is QuestionKind.ATTACH:
            pictures = self._new_pictures(chance.randint(1, 2))
            strangers = empty if same else tuple(range(len(pictures)))
            references = _members(known)[:3]
        else:
            pictures, strangers = _members(known)[:1], empty
            references = _members(known)[1:] if same else _members(other)
        verdict = Verdict.CONFIRM if same else Verdict.DIFFERENT
        return Sheet(kind, known.product, pictures, references, strangers, verdict)

    def _gold_sheet(self) -> Sheet:
        """A product that is labelled already, every other time with two pictures of another."""
        known, other = self.chance.sample(self.sheets[-RECENT:], 2)
        pictures = _members(known)
        if self.chance.random() < 0.5:
            return Sheet(QuestionKind.VERIFY, known.product, pictures)
        shown = (*pictures, *_members(other)[:2])
        strangers = tuple(range(len(pictures), len(shown)))
        return Sheet(QuestionKind.VERIFY, known.product, shown, strangers=strangers)

    def _new_pictures(self, n: int) -> tuple[int, ...]:
        self.n_pictures += n
        return tuple(range(self.n_pictures - n, self.n_pictures))

    def _answered(
        self, sheet: Sheet, place: int, strain: _Strain
    ) -> tuple[list[Answered], list[Decided]]:
        """One annotator or two, the lead where they differ, and what is found out later."""
        chance = self.chance
        one, other = chance.sample(self.people, 2)
        crowd = [one, other] if chance.random() < SECOND_SHARE else [one]
        ends = [place + chance.gammavariate(2, strain.delay) for _ in crowd]
        voices = zip(crowd, ends, strict=True)
        answers = [self._answer(sheet, person, at, strain) for person, at in voices]
        end = max(ends)
        if len({(each.verdict, each.ticked) for each in answers}) > 1:
            end += chance.gammavariate(2, strain.delay / 2)
            answers.append(self._answer(sheet, self.lead, end, strain))
        decisions = [_decided(answers)]
        if len(crowd) == 1 and chance.random() < LOOKED_AT_SHARE:
            end += 1 + chance.gammavariate(2, strain.delay)
            answers.append(self._answer(sheet, self.lead, end, strain))
            if _said(answers[-1]) != _said(decisions[-1]):
                decisions.append(_decided(answers))
        wrong = _said(decisions[-1]) != (sheet.verdict, sheet.strangers)
        if wrong and chance.random() < FOUND_SHARE:
            days = 2 + chance.expovariate(1 / FOUND_AFTER_DAYS)
            decisions.append(
                Decided(
                    at=decisions[-1].at + days * A_DAY,
                    n_answers=len(answers),
                    verdict=sheet.verdict,
                    ticked=sheet.strangers,
                    reported="a customer saw that a picture shows another product",
                )
            )
        return answers, decisions

    def _answer(self, sheet: Sheet, person: str, end: float, strain: _Strain) -> Answered:
        chance = self.chance
        slips, pace = self.skills[person]
        slips *= strain.slips
        chances = FALSE_TICKS * slips, max(1 - MISSES * slips, 0.0)
        verdict, ticked = sheet.verdict, sheet.strangers
        if sheet.kind is QuestionKind.VERIFY:
            ticked = tuple(
                at
                for at in range(len(sheet.pictures))
                if chance.random() < chances[at in sheet.strangers]
            )
        elif chance.random() < MISTAKES * slips:
            verdict = MISTAKEN[verdict]
            ticked = ()
        seconds = usual_seconds(sheet) * pace * strain.slower * chance.lognormvariate(0, 0.3)
        return Answered(
            annotator=person,
            desk=Desk.LEAD if person == self.lead else Desk.CROWD,
            at=self.shifts.moment(end),
            seconds=round(seconds, 1),
            verdict=verdict,
            ticked=ticked,
        )

    def _agreed_days(self, kind: QuestionKind, day: dt.date) -> int:
        """The turnaround agreed for a kind of question that is asked on a day."""
        contract = self.year.agreed.contract(self.site, day)
        within = contract.returned_within(kind, self.locale) if contract is not None else None
        assert within is not None
        return int(within)


def usual_seconds(sheet: Sheet) -> float:
    """How long a usual annotator takes."""
    return SECONDS + SECONDS_PER_PICTURE * (len(sheet.pictures) + len(sheet.references))


def _skills(seed: int, site: str) -> dict[str, tuple[float, float]]:
    """How often each person of a vendor slips, and how long they take, beside a usual one."""
    chance = Random(f"people {seed} {site}")
    return {
        annotator(site, number): (chance.lognormvariate(0, 0.15), chance.lognormvariate(0, 0.15))
        for number in range(1, 10)
    }


def _members(sheet: Sheet) -> tuple[int, ...]:
    """The pictures of a sheet that show its product."""
    return tuple(each for at, each in enumerate(sheet.pictures) if at not in sheet.strangers)


def _said(said: Answered | Decided) -> tuple[Verdict, tuple[int, ...]]:
    return said.verdict, said.ticked


def _decided(answers: Sequence[Answered]) -> Decided:
    """What the last of `answers` says, once the next hourly collection has read it."""
    last = max(each.at for each in answers)
    return Decided(collected(last), len(answers), answers[-1].verdict, answers[-1].ticked)
