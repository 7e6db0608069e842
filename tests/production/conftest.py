"""The production stack: every server of `deployments/compose.yaml`, without the containers."""

import os
import random
import runpy
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from deployments import label_studio
from deployments.orchestration import ROOT
from deployments.service import Service
from tests.production.certificates import write_certificates
from tests.production.compose import DOMAIN, FOLDER, NAMES, Composed, filled_in, interpolated

SITES = ("vendor-a", "vendor-b")
BUCKET = "groundtruth"
BACKUPS = "groundtruth-backup"
PIPELINE = "groundtruth"
METRICS_TOKEN = "the token of Prometheus"
POSTGRESQL = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/usr/bin"))
# Loopback stands for the vendors' networks, whose addresses webhooks may be sent to.
BANNED = "LABEL_STUDIO_USER_ADDITIONAL_BANNED_SUBNETS"
# Small enough to train in seconds on two cores.
SMALL = {"GROUNDTRUTH_ENCODER__IMAGE_SIZE": "32", "GROUNDTRUTH_ENCODER__EPOCHS": "8"}
NOTHING: Mapping[str, str] = {}
NGINX = """
daemon off; user root; worker_processes 1; pid nginx.pid; error_log stderr;
events {{}}
http {{
    client_body_temp_path body; proxy_temp_path proxied;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include {};
}}
"""


@dataclass(frozen=True)
class Production:
    """The running stack.

    `keys` are the access key and secret of each site, and of the pipeline, at the object store;
    `forms` the types of blocks that Prefect knew when it was set up and nobody had saved one.
    """

    compose: Composed
    keys: Mapping[str, tuple[str, str]]
    forms: frozenset[str] = frozenset()

    def visitor(self, name: str, **given: Any) -> httpx.Client:
        """Somebody outside, who knows the certificate authority, at what is called `name`."""
        return httpx.Client(base_url=self.compose.url(name), verify=self.trust, timeout=60, **given)

    @property
    def authority(self) -> str:
        """The file of the certificate authority."""
        return str(self.compose.scratch / "secrets" / "ca.crt")

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)

    def at_desk(self, site: str) -> httpx.Client:
        """The pipeline at the Label Studio of a site."""
        token = self.compose.environment(f"label-studio-{site}")["LABEL_STUDIO_USER_TOKEN"]
        return self.visitor(site, headers={"Authorization": f"Token {token}"})

    def at_s3(self, access_key: str, secret: str, endpoint: str | None = None) -> Any:
        """An S3 client of who has a key; at the store itself, or at `endpoint`."""
        return boto3.client(
            "s3",
            endpoint_url=endpoint or f"http://{self.compose.address('s3')}:9000",
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            config=Config(signature_version="s3v4"),
        )

    @contextmanager
    def policies_enforced(self) -> Iterator[None]:
        """Ask what each access key is allowed, which the pipeline's made-up key is not."""
        switch = f"http://{self.compose.address('s3')}:9000/moto-api/reset-auth"
        httpx.post(switch, content="0").raise_for_status()
        try:
            yield
        finally:
            httpx.post(switch, content="inf").raise_for_status()

    @property
    def prefect_api(self) -> dict[str, str]:
        """How somebody outside speaks with Prefect."""
        given = self.compose.environment("worker")
        return {
            "PREFECT_API_URL": f"{self.compose.url('prefect')}/api",
            "PREFECT_API_AUTH_STRING": given["PREFECT_API_AUTH_STRING"],
        }

    def run(
        self, service: str, *command: str, more: Mapping[str, str] = NOTHING
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with the environment of a service, to its end."""
        environment = self.compose.environment(service) | dict(more)
        return subprocess.run(
            [shutil.which(command[0], path=environment["PATH"]) or command[0], *command[1:]],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Every server of the stack, as `docker compose up` starts them."""
    scratch = tmp_path_factory.mktemp("production")
    compose = Composed(filled_in(), free_network(), scratch)
    write_certificates(scratch / "secrets", DOMAIN)
    (scratch / "secrets" / "metrics-token").write_text(METRICS_TOKEN)
    with ExitStack() as running:
        running.enter_context(public_names(compose))
        running.enter_context(postgresql(compose))
        keys = running.enter_context(object_store(compose))
        found = Production(compose, keys)
        proxy = service(
            compose,
            "proxy",
            proxy_command(compose),
            lambda: reaches(found, "nobody", "/healthz"),
        )
        prefect = service(
            compose, "prefect", compose.command("prefect"), lambda: reaches(found, "prefect")
        )
        desks = [desk(found, site) for site in SITES]
        running.enter_context(up(proxy, prefect, *desks))
        setup = found.run("setup", *compose.command("setup"))
        assert setup.returncode == 0, setup.stdout + setup.stderr
        found = replace(found, forms=forms(found))
        worker = service(
            compose,
            "worker",
            compose.command("worker"),
            lambda: answers(f"http://{compose.address('worker')}:8080/health"),
        )
        webhooks = service(
            compose,
            "webhooks",
            compose.command("webhooks"),
            lambda: answers(f"http://{compose.address('webhooks')}:4210/health"),
        )
        metrics = service(
            compose,
            "metrics",
            compose.command("metrics"),
            lambda: answers(f"http://{compose.address('metrics')}:4211/health"),
        )
        running.enter_context(up(worker, webhooks, metrics))
        yield found


def forms(production: Production) -> frozenset[str]:
    """The types of blocks that Prefect has a form for."""
    login = production.prefect_api["PREFECT_API_AUTH_STRING"].split(":")
    with production.visitor("prefect", auth=(login[0], login[1])) as prefect:
        listed = prefect.post("/api/block_types/filter", json={}).raise_for_status().json()
    return frozenset(each["slug"] for each in listed)


def free_network() -> str:
    """The first three numbers of loopback addresses that nobody uses."""
    while True:
        network = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}"
        try:
            socket.create_server((f"{network}.2", 443)).close()
        except PermissionError:
            pytest.skip(
                "binding port 443 needs root, or a lower net.ipv4.ip_unprivileged_port_start"
            )
        except OSError:
            continue
        return network


