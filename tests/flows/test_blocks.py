"""What a person configures in Prefect's forms is taken from there, and secrets stay there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from deployments.orchestration import prefect_client
from expectations.policy import LabelPolicy
from tasks.blocks import FORMS, Blobs, Catalogue, GatePolicy, register
from tasks.errors import SettingsError
from tasks.settings import Blocks, Settings, load_settings
from tests.conftest import free_ports

PASSWORD = "n0t-to-be-seen"


@pytest.fixture
def named(prefect: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings that name a block for everything; the blocks are there, the files are not."""
    monkeypatch.setenv("GROUNDTRUTH_DATA", str(tmp_path))
    monkeypatch.setenv("GROUNDTRUTH_SERVERS__PREFECT_PORT", str(prefect.servers.prefect_port))
    monkeypatch.setenv(
        "GROUNDTRUTH_BLOCKS", json.dumps({"catalogue": "ours", "blobs": "ours", "gate": "strict"})
    )
    url = f"postgresql+psycopg://groundtruth:{PASSWORD}@db.example/groundtruth"
    with temporary_settings({PREFECT_API_URL: prefect.servers.prefect_api}):
        Catalogue(url=SecretStr(url)).save("ours", overwrite=True)
        Blobs(
            url="s3://bucket/ours",
            access_key=SecretStr("key"),
            secret_key=SecretStr(PASSWORD),
            endpoint="http://127.0.0.1:9",
        ).save("ours", overwrite=True)
        strict = LabelPolicy(agreement_at_least=0.9)
        GatePolicy(policy=strict).save("strict", overwrite=True)
    load_settings.cache_clear()
    yield load_settings()
    load_settings.cache_clear()


def test_every_form_is_shown_by_prefect(prefect: Settings) -> None:
    register(prefect.servers.prefect_api)

    with prefect_client(prefect) as api:
        for form in FORMS:
            assert api.get(f"/block_types/slug/{form._block_type_slug}").is_success


def test_catalogue_and_store_are_those_of_their_blocks(named: Settings) -> None:
    assert named.catalogue_url.endswith(f"groundtruth:{PASSWORD}@db.example/groundtruth")
    assert named.blob_store.address == "s3://bucket/ours"


def test_the_policy_of_a_block_replaces_that_of_the_file(named: Settings) -> None:
    assert named.gate.agreement_at_least == 0.9
    assert Settings().gate.agreement_at_least == LabelPolicy().agreement_at_least


def test_secrets_of_blocks_are_not_in_what_settings_show(named: Settings) -> None:
    assert named.catalogue_url
    assert PASSWORD not in f"{named!r} {named.model_dump_json()}"


def test_prefect_shows_secrets_to_nobody_who_lists_blocks(named: Settings) -> None:
    with prefect_client(named) as api:
        listed = api.post("/block_documents/filter", json={}).text

    assert "db.example" not in listed
    assert PASSWORD not in listed


def test_a_block_that_is_missing_is_named(named: Settings) -> None:
    astray = named.model_copy(update={"blocks": Blocks(catalogue="nowhere")})

    with pytest.raises(SettingsError, match=r"no Prefect block groundtruth-catalogue/nowhere"):
        _ = astray.catalogue_url


def test_a_prefect_that_does_not_answer_is_named(named: Settings) -> None:
    [closed] = free_ports(1)
    servers = named.servers.model_copy(update={"prefect_port": closed})
    away = named.model_copy(update={"servers": servers})

    with pytest.raises(SettingsError, match=rf"Prefect at http://127.0.0.1:{closed}/api does not"):
        _ = away.catalogue_url
