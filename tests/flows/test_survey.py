"""Pictures are measured once, routed by the policy, and compared between the locales."""

from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from catalog import content_digest, decisions, images, measures
from catalog.schema import ImageMeasures, Question
from expectations.pictures import Bars, PicturePolicy
from flows.ingest import ingest
from flows.survey import survey
from tasks.ask import ask
from tasks.duplicates import near_duplicate_groups
from tasks.pool import not_clustered, pool
from tests.catalog.test_appearance import encoded, photo
from tests.flows.conftest import Workspace

FINE, BLURRED, BLACK = "fine.png", "blurred.png", "black.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A photo, the same in JPEG, one that is blurred, and one that is black."""
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / FINE).write_bytes(encoded(photo()))
    (photos / "again.jpg").write_bytes(encoded(photo(), "JPEG", quality=80))
    (photos / BLURRED).write_bytes(encoded(photo(1).filter(ImageFilter.GaussianBlur(7))))
    (photos / BLACK).write_bytes(encoded(Image.new("RGB", (300, 200))))
    return photos


def identity(folder: Path, name: str) -> str:
    return content_digest((folder / name).read_bytes())


def test_what_is_black_is_left_out_and_what_is_blurred_is_asked_about(
    workspace: Workspace, folder: Path
) -> None:
    ingest(str(folder), "de-DE")
    fine = sorted(identity(folder, name) for name in (FINE, "again.jpg"))
    policy = workspace.settings.pictures
    with workspace.settings.catalog.begin() as transaction:
        waiting = pool(transaction, "de-DE", policy)
        assert waiting.clustered == fine
        assert [*waiting.doubtful] == [identity(folder, BLURRED)]
        lenient = PicturePolicy(left_out=Bars(), doubtful=Bars())
        assert len(pool(transaction, "de-DE", lenient).clustered) == 4
    fates = {image_id: (fate, why) for _, image_id, fate, why in not_clustered()}
    assert fates[identity(folder, BLACK)][0] == "left out"
    assert fates[identity(folder, BLURRED)][1].startswith("sharpness")

    ask.fn()
    ask.fn()
    with workspace.settings.catalog.begin() as transaction:
        [question] = transaction.query(Question)
        assert decisions.questions(transaction, [question.id])
        assert (question.kind, question.image_ids) == ("verify", [identity(folder, BLURRED)])
        assert not pool(transaction, "de-DE", policy).doubtful


def test_images_from_before_are_measured_by_the_next_ingest_as_if_they_were_new(
    workspace: Workspace, folder: Path
) -> None:
    ingest(str(folder), "de-DE")
    measured = workspace.fingerprint()
    with workspace.settings.catalog.begin() as transaction:
        transaction.query(ImageMeasures).delete()
        assert len(measures.unmeasured(transaction)) == 4
    ingest(str(folder), "de-DE")
    assert workspace.fingerprint() == measured


def test_near_duplicates_are_a_group_named_by_one_of_them(
    workspace: Workspace, folder: Path
) -> None:
    ingest(str(folder), "de-DE")
    twins = {identity(folder, FINE), identity(folder, "again.jpg")}
    with workspace.settings.catalog.begin() as transaction:
        every = images.waiting(transaction, "de-DE")
        groups = near_duplicate_groups(transaction, every, 8)
        assert near_duplicate_groups(transaction, [], 8) == {}
    assert groups == dict.fromkeys(twins, min(twins))


def test_the_survey_is_a_page_that_stays_the_same_while_the_catalogue_does(
    workspace: Workspace, folder: Path
) -> None:
    before = survey()
    ingest(str(folder), "de-DE")
    surveyed, again = survey(), survey()
    assert before.location != surveyed.location == again.location
    [german] = surveyed.survey.pools
    assert (german.images, german.repeated, german.left_out, german.doubtful) == (4, 1, 1, 1)
    page = workspace.settings.blob_store.get(surveyed.location).decode()
    assert "de-DE has 1 image left out and 1 image asked about" in page
    assert page.count("<img") > 4
    status, printed = workspace.groundtruth("survey", "--left-out")
    assert status == 0, printed
    black = identity(folder, BLACK)
    assert f"de-DE\t{black}\tleft out\tbrightness 0.00, below 0.02" in printed
