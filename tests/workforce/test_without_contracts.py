"""While no contract is recorded, whoever serves the locale is asked."""

from tests.workforce.staff import block
from workforce import by_locale

SITES = {"local": (), "vendor-b": ("ja-JP",)}


def test_the_sites_that_serve_a_locale_share_its_questions() -> None:
    found = by_locale([block(7), block(7, name="second", locale="ja-JP")], SITES)
    given = {(each.block, each.vendor): each.n_questions for each in found.assignments}
    assert given == {("first", "local"): 7, ("second", "local"): 4, ("second", "vendor-b"): 3}
    assert (found.value, found.cost, found.undone) == (14, None, ())
    assert found.sentences[0] == (
        "first (de-DE verify): 7 of 7 to local, which serves the locale; no contract is recorded,"
        " so nothing is known of cost and time."
    )


def test_a_locale_that_no_site_serves_waits() -> None:
    found = by_locale([block(7)], {"vendor-b": ("ja-JP",)})
    assert (found.assignments, found.value) == ((), 0)
    assert found.undone[0].n_questions == 7
