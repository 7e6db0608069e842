"""Behaviour of Great Expectations that the gate works around; a failure here is good news.

When an upgrade mends one of these, the code that works around it can go.
"""

from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
import pytest
import sqlalchemy
from great_expectations.expectations.core.expect_column_quantile_values_to_be_between import (
    ExpectColumnQuantileValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.rules import Declared
from expectations.verdict import OnFail

ROWS = 50


class Plain(ExpectColumnValuesToBeBetween):
    column: str = "value"
    max_value: float = -1.0
    severity: FailureSeverity = FailureSeverity.WARNING
    description: str = "declared"


class WithDeclared(Declared, Plain):
    on_fail = OnFail.QUARANTINE
    reason = "it is {max_value}"


@pytest.fixture
def context() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    return context


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"key": range(ROWS), "value": [float(n) for n in range(ROWS)]})


@pytest.fixture
def batch(context: Any, frame: pd.DataFrame) -> Any:
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})


def test_what_a_class_declares_is_dropped_from_results(batch: Any) -> None:
    config = batch.validate(Plain()).expectation_config

    assert config.severity == FailureSeverity.CRITICAL
    assert config.description is None


def test_the_declared_mixin_keeps_what_a_class_declares(batch: Any) -> None:
    config = batch.validate(WithDeclared()).expectation_config

    assert config.severity == FailureSeverity.WARNING
    assert config.description == "declared"
    assert config.meta == {
        "name": "with_declared",
        "on_fail": "report",
        "reason": "it is -1.0",
    }


def test_pandas_names_every_failing_row(batch: Any) -> None:
    found = batch.validate(WithDeclared(), result_format="COMPLETE")

    assert found.result["unexpected_index_list"] == list(range(ROWS))


def test_sql_names_twenty_failing_rows_only(
    context: Any, frame: pd.DataFrame, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'rows.sqlite'}"
    engine = sqlalchemy.create_engine(url)
    frame.to_sql("frame", engine, index=False)
    engine.dispose()
    table = context.data_sources.add_sqlite("sql", connection_string=url).add_table_asset(
        "frame", table_name="frame"
    )
    rows = table.add_batch_definition_whole_table("whole").get_batch()

    found = rows.validate(
        WithDeclared(),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["key"]},
    )

    assert len(found.result["unexpected_index_list"]) == 20


def test_quantiles_crash_a_checkpoint(context: Any, frame: pd.DataFrame) -> None:
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("frame")
    whole = asset.add_batch_definition_whole_dataframe("whole")
    quantiles = ExpectColumnQuantileValuesToBeBetween(
        column="value", quantile_ranges={"quantiles": [0.5], "value_ranges": [[0, 100]]}
    )
    suite = context.suites.add(gx.ExpectationSuite("quantiles", expectations=[quantiles]))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name="quantiles", data=whole, suite=suite)
    )

    with pytest.raises(TypeError, match="not JSON serializable"):
        definition.run(batch_parameters={"dataframe": frame})
