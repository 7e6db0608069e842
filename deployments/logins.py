"""The logins of one local Label Studio, and the file that keeps them."""

import os
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from deployments.service import StackError


@dataclass(frozen=True)
class Person:
    """A user of a Label Studio; `token` is empty until that user has signed up."""

    email: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)

    @classmethod
    def invited(cls, email: str) -> "Person":
        return cls(email, secrets.token_urlsafe(18))


@dataclass(frozen=True)
class Credentials:
    """Who may enter a local Label Studio, and its secrets; read by its owner only.

    The admin's token is what the pipeline uses. The lead and the annotators answer in the browser
    or, in the demo, are simulated; Label Studio makes their tokens when they sign up. Its webhooks
    show `webhook_secret`; sessions and personal access tokens are signed with `signing_key`.
    """

    admin: Person
    lead: Person
    annotators: tuple[Person, ...]
    webhook_secret: str = field(repr=False)
    signing_key: str = field(repr=False)

    @classmethod
    def create(cls, site: str) -> "Credentials":
        """New logins for `site`, without annotators."""
        return cls(
            admin=replace(Person.invited(f"admin@{_domain(site)}"), token=secrets.token_hex(20)),
            lead=Person.invited(f"lead@{_domain(site)}"),
            annotators=(),
            webhook_secret=secrets.token_urlsafe(24),
            signing_key=secrets.token_urlsafe(48),
        )

    def with_annotators(self, site: str, count: int) -> "Credentials":
        """With at least `count` annotators; those that there are stay."""
        numbers = range(len(self.annotators) + 1, count + 1)
        added = (Person.invited(f"annotator-{number}@{_domain(site)}") for number in numbers)
        return replace(self, annotators=(*self.annotators, *added))

    @classmethod
    def load(cls, path: Path) -> "Credentials":
        """Read the file; raises `StackError` when it is not what `save` wrote."""
        try:
            return _JSON.validate_json(path.read_bytes())
        except ValidationError as error:
            # The error itself would repeat the secrets that it found.
            wrong = ", ".join(".".join(map(str, each["loc"])) or "all" for each in error.errors())
            raise StackError(
                f"{path} is not a complete list of logins (wrong: {wrong}). Restore it from a"
                " backup."
            ) from None

    def save(self, path: Path) -> None:
        """Replace the file in one step, readable by its owner only."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_JSON.dump_json(self, indent=2))
        part.replace(path)


_JSON = TypeAdapter(Credentials)


def _domain(site: str) -> str:
    return f"{site}.groundtruth.local"
