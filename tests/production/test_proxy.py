"""The one door: what it lets through, and what it turns away."""

import json
import socket
import ssl
import warnings

import httpx
import pytest
from websockets.sync.client import connect

from annotation.site import SECRET_HEADER
from tasks.blocks import FORMS
from tasks.sites import LabelStudioSite
from tests.production.conftest import SITES, Production

NAMES = (*SITES, "prefect", "hooks", "pictures")


@pytest.mark.parametrize("name", NAMES)
def test_every_server_answers_on_tls_and_asks_browsers_to_stay_there(
    production: Production, name: str
) -> None:
    with production.visitor(name) as visitor:
        answer = visitor.get("/")

    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")


def test_plain_http_is_refused(production: Production) -> None:
    plain = production.compose.url("prefect").replace("https:", "http:")

    assert httpx.get(f"{plain}:443/api/health").status_code == 400


def test_an_old_version_of_tls_is_refused(production: Production) -> None:
    old = production.trust
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1

    with (
        socket.create_connection((production.compose.address("proxy"), 443)) as line,
        pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"),
    ):
        old.wrap_socket(line, server_hostname="prefect.groundtruth.test")


def test_a_name_that_is_none_of_ours_gets_no_answer(production: Production) -> None:
    with production.visitor("elsewhere") as visitor, pytest.raises(httpx.RemoteProtocolError):
        visitor.get("/")


class TestPrefect:
    def test_it_asks_for_the_password(self, production: Production) -> None:
        login = production.prefect_api["PREFECT_API_AUTH_STRING"].split(":")
        with production.visitor("prefect") as visitor:
            asked = [
                visitor.post("/api/flows/filter", json={}, auth=auth).status_code
                for auth in (None, (login[0], "wrong"), (login[0], login[1]))
            ]

        assert asked == [401, 401, 200]

    def test_it_has_a_form_for_every_block_before_one_is_saved(
        self, production: Production
    ) -> None:
        assert {form._block_type_slug for form in (LabelStudioSite, *FORMS)} <= production.forms

    def test_its_page_leads_browsers_to_the_public_address(self, production: Production) -> None:
        with production.visitor("prefect") as visitor:
            found = visitor.get("/ui-settings").json()

        assert found["api_url"] == f"{production.compose.url('prefect')}/api"
        assert found["auth"] == "BASIC"

    def test_its_events_come_through_a_websocket(self, production: Production) -> None:
        token = production.prefect_api["PREFECT_API_AUTH_STRING"]
        with connect(
            production.compose.url("prefect").replace("https:", "wss:") + "/api/events/out",
            ssl=production.trust,
            subprotocols=["prefect"],  # type: ignore[list-item]
        ) as events:
            events.send(json.dumps({"type": "auth", "token": token}))

            assert json.loads(events.recv())["type"] == "auth_success"


class TestHints:
    def test_only_who_knows_the_secret_is_heard(self, production: Production) -> None:
        with production.visitor("hooks", headers={SECRET_HEADER: "a guess"}) as visitor:
            answer = visitor.post("/webhooks/nobody", json={})

        assert answer.status_code == 404
        assert "no site of this name" in answer.text

    def test_nothing_but_a_hint_gets_through(self, production: Production) -> None:
        with production.visitor("hooks") as visitor:
            read = visitor.get("/webhooks/vendor-a")
            elsewhere = visitor.post("/health")
            large = visitor.post("/webhooks/vendor-a", content=b" " * 5_000_000)

        assert (read.status_code, elsewhere.status_code) == (403, 404)
        assert large.status_code == 413


class TestPictures:
    def test_what_is_not_signed_is_not_asked_of_the_store(self, production: Production) -> None:
        forged = "/groundtruth/blobs/x.jpg?X-Amz-Signature=guessed"
        with production.visitor("pictures") as visitor:
            answers = [visitor.get(path) for path in ("/", "/groundtruth?list-type=2", forged)]

        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert all("nginx" in answer.text for answer in answers)

    def test_nothing_can_be_written(self, production: Production) -> None:
        from_outside = production.at_s3("root", "root", production.compose.url("pictures"))
        signed = from_outside.generate_presigned_url(
            "put_object", Params={"Bucket": "groundtruth", "Key": "blobs/x.jpg"}
        )
        with production.visitor("pictures") as visitor:
            assert visitor.put(signed, content=b"x").status_code == 403


class TestDesks:
    def test_nobody_signs_up_without_an_invitation(self, production: Production) -> None:
        origin = {"Origin": production.compose.url("vendor-a")}
        with production.visitor("vendor-a", headers=origin, follow_redirects=True) as stranger:
            stranger.get("/user/signup/")
            form = {
                "email": "stranger@elsewhere.example",
                "password": "a password of twenty letters",
                "csrfmiddlewaretoken": stranger.cookies["csrftoken"],
            }
            assert stranger.post("/user/signup/", data=form).status_code == 403

    def test_guessing_passwords_is_slowed_down(self, production: Production) -> None:
        with production.visitor("vendor-b") as guesser:
            answers = [guesser.post("/user/login/").status_code for _ in range(60)]

        assert answers.count(429) >= 10
        assert answers[0] != 429

    @pytest.mark.parametrize(
        "address", ["http://169.254.169.254/latest", "http://10.0.0.1/", "http://192.168.0.1/"]
    )
    def test_who_signed_in_cannot_have_it_call_private_addresses(
        self, production: Production, address: str
    ) -> None:
        with production.at_desk("vendor-a") as desk:
            answer = desk.post("/api/webhooks/", json={"url": address})

        assert answer.is_client_error
        assert "reserved network address" in answer.text

    def test_cookies_go_over_tls_only(self, production: Production) -> None:
        with production.visitor("vendor-a") as browser:
            given = browser.get("/user/login/").headers.get_list("Set-Cookie")

        assert given
        assert all("Secure" in cookie for cookie in given)
