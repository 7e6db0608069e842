"""What was agreed with the three vendors of a sample year: records, and when each was said.

Alpha in Berlin is paid by the hour, Beta in Tokyo by the answer, Gamma in Cairo by the label; each
rate card has a tier that a usual month reaches. Alpha's second version begins in mid-month, and the
budget is revised once. Cairo works from Sunday to Thursday.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from workforce.records import Workforce
from workforce.records.vendors import pseudonym

ALPHA, BETA, GAMMA = VENDORS = ("vendor-a", "vendor-b", "vendor-c")

READERS = {
    ALPHA: {"de-DE": (1, 2, 3), "sv-SE": (3, 4), "en-US": (5, 6)},
    BETA: {"ja-JP": (1, 2, 3), "en-US": (3, 4)},
    GAMMA: {"ar-EG": (1, 2, 3), "en-US": (3, 4)},
}
"""The numbers of the people who read each locale."""

LEVELS = [
    {
        "metric": "sla_attainment",
        "at_least": "0.95",
        "credit": "0.02",
        "credit_at_most": "0.10",
        "judged_from": 30,
    }
]

USUAL_ANSWERS = 40_000
"""The answers of a year for which the amounts below are written; another size scales them."""


@dataclass(frozen=True)
class Recording:
    """Records that somebody entered at a moment, and why."""

    at: dt.datetime
    by: str
    reason: str
    records: Workforce


def annotator(site: str, number: int) -> str:
    """The name under which a person of a vendor answers."""
    return f"{site}-{number}@annotators.example"


def lead(site: str) -> str:
    """The name under which the lead of a vendor answers."""
    return f"{site}-lead@annotators.example"


def recordings(year: int, seed: int, answers: int) -> list[Recording]:
    """What was said about a year in which so many answers are given, in the order it was said."""
    size = Decimal(answers) / USUAL_ANSWERS
    return [
        Recording(
            dt.datetime(year - 1, 12, 1, 9, tzinfo=dt.UTC),
            "m.lindqvist",
            f"the contracts of {year}",
            Workforce.model_validate(_at_first(year, seed, size)),
        ),
        Recording(
            dt.datetime(year, 5, 18, 12, tzinfo=dt.UTC),
            "m.lindqvist",
            "Arabic needs more than was planned",
            Workforce.model_validate({"budgets": [_budget(year, size, revision=1)]}),
        ),
        Recording(
            dt.datetime(year, 6, 24, 15, tzinfo=dt.UTC),
            "m.lindqvist",
            "Alpha's prices were agreed anew",
            Workforce.model_validate({"contracts": [_alpha_anew(year, size)]}),
        ),
    ]


def agreed(recordings: Iterable[Recording]) -> Workforce:
    """Everything as it stands when all was said."""
    records = {
        (record.kind, record.key): record
        for recording in recordings
        for record in recording.records.records()
    }
    return Workforce.of(records.values())


def _at_first(year: int, seed: int, size: Decimal) -> dict[str, object]:
    term = {"starts": dt.date(year, 1, 1), "ends": dt.date(year, 12, 31)}
    common = {
        "quality_bar": 0.95,
        "levels": LEVELS,
        "notice_by": dt.date(year, 9, 30),
        "renews_for_months": 12,
    }
    return {
        "vendors": [
            {
                "site": ALPHA,
                "name": "Alpha Annotation GmbH",
                "country": "DE",
                "subdivision": "BE",
                "time_zone": "Europe/Berlin",
                "day_ends": dt.time(17, 30),
                "closed": [dt.date(year, 12, 24), dt.date(year, 12, 31)],
                "people": 6,
                "paid_hours_per_day": "40",
                "locales": _readers(ALPHA),
            },
            {
                "site": BETA,
                "name": "Beta K.K.",
                "country": "JP",
                "time_zone": "Asia/Tokyo",
                "people": 4,
                "paid_hours_per_day": "28",
                "locales": _readers(BETA),
            },
            {
                "site": GAMMA,
                "name": "Gamma Data S.A.E.",
                "country": "EG",
                "time_zone": "Africa/Cairo",
                "working_days": ["sun", "mon", "tue", "wed", "thu"],
                "people": 4,
                "paid_hours_per_day": "28",
                "locales": _readers(GAMMA),
            },
        ],
        "persons": [
            {
                "vendor": site,
                "pseudonym": pseudonym(site, annotator(site, number)),
                "locales": [locale for locale, people in of_site.items() if number in people],
                "since": dt.date(year - 1, 12, 1),
            }
            for site, of_site in READERS.items()
            for number in sorted({number for people in of_site.values() for number in people})
        ],
        "contracts": [
            {
                **term,
                **common,
                "vendor": ALPHA,
                "version": 1,
                "currency": "EUR",
                "rates": [_rate("hour", "26.00", "23.50", 2 * size)],
                "turnaround": [{"working_days": 3}],
            },
            {
                **term,
                **common,
                "vendor": BETA,
                "version": 1,
                "currency": "JPY",
                "rates": [_rate("question", "22", "18", 700 * size)],
                "turnaround": [
                    {"working_days": 2, "kinds": ["verify", "attach"]},
                    {"working_days": 3, "kinds": ["merge"]},
                ],
            },
            {
                **term,
                **common,
                "vendor": GAMMA,
                "version": 1,
                "currency": "USD",
                "rates": [
                    _rate("label", "0.060", "0.048", 1000 * size),
                    {"unit": "question", "price": "0.050", "kinds": ["merge"]},
                ],
                "turnaround": [{"working_days": 3}],
            },
        ],
        "purchase_orders": [
            {
                "number": f"{year}-{vendor[-1].upper()}{half + 1}",
                "vendor": vendor,
                "amount": str((amount * size).quantize(Decimal(1))),
                "currency": currency,
                "starts": (dt.date(year, 1, 1), dt.date(year, 7, 1))[half],
                "ends": (dt.date(year, 6, 30), dt.date(year, 12, 31))[half],
            }
            for vendor, amount, currency in (
                (ALPHA, Decimal(2_000), "EUR"),
                (BETA, Decimal(220_000), "JPY"),
                (GAMMA, Decimal(1_200), "USD"),
            )
            for half in (0, 1)
        ],
        "budgets": [
            _budget(year, size, revision=0),
            {
                **term,
                "name": f"{year} Europe",
                "amount": str((3_000 * size).quantize(Decimal("0.01"))),
                "currency": "EUR",
                "locales": ["de-DE", "sv-SE"],
            },
        ],
        "exchange_rates": _exchange_rates(year, seed),
    }


def _alpha_anew(year: int, size: Decimal) -> dict[str, object]:
    return {
        "vendor": ALPHA,
        "version": 2,
        "starts": dt.date(year, 7, 16),
        "ends": dt.date(year + 1, 6, 30),
        "currency": "EUR",
        "rates": [_rate("hour", "27.50", "24.50", size)],
        "turnaround": [{"working_days": 3}],
        "quality_bar": 0.95,
        "levels": LEVELS,
        "notice_by": dt.date(year + 1, 3, 31),
        "renews_for_months": 12,
    }


def _budget(year: int, size: Decimal, *, revision: int) -> dict[str, object]:
    approved = {"reason": "Arabic needs more than was planned", "approved_by": "S. Okafor"}
    return {
        "name": f"{year}",
        "amount": str(((6_000, 6_800)[revision] * size).quantize(Decimal("0.01"))),
        "currency": "EUR",
        "starts": dt.date(year, 1, 1),
        "ends": dt.date(year, 12, 31),
        "revision": revision,
        **(approved if revision else {}),
    }


def _rate(unit: str, price: str, beyond: str, above: Decimal) -> dict[str, object]:
    tiers = [{"above": max(1, round(above)), "price": beyond}]
    return {"unit": unit, "price": price, "tiers": tiers}


def _readers(site: str) -> dict[str, dict[str, int]]:
    return {locale: {"people": len(people)} for locale, people in READERS[site].items()}


def _exchange_rates(year: int, seed: int) -> list[dict[str, object]]:
    """One of each currency on the first of each month, wandering from a usual one."""
    chance = Random(f"exchange rates {seed}")
    rates = []
    for currency, usual in (("JPY", 170.0), ("USD", 1.1)):
        rate = usual
        for month in range(1, 13):
            rate *= chance.lognormvariate(0, 0.01)
            on = dt.date(year, month, 1)
            rates.append({"of": "EUR", "into": currency, "on": on, "rate": f"{rate:.4f}"})
    return rates
