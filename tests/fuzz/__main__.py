"""Fuzz one reader, guided by coverage: `python -m tests.fuzz picture --minutes 2`.

libFuzzer changes the seeds and what came of them, and keeps what reaches new code. The first input
that a reader should have refused and did not ends the run with exit status 77 and is written to the
folder of findings; it becomes a regression test.
"""

import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import atheris
import typer

with atheris.instrument_imports(
    include=["annotation", "catalog", "deployments", "tasks", "workforce", "openpyxl", "yaml"],
    exclude=["catalog.schema"],
    enable_loader_override=False,
):
    from tests.fuzz.targets import TARGETS

Name = StrEnum("Name", {name: name for name in TARGETS})  # type: ignore[misc]
MOST_BYTES = 20_000
FINDINGS = Path(tempfile.gettempdir())


def main(
    target: Annotated[Name, typer.Argument(help="What is to be fed.")],
    minutes: Annotated[float, typer.Option(help="How long.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the choices of libFuzzer.")] = 1,
    corpus: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps what reached new code."),
    ] = None,
    findings: Annotated[Path, typer.Option(help="Folder for what was found.")] = FINDINGS,
) -> None:
    """Feed `target` for some minutes."""
    chosen = TARGETS[target]
    folder = corpus or Path(tempfile.mkdtemp(prefix=f"corpus-{target}-"))
    folder.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(chosen.seeds()):
        (folder / f"seed-{number}").write_bytes(content)
    options = {
        "max_total_time": max(1, round(60 * minutes)),
        "max_len": MOST_BYTES,
        "seed": seed,
        "rss_limit_mb": 4096,
        "timeout": 20,
        "print_final_stats": 1,
        "artifact_prefix": f"{findings}/{target}-",
    }
    arguments = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(folder)], chosen.read)
    atheris.Fuzz()


if __name__ == "__main__":
    typer.run(main)
