"""The gate's two suites: what each verified label must be, and what a batch must be together."""

from collections.abc import Iterable

from great_expectations import ExpectationSuite
from great_expectations.expectations.row_conditions import Column

from expectations import rules
from expectations.policy import LabelPolicy

# The mean of a batch of 0.9s is 0.8999999999999999.
ROUNDING = 1e-9


def row_rules(policy: LabelPolicy) -> ExpectationSuite:
    """Rules that each label must keep by itself; one that does not is quarantined."""
    return ExpectationSuite(
        name="each-verified-label",
        expectations=[
            rules.ImageIsIngested(),
            rules.OneProductPerImage(),
            rules.HasProduct(),
            rules.HasName(),
            rules.NameIsNormalized(),
            rules.NameSaysSomething(),
            rules.NameIsInTheScript(),
            rules.LocaleIsKnown(),
            rules.LocaleIsTheImages(),
            rules.AgreementIsAShare(),
            rules.AgreementIsEnough(min_value=policy.agreement_at_least),
            rules.AnnotatorIsNamed(),
            rules.SecondsArePlausible(
                min_value=policy.seconds_per_picture.low, max_value=policy.seconds_per_picture.high
            ),
        ],
    )


def set_rules(policy: LabelPolicy, known_locales: Iterable[str]) -> ExpectationSuite:
    """Rules that the accepted labels must keep together; a batch that does not is held."""
    return ExpectationSuite(
        name="verified-labels-together",
        expectations=[
            rules.SomethingIsAccepted(),
            *(
                rules.MeanAgreement(
                    min_value=policy.mean_agreement_per_locale - ROUNDING,
                    row_condition=Column("locale") == locale,
                    description=f"the mean agreement in {locale} is at least {{min_value:g}}",
                )
                for locale in sorted(known_locales)
            ),
            rules.LargestProductShare(max_value=policy.largest_product_share),
            rules.ProductsStayBalanced(max_value=policy.product_shift_at_most),
            rules.LocalesStayBalanced(max_value=policy.locale_shift_at_most),
        ],
    )
