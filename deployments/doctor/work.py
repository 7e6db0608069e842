"""The work itself: questions beyond their turnaround, an old champion, warnings that stand."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from catalog import vital_signs, warned
from catalog.waiting import waiting
from deployments.doctor.catalogue import opened
from deployments.doctor.examination import Finding, warning, well
from tasks.settings import Settings
from workforce.records import ledger
from workforce.reviews.dashboard import Asked, late
from workforce.reviews.review import Light

A_DAY = dt.timedelta(days=1)


def questions(settings: Settings) -> Iterator[Finding]:
    """Whether vendors return questions within the turnaround of their contract."""
    now = dt.datetime.now(dt.UTC)
    days: dict[tuple[str, str, str], dict[dt.date, int]] = defaultdict(dict)
    with opened(settings).read() as transaction:
        for each in waiting(transaction):
            days[each.site, each.locale, each.kind][each.on] = each.n
        workforce = ledger.standing(transaction)
    found = late(workforce, [Asked(*place, on) for place, on in days.items()], now)
    for each in found:
        if each.n_overdue:
            yield warning(
                f"{each.vendor_name}, {each.locale}, {each.kind}: {each.n_overdue} of"
                f" {each.n_open} open questions are overdue, the oldest is of {each.oldest}",
                f"ask {each.vendor_name}; `groundtruth plan` shows who else serves {each.locale}",
            )
    yield well(f"{sum(each.n_open for each in found)} questions are open")


def model(settings: Settings) -> Iterator[Finding]:
    """Whether the champion has learnt from what was labelled lately."""
    with opened(settings).read() as transaction:
        found = vital_signs.champion_now(transaction)
    if found is None:
        yield warning(
            "there is no champion yet, so nothing is clustered",
            "ingest a manifest with a `product` column, then `groundtruth collect` and `groundtruth"
            " retrain`",
        )
        return
    age = (dt.datetime.now(dt.UTC) - found.model.trained_at) / A_DAY
    says = f"the champion {found.model.id[:8]} was trained {age:.0f} days ago"
    if age > settings.observability.model_within_days:
        yield warning(
            says,
            "`groundtruth models due` says whether there are new labels; `groundtruth models list`"
            " whether challengers lose",
        )
    else:
        yield well(says)


def warnings(settings: Settings) -> Iterator[Finding]:
    """What the flow `watch` warns of and is not over."""
    with opened(settings).read() as transaction:
        standing = warned.standing(transaction)
    for each in standing:
        if each.light == Light.RED:
            yield warning(each.what, "`groundtruth warnings`; docs/forecasts.md says what helps")
    yield well(f"{len(standing)} warnings stand")
