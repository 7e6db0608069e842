"""What each metric is measured on: observations, one a row, made of the catalogue's log.

Each function gives a data frame with the columns `site`, `locale`, `kind` (categories), `at` (int64
microseconds, UTC: what decides the period), and `answer` (its place among the log's answers) or
`question` (its key) that tell what a row is about. Further columns: `hits` and `of` of shares,
`value` of means and quantiles, `cluster` for what hangs together, and `decision` (its key) where a
row is about one. Questions that nobody is asked (`NO_SITE`) are in none.
"""

import datetime as dt
from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.performance import NOTHING, Log
from catalog.schema import AnswerState, DecisionKind, Desk, QuestionKind, Verdict
from workforce.performance.working_time import WorkingTime, moment
from workforce.records import Workforce
from workforce.records.calendar import WorkingCalendar

Frame: TypeAlias = pd.DataFrame
Mask: TypeAlias = NDArray[np.bool_]

ABOUT = ["site", "locale", "kind"]
VERDICTS = list(Verdict)
# The bits of a pattern that count how often one verdict was given.
BITS = 10
NEVER = np.iinfo(np.int64).max
A_DAY = 86_400_000_000
HOUR = 3600.0
A_MILLION = 1_000_000


class Observations:
    """What the log says by a moment, `as_of`, which lies after none of its rows."""

    def __init__(
        self, log: Log, workforce: Workforce, as_of: dt.datetime, first_votes: int = 1
    ) -> None:
        self._log = log
        self._workforce = workforce
        self._now = moment(as_of)
        self._first_votes = first_votes

    # --- answers ----------------------------------------------------------------------------------

    @cached_property
    def answers(self) -> Frame:
        """Every answer given before the moment, the oldest first, indexed by its place."""
        every = self._log.answers
        return every.iloc[: np.searchsorted(every["answered_at"].to_numpy(), self._now)]

    def _answers(self, which: Mask, *columns: str) -> Frame:
        """Some answers, with some of their columns beside those of all observations."""
        places = np.flatnonzero(which).astype(np.int32)
        return pd.DataFrame(
            {
                **{name: self.answers[name].array.take(places) for name in (*ABOUT, *columns)},
                "at": self.answers["answered_at"].to_numpy()[places],
                "answer": places,
            },
            copy=False,
        )

    def _is(self, column: str, name: str) -> Mask:
        """Of each answer, whether a column of names says this one."""
        names = self.answers[column].cat
        told: Mask = (names.codes == names.categories.get_indexer(pd.Index([name]))[0]).to_numpy()
        return told

    @cached_property
    def _asked(self) -> NDArray[np.int32]:
        """Of each answer, the place of its question in the log."""
        return self._places(self.answers).astype(np.int32)

    @cached_property
    def _gold(self) -> Mask:
        """Of each answer, whether its question is gold."""
        return self.answers["gold"].to_numpy()

    @cached_property
    def standing(self) -> Mask:
        """Of each answer, whether it is the crowd's and stands.

        That is each annotator's newest, neither skipped nor withdrawn.
        """
        answers = self.answers
        stands = self._is("desk", Desk.CROWD) & self._is("state", AnswerState.GIVEN)
        revised = np.flatnonzero(answers["revision"] > 0)
        if len(revised):
            annotation = pd.Series(_together(answers["question"], answers["annotation"]))
            changed = annotation.isin(annotation[revised]).to_numpy()
            of_changed = pd.Series(answers["revision"].to_numpy()[changed])
            newest = of_changed.groupby(annotation[changed].to_numpy()).transform("max")
            stands[changed] &= (of_changed == newest).to_numpy()
        stands[stands] = ~self._voices(stands).duplicated(keep="last").to_numpy()
        return stands

    def _voices(self, which: Mask) -> "pd.Series[int]":
        """A number of each question and annotator together, of some answers."""
        annotator = self.answers["annotator"].cat
        voices = self._asked[which].astype(np.int64)
        voices *= len(annotator.categories)
        voices += annotator.codes.to_numpy()[which]
        return pd.Series(voices, copy=False)

    def gold(self) -> Frame:
        """Each standing answer to a gold question; a hit is right."""
        found = self._of_gold("right")
        return found.assign(hits=found["right"].astype(float), of=1.0)

    def sensitivity(self) -> Frame:
        """The same; hits are the intruders found, of all intruders."""
        return _share(self._of_gold("found", "intruders"), "found", "intruders")

    def specificity(self) -> Frame:
        """The same; hits are the members left alone, of all members."""
        return _share(self._of_gold("spared", "members"), "spared", "members")

    def _of_gold(self, *columns: str) -> Frame:
        found = self._answers(self.standing & self._gold, "annotator", *columns)
        return found.assign(cluster=found["annotator"].cat.codes)

    def seconds(self) -> Frame:
        """The seconds of each first answer of the crowd; gold as well, which looks like any."""
        told = self._is("desk", Desk.CROWD) & (self.answers["seconds"] > 0).to_numpy()
        found = self._answers(self._first() & told, "annotator", "seconds")
        found = found.rename(columns={"seconds": "value"})
        return found.assign(cluster=found.pop("annotator").cat.codes)

    def worked(self) -> Frame:
        """Each first answer at any desk; `of` are its hours."""
        found = self._answers(self._first(), "seconds")
        hours = found.pop("seconds").fillna(0.0)
        hours /= HOUR
        return found.assign(of=hours)

    def _first(self) -> Mask:
        unchanged = (self.answers["revision"] == 0).to_numpy()
        return unchanged & self._is("state", AnswerState.GIVEN)

    def throughput(self) -> Frame:
        """Labels accepted (`hits`) and hours of work (`of`) of each day; days hang together."""
        days = [
            piece.assign(at=piece["at"] // A_DAY * A_DAY)
            .groupby([*ABOUT, "at"], observed=True, as_index=False)[[column]]
            .sum()
            for found, column in ((self.worked(), "of"), (self.labels(), "hits"))
            for piece in pieces(found)
        ]
        both = _joined(days).fillna({"of": 0.0, "hits": 0.0})
        return both.assign(cluster=both["at"] // A_DAY)

    def agreement(self) -> Frame:
        """Each question that several of the crowd answered, at its first answer that stands.

        `pattern` holds how often each verdict was given, `BITS` for each of `VERDICTS`.
        """
        crowd = self.standing & ~self._gold
        several = self._count(self._asked[crowd]) > 1
        found = self._answers(crowd & several[self._asked], "verdict")
        place = [VERDICTS.index(Verdict(each)) for each in found["verdict"].cat.categories]
        worth = np.int64(1) << (BITS * np.array(place, dtype=np.int64))
        question = self._asked[found["answer"]]
        given = np.zeros(len(several), np.int64)
        np.add.at(given, question, worth[found["verdict"].cat.codes])
        row = _first_of(question, len(several))[several]
        keys = self._log.questions["question"].to_numpy()
        return (
            found.iloc[row]
            .assign(question=keys[several], pattern=given[several])
            .drop(columns="answer")
        )

    # --- questions --------------------------------------------------------------------------------

    @cached_property
    def questions(self) -> Frame:
        """Every question but gold with its key, `question`, and what became of it.

        `released`, `submitted`, `decided`, `withdrawn` are moments, `NEVER` where it was not;
        `outcome` is that of its first decision of people, `reworked` whether that was not enough.
        """
        every = self._log.questions[[*ABOUT, "question", "asked_at"]]
        tasks = self._before(self._log.tasks, "pushed_at")
        at_crowd = (tasks["desk"] == Desk.CROWD).to_numpy()
        pushed = self._earliest(tasks[at_crowd], "pushed_at")
        released = np.where(pushed == NEVER, every["asked_at"], pushed)

        given = self._is("state", AnswerState.GIVEN)
        at_lead = self._is("desk", Desk.LEAD)
        crowd = given & ~at_lead & ~self._gold
        answers = np.flatnonzero(crowd).astype(np.int32)
        [submitted, annotator] = self._at_first(
            answers,
            self._asked[answers],
            (self.answers["answered_at"].to_numpy(), NEVER),
            (self.answers["annotator"].cat.codes.to_numpy(), -1),
        )

        decisions = self.decisions
        of_people = decisions[
            ~decisions["by_model"] & (decisions["outcome"] != DecisionKind.UNDONE)
        ]
        outcome = of_people["outcome"].cat
        [decided, first_outcome] = self._at_first(
            np.arange(len(of_people)),
            self._places(of_people),
            (of_people["decided_at"].to_numpy(), NEVER),
            (outcome.codes.to_numpy(), -1),
        )
        every = every.assign(
            released=released,
            submitted=submitted,
            annotator=annotator,
            decided=decided,
            outcome=pd.Categorical.from_codes(first_outcome, outcome.categories),
            withdrawn=self._earliest(
                self._before(self._log.withdrawals, "withdrawn_at"), "withdrawn_at"
            ),
            reworked=self._reworked(crowd, given & at_lead, tasks[~at_crowd], of_people),
        )
        unasked = self._count(self._places(decisions[decisions["by_model"]])) > 0
        counts = every["asked_at"].to_numpy() < self._now
        counts &= ~self._log.questions["gold"].to_numpy()
        told: Frame = every[counts & ~(unasked & (submitted == NEVER))]
        return told

    def _reworked(self, crowd: Mask, by_lead: Mask, pushed_again: Frame, of_people: Frame) -> Mask:
        """Of each question in the log, whether it was asked, decided or judged once more."""
        asked_of_many = crowd & (self._count(self._asked[crowd]) > self._first_votes)[self._asked]
        voices = np.flatnonzero(asked_of_many)[~self._voices(asked_of_many).duplicated()]
        reworked = self._count(self._asked[voices]) > self._first_votes
        decisions, acceptances = self.decisions, self.acceptances
        later = decisions[decisions["supersedes"] != NOTHING]
        for places in (
            self._asked[by_lead],
            self._places(pushed_again),
            self._places(later[later["supersedes"].isin(of_people["decision"])]),
            self._places(acceptances[acceptances["refused"] > 0]),
        ):
            reworked[places[places >= 0]] = True
        return reworked

    @cached_property
    def _keys(self) -> "pd.Index[int]":
        keys: pd.Index[int] = pd.Index(self._log.questions["question"])
        return keys

    def _places(self, rows: Frame) -> NDArray[np.intp]:
        """The place of each row's question in the log, -1 where it has none."""
        return self._keys.get_indexer(pd.Index(rows["question"]))

    def _count(self, places: NDArray[np.integer]) -> NDArray[np.intp]:
        """How often each question of the log is among `places`."""
        return np.bincount(places[places >= 0], minlength=len(self._keys))

    def _earliest(self, rows: Frame, column: str) -> NDArray[np.int64]:
        """For each question of the log the first moment of a column, `NEVER` without a row."""
        places = self._places(rows)
        known = places >= 0
        earliest = np.full(len(self._keys), NEVER)
        np.minimum.at(earliest, places[known], rows[column].to_numpy()[known])
        return earliest

    def _at_first(
        self,
        rows: NDArray[np.integer],
        places: NDArray[np.integer],
        *columns: tuple[NDArray[Any], int],
    ) -> list[NDArray[Any]]:
        """For each question of the log, columns at the first of `rows` that concerns it.

        The questions of the rows lie at `places`; each column has a value that stands for no row.
        """
        first = _first_of(places, len(self._keys))
        told = first >= 0
        row = rows[first[told]]
        found = []
        for values, nothing in columns:
            of_each = np.full(len(first), nothing, values.dtype)
            of_each[told] = values[row]
            found.append(of_each)
        return found

    @cached_property
    def decisions(self) -> Frame:
        """Every decision before the moment, the oldest first."""
        return self._before(self._log.decisions, "decided_at")

    def first_pass(self) -> Frame:
        """Each question at its first answer; a hit was decided, and needed no rework."""
        submitted = self._submitted()
        told = submitted["outcome"].isin(
            [DecisionKind.SAME, DecisionKind.DIFFERENT, DecisionKind.UNUSABLE]
        )
        return submitted.assign(hits=(told & ~submitted["reworked"]).astype(float), of=1.0)

    def rework(self) -> Frame:
        """Each question at its first answer; a hit was asked, decided or judged once more."""
        submitted = self._submitted()
        return submitted.assign(hits=submitted["reworked"].astype(float), of=1.0)

    def _submitted(self) -> Frame:
        found = self.questions[self.questions["submitted"] != NEVER]
        return found.assign(at=found["submitted"], cluster=found["annotator"])

    def defects(self) -> Frame:
        """Each standing answer that others answered too; a hit is not what was decided."""
        decisions = self.decisions
        current = decisions[
            ~decisions["decision"].isin(decisions["supersedes"])
            & ~decisions["by_model"]
            & (decisions["outcome"] != DecisionKind.UNDONE)
        ]
        places = self._places(current)
        is_decided, decided = np.zeros(len(self._keys), bool), np.zeros(len(self._keys), np.uint32)
        is_decided[places], decided[places] = True, current["said"]
        crowd = self.standing & ~self._gold
        n_others = self._count(self._asked[crowd]) - 1
        n_others += self._count(self._asked[self._is("desk", Desk.LEAD)])
        seen_twice = is_decided & (n_others > 0)
        found = self._answers(crowd & seen_twice[self._asked], "annotator", "said")
        wrong = found.pop("said").to_numpy() != decided[self._asked[found["answer"]]]
        return found.assign(
            hits=wrong.astype(float), of=1.0, cluster=found.pop("annotator").cat.codes
        )

    def turnaround(self) -> Frame:
        """Each question that people decided, when they did; `value` in working days of its vendor.

        Without those of vendors that are not recorded.
        """
        found = self._decided()
        days = np.full(len(found), np.nan)
        for site, rows in found.groupby("site", observed=True).indices.items():
            of_vendor = found.iloc[rows]
            if (time := self._time(str(site), of_vendor)) is not None:
                done, released = (
                    time.worked(of_vendor[name].to_numpy()) for name in ("decided", "released")
                )
                days[rows] = done - released
        told: Frame = found.assign(value=days)[~np.isnan(days)]
        return told

    def turnaround_hours(self) -> Frame:
        """The same; `value` in hours by the clock."""
        found = self._decided()
        return found.assign(value=(found["decided"] - found["released"]) / 1e6 / HOUR)

    def _decided(self) -> Frame:
        found = self.questions.loc[
            self.questions["decided"] != NEVER, [*ABOUT, "question", "released", "decided"]
        ]
        return found.assign(at=found["decided"], cluster=found["released"] // A_DAY)

    def due(self) -> Frame:
        """Each question that was due before the moment, when it was; a hit was decided by then.

        One that nobody was asked any more by then was not due, nor one without a service level.
        """
        questions = self.questions
        found = questions.assign(days=self._agreed(questions), of=1.0).reset_index(drop=True)
        due = np.full(len(found), NEVER)
        for site, rows in found.groupby("site", observed=True).indices.items():
            of_vendor = found.iloc[rows]
            of_vendor = of_vendor[of_vendor["days"].notna()]
            time = self._time(str(site), of_vendor, of_vendor["days"].max())
            if time is not None:
                due[of_vendor.index] = time.due(
                    of_vendor["released"].to_numpy(), of_vendor["days"].to_numpy()
                )
        found = found.assign(at=due)
        found = found[(found["at"] < self._now) & (found["withdrawn"] > found["at"])]
        on_time = (found["decided"] <= found["at"]).astype(float)
        return found.assign(hits=on_time, cluster=found["released"] // A_DAY)

    def _agreed(self, questions: Frame) -> NDArray[np.float64]:
        """The service level of each question, by the contract in force when it was asked."""
        agreed = np.full(len(questions), np.nan)
        alike = questions.assign(day=questions["asked_at"] // A_DAY)
        for key, rows in alike.groupby([*ABOUT, "day"], observed=True).indices.items():
            site, locale, kind, day = cast("tuple[str, str, str, int]", key)
            contract = self._workforce.contract(site, _date(day))
            within = contract.returned_within(kind, locale) if contract else None
            if within is not None:
                agreed[rows] = float(within)
        return agreed

    def _time(self, site: str, found: Frame, working_days: float = 0) -> WorkingTime | None:
        """The shifts of a vendor, if it is recorded, while `found` was asked and decided."""
        vendor = next((each for each in self._workforce.vendors if each.site == site), None)
        if vendor is None or found.empty:
            return None
        moments = found[["released", "decided"]].to_numpy()
        first, last = moments.min(), moments.max(where=moments != NEVER, initial=moments.min())
        days = _date(first // A_DAY), _date(last // A_DAY)
        return WorkingTime(WorkingCalendar(vendor), *days, working_days)

    # --- labels -----------------------------------------------------------------------------------

    @cached_property
    def acceptances(self) -> Frame:
        """What the gate said before the moment of the labels of each decision."""
        return self._before(self._log.acceptances, "judged_at")

    def labels(self) -> Frame:
        """The labels of people's decisions that the gate accepted, `hits`, when it did."""
        found = self.acceptances[self.acceptances["accepted"] > 0]
        return found.assign(at=found["judged_at"], hits=found["accepted"].astype(float))

    def escapes(self) -> Frame:
        """Accepted labels when they were accepted; hits turned out wrong since."""
        labels = self.labels()
        escapes = self._before(self._log.escapes, "found_at")
        wrong = escapes.groupby("decision")["escaped"].sum()
        found = labels["decision"].isin(wrong.index).to_numpy()
        told = labels[found]
        # A decision whose labels pass the gate at several times has its escapes where they fit.
        before = told.groupby("decision")["accepted"].cumsum() - told["accepted"]
        left = np.zeros(len(labels))
        left[found] = np.clip(
            wrong.reindex(told["decision"]).to_numpy() - before.to_numpy(), 0, told["accepted"]
        )
        return labels.assign(hits=left, of=labels["hits"], cluster=labels["question"])

    def kept(self) -> Frame:
        """Labels accepted, and with a minus those that turned out wrong, each when it did."""
        labels = self.labels()
        escapes = self._before(self._log.escapes, "found_at")
        about = labels.drop_duplicates("decision").set_index("decision")[[*ABOUT, "question"]]
        lost = escapes.join(about, on="decision", how="inner")
        lost = lost.assign(at=lost["found_at"], hits=-lost["escaped"].astype(float))
        columns = [*ABOUT, "at", "question", "decision", "hits"]
        return _joined([labels[columns], lost[columns]])

    def verified(self) -> Frame:
        """Clusters that people found to show one product, when they did."""
        found = self.questions
        found = found[
            (found["kind"] == QuestionKind.VERIFY) & (found["outcome"] == DecisionKind.SAME)
        ]
        return found.assign(at=found["decided"], hits=1.0)

    def _before(self, found: Frame, column: str) -> Frame:
        return found[found[column] < self._now]


def _together(question: "pd.Series[int]", other: "pd.Series[int]") -> NDArray[np.uint64]:
    """A key of two things, of 64 bits as theirs."""
    mixed = other.to_numpy().astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    key: NDArray[np.uint64] = np.bitwise_xor(question.to_numpy(), mixed)
    return key


def _first_of(places: NDArray[np.integer], n: int) -> NDArray[np.int32]:
    """The first row at each of `n` places, -1 where there is none."""
    first = np.full(n, -1, np.int32)
    first[places[::-1]] = np.arange(len(places), dtype=np.int32)[::-1]
    return first


def _date(day: int) -> dt.date:
    """The day that comes so many after the first of 1970."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(day))


def _share(found: Frame, hits: str, of: str) -> Frame:
    found = found[found[of] > 0]
    return found.assign(hits=found[hits].astype(float), of=found[of].astype(float))


def pieces(found: Frame) -> Iterator[Frame]:
    """A million rows at a time, of which sums take little memory; at least one piece."""
    for begin in range(0, max(len(found), 1), A_MILLION):
        yield found.iloc[begin : begin + A_MILLION]


def _joined(frames: list[Frame]) -> Frame:
    """Frames one after another, their names as categories still."""
    categories = {
        name: pd.api.types.union_categoricals([each[name] for each in frames]) for name in ABOUT
    }
    plain = pd.concat([each.drop(columns=ABOUT) for each in frames], ignore_index=True)
    return plain.assign(**categories)


def patterns(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each verdict was given, (patterns, verdicts), from the codes of `agreement`."""
    shifts = BITS * np.arange(len(VERDICTS))
    return (codes[:, None] >> shifts) & ((1 << BITS) - 1)
