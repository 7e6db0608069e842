"""What Prometheus reads: for whoever shows the token, each metric as the documentation lists it."""

import asyncio
import datetime as dt
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prefect.settings import PREFECT_API_URL, temporary_settings
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from pydantic import TypeAdapter
from starlette.applications import Starlette

from catalog import labels
from catalog.schema import DecisionKind, GateRun, Observation, Promotion, Warned
from deployments.observability import families
from deployments.observability.endpoint import routes, token
from deployments.orchestration import ROOT
from tasks.dashboard import COSTS
from tasks.settings import Settings
from tests.catalog.rows import Bench
from tests.conftest import RunningStack
from workforce import Money
from workforce.reviews.dashboard import Cost, Costs

NOW = dt.datetime.now(dt.UTC)
DOCUMENTATION = ROOT / "docs" / "observability.md"
DASHBOARD = ROOT / "deployments" / "grafana" / "groundtruth.json"
ALERTS = ROOT / "deployments" / "prometheus" / "alerts.yaml"
BOTH = ("/metrics", "/metrics/sites")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture(scope="module")
def settings(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The running stack's servers, and a catalogue in which there is some of everything."""
    data = tmp_path_factory.mktemp("watched")
    settings = Settings(data=data, servers=stack.settings.servers)
    bench = Bench(settings.catalog, settings.blob_store)
    model = bench.model()
    bench.label("Juice", bench.ingest("c", "d"))
    answered, _ = bench.ask(bench.ingest("a", "b")), bench.ask(bench.ingest("e", "f"))
    bench.decide(answered, DecisionKind.SAME, kept=answered.image_ids)
    with settings.catalog.begin() as transaction:
        transaction.merge(model).metrics = {"bcubed_f": 0.9}
    bench.add(
        Promotion(
            number=1, challenger_id=model.id, champion_id=None, promoted=True, reason="first"
        ),
        GateRun(id="g", n_accepted=3, n_quarantined=1, held=False, rules=[]),
        Observation(gate_run_id="g", rule='a "rule"', locale="", state="failed", value=None, n=1),
        Warned(
            kind="order_runs_out",
            about="A1",
            number=1,
            urgency=2,
            light="red",
            what="soon",
            since=NOW,
        ),
    )
    with settings.catalog.begin() as transaction:
        [first, second] = labels.unjudged(transaction)
        labels.record_gate_run(
            transaction,
            accepted_ids=[first.label_id],
            quarantined={second.label_id: ["blurred"]},
            held=False,
            rules=[],
        )
    euros = Money(Decimal("12.50"), "EUR")
    costs = Costs(NOW, (Cost('Näh & Söhne \\ "B"', euros, euros, euros),))
    settings.blob_store.put(f"{COSTS}/1.json", TypeAdapter(Costs).dump_json(costs))
    with temporary_settings({PREFECT_API_URL: stack.settings.servers.prefect_api}):
        yield settings
    settings.catalog.close()


def get(settings: Settings, path: str, **headers: str) -> httpx.Response:
    """What the endpoint answers, in this process."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=[*routes(settings)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(asked())


def scraped(settings: Settings, path: str, accept: str = "text/plain") -> httpx.Response:
    known = token(settings.metrics_token_file)
    return get(settings, path, Authorization=f"Bearer {known}", Accept=accept)


def metrics(settings: Settings) -> dict[str, Metric]:
    """Every metric of both addresses, by name."""
    return {
        each.name: each
        for path in BOTH
        for each in openmetrics(scraped(settings, path, OPENMETRICS).text)
    }


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    [sample] = [
        each
        for metric in found.values()
        for each in metric.samples
        if each.name == name and each.labels.items() >= labels.items()
    ]
    return float(sample.value)


class TestTheToken:
    @pytest.mark.parametrize("path", BOTH)
    @pytest.mark.parametrize("shown", [None, "", "Bearer ", "Bearer wrong", "Basic {token}"])
    def test_nothing_is_told_without_it(
        self, settings: Settings, path: str, shown: str | None
    ) -> None:
        known = token(settings.metrics_token_file)
        headers = {} if shown is None else {"Authorization": shown.format(token=known)}

        answer = get(settings, path, **headers)

        assert answer.status_code == 401
        assert "groundtruth_" not in answer.text
        assert known not in answer.text

    def test_an_empty_file_lets_nobody_in(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "servers").mkdir()
        (tmp_path / "servers" / "metrics-token").touch()
        empty = settings.model_copy(update={"data": tmp_path})

        assert get(empty, "/metrics", Authorization="Bearer ").status_code == 401

    def test_a_new_one_counts_at_once_and_is_made_for_its_owner_only(
        self, settings: Settings
    ) -> None:
        before = token(settings.metrics_token_file)
        settings.metrics_token_file.unlink()

        assert get(settings, "/metrics", Authorization=f"Bearer {before}").status_code == 401
        assert token(settings.metrics_token_file) != before
        assert settings.metrics_token_file.stat().st_mode & 0o077 == 0
        assert scraped(settings, "/metrics").status_code == 200


def test_the_server_of_the_stack_answers_prometheus(stack: RunningStack) -> None:
    known = stack.settings.metrics_token_file.read_text()

    answer = httpx.get(
        f"http://127.0.0.1:{stack.settings.servers.webhooks_port}/metrics",
        headers={"Authorization": f"Bearer {known}"},
        timeout=60,
    )

    assert 'groundtruth_part_up{part="prefect"} 1.0' in answer.text


@pytest.mark.parametrize("path", BOTH)
def test_both_formats_say_the_same(settings: Settings, path: str) -> None:
    in_plain = {each.name for each in plain(scraped(settings, path).text)}
    in_openmetrics = {each.name for each in openmetrics(scraped(settings, path, OPENMETRICS).text)}

    # The plain format has no place for when a counter began but a metric of its own.
    assert {name for name in in_plain if not name.endswith("_created")} == in_openmetrics


def test_what_is_exposed_is_what_is_declared(settings: Settings) -> None:
    found = metrics(settings)

    declared = {each.name: each for each in families.FAMILIES}
    assert found.keys() == declared.keys()
    for name, metric in found.items():
        assert (metric.type, metric.documentation) == (declared[name].kind, declared[name].help)
        for sample in metric.samples:
            assert set(sample.labels) - {"le"} == set(declared[name].labels)


def test_the_values_are_those_of_the_rows(settings: Settings) -> None:
    found = metrics(settings)

    place = {"site": "local", "locale": "de-DE", "kind": "verify"}
    assert value(found, "groundtruth_questions_open", **place) == 1
    assert value(found, "groundtruth_answers_total", **place) == 1
    assert value(found, "groundtruth_answer_collection_delay_seconds_count", site="local") == 1
    assert value(found, "groundtruth_gate_failures_total", rule='a "rule"') == 1
    assert value(found, "groundtruth_labels_in_quarantine", locale="de-DE") == 1
    assert value(found, "groundtruth_champion_figure_ratio", figure="bcubed_f") == 0.9
    assert value(found, "groundtruth_images", locale="de-DE") == 6
    assert value(found, "groundtruth_warnings", light="red") == 1
    vendor = {"vendor": 'Näh & Söhne \\ "B"', "currency": "EUR"}
    assert value(found, "groundtruth_orders_left", **vendor) == 12.5
    assert value(found, "groundtruth_site_up", site="local") == 1


def test_a_part_that_cannot_be_read_is_said_to_be_and_the_others_are_there(
    settings: Settings, tmp_path: Path
) -> None:
    broken = Settings(
        data=settings.data, servers=settings.servers, catalogue=f"sqlite:///{tmp_path}"
    )

    found = {each.name: each for each in plain(scraped(broken, "/metrics").text)}

    assert value(found, "groundtruth_part_up", part="catalogue") == 0
    assert value(found, "groundtruth_part_up", part="prefect") == 1
    assert "groundtruth_disk_free_bytes" in found
    assert "groundtruth_questions_open" not in found


@pytest.mark.parametrize(("path", "part"), [("/metrics", "catalogue"), ("/metrics/sites", "sites")])
def test_a_catalogue_that_is_not_there_is_said_to_be_down_and_is_not_made(
    settings: Settings, tmp_path: Path, path: str, part: str
) -> None:
    absent = Settings(
        data=settings.data, servers=settings.servers, catalogue=f"sqlite:///{tmp_path}/absent"
    )

    found = {each.name: each for each in plain(scraped(absent, path).text)}

    assert value(found, "groundtruth_part_up", part=part) == 0
    assert [*tmp_path.iterdir()] == []


def test_the_documentation_lists_every_metric_with_its_labels() -> None:
    rows = re.findall(
        r"^\| `(groundtruth_\w+)` \| (\w+) \|([^|]*)\|", DOCUMENTATION.read_text(), re.MULTILINE
    )

    listed = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert listed == {exposed(each): (each.kind, each.labels) for each in families.FAMILIES}


def exposed(family: families.Family) -> str:
    return f"{family.name}_total" if family.kind == "counter" else family.name


def series() -> set[str]:
    """Every name that a query may ask for."""
    return {
        name
        for each in families.FAMILIES
        for name in (
            [f"{each.name}_{suffix}" for suffix in ("bucket", "sum", "count")]
            if each.kind == "histogram"
            else [exposed(each)]
        )
    }


def asked_for(expression: str) -> set[str]:
    return set(re.findall(r"\bgroundtruth_\w+", expression))


def test_every_query_of_the_dashboard_asks_for_metrics_that_there_are() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    panels = [each for each in dashboard["panels"] if each["type"] != "row"]

    assert len({each["id"] for each in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in panels:
        for target in panel["targets"]:
            assert asked_for(target["expr"])
            assert asked_for(target["expr"]) <= series(), panel["title"]
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


def test_every_metric_but_those_of_a_scrape_is_shown_or_watched() -> None:
    rules = [rule for group in alerts() for rule in group["rules"]]
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [rule["expr"] for rule in rules] + [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]

    seen = {name for query in queries for name in asked_for(query)}
    families_seen = {re.sub("_(total|bucket|sum|count)$", "", name) for name in seen}
    assert {each.name for each in families.FAMILIES} - families_seen == {
        families.PART_SECONDS.name,
        families.SITE_SECONDS.name,
    }


def alerts() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text())["groups"]
    return groups


def test_that_nobody_answers_is_not_said_before_there_was_time_to() -> None:
    [rule] = [
        rule
        for group in alerts()
        for rule in group["rules"]
        if families.ANSWERS.name in rule["expr"] and "unless" in rule["expr"]
    ]
    age = f"time() - min by (site) ({families.OLDEST_QUESTION.name}) > 4 * 86400"
    assert f"and {age} unless" in rule["expr"]


def test_every_alert_asks_for_what_there_is_and_says_what_to_do_where_it_is_explained() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).strip().replace(" ", "-")
        for line in DOCUMENTATION.read_text().splitlines()
        if line.startswith("#")
    }
    for group in alerts():
        for rule in group["rules"]:
            assert asked_for(rule["expr"]) <= series(), rule["alert"]
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert rule["annotations"].keys() == {"summary", "description", "runbook"}
            page, _, section = rule["annotations"]["runbook"].partition("#")
            assert (ROOT / page) == DOCUMENTATION
            assert section in headings, rule["alert"]
