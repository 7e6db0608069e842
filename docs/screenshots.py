"""The pictures of the loop in Prefect, taken of a finished demo: ``make demo`` first, then

.venv/bin/python -m docs.screenshots
"""

from pathlib import Path

import httpx
from playwright.sync_api import Page

from deployments.label_studio import local_sites
from tasks.settings import Settings, load_settings
from tests.browser import signed_in
from tests.conftest import logins_of

IMAGES = Path(__file__).parent / "images"


def main() -> None:
    settings = load_settings()
    IMAGES.mkdir(exist_ok=True)
    [site, *_] = local_sites(settings)
    if site.credentials() is None:
        raise SystemExit("there is nothing to photograph yet: run `make demo` first")
    with signed_in(site.url, logins_of(site)) as page:
        photograph_run(settings, page)


def photograph_run(settings: Settings, page: Page) -> None:
    """The newest finished run of the whole loop, and what it left to look at."""
    api = settings.servers.prefect_api
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
