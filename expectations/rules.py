"""The gate's vocabulary: a class per rule, which says what it asks for and why a label fails it.

Each is one of Great Expectations' own expectations, pinned to a column of `expectations.facts`.
"""

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

    The texts may name the rule's own arguments: "agreement is at least {min_value}".
    """

    on_fail: ClassVar[OnFail]
    reason: ClassVar[str] = ""

    @property
    def configuration(self) -> Any:
        config = super().configuration  # type: ignore[misc]
        named = {key: getattr(self, key, None) for key in ("column", *self.success_keys)}  # type: ignore[attr-defined]
        config.kwargs = {k: v for k, v in named.items() if v is not None} | config.kwargs
        config.severity = self.severity  # type: ignore[attr-defined]
        config.description = self.description.format(**config.kwargs)  # type: ignore[attr-defined]
        config.meta = {
            "on_fail": self.on_fail.value
            if config.severity is FailureSeverity.CRITICAL
            else OnFail.REPORT.value,
            "reason": self.reason.format(**config.kwargs),
            **(config.meta or {}),
        }
        return config


class RowRule(Declared):
    on_fail = OnFail.QUARANTINE


class SetRule(Declared):
    on_fail = OnFail.HOLD


class IsTrue(RowRule, ExpectColumnValuesToBeBetween):
    """A fact that is 1.0, or missing where it does not apply."""

    min_value: float = 1.0


# --- rules about one label ------------------------------------------------------------------------


class ImageIsIngested(IsTrue):
    column: str = "ingested"
    description: str = "the image is ingested"
    reason = "the image was never ingested"


class OneProductPerImage(IsTrue):
    column: str = "image_shows_one_product"
    description: str = "an image shows one product"
    reason = "another label says that the image shows another product"


class HasProduct(IsTrue):
    column: str = "has_product"
    description: str = "the label names a product"
    reason = "the label names no product"


class HasName(IsTrue):
    column: str = "has_name"
    description: str = "the product has a name in the label's locale"
    reason = "the product has no name in the label's locale"


class NameIsNormalized(IsTrue):
    column: str = "name_is_nfc"
    description: str = "the name is in Unicode normal form C"
    reason = "the name is not in Unicode normal form C, so it equals no other spelling of itself"


class NameSaysSomething(IsTrue):
    column: str = "name_says_something"
    description: str = "the name is not a placeholder"
    reason = "the name is a placeholder"


class NameIsInTheScript(IsTrue):
    column: str = "name_is_in_script"
    description: str = "the name is written in letters that its locale uses"
    reason = "the name is not written in letters that its locale uses"


class LocaleIsKnown(IsTrue):
    column: str = "locale_is_known"
    description: str = "the locale is one that has annotators"
    reason = "the locale is not one that has annotators"


class LocaleIsTheImages(IsTrue):
    column: str = "locale_is_the_images"
    description: str = "the label's locale is the image's"
    reason = "the label's locale is not the image's"


class AgreementIsAShare(IsTrue):
    column: str = "agreement_is_a_share"
    description: str = "the agreement lies between 0 and 1"
    reason = "the agreement is missing or does not lie between 0 and 1"


class AgreementIsEnough(RowRule, ExpectColumnValuesToBeBetween):
    column: str = "agreement"
    description: str = "the annotators' agreement is at least {min_value}"
    reason = "the annotators' agreement is below {min_value}"


class AnnotatorIsNamed(IsTrue):
    column: str = "annotator_is_named"
    description: str = "every annotator of the label is named"
    reason = "an annotator of the label is not named"


class SecondsArePlausible(RowRule, ExpectColumnValuesToBeBetween):
    column: str = "seconds_per_picture"
    severity: FailureSeverity = FailureSeverity.WARNING
    description: str = "a decision takes between {min_value} and {max_value} seconds per picture"
    reason = "the decision did not take between {min_value} and {max_value} seconds per picture"


# --- rules about a batch --------------------------------------------------------------------------


class SomethingIsAccepted(SetRule, ExpectTableRowCountToBeBetween):
    min_value: int = 1
    severity: FailureSeverity = FailureSeverity.WARNING
    description: str = "at least one label passes the row rules"


class MeanAgreement(SetRule, ExpectColumnMeanToBeBetween):
    column: str = "agreement"


class LargestProductShare(SetRule, ExpectColumnMaxToBeBetween):
    column: str = "share_of_product"
    description: str = "no product takes more than {max_value:.0%} of the batch"


class ProductsStayBalanced(SetRule, ExpectColumnMeanToBeBetween):
    column: str = "product_shift"
    severity: FailureSeverity = FailureSeverity.WARNING
    description: str = "the batch moves the training set's products by at most {max_value}"


class LocalesStayBalanced(SetRule, ExpectColumnMeanToBeBetween):
    column: str = "locale_shift"
    severity: FailureSeverity = FailureSeverity.WARNING
    description: str = "the batch moves the training set's locales by at most {max_value}"
