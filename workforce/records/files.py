"""The workforce as one YAML file: read with errors that name the place, and written."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from workforce.errors import WorkforceError
from workforce.records.workforce import Workforce


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]  # without stubs, PyYAML is Any
    """YAML without the readings that surprise: 17:30 is no number, NO no boolean, 0.10 no float.

    Nor are there aliases: a few lines of aliases of aliases would be read as billions of values.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.MarkedYAMLError(
                problem=f"*{event.anchor} is an alias: write out what it stands for",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)


def _as_written(_loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(node.value)


def _whole_number(_loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | str:
    said = str(node.value)
    return int(said) if said.isdecimal() else said


_PlainLoader.add_constructor("tag:yaml.org,2002:float", _as_written)
_PlainLoader.add_constructor("tag:yaml.org,2002:bool", _as_written)
_PlainLoader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def read(file: Path) -> Workforce:
    """What `file` says; raises `WorkforceError` that names each place to mend."""
    try:
        said = yaml.load(file.read_text(encoding="utf-8"), _PlainLoader)
    except OSError as error:
        raise WorkforceError(f"{file} cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise WorkforceError(f"{file} is no YAML of ours: it is nested too deep") from error
    except (yaml.YAMLError, ValueError) as error:
        raise WorkforceError(f"{file} is no YAML: {error}") from error
    try:
        return Workforce.model_validate(said if said is not None else {})
    except ValidationError as error:
        problems = "; ".join(
            f"{_place(problem['loc'])}: {problem['msg']}" for problem in error.errors()
        )
        raise WorkforceError(f"{file} cannot be used: {problems}") from error


def written(workforce: Workforce) -> str:
    """The workforce as YAML that `read` reads back; what is as usual is left out."""
    said: dict[str, Any] = workforce.model_dump(mode="json", exclude_defaults=True)
    text: str = yaml.safe_dump(said, sort_keys=False, allow_unicode=True)
    return text


def _place(parts: tuple[int | str, ...]) -> str:
    """Where in the file: `contracts[1].rates[0].price`."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return place.lstrip(".") or "the file"
