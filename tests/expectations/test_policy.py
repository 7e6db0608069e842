import pytest
from pydantic import ValidationError

from expectations.policy import LabelPolicy


def test_every_threshold_has_a_default_and_says_what_it_means() -> None:
    LabelPolicy()

    assert all(field.description for field in LabelPolicy.model_fields.values())


def test_a_misspelt_threshold_is_refused() -> None:
    with pytest.raises(ValidationError, match="agrement_at_least"):
        LabelPolicy.model_validate({"agrement_at_least": 0.5})


def test_an_empty_band_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"low = 2.0 must not exceed high = 1.0"):
        LabelPolicy.model_validate({"seconds_per_picture": {"low": 2, "high": 1}})


def test_a_policy_does_not_change() -> None:
    policy = LabelPolicy()

    with pytest.raises(ValidationError, match="frozen"):
        policy.agreement_at_least = 0.1  # type: ignore[misc]
