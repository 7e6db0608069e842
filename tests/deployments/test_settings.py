"""The settings of the sites: every value by file or environment, and each mistake named."""

import json

import pytest
from pydantic import ValidationError

from annotation import Effort
from expectations.pictures import PicturePolicy
from tasks.settings import Annotate, LocalLabelStudio, Servers, Settings


def test_one_value_of_one_site_can_be_overridden_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROUNDTRUTH_SERVERS__LABEL_STUDIO__LOCAL__PORT", "9000")

    [site] = Settings().servers.label_studio.values()

    assert site == LocalLabelStudio(port=9000, locales=[], annotators=1)


def test_a_site_can_be_added_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor_b = {"label_studio": {"vendor-b": {"port": 8081, "locales": ["ja-JP"]}}}
    monkeypatch.setenv("GROUNDTRUTH_SERVERS", json.dumps(vendor_b))

    assert sorted(Settings().servers.label_studio) == ["local", "vendor-b"]


@pytest.mark.parametrize(
    "name", ["Vendor", "vendor b", "-b", "b--c", "", "b-lead", "b-simulated-2"]
)
def test_a_name_that_no_block_can_have_or_that_means_another_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="cannot name a site: use"):
        Annotate(sites=[name])
    with pytest.raises(ValidationError, match="cannot name a site: use"):
        Servers(label_studio={name: LocalLabelStudio(port=8081)})


def test_a_site_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="vendor-b stands there more than once"):
        Annotate(sites=["vendor-b", "local", "vendor-b"])


def test_two_servers_on_one_port_are_named() -> None:
    with pytest.raises(
        ValidationError, match=r"label_studio\.vendor-b\.port and webhooks_port are both 4210"
    ):
        Servers(label_studio={"vendor-b": LocalLabelStudio(port=4210)})


def test_a_plan_for_a_locale_that_nobody_annotates_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROUNDTRUTH_PLAN__LOCALES", json.dumps({"xx-XX": {"images": 10}}))

    with pytest.raises(ValidationError, match=r"plan\.locales names xx-XX"):
        Settings()


def test_the_settings_file_has_the_default_policy_for_pictures() -> None:
    assert Settings().pictures == PicturePolicy()


def test_the_settings_file_has_the_default_effort() -> None:
    assert Settings().annotate.effort == Effort()


def test_effort_at_its_former_place_is_told_where_it_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROUNDTRUTH_RETRAIN__EFFORT__SECONDS_PER_SHEET", "5")

    with pytest.raises(ValidationError, match=r"\[annotate\.effort\]: rename \[retrain\.effort\]"):
        Settings()
