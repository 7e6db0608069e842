"""What a leader should make of figures: lights by interval, causes, risks, actions and advice."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workforce.staff import contract, euros, vendor, workforce
from workforce.money import Money
from workforce.performance.figures import Cell, Figure, Metric
from workforce.periods import FiscalCalendar
from workforce.records.calendar import WorkingCalendar
from workforce.reviews.assemble import in_force, locale_light, portfolio, review, worst
from workforce.reviews.causes import parts
from workforce.reviews.follow_up import due
from workforce.reviews.material import Material
from workforce.reviews.review import (
    Advice,
    BudgetLine,
    InvoiceLine,
    Light,
    OrderLine,
    Review,
    Said,
    Score,
    SpendLine,
)
from workforce.reviews.scorecard import Line, Scorecard, agreed, judged, overall, scores
from workforce.reviews.wording import Wording

QUARTER = FiscalCalendar().period("2026Q4")
AS_OF = dt.date(2026, 12, 31)
ONLY_GOLD = Scorecard(lines={Metric.GOLD_ACCURACY: Line(weight=1, target=0.95)})
GOLD = Metric.GOLD_ACCURACY
ENGLISH = Wording.load("en")


def gold(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    n: int = 500,
    **cell: Any,
) -> Figure:
    return Figure(GOLD, Cell(QUARTER, "vendor-a", **cell), value, n, low, high)


def material(**changes: Any) -> Material:
    return Material(**{"vendor": vendor(), "period": QUARTER, "as_of": AS_OF, **changes})


def reviewed(*figures: Figure, terms: Any = None, **changes: Any) -> Review:
    agreed_on = terms or contract(notice_by=dt.date(2027, 6, 1), ends=dt.date(2027, 12, 31))
    known = workforce(vendor(), agreed_on)
    return review(material(figures=figures, **changes), known, ONLY_GOLD)


MET = gold(0.98, 0.96, 0.99)
MISSED = gold(0.9, 0.88, 0.92)
UNSHOWN = gold(0.96, 0.94, 0.98)


@pytest.mark.parametrize(
    ("figure", "light"),
    [
        (MET, Light.GREEN),
        (MISSED, Light.RED),
        (UNSHOWN, Light.AMBER),
        (gold(0.9, 0.88, 0.92, n=29), Light.GREY),
        (gold(None, n=0), Light.GREY),
        (gold(0.94), Light.RED),
    ],
)
def test_a_light_is_given_by_the_interval_and_not_by_the_point(
    figure: Figure, light: Light
) -> None:
    assert judged(figure, 0.95, 30)[0] == light


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_defects_are_judged_as_accuracy_is_from_the_other_side(
    one: float, two: float, three: float, target: float
) -> None:
    low, value, high = sorted((one, two, three))
    accuracy = judged(gold(value, low, high), target, 30)[0]
    defects = Figure(Metric.DEFECT_RATE, Cell(QUARTER), 1 - value, 500, 1 - high, 1 - low)
    if abs(low - target) > 1e-9 and abs(high - target) > 1e-9:
        assert judged(defects, 1 - target, 30)[0] == accuracy


def test_what_was_not_agreed_is_grey_and_so_is_a_price() -> None:
    assert judged(MET, None, 30)[0] == Light.GREY
    price = Figure(Metric.COST_PER_LABEL, Cell(QUARTER), euros("0.12"), 500)
    assert judged(price, 0.1, 30)[0] == Light.GREY


def test_the_contract_says_what_is_asked_before_the_scorecard_does() -> None:
    usual = Scorecard()
    terms = contract(
        quality_bar=0.97,
        acceptance={"audited": "0.05", "refused_above": "0.02"},
        levels=[{"at_least": "0.98", "locales": ["de-DE", "sv-SE"]}, {"at_least": "0.9"}],
    )
    asked = {(each.metric, each.locale): each for each in agreed(usual, terms)}
    assert asked[GOLD, None].target == 0.97
    assert asked[Metric.DEFECT_RATE, None].target == 0.02
    levels = [each for each in asked.values() if each.metric == Metric.SLA_ATTAINMENT]
    assert {(each.locale, each.target) for each in levels} == {
        ("de-DE", 0.98),
        ("sv-SE", 0.98),
        (None, 0.9),
    }
    assert sum(each.weight for each in levels) == pytest.approx(0.25)
    without = {each.metric: each.target for each in agreed(usual, None)}
    assert without[GOLD] == usual.lines[GOLD].target


@pytest.mark.parametrize(
    ("lights", "whole"),
    [
        ([], Light.GREY),
        ([(Light.GREEN, 0.4), (Light.GREY, 0.6)], Light.GREY),
        ([(Light.GREEN, 0.8), (Light.AMBER, 0.2)], Light.GREEN),
        ([(Light.GREEN, 0.9), (Light.RED, 0.1)], Light.AMBER),
        ([(Light.GREEN, 0.7), (Light.RED, 0.3)], Light.RED),
        ([(Light.AMBER, 1.0)], Light.AMBER),
    ],
)
def test_the_whole_is_weighed(lights: list[tuple[Light, float]], whole: Light) -> None:
    lines = [Score(MET, None, 0.95, weight, light, Said("why.nothing")) for light, weight in lights]
    assert overall(lines) == whole


def test_the_locale_that_holds_most_of_the_errors_is_the_cause() -> None:
    figures = [
        gold(0.96, n=900, locale="de-DE", kind="verify"),
        gold(0.60, n=100, locale="ja-JP", kind="verify"),
        gold(0.95, n=500, locale="de-DE"),
    ]
    [line] = scores(ONLY_GOLD, None, [MISSED, *figures], (), Cell(QUARTER, "vendor-a"))
    [cause] = parts(line, figures)
    wrong = 900 * 0.04 + 100 * 0.4
    assert cause.figure.cell.locale == "ja-JP"
    assert cause.work == pytest.approx(0.1)
    assert cause.wrong == pytest.approx(40 / wrong)
    assert cause.without == pytest.approx(0.96)


def test_errors_that_are_spread_as_the_work_is_have_no_cause() -> None:
    figures = [gold(0.9, n=500, locale=name, kind="verify") for name in ("de-DE", "ja-JP")]
    [line] = scores(ONLY_GOLD, None, [MISSED], (), Cell(QUARTER, "vendor-a"))
    assert parts(line, figures) == []
    assert parts(line, figures[:1]) == []


def test_a_review_of_no_answers_says_that_nothing_is_known() -> None:
    made = reviewed()
    assert made.light == Light.GREY
    assert [said.key for said in made.summary] == ["summary.grey", "summary.no_answers"]
    assert made.recommendation is not None
    assert made.recommendation.advice == Advice.WAIT
    assert made.actions == made.risks == made.causes == ()


def test_a_review_of_one_answer_does_not_judge() -> None:
    made = reviewed(gold(0.0, 0.0, 0.79, n=1))
    assert made.light == Light.GREY
    [line] = made.scores
    assert ENGLISH.said(line.why) == "1 observation; 30 are needed to say"


def test_what_is_shown_to_be_good_is_renewed() -> None:
    made = reviewed(MET)
    assert made.recommendation is not None
    assert made.recommendation.advice == Advice.RENEW
    assert made.recommendation.notice_by == dt.date(2027, 6, 1)


def test_what_is_missed_is_renegotiated_and_an_action_names_who_mends_it() -> None:
    made = reviewed(MISSED)
    assert made.light == Light.RED
    assert made.recommendation is not None
    assert made.recommendation.advice == Advice.RENEGOTIATE
    [action] = made.actions
    assert ENGLISH.said(action.owner) == "Vendor-A"
    assert WorkingCalendar(vendor()).works_on(action.due)
    assert action.due > AS_OF + dt.timedelta(days=10)


def test_a_vendor_who_misses_again_is_replaced_where_another_is_shown_to_be_good() -> None:
    again = {"before": [MISSED]}
    for peers, advice in (((), Advice.RENEGOTIATE), (("Vendor B",), Advice.REPLACE)):
        made = reviewed(MISSED, peers=peers, **again)
        assert made.recommendation is not None
        assert made.recommendation.advice == advice
    once = reviewed(MISSED, peers=("Vendor B",), before=[MET])
    assert once.recommendation is not None
    assert once.recommendation.advice == Advice.RENEGOTIATE


def test_what_is_not_shown_waits_while_there_is_time_before_notice() -> None:
    soon = contract(notice_by=dt.date(2027, 1, 15), ends=dt.date(2027, 3, 31))
    for terms, advice in ((None, Advice.WAIT), (soon, Advice.RENEGOTIATE)):
        made = reviewed(UNSHOWN, terms=terms)
        assert made.recommendation is not None
        assert made.recommendation.advice == advice
    assert any(action.due == dt.date(2027, 1, 15) for action in made.actions)


def test_without_a_contract_there_is_nothing_to_recommend() -> None:
    made = review(material(), workforce(vendor()), ONLY_GOLD)
    assert made.recommendation is None
    assert made.contracts == ()


def test_a_line_that_bills_too_much_is_a_risk_an_action_and_a_reason() -> None:
    why = Said("verbatim", {"text": "Billed before."})
    lines = (
        InvoiceLine("7", 1, euros("100"), euros("100"), why),
        InvoiceLine("7", 2, euros("130"), euros("100"), why),
        InvoiceLine("8", 1, euros("-40"), euros("-30"), why),
    )
    made = reviewed(MET, invoices=lines)
    said = [ENGLISH.said(each) for each in made.summary]
    assert "Invoices bill €20.00 more than the accepted work comes to." in said
    [risk] = made.risks
    assert risk.what.values["line"] == 2
    assert [action.owner.key for action in made.actions] == ["owner.finance"]
    assert made.recommendation is not None
    assert made.recommendation.advice == Advice.RENEGOTIATE


def test_several_currencies_are_never_added_up() -> None:
    yen = Money(euros("300").amount, "JPY")
    spend = tuple(
        SpendLine(locale, "verify", 1, 1, yen.amount, money)
        for locale, money in (("de-DE", euros("5")), ("ja-JP", yen))
    )
    said = [ENGLISH.said(each) for each in reviewed(MET, spend=spend).summary]
    assert any("€5.00" in each for each in said)
    assert any("¥300" in each for each in said)


def test_an_order_that_runs_out_before_it_ends_is_raised() -> None:
    order = OrderLine(
        "17",
        euros("100"),
        euros("80"),
        euros("15"),
        dt.date(2026, 10, 1),
        dt.date(2027, 3, 31),
        dt.date(2027, 2, 1),
        dt.date(2027, 1, 20),
    )
    made = reviewed(MET, orders=(order,))
    assert [risk.what.key for risk in made.risks] == ["risk.order"]
    assert [action.what.key for action in made.actions] == ["action.order"]
    lasts = reviewed(MET, orders=(replace(order, runs_out_p50=None, runs_out_p85=None),))
    assert lasts.risks == lasts.actions == ()


def test_both_versions_of_a_contract_that_changes_in_mid_quarter_are_named() -> None:
    first = contract()
    second = contract(version=2, starts=dt.date(2026, 11, 16), quality_bar=0.99)
    later = contract(version=3, starts=dt.date(2027, 1, 1), ends=dt.date(2027, 12, 31))
    known = workforce(vendor(), first, second, later)
    assert in_force(known, "vendor-a", QUARTER) == [first, second]
    made = review(material(figures=[MET]), known, ONLY_GOLD)
    assert made.contracts == ("vendor-a/1", "vendor-a/2")
    assert made.scores[0].target == 0.99


def test_the_portfolio_names_vendor_and_budget_that_need_a_leader() -> None:
    bad = reviewed(MISSED)
    over = BudgetLine("Q4", euros("100"), euros("90"), euros("60"))
    made = portfolio(QUARTER, AS_OF, "EUR", [bad, reviewed(MET)], budgets=[over])
    assert made.light == Light.RED
    said = [ENGLISH.said(each) for each in (*made.summary, *(risk.what for risk in made.risks))]
    assert "Vendor-A misses what was agreed." in said
    assert "Budget Q4 is exceeded by €50.00 at the end." in said
    assert list(made.actions) == sorted(made.actions, key=lambda action: action.due)
    nobody = portfolio(QUARTER, AS_OF, "EUR", [])
    assert nobody.light == Light.GREY


def test_a_locale_is_judged_by_when_it_is_done() -> None:
    by = dt.date(2027, 3, 31)
    early, late = by - dt.timedelta(days=9), by + dt.timedelta(days=9)
    assert locale_light(by, early, by, 0) == Light.GREEN
    assert locale_light(by, early, by, 2) == Light.AMBER
    assert locale_light(by, early, late, 0) == Light.AMBER
    assert locale_light(by, late, late, 0) == Light.RED
    assert locale_light(None, None, None, 0) == Light.GREY
    assert worst([Light.GREEN, Light.GREY, Light.AMBER]) == Light.AMBER


def test_due_dates_are_working_days() -> None:
    german = WorkingCalendar(vendor(country="DE", time_zone="Europe/Berlin"))
    # 25 and 26 December and New Year's Day are holidays, and 26 and 27 a weekend in 2026.
    assert due(german, dt.date(2026, 12, 23), 1) == dt.date(2026, 12, 24)  # type: ignore[arg-type]
    assert due(german, dt.date(2026, 12, 24), 1) == dt.date(2026, 12, 28)  # type: ignore[arg-type]


def test_every_sentence_of_a_review_can_be_said_in_every_language() -> None:
    figures = [
        MISSED,
        gold(0.5, n=50, locale="de-DE", kind="verify"),
        gold(0.99, n=900, locale="de-DE", kind="merge"),
    ]
    made = reviewed(*figures, components=(("annotator", 0.6), ("cluster", 0.1)), before=[MISSED])
    for language in ("en", "de", "ja"):
        wording = Wording.load(language)
        said = [
            *made.summary,
            *made.causes,
            *(line.why for line in made.scores),
            *(risk.what for risk in made.risks),
            *(action.what for action in made.actions),
            *(made.recommendation.because if made.recommendation else ()),
        ]
        assert len(said) > 8
        assert all(wording.said(each) for each in said)
