"""Certify what the partition of each locale is worth, say whether to go on, and audit anew."""

from collections.abc import Sequence

from prefect import flow, get_run_logger

from tasks.annotate import push, queues_to_push
from tasks.artifacts import publish
from tasks.certify import Certified, certificate_page, certify_partition, draw_audits
from tasks.cluster import locales_with_images
from tasks.settings import load_settings
from tasks.summary import Figures, summarised
from tasks.trying import HOUR


def figures(certified: Sequence[Certified]) -> Figures:
    return {"locales": len(certified)}


@summarised(figures)
@flow(name="certify", timeout_seconds=12 * HOUR)
def certify() -> list[Certified]:
    """Certify every locale whose audits have answers; ask about new ones where all are answered."""
    locales = locales_with_images()
    certified = [found for locale in locales if (found := certify_partition(locale)) is not None]
    for each in certified:
        get_run_logger().info("%s: %s", each.locale, each.advice.why)
    n_asked = sum(draw_audits(locale) for locale in locales)
    for queue in queues_to_push():
        push(queue)
    get_run_logger().info("%d pairs are audited from now on", n_asked)
    publish(
        "certificate",
        "What the partition is worth",
        *certificate_page(certified, load_settings().annotate.targets),
        f"{n_asked} pairs are audited from now on.",
    )
    return certified
