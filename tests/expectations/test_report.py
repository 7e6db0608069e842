from expectations.policy import LabelPolicy
from expectations.report import render
from expectations.verdict import OnFail, RuleOutcome, State, Verdict
from tests.expectations.rows import frame_of, good_batch, good_label, judged


def test_the_page_counts_labels_and_reasons() -> None:
    page = render(judged(frame_of(good_label(0), good_label(1, name="?"))), LabelPolicy())

    assert "1 labels accepted, 1 quarantined." in page
    assert "| the name is a placeholder | 1 |" in page


def test_the_page_names_what_holds_a_batch() -> None:
    batch = good_batch(LabelPolicy().shares_judged_from, product_id="one")
    page = render(judged(batch), LabelPolicy())

    assert "# Gate: the batch is held" in page
    assert "- no product takes more than 50% of the batch: failed, observed 1" in page


def test_the_page_of_an_empty_batch_says_so() -> None:
    assert "# Gate: nothing to judge" in render(judged(good_batch(1)[:0]), LabelPolicy())


def test_the_page_shows_every_threshold_of_the_policy() -> None:
    page = render(judged(good_batch(1)), LabelPolicy())

    assert all(name.replace("_", r"\_") in page for name in LabelPolicy.model_fields)


def test_text_from_outside_can_neither_break_the_table_nor_bring_html() -> None:
    outcome = RuleOutcome(
        name="rule",
        rule="a rule",
        state=State.INCONCLUSIVE,
        severity="critical",
        on_fail=OnFail.HOLD,
        observed="<script>\n| [link](http://x)",
        rows=0,
    )
    verdict = Verdict(accepted=(), quarantined={"l": ("r",)}, rules=(outcome,), held=True)

    page = render(verdict, LabelPolicy())

    assert "<script>" not in page
    assert r"&lt;script&gt; \| \[link\](http://x)" in page
    assert "observed &lt;script&gt;" in page
