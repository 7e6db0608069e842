"""The whole loop on PostgreSQL, S3 and two vendors' sites, behind the proxy."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml
from botocore.exceptions import ClientError
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_SSL_CERT_FILE,
    PREFECT_API_URL,
    temporary_settings,
)
from pydantic import AnyHttpUrl, SecretStr

from catalog import Catalog, decisions, labels
from catalog.summary import summarise
from deployments.sample import write
from tasks.sites import LabelStudioSite, lead_site, simulated_site
from tests.production.compose import FOLDER
from tests.production.conftest import BACKUPS, BUCKET, METRICS_TOKEN, PIPELINE, SITES, Production

LOCALES = {"vendor-a": "en-US", "vendor-b": "de-DE"}
SECRET = "the secret of webhooks"
SHOWN = {"Authorization": f"Bearer {METRICS_TOKEN}"}
PLACES = FOLDER / "kubernetes" / "overlays" / "small" / "places.yaml"
BACKUP_PLACE = yaml.safe_load(PLACES.read_text())["data"]["BACKUP_PLACE"]


@pytest.fixture(scope="session")
def looped(production: Production, tmp_path_factory: pytest.TempPathFactory) -> Production:
    """The stack after a round of the loop, in which people of both vendors answered."""
    sample = write(
        tmp_path_factory.mktemp("sample"),
        locales=tuple(LOCALES.values()),
        labelled_products=5,
        new_products=3,
        images_per_product=5,
        rounds=1,
    )
    for site in SITES:
        save_blocks(production, site)
    parameters = {
        "source": str(sample.rounds[0]),
        "labelled": str(sample.labelled),
        "simulated": {"truth": str(sample.truth), "error_rates": [0.0]},
    }
    done = production.run(
        *("setup", "prefect", "deployment", "run", "groundtruth/local", "--watch"),
        *("--watch-interval", "2", "--params", json.dumps(parameters)),
        more=production.prefect_api,
    )
    log = production.compose.scratch / "logs" / "worker.log"
    assert done.returncode == 0, done.stdout + done.stderr + log.read_text()
    return production


@pytest.fixture
def catalogue(looped: Production) -> Iterator[Catalog]:
    opened = Catalog(looped.compose.environment("worker")["GROUNDTRUTH_CATALOGUE"])
    yield opened
    opened.close()


def save_blocks(production: Production, site: str) -> None:
    """What an operator fills in for a site, and the key of an annotator who is simulated."""
    access_key, secret_key = production.keys[site]
    admin = LabelStudioSite(
        url=AnyHttpUrl(production.compose.url(site)),
        api_key=SecretStr(
            production.compose.environment(f"label-studio-{site}")["LABEL_STUDIO_USER_TOKEN"]
        ),
        locales=[LOCALES[site]],
        webhook_secret=SecretStr(SECRET),
        pictures_access_key=SecretStr(access_key),
        pictures_secret_key=SecretStr(secret_key),
    )
    annotator = admin.model_copy(update={"api_key": SecretStr(invited(production, site))})
    api = production.prefect_api
    with temporary_settings(
        {
            PREFECT_API_URL: api["PREFECT_API_URL"],
            PREFECT_API_AUTH_STRING: api["PREFECT_API_AUTH_STRING"],
            PREFECT_API_SSL_CERT_FILE: production.authority,
        }
    ):
        admin.save(site, overwrite=True)
        for name in (simulated_site(site, 1), lead_site(site)):
            annotator.save(name, overwrite=True)


def invited(production: Production, site: str) -> str:
    """The token of an annotator who signed up by invitation, in a browser."""
    with production.at_desk(site) as admin:
        address = admin.get("/api/invite").raise_for_status().json()["invite_url"]
    origin = {"Origin": production.compose.url(site)}
    with production.visitor(site, headers=origin, follow_redirects=True) as browser:
        form = {
            "email": f"annotator@{site}.example",
            "password": "a password of twenty letters",
            "csrfmiddlewaretoken": csrf_token(browser.get(address)),
        }
        browser.post(address, data=form).raise_for_status()
        return str(browser.get("/api/current-user/token").raise_for_status().json()["token"])


def scraped(production: Production, path: str) -> str:
    """What Prometheus reads, from the network of metrics."""
    address = f"http://{production.compose.address('metrics')}:4211{path}"
    return httpx.get(address, headers=SHOWN, timeout=60).raise_for_status().text


def csrf_token(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


def picture_of(production: Production, site: str) -> str:
    """The key of a picture that the site asked about."""
    listed = production.at_s3("root", "root").list_objects_v2(
        Bucket=BUCKET, Prefix=f"blobs/sites/{site}/previews/"
    )
    return str(listed["Contents"][0]["Key"])


def signed_by(production: Production, site: str, key: str) -> httpx.URL:
    """Where the desk of a site sends a signed-in browser that wants a picture."""
    name = urlsafe_b64encode(f"s3://{BUCKET}/{key}".encode()).decode()
    with production.at_desk(site) as desk:
        project = desk.get("/api/projects").raise_for_status().json()["results"][0]["id"]
        answer = desk.get(f"/projects/{project}/resolve/", params={"fileuri": name})
    assert answer.status_code == 303
    return httpx.URL(answer.headers["Location"])


def connection(production: Production, site: str, database: str) -> psycopg.Connection[Any]:
    given = production.compose.environment(f"label-studio-{site}")
    return psycopg.connect(
        host=given["POSTGRE_HOST"],
        user=given["POSTGRE_USER"],
        password=given["POSTGRE_PASSWORD"],
        dbname=database,
    )


class TestTheLoop:
    def test_every_question_is_answered_and_a_model_learnt_from_the_labels(
        self, catalogue: Catalog
    ) -> None:
        with catalogue.read() as transaction:
            found = summarise(transaction)

        assert found.questions == found.questions_on_site == found.answers > 0
        assert found.labels_accepted > 0
        assert found.training_sets > 1
        assert found.models[0].promoted

    @pytest.mark.parametrize("site", SITES)
    def test_labels_of_each_vendor_s_answers_are_accepted(
        self, catalogue: Catalog, site: str
    ) -> None:
        with catalogue.read() as transaction:
            asked = [question.id for question in decisions.asked_on(transaction, site)]
            decided = decisions.current_decisions(transaction, question_ids=asked)
            accepted = labels.accepted(transaction)

        of_site = {row.locale for row in accepted if row.decision_id in {d.id for d in decided}}
        assert of_site == {LOCALES[site]}

    def test_blobs_are_in_the_object_store_and_nowhere_else(self, looped: Production) -> None:
        listed = looped.at_s3("root", "root").list_objects_v2(Bucket=BUCKET, Prefix="blobs/")

        assert {content["Key"].split("/")[1] for content in listed["Contents"]} >= {
            "images",
            "models",
            "previews",
            "sites",
        }
        assert not (
            Path(looped.compose.environment("worker")["GROUNDTRUTH_DATA"]) / "blobs"
        ).exists()

    def test_a_webhook_of_each_vendor_led_to_a_run_of_collect(self, looped: Production) -> None:
        login = tuple(looped.prefect_api["PREFECT_API_AUTH_STRING"].split(":"))
        with looped.visitor("prefect", auth=login) as prefect:
            tagged = {"flow_runs": {"tags": {"all_": ["webhook"]}}}
            runs = prefect.post("/api/flow_runs/filter", json=tagged).raise_for_status().json()
        log = (looped.compose.scratch / "logs" / "proxy.log").read_text()

        assert runs
        for site in SITES:
            assert re.search(rf'"POST /webhooks/{site}" 202 ', log)


class TestBackups:
    def test_the_pipeline_s_key_keeps_a_backup_and_deletes_none(self, looped: Production) -> None:
        key, secret = looped.keys[PIPELINE]
        own = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}

        with looped.policies_enforced():
            done = looped.run("worker", "groundtruth", "backup", BACKUP_PLACE, more=own)
            assert done.returncode == 0, done.stdout + done.stderr
            pipeline = looped.at_s3(key, secret)
            kept = pipeline.list_objects_v2(Bucket=BACKUPS)["Contents"]
            with pytest.raises(ClientError, match="AccessDenied"):
                pipeline.delete_object(Bucket=BACKUPS, Key=kept[0]["Key"])

        assert any("/manifests/" in each["Key"] for each in kept)

    def test_they_can_be_fetched_from_elsewhere(
        self, looped: Production, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_CA_BUNDLE", looped.authority)
        looped.at_s3("root", "root").put_object(Bucket=BACKUPS, Key="elsewhere", Body=b"kept")
        outside = looped.at_s3(*looped.keys[PIPELINE], looped.compose.url("pictures"))

        with looped.policies_enforced():
            listed = outside.list_objects_v2(Bucket=BACKUPS, Prefix="elsewhere")["Contents"]
            fetched = outside.get_object(Bucket=BACKUPS, Key=listed[0]["Key"])["Body"].read()

        assert fetched == b"kept"


class TestMetrics:
    def test_prometheus_reads_what_the_loop_has_done(self, looped: Production) -> None:
        told = scraped(looped, "/metrics") + scraped(looped, "/metrics/sites")

        for part in ("catalogue", "prefect", "disks", "sites"):
            assert f'groundtruth_part_up{{part="{part}"}} 1.0' in told
        for site in SITES:
            assert f'groundtruth_site_up{{site="{site}"}} 1.0' in told
            assert re.search(rf'groundtruth_images{{locale="{LOCALES[site]}"}} [1-9]', told)

    def test_nothing_is_told_without_the_token_nor_through_the_proxy(
        self, looped: Production
    ) -> None:
        inside = httpx.get(f"http://{looped.compose.address('metrics')}:4211/metrics")
        with looped.visitor("hooks") as visitor:
            outside = visitor.get("/metrics", headers=SHOWN)

        assert (inside.status_code, outside.status_code) == (401, 404)


class TestTheVendors:
    def test_a_picture_is_shown_by_its_signed_address_alone(self, looped: Production) -> None:
        address = signed_by(looped, "vendor-a", picture_of(looped, "vendor-a"))

        with looped.visitor("pictures") as browser:
            shown = browser.get(address)
            bare = browser.get(address.copy_with(query=None))

        assert address.host == "pictures.groundtruth.test"
        assert shown.content.startswith(b"\xff\xd8")
        assert bare.status_code == 403

    def test_the_key_to_one_vendor_s_pictures_opens_no_other(self, looped: Production) -> None:
        own, theirs = (picture_of(looped, site) for site in SITES)
        vendor = looped.at_s3(*looped.keys["vendor-a"])

        with looped.policies_enforced():
            assert vendor.get_object(Bucket=BUCKET, Key=own)["ContentLength"]
            for key in (theirs, own.replace("sites/vendor-a/", "")):
                with pytest.raises(ClientError, match="AccessDenied"):
                    vendor.get_object(Bucket=BUCKET, Key=key)
            with pytest.raises(ClientError, match="AccessDenied"):
                vendor.put_object(Bucket=BUCKET, Key=own, Body=b"another")

    @pytest.mark.parametrize("database", ["vendor-b", "groundtruth", "prefect", "postgres"])
    def test_a_vendor_s_role_enters_no_database_but_its_own(
        self, production: Production, database: str
    ) -> None:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connection(production, "vendor-a", database)

    def test_a_vendor_s_role_may_make_neither_roles_nor_databases(
        self, production: Production
    ) -> None:
        with connection(production, "vendor-a", "vendor-a") as own:
            row = own.execute(
                "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
                " WHERE rolname = current_user"
            ).fetchone()

        assert row == (False, False, False, False)

    def test_a_token_of_one_vendor_is_refused_by_the_other(self, production: Production) -> None:
        with production.at_desk("vendor-a") as desk:
            token = desk.headers["Authorization"]
        with production.visitor("vendor-b", headers={"Authorization": token}) as other:
            assert other.get("/api/projects").status_code == 401
