"""A PostgreSQL server of a benchmark's own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server of our own that keeps its data below `directory`."""
    [*_, program] = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    data = directory / "data"
    as_server = ["runuser", "-u", "postgres", "--"]

    def control(*arguments: str) -> None:
        command = [*as_server, str(program), "-D", str(data), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    if not data.exists():
        directory.mkdir(parents=True, exist_ok=True)
        shutil.chown(directory, "postgres")
        control("init", "-o", "-A trust -U postgres -E UTF8 --no-locale")
    memory = "-c shared_buffers=1GB -c maintenance_work_mem=512MB -c max_wal_size=8GB"
    place = f"-c listen_addresses= -c unix_socket_directories={directory}"
    control("start", "-w", "-l", str(directory / "log"), "-o", f"{memory} {place}")
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={directory}"
    finally:
        control("stop", "-m", "fast")
