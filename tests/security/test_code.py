"""What no line of the product does: run what it reads, or compare secrets in the open."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

PACKAGES = (
    *("annotation", "catalog", "clustering", "deployments", "expectations"),
    *("flows", "tasks", "workforce"),
)
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
)

RUNS_WHAT_IT_READS = {
    *("eval", "exec", "compile", "__import__", "marshal.loads", "marshal.load", "shelve.open"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "cloudpickle.load"),
    *(
        "joblib.load",
        "yaml.unsafe_load",
        "yaml.full_load",
        "yaml.load_all",
        "os.system",
        "os.popen",
    ),
    *("pandas.read_pickle", "pd.read_pickle"),
    *("torch.load", "np.load", "numpy.load", "yaml.load"),
    *("pickle._Unpickler", "tempfile.mktemp", "xml.sax.parse"),
}
REVIEWED = {
    ("catalog/arrays.py", "np.load"): "allow_pickle=False: numbers and nothing else",
    ("clustering/official.py", "torch.load"): "weights_only=True: tensors and nothing else",
    ("workforce/records/files.py", "yaml.load"): "_PlainLoader, a SafeLoader without aliases",
}


def calls(path: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a file, each with the name of what is called."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keywords(call: ast.Call) -> dict[str | None, str]:
    return {each.arg: ast.unparse(each.value) for each in call.keywords}


def test_nothing_that_is_read_is_run() -> None:
    found = {
        (path, name) for path in FILES for name, _ in calls(path) if name in RUNS_WHAT_IT_READS
    }
    assert found == set(REVIEWED)


def test_what_was_reviewed_is_as_it_was_reviewed() -> None:
    [loaded] = [call for name, call in calls("clustering/official.py") if name == "torch.load"]
    assert keywords(loaded)["weights_only"] == "True"
    [read] = [call for name, call in calls("workforce/records/files.py") if name == "yaml.load"]
    assert ast.unparse(read.args[1]) == "_PlainLoader"


@pytest.mark.parametrize("word", ["allow_pickle", "shell", "verify", "trust_remote_code"])
def test_no_call_takes_a_guard_away(word: str) -> None:
    found = [
        (path, name, said)
        for path in FILES
        for name, call in calls(path)
        if (said := keywords(call).get(word)) is not None
    ]
    guarded = {"allow_pickle": "False", "shell": "False", "verify": "True"}
    assert all(said == guarded.get(word, "False") for _, _, said in found)


def test_sql_is_never_put_together_from_texts() -> None:
    found = [
        (path, ast.unparse(call))
        for path in FILES
        for name, call in calls(path)
        if path.startswith("catalog/")
        and name in ("text", "sqlalchemy.text", "sa.text")
        and not isinstance(call.args[0], ast.Constant)
    ]
    # Migrations that name columns and conditions of their own.
    assert {path for path, _ in found} == {
        "catalog/migrations/versions/0003_questions_of_every_kind.py",
        "catalog/migrations/versions/0017_what_is_watched.py",
    }


def test_secrets_are_compared_in_constant_time() -> None:
    hearing = [name for name, _ in calls("deployments/webhooks.py")]
    assert "hmac.compare_digest" in hearing


def test_every_template_escapes() -> None:
    environments = [
        (path, keywords(call).get("autoescape"))
        for path in FILES
        for name, call in calls(path)
        if name.endswith("Environment") and "loader" in keywords(call)
    ]
    assert environments
    assert all(said in ("True", "select_autoescape()") for _, said in environments)


def test_no_template_takes_what_it_is_given_for_markup() -> None:
    templates = [
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".html", ".xml", ".svg")
    ]
    assert templates
    safe = [
        found for path in templates for found in re.findall(r"[^{%]*\|\s*safe", path.read_text())
    ]
    assert safe == [""" ' default="true"'|safe"""]


def test_what_is_said_to_be_markup_is_our_own_style_sheet() -> None:
    said = {path: name for path in FILES for name, _ in calls(path) if name.endswith("Markup")}
    assert set(said) == {"expectations/page.py", "workforce/reviews/review_page.py"}
