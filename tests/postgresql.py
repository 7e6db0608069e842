"""A PostgreSQL of one's own, which can be killed as a machine's failure would."""

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

USER = "postgres"
# What a killed process wrote, the operating system has: only a machine that fails would lose it.
IN_MEMORY = "-c fsync=off"
FOR_A_STACK = f"{IN_MEMORY} -c max_connections=300"
"""For several servers on one PostgreSQL."""


@dataclass(frozen=True)
class PostgreSQL:
    """A server in `folder`, reached by a socket in that folder only, started with `options`.

    Its user is another than root, and must be able to enter what the folder lies in.
    """

    folder: Path
    options: str = IN_MEMORY

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Start it unless it runs, and make it first; what a kill left is recovered."""
        if self._family():
            return
        if not self._data.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0:
                shutil.chown(self.folder, USER)
            self._control("init", "-o", f"-A trust -U {USER} -E UTF8 --no-locale")
        place = f"-c listen_addresses= -c unix_socket_directories={self.folder}"
        log = str(self.folder / "log")
        self._control("start", "-w", "-t", "120", "-l", log, "-o", f"{place} {self.options}")

    def kill(self) -> None:
        """SIGKILL to the postmaster and to all that it started."""
        family = self._family()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, 10)

    def stop(self) -> None:
        if self._family():
            self._control("stop", "-m", "fast")

    def url(self, database: str, driver: str = "psycopg") -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+{driver}://{USER}@/{database}?host={self.folder}"

    def execute(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run one statement outside a transaction; its rows."""
        with psycopg.connect(self._plain("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def dump(self, database: str, file: Path) -> None:
        """Write the content of a database to `file`, as SQL."""
        with file.open("wb") as target:
            subprocess.run(["pg_dump", self._plain(database)], stdout=target, check=True)

    def databases(self) -> set[str]:
        return {str(name) for (name,) in self.execute("SELECT datname FROM pg_database")}

    def cut_connections(self) -> int:
        """End every connection but this one, in the middle of whatever it does; how many."""
        cut = self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return len(cut)

    def _plain(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def _family(self) -> list[psutil.Process]:
        with suppress(FileNotFoundError, psutil.NoSuchProcess, IndexError, ValueError):
            first = (self._data / "postmaster.pid").read_text().splitlines()[0]
            postmaster = psutil.Process(int(first))
            if "postgres" in postmaster.name():
                return [postmaster, *postmaster.children(recursive=True)]
        return []

    def _control(self, *arguments: str) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
        program = str(programs[-1]) if programs else "pg_ctl"
        # The server refuses to run as root.
        user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*user, program, "-D", str(self._data), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )


def of_label_studio(database: PostgreSQL) -> dict[str, str]:
    """The environment of a Label Studio that keeps its data in the database `label_studio`."""
    return {
        "DJANGO_DB": "default",
        "POSTGRE_NAME": "label_studio",
        "POSTGRE_USER": USER,
        "POSTGRE_PASSWORD": "",
        "POSTGRE_HOST": str(database.folder),
        "POSTGRE_PORT": "5432",
    }