@contextmanager
def public_names(compose: Composed) -> Iterator[None]:
    """Let this process find the public names, as the servers' processes do."""
    with pytest.MonkeyPatch.context() as patch:
        for function in ("getaddrinfo", "gethostbyname"):
            patch.setattr(socket, function, getattr(socket, function))
        patch.setenv("DOMAIN", DOMAIN)
        patch.setenv("PROXY_ADDRESS", compose.address("proxy"))
        runpy.run_path(str(NAMES / "sitecustomize.py"))
        yield


@contextmanager
def postgresql(compose: Composed) -> Iterator[None]:
    """PostgreSQL with the roles and databases that a new volume gets."""
    # The server refuses to run as root, and `postgres` cannot enter root's directories.
    as_server = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with TemporaryDirectory(dir="/tmp") as scratch:
        if as_server:
            shutil.chown(scratch, "postgres")
        _, *options = compose.command("postgres")
        options += ["-c", f"listen_addresses={compose.address('postgres')}"]
        options += ["-c", f"unix_socket_directories={scratch}", "-c", "fsync=off"]

        def control(*arguments: str) -> None:
            subprocess.run(
                [*as_server, str(POSTGRESQL / "pg_ctl"), "-D", f"{scratch}/data", *arguments],
                check=True,
                capture_output=True,
            )

        given = compose.environment("postgres")
        control(
            "init", "-o", f"-U postgres --auth-local=trust {given['POSTGRES_INITDB_ARGS']} -E UTF8"
        )
        control("start", "-w", "-l", f"{scratch}/log", "-o", " ".join(options))
        try:
            roles = FOLDER / "postgres" / "roles.sql"
            subprocess.run(
                ["psql", "-h", scratch, "-U", "postgres", "-q", "-f", str(roles)],
                env=given,
                check=True,
            )
            yield
        finally:
            control("stop", "-m", "immediate")


