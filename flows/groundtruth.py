"""The whole loop, once: pictures in, verified labels and perhaps a better model out."""

from dataclasses import dataclass

from prefect import flow

from flows.annotate import annotate
from flows.cluster import cluster
from flows.collect import collect
from flows.ingest import ingest
from flows.retrain import retrain
from tasks.collect import asked_projects
from tasks.rounds import Round, has_champion
from tasks.simulate import SimulatedPeople, answer_as_simulated_people
from tasks.summary import Figures, summarised
from tasks.trying import HOUR

# An answer may lead to another question, and a doubt to another vote.
TURNS_OF_SIMULATED_PEOPLE = 3


@dataclass(frozen=True)
class Turned:
    """The number of the round, and whether the gate held a batch in this run of it."""

    round: int
    held: bool


def figures(turned: Turned) -> Figures:
    return {"round": turned.round, "held": turned.held}


@summarised(figures)
@flow(name="groundtruth", timeout_seconds=72 * HOUR)
def groundtruth(
    source: str | None = None,
    locale: str | None = None,
    labelled: str | None = None,
    simulated: SimulatedPeople | None = None,
) -> Turned:
    """Ingest, cluster, annotate, collect and retrain: a round of the loop.

    A round that was killed or failed goes on where it stopped when it is run again with the same
    sources. Where people answer, they need days: what they have not answered yet is collected by
    a later run.

    Args:
        source: A folder, a manifest, or a URL of either. Left empty: the inbox.
        locale: The locale of a folder's pictures, for example de-DE. Leave empty for a manifest.
        labelled: A manifest (uri, locale, product) of images that are already labelled: needed
            once, for the first model.
        simulated: Answer the questions by simulated people. Leave empty where people answer.
    """
    this = Round.begin(source, locale, labelled, simulated)
    if labelled is not None:
        this.once("label", lambda: ingest(labelled))
    ingest(source, locale)
    collected = []
    if not has_champion():
        collected.append(collect())
        retrain()
    this.once("cluster", cluster)
    for turn in range(1, TURNS_OF_SIMULATED_PEOPLE + 1 if simulated is not None else 2):
        this.once(f"annotate {turn}", annotate)
        if simulated is not None:
            this.once(
                f"answer {turn}", lambda: answer_as_simulated_people(simulated, asked_projects())
            )
        this.once(f"collect {turn}", lambda: collected.append(collect()))
    this.once("retrain", retrain)
    return Turned(this.number, any(each.held for each in collected))
