"""The gate's suites: each label, the batch together, and each locale beside its history."""

from collections.abc import Iterable, Mapping
from typing import Any

from great_expectations import ExpectationSuite
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.row_conditions import Column

from expectations import rules
from expectations.policy import Band, LabelPolicy

# The mean of a batch of 0.9s is 0.8999999999999999.
ROUNDING = 1e-9


def row_rules(policy: LabelPolicy) -> ExpectationSuite:
    """Rules that each label must keep by itself; one that does not is quarantined."""

    def bar(name: str) -> str:
        return policy.in_words(name)

    texts: Mapping[type[rules.RowRule], str | None] = {
        rules.ImageIsIngested: None,
        rules.ImageIsUnchanged: None,
        rules.OneProductPerImage: None,
        rules.NoDecisionContradicts: None,
        rules.NobodyIsAskedAboutAContradiction: None,
        rules.HasProduct: None,
        rules.HasName: None,
        rules.NameIsNormalized: None,
        rules.NameSaysSomething: None,
        rules.NameIsInTheScript: None,
        rules.LocaleIsKnown: None,
        rules.LocaleIsTheImages: None,
        rules.VendorIsKnown: None,
        rules.VerdictIsKnown: None,
        rules.GuaranteeHolds: None,
        rules.AgreementIsAShare: None,
        rules.AgreementIsEnough: f"the annotators' agreement is at least"
        f" {bar('agreement_at_least')}",
        rules.PosteriorIsEnough: f"the label is right with a probability of at least"
        f" {bar('posterior_at_least')}",
        rules.AnnotatorIsNamed: None,
        rules.AnnotatorIsNotSuspended: None,
        rules.AnnotatorKeepsTheContract: f"no annotator of the label is shown to be right on less"
        f" than {bar('gold_accuracy_at_least')} of the gold questions",
        rules.VendorKeepsTheContract: f"the vendor's annotators together are not shown to be right"
        f" on less than {bar('gold_accuracy_at_least')} of the gold questions",
        rules.SecondsArePlausible: f"a decision takes {bar('seconds_per_picture')} seconds per"
        " picture",
        rules.NearDuplicatesAgree: None,
        rules.LabelIsBelievable: "the image looks like its product: its label's quality is at least"
        f" {policy.label_quality_at_least:g}",
        rules.ImageIsNoOutlier: "the image looks like some others: its typicality is at least"
        f" {policy.typicality_at_least:g}",
    }
    return ExpectationSuite(
        name="each-verified-label",
        expectations=[
            _stated(policy, rule, **({} if text is None else {"description": text}))
            for rule, text in texts.items()
        ],
    )


def set_rules(policy: LabelPolicy, known_locales: Iterable[str]) -> ExpectationSuite:
    """Rules that the accepted labels must keep together; a batch that does not is held."""
    return ExpectationSuite(
        name="verified-labels-together",
        expectations=[
            _stated(policy, rules.SomethingIsAccepted),
            *(
                _stated(
                    policy,
                    rules.MeanAgreement,
                    min_value=policy.of_locale(locale).mean_agreement_per_locale - ROUNDING,
                    row_condition=Column("locale") == locale,
                    description=f"the mean agreement in {locale} is at least {{min_value:g}}",
                    meta={"locale": locale},
                )
                for locale in sorted(known_locales)
            ),
            _stated(policy, rules.LargestProductShare, max_value=policy.largest_product_share),
            _stated(policy, rules.ProductsStayBalanced, max_value=policy.product_shift_at_most),
            _stated(policy, rules.LocalesStayBalanced, max_value=policy.locale_shift_at_most),
        ],
    )


def usual_rules(
    policy: LabelPolicy, limits: Mapping[tuple[str, str], Band | None]
) -> ExpectationSuite:
    """Rules that a locale's figures stay within what is usual there.

    `limits` holds the control limits by rule and locale; None where too little is known.
    """
    named = {rule.named(): rule for rule in rules.USUAL_RULES}
    return ExpectationSuite(
        name="locales-beside-their-history",
        expectations=[
            _stated(
                policy,
                named[name],
                min_value=band.low - ROUNDING if band else 0.0,
                max_value=band.high + ROUNDING if band else 1.0,
                row_condition=Column("locale") == locale,
                description=f"{named[name].of} in {locale} is "
                + (f"usual: {band.low:.2f} to {band.high:.2f}" if band else "usual"),
                meta={"locale": locale, "too_little_history": band is None},
            )
            for (name, locale), band in sorted(limits.items())
        ],
    )


def _stated(policy: LabelPolicy, rule: type[Any], **arguments: Any) -> Any:
    """A rule with the severity that the policy gives it."""
    severity = FailureSeverity(getattr(policy.severity, rule.named()))
    return rule(severity=severity, **arguments)
