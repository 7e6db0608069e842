"""Two vendors on one machine: neither enters the other's Label Studio or sees its pictures."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import AnyHttpUrl, SecretStr

from deployments.label_studio import LocalSite, local_sites
from deployments.orchestration import ROOT, prefect_client, prefect_environment, save_sites
from deployments.stack import up
from tasks.errors import NoSite
from tasks.settings import Annotate, LocalLabelStudio, Settings
from tasks.sites import LabelStudioSite, load_site, site_of, sites_for, webhook_url
from tests.conftest import RunningStack, free_ports, logins_of


@pytest.fixture(scope="module")
def two_sites(stack: RunningStack) -> Iterator[RunningStack]:
    """The running stack with a second vendor's site, which reads Japanese only."""
    [port] = free_ports(1)
    label_studio = stack.settings.servers.label_studio | {
        "vendor-b": LocalLabelStudio(port=port, locales=["ja-JP"])
    }
    settings = Settings(
        data=stack.settings.data,
        servers=stack.settings.servers.model_copy(update={"label_studio": label_studio}),
        annotate=Annotate(sites=["local", "vendor-b"]),
    )
    try:
        yield RunningStack(settings, up(settings))
    finally:
        local_sites(settings)[1].server().stop()


@contextmanager
def prefect_of(stack: RunningStack) -> Iterator[None]:
    with temporary_settings({PREFECT_API_URL: stack.settings.servers.prefect_api}):
        yield


def get(site: LocalSite, path: str, token: str) -> httpx.Response:
    return httpx.get(f"{site.url}{path}", headers={"Authorization": f"Token {token}"}, timeout=60)


