"""What groundtruth is made of, and which of it is known to be vulnerable.

    python -m deployments.supply_chain audit          # known vulnerabilities of constraints.txt
    python -m deployments.supply_chain bill sbom.json # a CycloneDX bill of this environment
    python -m deployments.supply_chain check sbom.json

`audit` exits with 1 where a package is vulnerable, and with 2 where the service that knows could
not be asked, which is no clean bill.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from deployments.orchestration import ROOT

CONSTRAINTS = (
    ROOT / "constraints.txt",
    ROOT / "deployments" / "label-studio-constraints.txt",
)
SPECIFICATION = "1.6"
VULNERABLE, UNKNOWN = 1, 2

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def audit(
    service: Annotated[str, typer.Option(help="Who is asked: pypi or osv.")] = "pypi",
    timeout: Annotated[int, typer.Option(help="Seconds that it may be silent.")] = 15,
    constraints: Annotated[
        list[Path] | None,
        typer.Option(help="Files of pins; none: those of the pipeline and sites."),
    ] = None,
) -> None:
    """Compare every pinned package with the known vulnerabilities."""
    status = 0
    for pins in constraints or CONSTRAINTS:
        print(f"{pins}:", flush=True)
        status = max(status, _audited(pins, service, timeout))
    raise typer.Exit(status)


@app.command()
def bill(
    to: Annotated[Path, typer.Argument(help="The file to write, JSON.")],
    python: Annotated[
        Path | None, typer.Option(help="The Python of another environment, as Label Studio's.")
    ] = None,
) -> None:
    """Write a CycloneDX bill of materials, the same for the same environment."""
    interpreter = [str(python)] if python else []
    subprocess.run(
        [
            *(sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"),
            *("--spec-version", SPECIFICATION, "--pyproject", str(ROOT / "pyproject.toml")),
            *("--gather-license-texts", "--no-validate", "--output-file", str(to), *interpreter),
        ],
        check=True,
    )


@app.command()
def check(bill: Annotated[Path, typer.Argument(help="The file that `bill` wrote.")]) -> None:
    """Compare a bill with the schema of CycloneDX; exit status 1 where it breaks it."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.from_version(SPECIFICATION))
    if (wrong := validator.validate_str(bill.read_text(encoding="utf-8"))) is not None:
        print(f"{bill} is no CycloneDX {SPECIFICATION}: {wrong}")
        raise typer.Exit(1)


def _audited(pins: Path, service: str, timeout: int) -> int:
    """0, `VULNERABLE` or `UNKNOWN`; what is wrong is printed."""
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip_audit", "--requirement", str(pins), "--no-deps"),
                *("--disable-pip", "--vulnerability-service", service),
                *("--timeout", str(timeout), "--progress-spinner", "off"),
                *("--format", "json", "--output", str(report)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            words = done.stderr.strip().splitlines()
            print(
                f"  NOT AUDITED: {service} could not be asked ({words[-1] if words else 'silent'})."
                " Run it again where that service can be reached; until then nothing is known."
            )
            return UNKNOWN
        found = json.loads(report.read_text())["dependencies"]
    vulnerable = [each for each in found if each.get("vulns")]
    skipped = [each for each in found if "skip_reason" in each]
    for each in vulnerable:
        for known in each["vulns"]:
            mended = ", ".join(known["fix_versions"]) or "no release yet"
            print(f"  {each['name']} {each['version']}: {known['id']}, mended in {mended}")
    if skipped:
        names = ", ".join(each["name"] for each in skipped)
        print(f"  NOT AUDITED, {service} does not know them ({skipped[0]['skip_reason']}): {names}")
    print(f"  {len(found)} packages, {len(vulnerable)} vulnerable, {len(skipped)} not audited")
    return VULNERABLE if vulnerable else UNKNOWN if skipped else 0


if __name__ == "__main__":
    app()
