"""A PostgreSQL of the campaign's own, which can be killed as a machine's failure would."""

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

USER = "postgres"


@dataclass(frozen=True)
class PostgreSQL:
    """A server in `folder`, reached by a socket in that folder only."""

    folder: Path

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Start it unless it runs, and make it first; what a kill left is recovered."""
        if self._family():
            return
        if not self._data.exists():
            self.folder.mkdir(parents=True)
            if os.geteuid() == 0:
                shutil.chown(self.folder, USER)
            self._control("init", "-o", f"-A trust -U {USER} -E UTF8 --no-locale")
        # A killed process leaves what it wrote to the operating system, which does not fail here.
        options = (
            f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
            " -c max_connections=300"
        )
        self._control("start", "-w", "-t", "120", "-l", str(self.folder / "log"), "-o", options)

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
        plain = f"postgresql://{USER}@/postgres?host={self.folder}"
        with psycopg.connect(plain, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def dump(self, database: str, file: Path) -> None:
        """Write the content of a database to `file`, as SQL."""
        plain = f"postgresql://{USER}@/{database}?host={self.folder}"
        with file.open("wb") as target:
            subprocess.run(["pg_dump", plain], stdout=target, check=True)

    def databases(self) -> set[str]:
        return {str(name) for (name,) in self.execute("SELECT datname FROM pg_database")}

    def cut_connections(self) -> int:
        """End every connection but this one, in the middle of whatever it does; how many."""
        cut = self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return len(cut)

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
