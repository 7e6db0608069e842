"""A person is told what goes wrong, once for each time, through the block of their choice."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import Any
from uuid import uuid4

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.notifications import subscribe
from deployments.orchestration import prefect_client
from deployments.service import StackError
from tasks.events import Happened
from tasks.settings import Settings

PATIENCE_S = 60.0


@pytest.fixture
def told() -> Iterator[tuple[str, Queue[dict[str, Any]]]]:
    """The address of somebody who listens, and what they were told."""
    heard: Queue[dict[str, Any]] = Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", heard
    server.shutdown()


@pytest.fixture
def block(prefect: Settings, told: tuple[str, Queue[dict[str, Any]]]) -> str:
    address, _ = told
    data = {"subject": "{{subject}}", "body": "{{body}}"}
    with temporary_settings({PREFECT_API_URL: prefect.servers.prefect_api}):
        CustomWebhookNotificationBlock(name="operators", url=address, json_data=data).save(
            "operators", overwrite=True
        )
    return "custom-webhook/operators"


def happen(prefect: Settings, event: str, about: dict[str, Any]) -> None:
    happened = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": event,
        "resource": {"prefect.resource.id": "groundtruth.loop"},
        "payload": about,
    }
    with prefect_client(prefect) as api:
        api.post("/events", json=[happened])


def test_a_held_batch_and_a_warning_are_told(
    prefect: Settings, block: str, told: tuple[str, Queue[dict[str, Any]]]
) -> None:
    _, heard = told
    subscribe(prefect.servers.prefect_api, block)

    happen(prefect, Happened.HELD, {"n_quarantined": 7})
    assert heard.get(timeout=PATIENCE_S)["subject"] == "groundtruth: the gate holds a batch"

    warning = {"light": "red", "about": "vendor-b", "what": "The order runs out on Friday."}
    happen(prefect, "groundtruth.warning.order-runs-out", warning)
    said = heard.get(timeout=PATIENCE_S)
    assert said == {"subject": "groundtruth: red, vendor-b", "body": warning["what"]}


def test_subscribing_again_tells_nothing_twice(prefect: Settings, block: str) -> None:
    names = subscribe(prefect.servers.prefect_api, block)

    assert subscribe(prefect.servers.prefect_api, block) == names

    with prefect_client(prefect) as api:
        found = api.post("/automations/filter", json={}).json()
    assert sorted(each["name"] for each in found if each["name"] in names) == sorted(names)


def test_a_block_that_is_missing_is_named(prefect: Settings) -> None:
    with pytest.raises(StackError, match=r"no Prefect block slack-webhook/nobody"):
        subscribe(prefect.servers.prefect_api, "slack-webhook/nobody")
