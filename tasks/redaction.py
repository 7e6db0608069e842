"""What must not be read by whoever reads logs and reports: taken out of text, by its form.

Secrets are `SecretStr` and are not written in the first place. This is for what others write: an
exception of a driver that quotes an address with its password, a request that quotes its header.
"""

import re

HIDDEN = "***"
_FORMS = (
    # The password of an address, and the signature of a presigned one.
    (re.compile(r"(?<=://)([^\s:/@]*):[^\s@/]+(?=@)"), rf"\1:{HIDDEN}"),
    (re.compile(r"\b(X-Amz-(?:Signature|Credential|Security-Token)|[Ss]ig)=[^\s&\"']+"), r"\1=***"),
    # What headers are signed in with, and tokens wherever they stand: of 40 hex digits, and JWTs.
    (re.compile(r"\b(Token|Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]+"), HIDDEN),
    # What is called a secret, whatever stands before and, within reason, behind the word.
    (
        re.compile(
            r"((?:(?:access|api|secret)[_-]?key|auth_string|password|passwd|secret|token)"
            r"(?:[_-][\w-]{0,40})?[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&]{6,}",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


def redacted(text: str) -> str:
    """`text` with `***` in place of what looks like a secret."""
    for form, hidden in _FORMS:
        text = form.sub(hidden, text)
    return text