def sites_command(stack: RunningStack, *sites: str) -> tuple[int, str]:
    """`groundtruth sites`, asked for `sites`: exit status and what it printed."""
    settings = stack.settings.model_copy(update={"annotate": Annotate(sites=list(sites))})
    done = subprocess.run(
        [sys.executable, "-m", "deployments", "sites"],
        cwd=ROOT,
        env=os.environ | prefect_environment(settings) | {"COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def block(**given: object) -> LabelStudioSite:
    return LabelStudioSite(**{"url": "http://site.example", "api_key": "key"} | given)


class TestTheSitesOfTwoVendors:
    def test_every_login_belongs_to_one_site(self, two_sites: RunningStack) -> None:
        people = [
            person
            for site in local_sites(two_sites.settings)
            for known in [logins_of(site)]
            for person in (known.admin, known.lead, *known.annotators)
        ]

        for secret in ("email", "password", "token"):
            assert len({getattr(person, secret) for person in people}) == len(people)

    def test_a_token_is_refused_by_the_other_site(self, two_sites: RunningStack) -> None:
        ours, theirs = local_sites(two_sites.settings)
        token = logins_of(theirs).annotators[0].token

        assert get(theirs, "/api/projects", token).status_code == 200
        assert get(ours, "/api/projects", token).status_code == 401

    def test_neither_takes_a_database_or_a_signature_from_the_environment(
        self, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DJANGO_DB", "default")
        monkeypatch.setenv("SECRET_KEY", "the same for all")

        given = stack.site.server().environment()

        assert given["DJANGO_DB"] == "sqlite"
        assert given["SECRET_KEY"] == stack.credentials.signing_key != "the same for all"

    def test_a_login_in_the_browser_counts_for_one_site(self, two_sites: RunningStack) -> None:
        ours, theirs = local_sites(two_sites.settings)

        with httpx.Client(timeout=60) as browser:  # which sends a cookie to every port of a host
            log_in(browser, ours)
            entered = [
                browser.get(f"{site.url}/api/current-user/whoami").status_code
                for site in (ours, theirs)
            ]

        assert entered == [200, 401]

    @pytest.mark.parametrize("key", ["previews/ours.jpg", "../local/previews/ours.jpg"])
    def test_the_pictures_of_one_site_are_not_served_by_the_other(
        self, two_sites: RunningStack, key: str
    ) -> None:
        ours, theirs = local_sites(two_sites.settings)
        for site in (ours, theirs):
            serve_previews(site)
        (ours.pictures / "previews" / "ours.jpg").write_bytes(b"a picture of ours")
        path = f"/data/local-files/?d={key}"

        refused = get(theirs, path, logins_of(theirs).annotators[0].token)
        served = get(
            ours, "/data/local-files/?d=previews/ours.jpg", logins_of(ours).annotators[0].token
        )

        assert served.content == b"a picture of ours"
        assert refused.is_error
        assert served.content not in refused.content

    def test_the_blocks_lead_each_to_its_own_site(self, two_sites: RunningStack) -> None:
        with prefect_of(two_sites):
            blocks = sites_for(two_sites.settings)

        for site in local_sites(two_sites.settings):
            saved = blocks[site.name]
            assert str(saved.url).rstrip("/") == site.url
            assert saved.locales == list(site.locales)
            assert saved.test_connection(site.name).email == logins_of(site).admin.email


def log_in(browser: httpx.Client, site: LocalSite) -> None:
    person = logins_of(site).annotators[0]
    browser.get(f"{site.url}/user/login/")
    login = {"email": person.email, "password": person.password}
    form = {**login, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    browser.post(f"{site.url}/user/login/", data=form)


def serve_previews(site: LocalSite) -> None:
    """Let the site's own pictures be seen in a project, as the pipeline does."""
    folder = site.pictures / "previews"
    folder.mkdir(exist_ok=True)
    with httpx.Client(
        base_url=site.url,
        headers={"Authorization": f"Token {logins_of(site).admin.token}"},
        timeout=60,
    ) as api:
        project = api.post("/api/projects", json={"title": "pictures"}).raise_for_status().json()
        storage = {"project": project["id"], "path": str(folder), "use_blob_urls": True}
        api.post("/api/storages/localfiles", json=storage).raise_for_status()


class TestThePeopleOfASite:
    def test_each_has_a_token_and_a_block_of_their_own(self, stack: RunningStack) -> None:
        known = stack.credentials
        with prefect_of(stack):
            found = {
                name: load_site(name).test_connection(name).email
                for name in ("local-lead", "local-simulated-1", "local-simulated-2")
            }

        assert found == {
            "local-lead": known.lead.email,
            "local-simulated-1": known.annotators[0].email,
            "local-simulated-2": known.annotators[1].email,
        }

    def test_more_annotators_join_those_that_there_are(self, stack: RunningStack) -> None:
        before = stack.credentials

        after = replace(stack.site, n_annotators=3).sign_in()

        assert after.annotators[:2] == before.annotators
        assert after.annotators[2].token
        assert (after.admin, after.lead) == (before.admin, before.lead)

    def test_incomplete_logins_are_reported_without_the_secrets(self, stack: RunningStack) -> None:
        broken = replace(stack.site, name="broken")
        broken.folder.mkdir(parents=True)
        broken.credentials_file.write_text('{"webhook_secret": "s3cret", "admin": "s3cret"}')

        with pytest.raises(Exception, match=r"credentials\.json.*Restore it") as raised:
            broken.credentials()

        assert "s3cret" not in str(raised.value)


class TestTheCommandSites:
    def test_it_shows_every_site_that_answers(self, two_sites: RunningStack) -> None:
        status, printed = sites_command(two_sites, "local", "vendor-b")

        assert status == 0
        for site in local_sites(two_sites.settings):
            [line] = [line for line in printed.splitlines() if f" {site.name} " in line]
            for cell in (site.url, "1.23.2", logins_of(site).admin.email, "answers"):
                assert cell in line
        assert "ja-JP" in printed

    def test_a_site_that_is_down_fails_with_what_to_do(self, stack: RunningStack) -> None:
        [closed] = free_ports(1)
        save_sites(stack.settings, {"gone": block(url=f"http://127.0.0.1:{closed}")})

        status, printed = sites_command(stack, "local", "gone")

        assert status == 1
        assert f"Label Studio at http://127.0.0.1:{closed} (site 'gone') does not answer" in printed
        assert "answers" in next(line for line in printed.splitlines() if " local " in line)

    def test_a_site_without_a_block_fails_with_where_to_make_it(self, stack: RunningStack) -> None:
        status, printed = sites_command(stack, "nowhere")

        assert status == 1
        assert "there is no Prefect block label-studio-site/nowhere: create it" in printed


class TestTheBlockOfASite:
    def test_it_keeps_its_secrets_out_of_sight(self, stack: RunningStack) -> None:
        site = block(api_key=SecretStr("the-key"), webhook_secret=SecretStr("the-secret"))
        save_sites(stack.settings, {"secretive": site})

        with prefect_of(stack):
            loaded = load_site("secretive")
        with prefect_client(stack.settings) as api:
            shown = api.get(
                "/block_types/slug/label-studio-site/block_documents/name/secretive"
            ).text

        assert loaded.api_key.get_secret_value() == "the-key"
        assert loaded.webhook_secret is not None
        assert loaded.webhook_secret.get_secret_value() == "the-secret"
        for text in (repr(loaded), str(loaded), shown):
            assert "the-key" not in text
            assert "the-secret" not in text


class TestTheSiteOfAQuestion:
    KEYS = tuple(f"question {number}" for number in range(3000))

    def test_it_is_the_one_that_serves_the_locale(self) -> None:
        blocks = {"a": block(locales=["de-DE"]), "b": block(locales=["ja-JP", "sv-SE"])}

        assert {site_of("sv-SE", key, blocks) for key in self.KEYS} == {"b"}

    def test_a_site_without_locales_serves_all(self) -> None:
        assert site_of("ar-EG", "question", {"a": block()}) == "a"

    def test_sites_of_one_locale_share_evenly(self) -> None:
        blocks = {name: block() for name in ("a", "b", "c")}

        shares = Counter(site_of("de-DE", key, blocks) for key in self.KEYS)

        assert all(900 < n < 1100 for n in shares.values())
        assert len(shares) == 3

    def test_it_depends_neither_on_the_order_nor_on_a_site_that_is_added(self) -> None:
        two = {name: block() for name in ("a", "b")}
        three = {name: block() for name in ("c", "b", "a")}

        moved = {
            site_of("de-DE", key, three)
            for key in self.KEYS
            if site_of("de-DE", key, three) != site_of("de-DE", key, two)
        }

        assert moved == {"c"}

    def test_a_locale_that_no_site_serves_is_named_with_what_to_change(self) -> None:
        with pytest.raises(NoSite, match=r"no site serves ar-EG \(a: de-DE\): add ar-EG to"):
            site_of("ar-EG", "question", {"a": block(locales=["de-DE"])})


def test_webhooks_go_to_loopback_unless_the_settings_say_where() -> None:
    elsewhere = Annotate(webhooks_url=AnyHttpUrl("https://hints.example/"))

    assert webhook_url(Settings(), "local") == "http://127.0.0.1:4210/webhooks/local"
    assert webhook_url(Settings(annotate=elsewhere), "b") == "https://hints.example/webhooks/b"