@contextmanager
def object_store(compose: Composed) -> Iterator[dict[str, tuple[str, str]]]:
    """A real S3 API with the buckets, and the users with the policies of `s3/`."""
    endpoint = f"http://{compose.address('s3')}:9000"
    server = service(
        compose,
        "s3",
        [sys.executable, "-m", "moto.server", "-H", compose.address("s3"), "-p", "9000"],
        lambda: answers(f"{endpoint}/moto-api/"),
        {"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"},  # as MinIO, unless it is told its own name
    )
    given = {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "root",
        "aws_secret_access_key": "root",
    }
    with up(server):
        for bucket in (BUCKET, BACKUPS):
            boto3.client("s3", **given).create_bucket(Bucket=bucket)
        iam = boto3.client("iam", **given)
        keys = {}
        for user, name in {PIPELINE: "pipeline", **dict.fromkeys(SITES, "site")}.items():
            policy = (FOLDER / "s3" / f"{name}.json").read_text()
            iam.create_user(UserName=user)
            iam.put_user_policy(
                UserName=user,
                PolicyName=name,
                PolicyDocument=policy.replace("${aws:username}", user),
            )
            made = iam.create_access_key(UserName=user)["AccessKey"]
            keys[user] = (made["AccessKeyId"], made["SecretAccessKey"])
        yield keys


def proxy_command(compose: Composed) -> list[str]:
    """nginx with the configuration that its image makes of our template."""
    folder = compose.scratch / "nginx"
    folder.mkdir()
    values = compose.environment("proxy") | {"NGINX_LOCAL_RESOLVERS": "127.0.0.1"}
    listening = f"listen {values['TLS_PORT']} "
    template = (FOLDER / "nginx" / "groundtruth.conf.template").read_text()
    ours = interpolated(template, values).replace(
        listening, f"listen {values['PROXY_ADDRESS']}:{values['TLS_PORT']} "
    )
    (folder / "groundtruth.conf").write_text(ours)
    (folder / "nginx.conf").write_text(NGINX.format(folder / "groundtruth.conf"))
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def desk(production: Production, site: str) -> Service:
    """The Label Studio of a site: the same release as the image, started without it."""
    compose = production.compose
    name = f"label-studio-{site}"
    program = label_studio.environment_folder() / "bin" / "label-studio"
    banned = compose.environment(name)[BANNED].replace("127.0.0.0/8,", "")
    return service(
        compose,
        name,
        [str(program), "start", "--no-browser", "--internal-host", compose.address(name)],
        lambda: reaches(production, site, "/health"),
        {BANNED: banned},
    )


def service(
    compose: Composed,
    name: str,
    command: list[str],
    is_ready: Callable[[], bool],
    more: Mapping[str, str] = NOTHING,
) -> Service:
    """A server of the file, run with the environment that the file gives it."""
    environment = compose.environment(name) | (SMALL if name == "worker" else {}) | dict(more)
    return Service(
        name=name,
        command=[shutil.which(command[0], path=environment["PATH"]) or command[0], *command[1:]],
        environment=lambda: environment,
        folder=compose.scratch / "logs",
        working_directory=ROOT,
        is_ready=is_ready,
        start_seconds=600,
    )


def answers(address: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(address, timeout=5).is_success
    return False


def reaches(production: Production, name: str, path: str = "/api/health") -> bool:
    """Whether a server answers well through the proxy."""
    with suppress(httpx.HTTPError), production.visitor(name) as visitor:
        return visitor.get(path).is_success
    return False


@contextmanager
def up(*services: Service) -> Iterator[None]:
    try:
        for each in services:
            each.start()
        for each in services:
            each.wait_until_ready()
        yield
    finally:
        for each in reversed(services):
            each.stop()
