"""What each metric is measured on: observations, one a row, made of the catalogue's log.

Each function gives a data frame with the columns `site`, `locale`, `kind` (categories), `at` (int64
microseconds, UTC: what decides the period) and `question` (its key). Further columns: `hits` and
`of` of shares, `value` of means and quantiles, `cluster` for what hangs together, `answer` (its
place among the log's answers) and `decision` (its key) where a row is about one. Questions that
nobody is asked (`NO_SITE`) are in none.
"""

import datetime as dt
from functools import cached_property
from typing import TypeAlias, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.performance import Log
from catalog.schema import AnswerState, DecisionKind, Desk, QuestionKind, Verdict
from workforce.calendar import WorkingCalendar
from workforce.records import Workforce
from workforce.working_time import WorkingTime, moment

Frame: TypeAlias = pd.DataFrame

ABOUT = ["site", "locale", "kind"]
VERDICTS = list(Verdict)
# The bits of a pattern that count how often one verdict was given.
BITS = 10
NEVER = np.iinfo(np.int64).max
A_DAY = 86_400_000_000
HOUR = 3600.0


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

    def _answers(self, which: "NDArray[np.bool_] | pd.Series[bool]", *columns: str) -> Frame:
        """Some answers, with some of their columns beside those of all observations."""
        places = np.flatnonzero(which).astype(np.int32)
        names = [*ABOUT, "question", *columns]
        return pd.DataFrame(
            {
                **{name: self.answers[name].array.take(places) for name in names},
                "at": self.answers["answered_at"].to_numpy()[places],
                "answer": places,
            },
            copy=False,
        )

    @cached_property
    def standing(self) -> NDArray[np.bool_]:
        """Of each answer, whether it is the crowd's and stands.

        That is each annotator's newest, neither skipped nor withdrawn.
        """
        answers = self.answers
        crowd = (answers["desk"] == Desk.CROWD).to_numpy()
        stands = crowd & (answers["state"] == AnswerState.GIVEN).to_numpy()
        annotation = _together(answers["question"], answers["annotation"])
        changed = np.isin(annotation, annotation[(answers["revision"] > 0).to_numpy()])
        of_changed = pd.Series(answers["revision"].to_numpy()[changed])
        newest = of_changed.groupby(annotation[changed]).transform("max")
        stands[changed] &= (of_changed == newest).to_numpy()
        voice = _together(answers["question"], answers["annotator"].cat.codes)
        stands[stands] = ~pd.Series(voice[stands]).duplicated(keep="last").to_numpy()
        return stands

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
        found = self._answers(self.standing & self.answers["gold"], "annotator", *columns)
        return found.assign(cluster=found["annotator"].cat.codes)

    def seconds(self) -> Frame:
        """The seconds of each first answer of the crowd; gold as well, which looks like any."""
        told = (self.answers["desk"] == Desk.CROWD) & (self.answers["seconds"] > 0)
        found = self._answers(self._first() & told, "annotator", "seconds")
        return found.assign(value=found["seconds"], cluster=found["annotator"].cat.codes)

    def worked(self) -> Frame:
        """Each first answer at any desk; `of` are its hours."""
        found = self._answers(self._first(), "seconds")
        return found.assign(of=found["seconds"].fillna(0.0) / HOUR)

    def _first(self) -> "pd.Series[bool]":
        return (self.answers["revision"] == 0) & (self.answers["state"] == AnswerState.GIVEN)

    def throughput(self) -> Frame:
        """Labels accepted (`hits`) and hours of work (`of`) of each day; days hang together."""
        days = [
            found.assign(at=found["at"] // A_DAY * A_DAY)
            .groupby([*ABOUT, "at"], observed=True, as_index=False)[[column]]
            .sum()
            for found, column in ((self.worked(), "of"), (self.labels(), "hits"))
        ]
        both = _joined(days).fillna({"of": 0.0, "hits": 0.0})
        return both.assign(cluster=both["at"] // A_DAY)

    def agreement(self) -> Frame:
        """Each question that several of the crowd answered, at its first answer that stands.

        `pattern` holds how often each verdict was given, `BITS` for each of `VERDICTS`.
        """
        said = self._answers(self.standing & ~self.answers["gold"], "verdict")
        said = said[said["question"].duplicated(keep=False)]
        place = [VERDICTS.index(Verdict(each)) for each in said["verdict"].cat.categories]
        worth = np.int64(1) << (BITS * np.array(place, dtype=np.int64))
        given = pd.Series(worth[said["verdict"].cat.codes.to_numpy()])
        pattern = given.groupby(said["question"].to_numpy()).sum()
        first = said.drop_duplicates("question").drop(columns="answer")
        return first.assign(pattern=pattern.reindex(first["question"]).to_numpy())

    # --- questions --------------------------------------------------------------------------------

    @cached_property
    def questions(self) -> Frame:
        """Every question but gold, indexed by its key, with what became of it.

        `released`, `submitted`, `decided`, `withdrawn` are moments, `NEVER` where it was not;
        `outcome` is that of its first decision of people, `reworked` whether that was not enough.
        """
        every = self._before(self._log.questions, "asked_at")
        every = every[~every["gold"]].set_index("question")
        tasks = self._before(self._log.tasks, "pushed_at")
        at_crowd = tasks["desk"] == Desk.CROWD
        pushed = tasks[at_crowd].groupby("question")["pushed_at"].min()
        every["released"] = pushed.reindex(every.index).fillna(every["asked_at"]).astype(np.int64)

        given = (self.answers["state"] == AnswerState.GIVEN).to_numpy()
        at_lead = (self.answers["desk"] == Desk.LEAD).to_numpy()
        voices = self._answers(given & ~at_lead & ~self.answers["gold"], "annotator")
        first = voices.drop_duplicates("question").set_index("question")
        every["submitted"] = _moments(first["at"], every)
        every["annotator"] = first["annotator"].cat.codes.reindex(every.index, fill_value=-1)
        voice = pd.Series(_together(voices["question"], voices["annotator"].cat.codes))
        votes = voices.loc[~voice.duplicated().to_numpy(), "question"].value_counts()

        decisions = self.decisions
        of_people = decisions[
            ~decisions["by_model"] & (decisions["outcome"] != DecisionKind.UNDONE)
        ]
        accepted = of_people.drop_duplicates("question").set_index("question")
        every["decided"] = _moments(accepted["decided_at"], every)
        every["outcome"] = accepted["outcome"].astype(object).reindex(every.index)
        withdrawn = self._before(self._log.withdrawals, "withdrawn_at")
        every["withdrawn"] = _moments(withdrawn.set_index("question")["withdrawn_at"], every)
        unasked = decisions.loc[decisions["by_model"], "question"]
        every = every[~(every.index.isin(unasked) & (every["submitted"] == NEVER))]

        refused = self.acceptances
        decided_anew = decisions["supersedes"].isin(of_people["decision"])
        reworked = (
            tasks.loc[~at_crowd, "question"],
            self.answers.loc[given & at_lead, "question"],
            votes.index[votes > self._first_votes].to_series(),
            decisions.loc[decided_anew, "question"],
            refused.loc[refused["refused"] > 0, "question"],
        )
        every["reworked"] = every.index.isin(pd.concat(reworked).to_numpy())
        return every

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
        return found.assign(at=found["submitted"], cluster=found["annotator"]).reset_index()

    def defects(self) -> Frame:
        """Each standing answer that others answered too; a hit is not what was decided."""
        decisions = self.decisions
        current = decisions[
            ~decisions["decision"].isin(decisions["supersedes"])
            & ~decisions["by_model"]
            & (decisions["outcome"] != DecisionKind.UNDONE)
        ].set_index("question")
        by_lead = self.answers.loc[self.answers["desk"] == Desk.LEAD, "question"].unique()
        found = self._answers(self.standing & ~self.answers["gold"], "annotator", "said")
        seen_twice = found["question"].duplicated(keep=False) | found["question"].isin(by_lead)
        found = found[seen_twice & found["question"].isin(current.index)]
        decided = current["said"].reindex(found["question"]).to_numpy()
        wrong = (found["said"].to_numpy() != decided).astype(float)
        return found.assign(hits=wrong, of=1.0, cluster=found["annotator"].cat.codes)

    def turnaround(self) -> Frame:
        """Each question that people decided, when they did; `value` in working days of its vendor.

        NaN where the vendor is not recorded.
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
        return found.assign(value=days)

    def turnaround_hours(self) -> Frame:
        """The same; `value` in hours by the clock."""
        found = self._decided()
        return found.assign(value=(found["decided"] - found["released"]) / 1e6 / HOUR)

    def _decided(self) -> Frame:
        found = self.questions[self.questions["decided"] != NEVER].reset_index()
        return found.assign(at=found["decided"], cluster=found["released"] // A_DAY)

    def due(self) -> Frame:
        """Each question that was due before the moment, when it was; a hit was decided by then.

        One that nobody was asked any more by then was not due, nor one without a service level.
        """
        questions = self.questions
        found = questions.assign(days=self._agreed(questions), of=1.0).reset_index()
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
        n_wrong = wrong.reindex(labels["decision"]).fillna(0).to_numpy()
        # A decision whose labels pass the gate at several times has its escapes where they fit.
        before = labels.groupby("decision")["accepted"].cumsum() - labels["accepted"]
        left = np.clip(n_wrong - before.to_numpy(), 0, labels["accepted"].to_numpy())
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
        return found.assign(at=found["decided"], hits=1.0).reset_index()

    def _before(self, found: Frame, column: str) -> Frame:
        return found[found[column] < self._now]


def _together(question: "pd.Series[int]", other: "pd.Series[int]") -> NDArray[np.uint64]:
    """A key of two things, of 64 bits as theirs."""
    mixed = other.to_numpy().astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return np.bitwise_xor(question.to_numpy(), mixed, dtype=np.uint64)


def _moments(found: "pd.Series[int]", of: Frame) -> "pd.Series[int]":
    return found.reindex(of.index, fill_value=NEVER).astype(np.int64)


def _date(day: int) -> dt.date:
    """The day that comes so many after the first of 1970."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(day))


def _share(found: Frame, hits: str, of: str) -> Frame:
    found = found[found[of] > 0]
    return found.assign(hits=found[hits].astype(float), of=found[of].astype(float))


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
