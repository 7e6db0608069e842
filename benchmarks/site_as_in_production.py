"""A Label Studio of a benchmark's own, as in production: on uWSGI and PostgreSQL, behind nginx.

uWSGI is compiled into the environment of Label Studio:

    .venv-label-studio/bin/pip install uwsgi==2.0.31
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import which

from deployments.label_studio import LocalSite, environment_folder
from deployments.service import Service, answers
from tests.conftest import free_ports
from tests.postgresql import FOR_A_STACK, PostgreSQL, of_label_studio


@contextmanager
def running_site(
    folder: Path, n_annotators: int, n_processes: int
) -> Iterator[tuple[LocalSite, str]]:
    """A site with as many annotators, and the URL of an empty catalogue beside it."""
    port, behind = free_ports(2)
    local = LocalSite("local", port, (), n_annotators, folder, folder / "pictures")
    database = PostgreSQL(folder / "postgresql", options=FOR_A_STACK)
    first = on_postgresql(local.server(), database)
    servers = [uwsgi(first, behind, n_processes), nginx(folder, port, behind)]
    try:
        database.start()
        for name in ("label_studio", "groundtruth"):
            database.execute(f"CREATE DATABASE {name}")
        run([first])  # makes the tables and the first login
        first.stop()
        run(servers)
        yield local, database.url("groundtruth")
    finally:
        for server in (*reversed(servers), first):
            server.stop()
        database.stop()


def run(servers: Sequence[Service]) -> None:
    for server in servers:
        server.start()
        server.wait_until_ready()


def on_postgresql(server: Service, database: PostgreSQL) -> Service:
    usual = server.environment
    return replace(server, environment=lambda: {**usual(), **of_label_studio(database)})


def uwsgi(server: Service, port: int, n_processes: int) -> Service:
    """The same Label Studio, served with the settings of its image and of `compose.yaml`."""
    program = environment_folder() / "bin" / "uwsgi"
    if not program.exists():
        raise SystemExit(f"{program} is missing: {program.with_name('pip')} install uwsgi==2.0.31")
    packages = environment_folder() / "lib" / "python3.11" / "site-packages"
    usual = server.environment
    options = {
        "buffer-size": 65535,
        "harakiri": 120,
        "http": f"127.0.0.1:{port}",
        "http-timeout": 300,
        "listen": 1024,
        "max-requests": 5000,
        "module": "core.wsgi:application",
        "post-buffering": 4096,
        "processes": n_processes,
        "reload-on-rss": 2048,
        "worker-reload-mercy": 300,
    }
    switches = (
        *("die-on-term", "disable-logging", "enable-threads", "lazy-apps", "master", "need-app"),
        *("single-interpreter", "thunder-lock"),
    )
    return replace(
        server,
        name="uwsgi",
        command=[
            str(program),
            *(f"--{name}={value}" for name, value in options.items()),
            *(f"--{name}" for name in switches),
        ],
        environment=lambda: {
            **usual(),
            "DJANGO_SETTINGS_MODULE": "core.settings.label_studio",
            "PYTHONPATH": str(packages / "label_studio"),
        },
        is_ready=lambda: answers(f"http://127.0.0.1:{port}/health"),
        port=port,
    )


def nginx(folder: Path, port: int, behind: int) -> Service:
    """What stands before the site."""
    program = which("nginx") or "/usr/sbin/nginx"
    configuration = folder / "nginx.conf"
    configuration.write_text(
        # With a master process, it overwrites the environment by which a service knows its own.
        f"""daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 200m; proxy_read_timeout 300s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_set_header Host $http_host; }}
  }}
}}
"""
    )
    return Service(
        name="nginx",
        command=[program, "-c", str(configuration)],
        environment=dict,
        folder=folder / "servers",
        working_directory=folder,
        is_ready=lambda: answers(f"http://127.0.0.1:{port}/health"),
        port=port,
    )
