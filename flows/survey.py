"""Compare the locales: what they hold beside the plan, and how their pictures look."""

from prefect import flow, get_run_logger

from tasks.artifacts import publish
from tasks.summary import Figures, summarised
from tasks.survey import Surveyed, survey_locales, survey_page
from tasks.trying import HOUR


def figures(surveyed: Surveyed) -> Figures:
    return {"findings": len(surveyed.survey.findings), "page": surveyed.location}


@summarised(figures)
@flow(name="survey", timeout_seconds=12 * HOUR)
def survey() -> Surveyed:
    """Survey the catalogue as it is now; the page with plots and pictures is kept as a blob."""
    surveyed = survey_locales()
    for finding in surveyed.survey.findings:
        get_run_logger().info("%s", finding)
    publish(
        "survey",
        "Survey of the locales",
        f"With plots and pictures: `{surveyed.location}` in the blob store.",
        *survey_page(surveyed.survey),
    )
    return surveyed
