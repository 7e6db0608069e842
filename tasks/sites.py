"""The Prefect block that holds what is needed to reach a Label Studio."""

from typing import Any, ClassVar

from prefect.blocks.core import Block
from prefect.client.schemas.objects import State
from pydantic import AnyHttpUrl, Field, SecretStr

from annotation import Site, SiteUnreachable
from tasks.errors import NoSite


class LabelStudioSite(Block):
    """A Label Studio that questions are pushed to and answers are read from."""

    _block_type_name: ClassVar[str] = "Label Studio site"
    _block_type_slug: ClassVar[str] = "label-studio-site"
    _description: ClassVar[str] = "One Label Studio instance: where it is, and the key to it."

    url: AnyHttpUrl = Field(description="Address of the Label Studio, as annotators open it.")
    api_key: SecretStr = Field(
        description="A legacy token or a personal access token of a user of the organisation."
    )

    def open(self, name: str) -> Site:
        """The site, reachable and ready; raises `annotation.SiteError` where it is not."""
        site = Site(name, str(self.url).rstrip("/"), self.api_key.get_secret_value())
        site.check()
        return site


def simulated_site(name: str) -> str:
    """The block by which simulated people sign in to the site `name`, as a user of their own."""
    return f"{name}-simulated"


def open_site(name: str) -> Site:
    """The site whose block is called `name`; raises `NoSite` where there is no such block."""
    try:
        block = LabelStudioSite.load(name, _sync=True)
    except ValueError as error:
        raise NoSite(
            f"there is no Prefect block {LabelStudioSite._block_type_slug}/{name}: create it in the"
            " Prefect UI under Blocks, or run `groundtruth up`, or correct `site` under [annotate]"
            " in groundtruth.toml"
        ) from error
    return block.open(name)


def site_was_down(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Whether a task failed because its site did not answer, so that another try may help."""
    return isinstance(state.result(raise_on_failure=False), SiteUnreachable)
