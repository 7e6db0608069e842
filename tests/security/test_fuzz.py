"""What fuzzing found stays mended, and every fuzzed reader takes its seeds and chance bytes."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.results import LONGEST_NAME, InvalidResult, read
from catalog.schema import Question, QuestionKind
from tasks.errors import SettingsError
from tasks.settings import SETTINGS_VARIABLE, load_settings
from tests.fuzz.targets import TARGETS
from workforce.errors import WorkforceError
from workforce.records import files, spreadsheets

QUESTION = Question(
    id="q",
    kind=QuestionKind.VERIFY,
    locale="de-DE",
    site="local",
    image_ids=["a", "b"],
    reference_ids=[],
)
VERDICT = {"from_name": "verdict", "value": {"choices": ["confirm"]}}


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv(SETTINGS_VARIABLE, "groundtruth.toml")
    yield
    load_settings.cache_clear()


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_taken(name: str) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds
    for content in seeds:
        TARGETS[name].read(content)


@settings(max_examples=25)
@given(
    st.sampled_from(sorted(set(TARGETS) - {"workbook", "records", "settings"})),
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=8),
)
def test_bytes_changed_by_chance_are_read_or_refused(
    name: str, seed: int, changes: list[tuple[int, int]]
) -> None:
    seeds = TARGETS[name].seeds()
    content = bytearray(seeds[seed % len(seeds)])
    for place, value in changes:
        content[place % len(content)] = value
    TARGETS[name].read(bytes(content))


@pytest.mark.parametrize(
    "regions",
    [
        None,
        {"verdict": "confirm"},
        [1, 2],
        [{"type": "relation", "from_id": "a", "to_id": "b"}],
        [{"from_name": "verdict"}],
        [{"from_name": "verdict", "value": None}],
        [{"from_name": "verdict", "value": {"choices": [["confirm"]]}}],
        [{"from_name": ["verdict"], "value": {}}],
        [VERDICT, {"from_name": "name", "value": {"text": [7]}}],
        [VERDICT, {"from_name": "name", "value": {"text": "a\0b"}}],
        [VERDICT, {"from_name": "name", "value": {"text": "\ud800"}}],
        [VERDICT, {"from_name": "name", "value": {"text": "x" * (LONGEST_NAME + 1)}}],
        [VERDICT, {"from_name": "intruders", "value": {"choices": ["c"]}}],
    ],
)
def test_regions_that_somebody_wrote_by_hand_are_refused_with_a_reason(regions: object) -> None:
    with pytest.raises(InvalidResult, match=r"^(holds|has) "):
        read(regions, QUESTION)


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-1", "1e999"])
def test_a_time_that_is_none_counts_as_not_told(seconds: str) -> None:
    content = TARGETS["annotation"].seeds()[0].replace(b"3.5", seconds.encode())
    assert json.loads(content)
    TARGETS["annotation"].read(content)


def broken_sheet() -> bytes:
    """A workbook one of whose sheets does not unpack."""
    content = bytearray(TARGETS["workbook"].seeds()[2])
    with zipfile.ZipFile(BytesIO(bytes(content))) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset
    content[at + 60 : at + 90] = bytes(30)
    return bytes(content)


def laughs() -> bytes:
    """A workbook whose XML is entities of entities."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><x>&l9;</x>'
    buffer = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(TARGETS["workbook"].seeds()[2])) as good,
        zipfile.ZipFile(buffer, "w") as bad,
    ):
        for name in good.namelist():
            held = bomb.encode() if name == "xl/workbook.xml" else good.read(name)
            bad.writestr(name, held)
    return buffer.getvalue()


def unpacks_to_gigabytes() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", bytes(spreadsheets.MOST_BYTES + 1))
    return buffer.getvalue()


@pytest.mark.parametrize("content", [broken_sheet, laughs, unpacks_to_gigabytes])
def test_a_damaged_or_explosive_workbook_is_refused(tmp_path: Path, content: object) -> None:
    file = tmp_path / "sent.xlsx"
    file.write_bytes(content())  # type: ignore[operator]
    with pytest.raises(WorkforceError):
        spreadsheets.read(file)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nvendors: [*b, *b]", "is an alias: write out"),
        ("[" * 5000, "nested too deep"),
        ("!!python/object/apply:os.system ['true']", "is no YAML"),
        ("a: \x00", "is no YAML"),
        ("a: 2026-99-99", "is no YAML"),
    ],
)
def test_yaml_that_explodes_or_commands_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "records.yaml"
    file.write_text(text)
    with pytest.raises(WorkforceError, match=reason):
        files.read(file)


@pytest.mark.parametrize("content", [b"a = = 1", b"\xff", b"a = " + b"[" * 5000])
def test_settings_that_are_no_toml_are_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "s.toml").write_bytes(content)
    monkeypatch.setenv(SETTINGS_VARIABLE, str(tmp_path / "s.toml"))
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match="is no TOML"):
        load_settings()
