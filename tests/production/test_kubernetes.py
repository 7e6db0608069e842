"""The Kubernetes folder: every manifest is valid, and everything that it names is there."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from tests.production.compose import FILE, FOLDER, names_to_fill_in

KUBERNETES = FOLDER / "kubernetes"
BASE = KUBERNETES / "base"
OVERLAYS = sorted((KUBERNETES / "overlays").iterdir())
VERSION = "1.33.0"
Manifest = dict[str, Any]

# What Kubernetes says otherwise than compose. The settings are those in the image, and pods may not
# call private addresses at all, so that Label Studio's own list of them stays as it is.
ONLY_IN_COMPOSE = {
    "GROUNDTRUTH_SETTINGS",
    "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS",
    "LABEL_STUDIO_USER_ADDITIONAL_BANNED_SUBNETS",
}


def built(folder: Path) -> list[Manifest]:
    """The manifests that a kustomization gathers, unpatched."""
    found = []
    for name in kustomization(folder).get("resources", []):
        place = (folder / name).resolve()
        found += built(place) if place.is_dir() else [*yaml.safe_load_all(place.read_text())]
    made = kustomization(folder).get("configMapGenerator", [])
    for each in made:
        texts = {name: (folder / name).read_text() for name in each["files"]}
        meta = {"name": each["name"]}
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": texts})
    return found


def kustomization(folder: Path) -> Manifest:
    found: Manifest = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return found


def names(manifests: list[Manifest]) -> set[tuple[str, str]]:
    return {(each["kind"], each["metadata"]["name"]) for each in manifests}


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """The template of every pod, with the name of what makes it."""
    for each in manifests:
        spec = each.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield each["metadata"]["name"], spec["template"]


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for name, pod in pods(manifests):
        for container in pod["spec"]["containers"]:
            yield name, container


def value_at(manifest: Manifest, path: str) -> Any:
    """What stands at a JSON pointer; raises `KeyError` or `IndexError` where nothing does."""
    found: Any = manifest
    for part in path.strip("/").split("/"):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


@pytest.fixture(params=OVERLAYS, ids=lambda folder: folder.name)
def overlay(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


@pytest.fixture
def manifests(overlay: Path) -> list[Manifest]:
    return built(overlay)


def test_every_file_is_tidy() -> None:
    rules = YamlLintConfig(file=str(FOLDER / "yamllint.yaml"))
    for file in [*FOLDER.rglob("*.yaml")]:
        assert [*linter.run(file.read_text(), rules)] == [], file


def test_every_manifest_is_valid(manifests: list[Manifest]) -> None:
    for each in manifests:
        kubernetes_validate.validate(each, VERSION, strict=True)


@pytest.mark.skipif(
    shutil.which("kustomize") is None, reason="kustomize, which builds it, is not here"
)
def test_kustomize_builds_it(overlay: Path) -> None:
    subprocess.run(["kustomize", "build", str(overlay)], check=True, capture_output=True)


def test_no_name_is_given_twice(manifests: list[Manifest]) -> None:
    assert len(names(manifests)) == len(manifests)


def test_every_patch_finds_what_it_changes(overlay: Path, manifests: list[Manifest]) -> None:
    found = {(each["kind"], each["metadata"]["name"]): each for each in manifests}
    for patch in kustomization(overlay)["patches"]:
        target = found[patch["target"]["kind"], patch["target"]["name"]]
        for change in yaml.safe_load(patch["patch"]):
            assert change["op"] == "replace"
            value_at(target, change["path"])


def test_every_number_of_replicas_is_of_something(overlay: Path, manifests: list[Manifest]) -> None:
    scaled = {name for kind, name in names(manifests) if kind in ("Deployment", "StatefulSet")}

    assert {each["name"] for each in kustomization(overlay)["replicas"]} <= scaled


def test_every_image_has_the_tag_that_compose_pins(
    overlay: Path, manifests: list[Manifest]
) -> None:
    tags = {
        each["name"]: each["newTag"]
        for folder in (BASE, overlay)
        for each in kustomization(folder).get("images", [])
    }
    services = yaml.safe_load(FILE.read_text())["services"].values()
    compose = {
        each["image"].partition(":")[0]: each["image"].partition(":")[2] for each in services
    }
    ours = compose.pop("groundtruth")

    assert {container["image"] for _, container in containers(manifests)} <= tags.keys()
    assert ours == f"${{GROUNDTRUTH_VERSION:-{tags.pop('groundtruth')}}}"
    assert tags == {name: compose[name] for name in tags}


def test_no_pod_has_more_rights_than_it_needs(manifests: list[Manifest]) -> None:
    for name, pod in pods(manifests):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            rights = container["securityContext"]
            assert rights == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"].keys() == {"requests", "limits"}, name


def test_every_server_is_probed(manifests: list[Manifest]) -> None:
    probes = {"startupProbe", "readinessProbe", "livenessProbe"}
    for each in manifests:
        if each["kind"] in ("Deployment", "StatefulSet"):
            for _, container in containers([each]):
                assert container.keys() >= probes, each["metadata"]["name"]


def test_secrets_are_references_to_what_the_example_names(manifests: list[Manifest]) -> None:
    assert not [each for each in manifests if each["kind"] == "Secret"]
    for name, container in containers(manifests):
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {}).get("secretKeyRef")
            if source is not None:
                assert source["name"] == "groundtruth"
                assert source["key"] in names_to_fill_in(), name


def test_every_place_is_given(manifests: list[Manifest]) -> None:
    [places] = [each["data"] for each in manifests if each["metadata"]["name"] == "places"]
    asked = {
        variable["valueFrom"]["configMapKeyRef"]["key"]
        for _, container in containers(manifests)
        for variable in container.get("env", [])
        if "configMapKeyRef" in variable.get("valueFrom", {})
    }

    assert asked <= places.keys()


def test_what_pods_mount_is_there(manifests: list[Manifest]) -> None:
    known = names(manifests) | {("Secret", "groundtruth-tls")}
    for name, pod in pods(manifests):
        for volume in pod["spec"].get("volumes", []):
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in known, name
            if mapped := volume.get("configMap"):
                assert ("ConfigMap", mapped["name"]) in known, name


def test_every_service_and_policy_is_about_some_pod(manifests: list[Manifest]) -> None:
    labels = [pod["metadata"]["labels"] for _, pod in pods(manifests)]
    for each in manifests:
        if each["kind"] == "Service":
            wanted = each["spec"]["selector"]
        elif each["kind"] in ("NetworkPolicy", "PodDisruptionBudget"):
            selector = each["spec"].get("podSelector") or each["spec"].get("selector") or {}
            wanted = selector.get("matchLabels", {})
            for expression in selector.get("matchExpressions", []):
                apps = {given["app"] for given in labels}
                assert set(expression["values"]) <= apps, each["metadata"]["name"]
        else:
            continue
        assert any(wanted.items() <= given.items() for given in labels), each["metadata"]["name"]


def test_a_desk_is_let_out_to_nobody_inside_but_postgresql(manifests: list[Manifest]) -> None:
    desk = {"app": "label-studio-vendor-a", "part": "desk"}
    for policy in (each for each in manifests if each["kind"] == "NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        about = selector.get("matchLabels", {}).items() <= desk.items() and all(
            desk["app"] in expression["values"]
            for expression in selector.get("matchExpressions", [])
        )
        for rule in policy["spec"].get("egress", []) if about else []:
            for there in rule["to"]:
                inside = there.get("podSelector", {}).get("matchLabels", {})
                block = there.get("ipBlock", {})
                assert inside in ({}, {"k8s-app": "kube-dns"}, {"app": "postgres"})
                assert "10.0.0.0/8" in block.get("except", ["10.0.0.0/8"])


def network_policy(name: str) -> Manifest:
    """What the policy of this name says."""
    [policy] = [
        each["spec"]
        for each in built(BASE)
        if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == name
    ]
    return policy


def test_prefect_is_let_out_to_messengers_and_not_to_private_addresses() -> None:
    policy = network_policy("prefect")
    [rule] = policy["egress"]
    [there] = rule["to"]

    assert "Egress" in policy["policyTypes"]
    assert there["ipBlock"]["cidr"] == "0.0.0.0/0"
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= {*there["ipBlock"]["except"]}
    assert rule["ports"] == [{"port": 443}]


def test_only_prometheus_reaches_the_metrics() -> None:
    policy = network_policy("metrics")
    [rule] = policy["ingress"]
    [there] = rule["from"]

    assert there == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    }
    assert rule["ports"] == [{"port": 4211}]


def test_the_name_of_the_pipeline_s_key_is_what_places_say(manifests: list[Manifest]) -> None:
    named = [
        (name, variable)
        for name, container in containers(manifests)
        for variable in container.get("env", [])
        if variable["name"] == "AWS_ACCESS_KEY_ID"
    ]

    assert {name for name, _ in named} == {"setup", "worker", "metrics", "backup"}
    for name, variable in named:
        reference = variable["valueFrom"]["configMapKeyRef"]
        assert reference == {"name": "places", "key": "PIPELINE_S3_KEY"}, name


def test_set_up_does_what_it_does_in_compose() -> None:
    compose = yaml.safe_load(FILE.read_text())["services"]["setup"]["command"]
    [job] = [container for name, container in containers(built(BASE)) if name == "setup"]

    assert job["command"] == compose


@pytest.mark.parametrize(
    "server",
    [
        *("prefect", "setup", "worker", "webhooks", "metrics"),
        *("label-studio-vendor-a", "label-studio-vendor-b"),
    ],
)
def test_a_server_gets_the_same_variables_as_in_compose(server: str) -> None:
    compose = yaml.safe_load(FILE.read_text())["services"][server]["environment"].keys()
    [pod] = [container for name, container in containers(built(BASE)) if name == server]

    assert compose - {variable["name"] for variable in pod["env"]} <= ONLY_IN_COMPOSE
