"""The gate's vocabulary: a class per rule, which says what it asks for and why a label fails it.

Each is one of Great Expectations' own expectations, pinned to a column of `expectations.facts`. A
rule is named as its class is, and the policy says by that name how severe it is.
"""

import re
from typing import Any, ClassVar

from great_expectations.expectations.core.expect_column_max_to_be_between import (
    ExpectColumnMaxToBeBetween,
)
from great_expectations.expectations.core.expect_column_mean_to_be_between import (
    ExpectColumnMeanToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.verdict import OnFail


class Declared:
    """Report what a class declares; Great Expectations keeps only what a call passes.

    The texts may name the rule's own arguments: "agreement is at least {min_value}". What it is
    about (`on_fail`, `name`, `reason`) goes with the result, and so does the `locale`, where the
    rule is about one, and `too_little_history`, where its bounds are not known yet.
    """

    on_fail: ClassVar[OnFail]
    reason: ClassVar[str] = ""

    @classmethod
    def named(cls) -> str:
        """The name of the rule: ``has_name`` of the class `HasName`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @property
    def configuration(self) -> Any:
        config = super().configuration  # type: ignore[misc]
        named = {key: getattr(self, key, None) for key in ("column", *self.success_keys)}  # type: ignore[attr-defined]
        config.kwargs = {k: v for k, v in named.items() if v is not None} | config.kwargs
        config.severity = self.severity  # type: ignore[attr-defined]
        config.description = self.description.format(**config.kwargs)  # type: ignore[attr-defined]
        config.meta = {
            "name": self.named(),
            "on_fail": self.on_fail.value
            if config.severity is FailureSeverity.CRITICAL
            else OnFail.REPORT.value,
            "reason": self.reason.format(**config.kwargs),
            **(config.meta or {}),
        }
        return config


class RowRule(Declared, ExpectColumnValuesToBeBetween):
    """A fact about each label that is 1.0, or missing where it does not apply."""

    on_fail = OnFail.QUARANTINE
    min_value: float = 1.0


class SetRule(Declared):
    on_fail = OnFail.HOLD


# --- rules about one label ------------------------------------------------------------------------


class ImageIsIngested(RowRule):
    column: str = "ingested"
    description: str = "the image is ingested"
    reason = "the image was never ingested"


class ImageIsUnchanged(RowRule):
    column: str = "unchanged"
    description: str = "the image's bytes are those that were ingested"
    reason = "the image's bytes are gone, or not those that were ingested"


class OneProductPerImage(RowRule):
    column: str = "image_shows_one_product"
    description: str = "an image shows one product"
    reason = "another label says that the image shows another product"


class NoDecisionContradicts(RowRule):
    column: str = "not_known_to_differ"
    description: str = "no decision says that the image does not show the product"
    reason = "a decision says that the image does not show the product"


class NobodyIsAskedAboutAContradiction(RowRule):
    column: str = "not_disputed"
    description: str = "no contradiction about the image waits for an answer"
    reason = "decisions about the image contradict each other, and people are asked which is right"


class HasProduct(RowRule):
    column: str = "has_product"
    description: str = "the label names a product"
    reason = "the label names no product"


class HasName(RowRule):
    column: str = "has_name"
    description: str = "the product has a name in the label's locale"
    reason = "the product has no name in the label's locale"


class NameIsNormalized(RowRule):
    column: str = "name_is_nfc"
    description: str = "the name is in Unicode normal form C"
    reason = "the name is not in Unicode normal form C, so it equals no other spelling of itself"


class NameSaysSomething(RowRule):
    column: str = "name_says_something"
    description: str = "the name is not a placeholder"
    reason = "the name is a placeholder"


class NameIsInTheScript(RowRule):
    column: str = "name_is_in_script"
    description: str = "the name is written in letters that its locale uses"
    reason = "the name is not written in letters that its locale uses"


class LocaleIsKnown(RowRule):
    column: str = "locale_is_known"
    description: str = "the locale is one that has annotators"
    reason = "the locale is not one that has annotators"


class LocaleIsTheImages(RowRule):
    column: str = "locale_is_the_images"
    description: str = "the label's locale is the image's"
    reason = "the label's locale is not the image's"


class VendorIsKnown(RowRule):
    column: str = "vendor_is_known"
    description: str = "the question was asked at the site of a vendor that we know"
    reason = "the question was asked at a site that is not in the settings"


class VerdictIsKnown(RowRule):
    column: str = "verdict_is_known"
    description: str = "the decision behind the label says what its images show"
    reason = "the decision behind the label does not say what its images show"


class GuaranteeHolds(RowRule):
    column: str = "guarantee_holds"
    description: str = "what nobody was asked about was accepted while the guarantee held"
    reason = "nobody was asked about it, and the audits do not carry what was accepted then"


class AgreementIsAShare(RowRule):
    column: str = "agreement_is_a_share"
    description: str = "the agreement lies between 0 and 1"
    reason = "the agreement is missing or does not lie between 0 and 1"


class AgreementIsEnough(RowRule):
    column: str = "agreement_is_enough"
    reason = "the annotators' agreement is below the bar of the locale"


class PosteriorIsEnough(RowRule):
    column: str = "posterior_is_enough"
    reason = "the label is right with less probability than the bar of the locale"


class AnnotatorIsNamed(RowRule):
    column: str = "annotator_is_named"
    description: str = "every annotator of the label is named"
    reason = "an annotator of the label is not named"


class AnnotatorIsNotSuspended(RowRule):
    column: str = "annotator_is_not_suspended"
    description: str = "no annotator of the label is suspended"
    reason = "an annotator of the label is suspended"


class AnnotatorKeepsTheContract(RowRule):
    column: str = "annotator_keeps_the_contract"
    reason = "an annotator of the label is shown to err on gold questions more than is allowed"


class VendorKeepsTheContract(RowRule):
    column: str = "vendor_keeps_the_contract"
    reason = "the vendor of the label is shown to err on gold questions more than is allowed"


class SecondsArePlausible(RowRule):
    column: str = "seconds_are_plausible"
    reason = "the decision took fewer or more seconds per picture than is plausible"


class NearDuplicatesAgree(RowRule):
    column: str = "near_duplicates_agree"
    description: str = "images that are nearly the same show the same product"
    reason = "another image that is nearly the same is said to show another product"


class LabelIsBelievable(RowRule):
    column: str = "label_is_believable"
    reason = "the image looks like those of another product"


class ImageIsNoOutlier(RowRule):
    column: str = "image_is_no_outlier"
    reason = "the image looks like no other"


# --- rules about a batch --------------------------------------------------------------------------


class SomethingIsAccepted(SetRule, ExpectTableRowCountToBeBetween):
    min_value: int = 1
    description: str = "at least one label passes the row rules"


class MeanAgreement(SetRule, ExpectColumnMeanToBeBetween):
    column: str = "agreement"


class LargestProductShare(SetRule, ExpectColumnMaxToBeBetween):
    column: str = "share_of_product"
    description: str = "no product takes more than {max_value:.0%} of the batch"


class ProductsStayBalanced(SetRule, ExpectColumnMeanToBeBetween):
    column: str = "product_shift"
    description: str = "the batch moves the training set's products by at most {max_value}"


class LocalesStayBalanced(SetRule, ExpectColumnMeanToBeBetween):
    column: str = "locale_shift"
    description: str = "the batch moves the training set's locales by at most {max_value}"


# --- rules about a locale, beside its own history -------------------------------------------------


class UsualRule(SetRule, ExpectColumnMeanToBeBetween):
    """A figure of a locale that stays within its own control limits."""

    of: ClassVar[str]
    measured: ClassVar[str]


class ConfirmedShareIsUsual(UsualRule):
    measured = "confirmed_share"
    column: str = measured
    of = "the share of questions that were confirmed"


class MeanAgreementIsUsual(UsualRule):
    measured = "mean_agreement"
    column: str = measured
    of = "the mean agreement"


class QuarantinedShareIsUsual(UsualRule):
    measured = "quarantined_share"
    column: str = measured
    of = "the share of labels that are quarantined"


USUAL_RULES = (ConfirmedShareIsUsual, MeanAgreementIsUsual, QuarantinedShareIsUsual)
