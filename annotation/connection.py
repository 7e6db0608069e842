"""Speaking with a Label Studio server: signed in, patient, and with errors that say how to mend it.

What changes something on the server is sent once and never repeated blindly, but for a request that
was refused with 401, which did nothing.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError
from pydantic import ValidationError

ONCE: Any = {"max_retries": 0}
_REFRESH = "/api/token/refresh/"


class SiteError(RuntimeError):
    """A site did not do what it was asked."""


class SiteUnreachable(SiteError):
    """Nothing answers at the site's address, or it broke off: what arrived is unknown."""


class SiteRefused(SiteError):
    """The site does not accept the token, or does not allow its user what is asked."""


class FreshToken(httpx.Auth):
    """Repeats once what was refused with 401, with a token that the server has just given.

    A personal access token is exchanged for tokens of a few minutes. The SDK tells by this
    machine's clock when one is over; the server, by its own.
    """

    requires_response_body = True

    def __init__(self, url: str, api_key: str) -> None:
        self._refresh_url = f"{url}{_REFRESH}"
        self._api_key = api_key
        self._fresh: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if request.url.path.endswith(_REFRESH):
            yield request
            return
        if self._fresh:
            request.headers["Authorization"] = self._fresh
        response = yield request
        if response.status_code != 401:
            return
        if request.headers.get("Authorization", "").startswith("Bearer "):
            refreshed = yield httpx.Request(
                "POST", self._refresh_url, json={"refresh": self._api_key}
            )
            if refreshed.is_success:
                self._fresh = f"Bearer {refreshed.json()['access']}"
                request.headers["Authorization"] = self._fresh
        yield request


def http_client(url: str, api_key: str, patience: float) -> httpx.Client:
    """A client that waits `patience` seconds for each answer of the server at `url`."""
    return httpx.Client(auth=FreshToken(url, api_key), timeout=patience, follow_redirects=True)


def label_studio(url: str, api_key: str, http: httpx.Client) -> LabelStudio:
    """Label Studio's own client of the server at `url`, speaking through `http`."""
    return LabelStudio(base_url=url, api_key=api_key, httpx_client=http)  # type: ignore[no-untyped-call]


@contextmanager
def speaking(place: str, doing: str) -> Iterator[None]:
    """Turn what may go wrong with the server at `place` while `doing` something into `SiteError`s.

    Raises
    ------
    SiteUnreachable
        When the connection fails, the answer is late or unreadable, or the server breaks off.
    SiteRefused
        When it does not accept the token, or does not allow its user what is asked.
    SiteError
        When it refuses what is asked, in its own words.
    """
    try:
        yield
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise SiteUnreachable(
            f"{place} does not answer while {doing}: {error or type(error).__name__}. Start it "
            "with `groundtruth up`, or correct the url in the block of the site."
        ) from error
    except ApiError as error:
        status = error.status_code or 0
        words = " ".join(str(error.body).split())[:300]
        if status == 403:
            raise SiteRefused(
                f"{place} does not allow its user {doing} (403: {words}). Use the token of a user "
                "who may; for pictures or a webhook at a private address, start Label Studio with "
                "SSRF_PROTECTION_ENABLED=false."
            ) from error
        if status == 401:
            raise SiteRefused(
                f"{place} refused the token while {doing} ({status}: {words}). It is wrong or "
                "expired: copy a valid one from Account & Settings in Label Studio to the "
                "api_key in the block of the site."
            ) from error
        if status >= 500:
            raise SiteUnreachable(
                f"{place} broke off while {doing} ({status}: {words}). Look into its log, then "
                "run the same again."
            ) from error
        raise SiteError(f"{place} refused while {doing} ({status}): {words}") from error
    except ValidationError as error:
        raise SiteError(
            f"{place} answered what this version cannot read while {doing}: {error}. "
            "See that it runs a Label Studio that `Site.check` accepts."
        ) from error


@contextmanager
def gone_is_fine() -> Iterator[None]:
    """Somebody else may have deleted the same."""
    try:
        yield
    except ApiError as error:
        if error.status_code != 404:
            raise
