"""Turn candidate clusters into questions, one Label Studio project per locale."""

from dataclasses import dataclass

from prefect import flow, get_run_logger

from tasks.annotate import ask, locales_to_push, push
from tasks.artifacts import publish, table


@dataclass(frozen=True)
class Asked:
    """What was asked, and how many questions were put on the site in each locale."""

    n_new: int
    pushed: dict[str, int]


@flow(name="annotate")
def annotate() -> Asked:
    """Ask about every new candidate cluster, in the annotators' own language."""
    asked = Asked(ask(), {locale: push(locale) for locale in locales_to_push()})
    get_run_logger().info("%d new questions; pushed %s", asked.n_new, asked.pushed)
    publish(
        "questions",
        "Questions to annotators",
        f"{asked.n_new} new questions.",
        table(("locale", "pushed to its project"), asked.pushed.items()),
    )
    return asked
