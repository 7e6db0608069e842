"""Pages for people: they say what was found, load nothing, and let no text become markup."""

import re

import pandas as pd

from expectations.contract import contract, html, markdown
from expectations.facts import HISTORY_COLUMNS
from expectations.page import HEIGHT, WIDTH, passage_page, points
from expectations.policy import Bars, LabelPolicy, Severities, Severity
from expectations.verdict import OnFail, RuleOutcome, State, Verdict

NO_HISTORY = pd.DataFrame({column: [] for column in HISTORY_COLUMNS})
POLICY = LabelPolicy(
    locales={"ja-JP": Bars(posterior_at_least=0.95)},
    severity=Severities(has_name=Severity.WARNING),
)


def outcome(rule: str) -> RuleOutcome:
    return RuleOutcome("mean_agreement", rule, State.FAILED, "critical", OnFail.HOLD, 0.5, 1)


def verdict(text: str) -> Verdict:
    return Verdict((), {"label-1": (text,)}, (outcome(text),), held=True)


def page(text: str, pictures: dict[str, list[bytes]], history: pd.DataFrame = NO_HISTORY) -> str:
    return passage_page(verdict(text), POLICY, pictures=pictures, history=history)


def test_a_page_of_a_passage_says_what_stopped_labels_and_shows_some() -> None:
    made = page("it is wrong", {"it is wrong": [b"jpeg"]})
    assert "1 quarantined" in made
    assert made.count("it is wrong") == 3
    assert 'src="data:image/jpeg;base64,anBlZw=="' in made


def test_a_page_loads_nothing_from_anywhere() -> None:
    pages = page("x", {}), html(contract(POLICY, "ja-JP"), "ja-JP")
    assert not any(re.search(r'(src|href)="(?!data:)|url\(|@import', each) for each in pages)


def test_text_from_outside_becomes_no_markup() -> None:
    made = page("<script>alert(1)</script>", {})
    assert "<script>" not in made
    assert "&lt;script&gt;" in made


def test_a_page_draws_what_a_rule_saw_before() -> None:
    rows = [(number, "mean_agreement", "", 0.1 * number, 9) for number in range(5)]
    made = page("x", {}, pd.DataFrame(rows, columns=list(HISTORY_COLUMNS)))
    assert made.count("<polyline") == 1


def test_a_line_stays_within_its_frame() -> None:
    drawn = [tuple(map(float, point.split(","))) for point in points([0.2, 0.9, 0.4]).split()]
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawn)
    assert min(drawn, key=lambda point: point[1]) == drawn[1]
    assert points([0.5]) == ""


def test_a_contract_states_the_bars_and_the_severities_of_its_locale() -> None:
    japanese, german = (markdown(contract(POLICY, each), each) for each in ("ja-JP", "de-DE"))
    assert "probability of at least 0.95 | quarantines the label" in japanese
    assert "probability of at least 0.7 | quarantines the label" in german
    assert "has a name in the label's locale | is reported only" in japanese
    assert "the mean agreement in ja-JP" in japanese
    assert "de-DE" not in japanese
