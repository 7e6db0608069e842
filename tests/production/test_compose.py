"""compose.yaml and the proxy's configuration, read without starting anything."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from annotation import S3Access, S3Pictures
from deployments.orchestration import ROOT
from tests.production.certificates import write_certificates
from tests.production.compose import (
    DOMAIN,
    FILE,
    FOLDER,
    Composed,
    filled_in,
    names_to_fill_in,
)
from tests.production.conftest import BACKUPS, BUCKET, PIPELINE, SITES, proxy_command

SETUP = FOLDER / "s3" / "setup.sh"
NO_SECRETS = ("COMPOSE_PROJECT_NAME", "GROUNDTRUTH_VERSION", "PIPELINE_S3_KEY")
ONE_SHOT = {"setup", "s3-setup"}


@pytest.fixture
def composed(tmp_path: Path) -> Composed:
    return Composed(filled_in(), "127.1.1", tmp_path)


@pytest.fixture
def networks() -> dict[str, dict[str, bool]]:
    found: dict[str, dict[str, bool]] = yaml.safe_load(FILE.read_text())["networks"]
    return found


def test_it_is_what_the_compose_specification_allows() -> None:
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", str(FILE)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.skipif(
    shutil.which("docker-compose") is None, reason="docker-compose, which renders it, is not here"
)
def test_compose_itself_reads_it_as_these_tests_do(composed: Composed, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in composed.secrets.items()))
    rendered = subprocess.run(
        ["docker-compose", "--env-file", str(tmp_path / ".env"), "-f", str(FILE), "config"],
        capture_output=True,
        text=True,
        check=True,
    )
    services = yaml.safe_load(rendered.stdout)["services"]

    assert services.keys() == composed.services.keys()
    for name, ours in composed.services.items():
        assert services[name].get("environment", {}) == ours.get("environment", {})


@pytest.mark.skipif(
    shutil.which("docker-compose") is None, reason="docker-compose, which refuses, is not here"
)
def test_compose_refuses_to_start_with_the_example_as_it_is() -> None:
    refused = subprocess.run(
        ["docker-compose", "--env-file", str(FOLDER / ".env.example"), "-f", str(FILE), "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
    assert re.search("(?i)missing", refused.stderr)


def test_the_example_names_every_secret_and_gives_none() -> None:
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)", FILE.read_text()))

    assert names_to_fill_in().keys() == asked | {"COMPOSE_PROJECT_NAME"}
    assert {name for name, value in names_to_fill_in().items() if value} == set(NO_SECRETS)


def test_what_git_ignores_does_not_enter_the_image() -> None:
    in_git = (ROOT / ".gitignore").read_text().splitlines()
    in_docker = (ROOT / ".dockerignore").read_text().splitlines()

    assert {as_docker_says(pattern) for pattern in in_git} | {".git"} <= {*in_docker}


def as_docker_says(pattern: str) -> str:
    """A pattern of git's, as `.dockerignore` spells it."""
    anchored = "/" in pattern.rstrip("/")
    return pattern.strip("/") if anchored else f"**/{pattern.strip('/')}"


def test_the_image_that_is_built_is_the_one_that_every_service_of_ours_runs(
    composed: Composed,
) -> None:
    ours = {
        name: each for name, each in composed.services.items() if "groundtruth:" in each["image"]
    }
    [built] = [each["build"] for each in ours.values() if "build" in each]

    assert (FOLDER / built["context"]).resolve() == ROOT
    assert (ROOT / built["dockerfile"]).is_file()
    assert len({each["image"] for each in ours.values()}) == 1


def test_the_image_has_the_client_programs_of_the_database_that_runs(composed: Composed) -> None:
    major = composed.services["postgres"]["image"].partition(":")[2].partition(".")[0]

    assert f"postgresql-client-{major}=" in (FOLDER / "Dockerfile").read_text()


def test_only_the_proxy_is_published(composed: Composed) -> None:
    published = {name: each["ports"] for name, each in composed.services.items() if "ports" in each}

    assert published == {"proxy": ["443:443"]}


def test_the_proxy_answers_on_the_port_that_https_has_inside_as_outside(
    composed: Composed,
) -> None:
    proxy = composed.services["proxy"]

    assert proxy["environment"]["TLS_PORT"] == "443"
    assert proxy["sysctls"] == {"net.ipv4.ip_unprivileged_port_start": 0}
    assert proxy["healthcheck"]["test"][-1] == "https://127.0.0.1/healthz"


