"""The pictures of the annotators' page: each kind of question in three scripts.

    python -m docs.desk_pictures MANIFEST PRODUCT PRODUCT PRODUCT

MANIFEST is a CSV file with the columns `file`, relative to it, and `product`. A Label Studio of its
own is started for the photographs, and leaves nothing behind.
"""

import csv
import shutil
import sys
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page

from annotation import LocalPictures, Site, Wording, task
from catalog.schema import Question, QuestionKind
from deployments.label_studio import local_sites
from tasks.settings import Settings
from tests.browser import signed_in
from tests.conftest import Logins, logins_of, servers_on_free_ports

IMAGES = Path(__file__).parent / "images" / "desk"
SUGGESTIONS = {
    "en-US": "Arla Natural Yoghurt 1 L",
    "ar-EG": "زبادي أرلا الطبيعي ١ لتر",
    "ja-JP": "アーラ プレーンヨーグルト 1L",
}
FOLDER = "previews"
LOADED = "[...document.querySelectorAll('.sheet img')].every(picture => picture.naturalWidth)"


@dataclass(frozen=True)
class Studio:
    """A Label Studio to take photographs in."""

    site: Site
    credentials: Logins
    pictures: Path


def main(manifest: Path, names: Sequence[str]) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    products = pictures_of(manifest, names)
    with studio() as place, signed_in(place.site.url, place.credentials) as page:
        for locale in SUGGESTIONS:
            for kind in QuestionKind:
                photograph(place, page, question(kind, locale, products))


def pictures_of(manifest: Path, names: Sequence[str]) -> list[list[Path]]:
    """The pictures of each product that is named."""
    products = defaultdict(list)
    with manifest.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            products[row["product"]].append(manifest.parent / row["file"])
    if unknown := set(names).difference(products):
        raise SystemExit(f"{manifest} has no product {', '.join(sorted(unknown))}")
    return [products[name] for name in names]


@contextmanager
def studio() -> Iterator[Studio]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), servers=servers_on_free_ports(pictures={}))
        [site] = local_sites(settings)
        (site.pictures / FOLDER).mkdir(parents=True)
        server = site.server()
        server.start()
        try:
            server.wait_until_ready()
            site.sign_in()
            known = logins_of(site)
            open_site = Site(site.name, site.url, known.admin_token)
            yield Studio(open_site, known, site.pictures / FOLDER)
        finally:
            server.stop()


def question(kind: QuestionKind, locale: str, products: list[list[Path]]) -> Question:
    """A question as the loop would ask it; images are named by their paths."""
    first, second, third = products
    match kind:
        case QuestionKind.VERIFY:
            shown, references = [*first[:11], second[0], *first[11:28], third[0], *first[28:30]], []
        case QuestionKind.ATTACH:
            shown, references = [*first[6:12], *second[:2]], first[:6]
        case QuestionKind.MERGE:
            shown, references = second[:8], first[:9]
        case QuestionKind.SPLIT:
            shown = [path for three in zip(*products, strict=False) for path in three][:24]
            references = []
    return Question(
        id=uuid.uuid4().hex,
        kind=kind,
        locale=locale,
        site="pictures",
        image_ids=[str(path) for path in shown],
        reference_ids=[str(path) for path in references],
        suggestion=SUGGESTIONS[locale],
    )


def picture_url(path: str) -> str:
    return f"/data/local-files/?d={FOLDER}/{quote(Path(path).name)}"


def photograph(place: Studio, page: Page, asked: Question) -> None:
    """Ask the question, answer half of it, and take the picture in the annotators' label stream."""
    kind = QuestionKind(asked.kind)
    for path in map(Path, asked.image_ids + asked.reference_ids):
        shutil.copy(path, place.pictures / path.name)
    wording = Wording.load(asked.locale)
    source = LocalPictures(place.pictures)
    project = place.site.ensure_project(kind, wording, pictures=source)
    place.site.push(project, [task(asked, picture_url)])
    page.set_viewport_size({"width": 1440, "height": 820})
    page.goto(f"{place.site.url}/projects/{project}/data?labeling=1")
    page.locator(".guide").wait_for()
    page.keyboard.press("Escape")
    page.locator(".guide").wait_for(state="hidden")
    page.wait_for_function(LOADED)
    match kind:
        case QuestionKind.VERIFY:
            page.locator(".pictures label").nth(11).click()
        case QuestionKind.ATTACH:
            page.locator(".pictures label").nth(6).click()
        case QuestionKind.SPLIT:
            for number, column in ((0, "a"), (3, "a"), (6, "a"), (1, "b"), (4, "b"), (2, "c")):
                drag(page, asked.image_ids[number], column)
        case QuestionKind.MERGE:
            pass
    page.mouse.move(0, 0)
    page.wait_for_timeout(800)
    page.screenshot(path=IMAGES / f"{kind}.{asked.locale}.jpg", type="jpeg", quality=38)


def drag(page: Page, image_id: str, column: str) -> None:
    """Move a picture of a split into `column`, and wait until it has landed."""
    target = page.locator(f"[data-rbd-droppable-id='{column}']")
    page.locator(f'[data-ranker-id="{image_id}"]').hover()
    page.mouse.down()
    box = target.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60, steps=12)
    page.mouse.up()
    target.locator(f'[data-ranker-id="{image_id}"]').wait_for()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
