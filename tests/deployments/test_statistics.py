"""Statistics on the command line: a sentence and the figures behind it."""

import pytest
from typer.testing import CliRunner

from deployments.statistics import app
from workforce.errors import WorkforceError


def run(*arguments: str) -> str:
    found = CliRunner().invoke(app, arguments)
    if found.exception is not None:
        raise found.exception
    return found.output


def test_power_says_how_many_gold_answers_tell_two_accuracies_apart() -> None:
    assert "562 gold answers of each tell 95.0% from 98.0%" in run(
        "power", "--from", ".95", "--to", ".98"
    )


def test_audits_says_how_many_clean_ones_bound_defects() -> None:
    assert "299 clean audits show with 95% confidence" in run("audits", "--below", ".01")


def test_plan_says_what_to_audit_and_of_a_delivery_what_is_left() -> None:
    assert "Audit 521 and accept with up to 9 defects" in run(
        "plan", "--good", ".01", "--bad", ".03"
    )
    of_a_delivery = run("plan", "--good", ".01", "--bad", ".03", "--lot", "2000")
    assert "left after audits" in of_a_delivery


def test_sprt_says_whether_to_go_on() -> None:
    test = ("sprt", "--good", ".01", "--bad", ".03", "--at-most", "800")
    assert "go on" in run(*test, "--wrong", "1", "--audited", "150")
    assert "bad" in run(*test, "--wrong", "6", "--audited", "100")


def test_what_cannot_be_asked_says_how_to_mend_it() -> None:
    with pytest.raises(WorkforceError, match=r"write 1 % as 0\.01"):
        run("plan", "--good", ".03", "--bad", ".01")