def test_no_service_has_more_rights_than_it_needs(composed: Composed) -> None:
    for name, each in composed.services.items():
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert each["read_only"], name
        assert not each.keys() & {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"}
        assert not any("docker.sock" in mount for mount in each.get("volumes", [])), name


def test_every_service_has_limits_a_pinned_image_and_a_health_check(composed: Composed) -> None:
    for name, each in composed.services.items():
        assert "mem_limit" in each, name
        assert re.search(r":\D*\d+[.-]\d+", each["image"]), name
        assert ("healthcheck" in each) != (name in ONE_SHOT), name


def test_only_what_calls_addresses_elsewhere_is_let_out(
    composed: Composed, networks: dict[str, dict[str, bool]]
) -> None:
    open_to_the_world = {
        name for name, each in networks.items() if not (each or {}).get("internal")
    }
    let_out = {
        name for name, each in composed.services.items() if open_to_the_world & {*each["networks"]}
    }

    # The worker reads pictures, Prefect tells people what went wrong, the proxy is published.
    assert let_out == {"worker", "prefect", "proxy"}


def test_metrics_are_reached_by_what_joins_their_network_and_not_through_the_proxy(
    composed: Composed, networks: dict[str, dict[str, bool]]
) -> None:
    template = (FOLDER / "nginx" / "groundtruth.conf.template").read_text()

    assert networks["watching"] == {"internal": True}
    beside = {name for name, each in composed.services.items() if "watching" in each["networks"]}
    assert beside == {"metrics"}
    assert "4211" not in template


@pytest.mark.parametrize("site", SITES)
def test_a_vendor_s_desk_meets_postgresql_and_the_proxy_alone(
    composed: Composed, networks: dict[str, dict[str, bool]], site: str
) -> None:
    assert composed.services[f"label-studio-{site}"]["networks"] == [site]
    assert networks[site]["internal"]
    beside = {name for name, each in composed.services.items() if site in each["networks"]}
    assert beside == {f"label-studio-{site}", "postgres", "proxy"}


def test_a_service_knows_no_secret_that_it_does_not_need(composed: Composed) -> None:
    knows = {
        name: {
            secret
            for secret, value in composed.secrets.items()
            if secret not in ("DOMAIN", *NO_SECRETS)
            and any(value in str(given) for given in each.get("environment", {}).values())
        }
        for name, each in composed.services.items()
    }
    flows = {"PREFECT_PASSWORD", "CATALOGUE_PASSWORD", "PIPELINE_S3_SECRET"}

    assert knows["worker"] == knows["setup"] == knows["metrics"] == flows
    assert knows["webhooks"] == {"PREFECT_PASSWORD"}
    assert knows["proxy"] == set()
    for site in ("A", "B"):
        own = {"ADMIN_PASSWORD", "ADMIN_TOKEN", "DATABASE_PASSWORD", "SECRET_KEY"}
        assert knows[f"label-studio-vendor-{site.lower()}"] == {f"VENDOR_{site}_{x}" for x in own}


def test_the_policy_of_a_site_is_what_its_pictures_need() -> None:
    given = json.loads((FOLDER / "s3" / "site.json").read_text())
    needed = S3Pictures(
        "groundtruth", "blobs/sites/${aws:username}/previews", S3Access("key", "secret")
    )

    assert given == needed.policy


def test_the_store_is_set_up_with_a_bucket_of_backups_that_forgets_nothing(
    tmp_path: Path,
) -> None:
    program = tmp_path / "mc"  # what it would do to a MinIO, which is not here
    program.write_text('#!/bin/sh\necho "$@" >> "$CALLS"\n')
    program.chmod(0o755)
    given = dict.fromkeys(re.findall(r"\$([A-Z0-9_]+)", SETUP.read_text()), "given")
    calls = tmp_path / "calls"
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls), **given}

    subprocess.run(["/bin/sh", str(SETUP)], env=environment, check=True)

    done = calls.read_text().splitlines()
    for bucket in (BUCKET, BACKUPS):
        assert f"mb --ignore-existing store/{bucket}" in done
        assert f"anonymous set none store/{bucket}" in done
    assert f"version enable store/{BACKUPS}" in done
    for user, policy in {PIPELINE: "pipeline", **dict.fromkeys(SITES, "site")}.items():
        assert f"admin policy attach store {policy} --user {user}" in done


def test_nginx_takes_the_configuration(composed: Composed) -> None:
    write_certificates(composed.scratch / "secrets", DOMAIN)

    checked = subprocess.run(
        [*proxy_command(composed), "-t"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


def test_nginx_is_given_every_name_that_its_template_asks_for(composed: Composed) -> None:
    template = (FOLDER / "nginx" / "groundtruth.conf.template").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+)\}", template))

    # The image's own entrypoint finds the resolvers.
    assert asked - {"NGINX_LOCAL_RESOLVERS"} <= composed.services["proxy"]["environment"].keys()
