"""The pictures of the README, taken of a finished demo: ``make demo`` first, then

.venv/bin/python -m docs.screenshots
"""

from pathlib import Path

import httpx
from playwright.sync_api import Page

from catalog import decisions
from catalog.schema import DecisionKind, SiteTask
from deployments import label_studio, orchestration
from tasks.settings import Settings, load_settings
from tests.browser import signed_in

IMAGES = Path(__file__).parent / "images"
LOCALES = ("en-US", "ar-EG")


def main() -> None:
    settings = load_settings()
    known = label_studio.credentials(settings)
    if known is None:
        raise SystemExit("there is nothing to photograph yet: run `make demo` first")
    IMAGES.mkdir(exist_ok=True)
    with signed_in(label_studio.url(settings), known) as page:
        for locale in LOCALES:
            photograph_contact_sheet(settings, page, locale)
        photograph_run(settings, page)


def photograph_contact_sheet(settings: Settings, page: Page, locale: str) -> None:
    """The largest sheet of a locale that somebody confirmed but for an intruder or two."""
    with settings.catalog.begin() as transaction:
        confirmed = [
            decision
            for decision in decisions.current_decisions(transaction, kind=DecisionKind.SAME)
            if 1 <= len(decision.removed_ids) <= 2
        ]
        asked = decisions.questions(transaction, [each.question_id for each in confirmed])
        local = [question for question in asked.values() if question.locale == locale]
        largest = max(local, key=lambda question: len(question.image_ids))
        task = transaction.get(SiteTask, largest.id)
    if task is None:
        raise SystemExit(f"question {largest.id} stands on no site: run `make demo` again")
    page.set_viewport_size({"width": 1440, "height": 820})
    page.goto(f"{label_studio.url(settings)}/projects/{task.project_id}/data?task={task.task_id}")
    page.wait_for_function(
        "[...document.querySelectorAll('.pictures img')].length > 0 &&"
        " [...document.querySelectorAll('.pictures img')].every(img => img.naturalWidth)"
    )
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / f"contact-sheet.{locale}.jpg", type="jpeg", quality=85)


def photograph_run(settings: Settings, page: Page) -> None:
    """The newest finished run of the whole loop, and what it left to look at."""
    api = orchestration.api_url(settings)
    runs = httpx.post(
        f"{api}/flow_runs/filter",
        json={
            "flows": {"name": {"any_": ["groundtruth"]}},
            "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
            "sort": "START_TIME_DESC",
            "limit": 1,
        },
    ).json()
    artifacts = httpx.post(f"{api}/artifacts/latest/filter", json={}).json()
    [clusters] = [each["latest_id"] for each in artifacts if each["key"] == "clusters"]
    server = api.removesuffix("/api")
    for name, address, height in (
        ("prefect-run", f"/runs/flow-run/{runs[0]['id']}", 900),
        ("prefect-clusters", f"/artifacts/artifact/{clusters}", 1400),
    ):
        page.set_viewport_size({"width": 1440, "height": height})
        page.goto(server + address)
        page.wait_for_timeout(6000)
        page.screenshot(path=IMAGES / f"{name}.jpg", type="jpeg", quality=85)


if __name__ == "__main__":
    main()
