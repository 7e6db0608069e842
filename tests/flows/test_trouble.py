"""What is missing or broken is said in one line that names the remedy, and nothing is lost."""

from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import AnyHttpUrl, SecretStr

from deployments.sample import Sample
from tasks.sites import LabelStudioSite
from tests.conftest import RunningStack, free_ports
from tests.flows.conftest import Workspace


def save_block(workspace: Workspace, name: str, url: str, token: str) -> None:
    with temporary_settings({PREFECT_API_URL: workspace.environment["PREFECT_API_URL"]}):
        LabelStudioSite(url=AnyHttpUrl(url), api_key=SecretStr(token)).save(name, overwrite=True)


def last_line(printed: str) -> str:
    """The line that the command line closes with, unfolded."""
    return " ".join(printed[printed.rindex("groundtruth: ") :].split())


def test_without_a_champion_the_message_says_what_a_first_model_needs(
    workspace: Workspace,
) -> None:
    status, printed = workspace.groundtruth("cluster")
    assert status == 1
    assert "there is no champion yet" in last_line(printed)
    assert "uri, locale and product" in last_line(printed)


def test_the_command_line_runs_on_the_local_prefect_without_being_told_where_it_is(
    workspace: Workspace,
) -> None:
    address = workspace.environment["PREFECT_API_URL"].removesuffix("/api")
    for name in [name for name in workspace.environment if name.startswith("PREFECT_")]:
        del workspace.environment[name]
    status, printed = workspace.groundtruth("ingest")
    assert status == 0, printed
    assert f"View at {address}/runs/" in printed


def test_a_prefect_that_is_down_is_named(workspace: Workspace) -> None:
    [closed_port] = free_ports(1)
    workspace.environment["PREFECT_API_URL"] = f"http://127.0.0.1:{closed_port}/api"
    status, printed = workspace.groundtruth("ingest")
    assert status == 1
    assert f"Prefect at http://127.0.0.1:{closed_port}/api does not answer" in last_line(printed)


def test_a_manifest_that_does_not_exist_is_named(workspace: Workspace) -> None:
    status, printed = workspace.groundtruth("ingest", "nowhere.csv")
    assert status == 1
    assert last_line(printed) == "groundtruth: there is no manifest nowhere.csv"


def test_a_site_that_is_down_or_refuses_loses_nothing_and_the_run_goes_on_later(
    workspace: Workspace, stack: RunningStack, sample: Sample
) -> None:
    url, token = stack.site.url, stack.credentials.admin_token
    [closed_port] = free_ports(1)
    workspace.environment["GROUNDTRUTH_ANNOTATE__SITES"] = '["trouble"]'
    arguments = ("run", str(sample.rounds[0]), "--labelled", str(sample.labelled))

    status, printed = workspace.groundtruth(*arguments)
    assert status == 1
    assert "there is no Prefect block label-studio-site/trouble" in last_line(printed)

    workspace.environment["GROUNDTRUTH_ANNOTATE__SITES"] = '["local"]'
    save_block(workspace, "local", f"http://127.0.0.1:{closed_port}", token)
    status, printed = workspace.groundtruth(*arguments)
    assert status == 1
    assert f"Label Studio at http://127.0.0.1:{closed_port}" in last_line(printed)
    assert "does not answer" in last_line(printed)

    save_block(workspace, "local", url, "0" * 40)
    status, printed = workspace.groundtruth(*arguments)
    assert status == 1
    assert "token" in last_line(printed)
    assert "0" * 40 not in printed

    asked = workspace.summary()
    assert asked.questions > asked.questions_on_site == 0
    save_block(workspace, "local", url, token)
    status, printed = workspace.groundtruth(*arguments)
    assert status == 0, printed
    assert "has done cluster before: going on" in printed
    assert token not in printed
    assert workspace.summary().questions_on_site == asked.questions
