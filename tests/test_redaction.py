"""No text keeps its secrets, whatever stands around them; and the rest of it stays."""

import pytest

from tasks.redaction import redacted

SECRET = "c0ffee0123456789c0ffee0123456789c0ffee01"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql+psycopg://groundtruth:{SECRET}@db.example/groundtruth does not answer",
        f"Authorization: Token {SECRET}",
        f"authorization: bearer {SECRET}",
        f"headers {{'X-Groundtruth-Secret': '{SECRET}'}}",
        f'{{"api_key": "{SECRET}"}}',
        f"password={SECRET} host=db",
        f"GET /b/k.jpg?X-Amz-Signature={SECRET}&x=1",
        f"refresh eyJhbGciOi.eyJ0b2tlbiI6.{SECRET}",
    ],
)
def test_a_secret_is_taken_out(text: str) -> None:
    assert SECRET not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        f"the image {SECRET} is damaged",
        "http://127.0.0.1:8080/api/tasks?page=1 answered 500",
        "Label Studio at http://site.example refused the token while signing in (401: invalid)",
        "3 of 4 tokens left; the secret of webhooks is wrong",
        "sqlite:////data/catalogue.sqlite",
    ],
)
def test_what_is_no_secret_is_kept(text: str) -> None:
    assert redacted(text) == text
