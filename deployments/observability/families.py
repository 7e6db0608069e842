"""Every metric that is exposed: its name, its labels, and what it means.

The names keep to Prometheus' conventions: base units, a suffix that says the unit, `_total` for
what only grows. What is counted is counted since midnight (UTC), by rows of the catalogue; that a
counter begins anew is said by its `_created`, and `rate` and `increase` know it from the drop.
Prometheus calculates with 64-bit floating-point numbers, and so money is one here, as nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

Labels: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """A metric: `labels` are the names of its labels, in the order in which values are given."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: Labels = ()

    def of(self, values: Mapping[Labels, float | Decimal]) -> Metric:
        """A gauge with the value of each combination of labels."""
        found = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in values.items():
            found.add_metric(labels, float(value))
        return found

    def counted(self, values: Mapping[Labels, float], since: float) -> Metric:
        """A counter that began at `since`, in seconds since 1970."""
        found = CounterMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in values.items():
            found.add_metric(labels, value, created=since)
        return found

    def spread(
        self, values: Iterable[tuple[Labels, Mapping[float, int], int, float]], since: float
    ) -> Metric:
        """A histogram: how many were within each bound, how many in all, and their sum."""
        found = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for labels, within, n, total in values:
            buckets = [*((str(bound), count) for bound, count in within.items()), ("+Inf", n)]
            found.add_metric(labels, buckets, total)
            found.add_sample(
                f"{self.name}_created", dict(zip(self.labels, labels, strict=True)), since
            )
        return found


PLACE = ("site", "locale", "kind")

# --- each scrape ----------------------------------------------------------------------------------

PART_UP = Family(
    "groundtruth_part_up",
    "gauge",
    "Whether this part of the metrics could be read: catalogue, prefect, disks.",
    ("part",),
)
PART_SECONDS = Family(
    "groundtruth_part_duration_seconds",
    "gauge",
    "How long it took to read this part of the metrics.",
    ("part",),
)

# --- the catalogue --------------------------------------------------------------------------------

QUESTIONS_OPEN = Family(
    "groundtruth_questions_open", "gauge", "Questions that wait for a decision.", PLACE
)
QUESTIONS_OVERDUE = Family(
    "groundtruth_questions_overdue",
    "gauge",
    "Open questions beyond the turnaround of the vendor's contract.",
    PLACE,
)
OLDEST_QUESTION = Family(
    "groundtruth_oldest_open_question_timestamp_seconds",
    "gauge",
    "The day (its midnight, UTC) on which the oldest open question was asked.",
    PLACE,
)
ANSWERS = Family("groundtruth_answers", "counter", "Answers that were collected.", PLACE)
COLLECTION_DELAY = Family(
    "groundtruth_answer_collection_delay_seconds",
    "histogram",
    "Time from an answer on the site until it was collected.",
    ("site",),
)
GATE_FAILURES = Family(
    "groundtruth_gate_failures",
    "counter",
    "Passages through the gate in which a rule failed; an empty locale: in all of the batch.",
    ("rule", "locale"),
)
GATE_HELD = Family(
    "groundtruth_gate_batches_held", "counter", "Batches that the gate held as a whole."
)
LABELS_JUDGED = Family(
    "groundtruth_labels_judged",
    "counter",
    "Labels that the gate accepted or quarantined.",
    ("outcome",),
)
LABELS_IN_QUARANTINE = Family(
    "groundtruth_labels_in_quarantine",
    "gauge",
    "Current labels that the gate has stopped.",
    ("locale",),
)
CHAMPION_TRAINED = Family(
    "groundtruth_champion_trained_timestamp_seconds",
    "gauge",
    "When the champion was trained.",
    ("model",),
)
CHAMPION_SINCE = Family(
    "groundtruth_champion_promoted_timestamp_seconds",
    "gauge",
    "When the champion became champion.",
    ("model",),
)
CHAMPION_FIGURE = Family(
    "groundtruth_champion_figure_ratio",
    "gauge",
    "What the champion scored on the holdout when it was trained.",
    ("model", "figure"),
)
TRAINING_SET_VERSION = Family(
    "groundtruth_training_set_version", "gauge", "The newest version of the training set."
)
TRAINING_SET_IMAGES = Family(
    "groundtruth_training_set_images", "gauge", "Images of that version.", ("locale",)
)
TRAINING_SET_PRODUCTS = Family(
    "groundtruth_training_set_products", "gauge", "Products of that version."
)
TRAINING_SET_COMMITTED = Family(
    "groundtruth_training_set_committed_timestamp_seconds",
    "gauge",
    "When that version was committed.",
)
IMAGES = Family("groundtruth_images", "gauge", "Images in the catalogue.", ("locale",))
IMAGES_WAITING = Family(
    "groundtruth_images_waiting",
    "gauge",
    "Images that waited for a label when the locale was clustered last.",
    ("locale",),
)
CLUSTERED = Family(
    "groundtruth_clustered_timestamp_seconds",
    "gauge",
    "When the locale was clustered last.",
    ("locale",),
)
WARNINGS = Family(
    "groundtruth_warnings",
    "gauge",
    "Early warnings that stand: orders that run out, budgets too small, quality, levels.",
    ("kind", "light"),
)
SPENT_THIS_MONTH = Family(
    "groundtruth_spent_this_month",
    "gauge",
    "What the vendor's work of the calendar month comes to, in the currency, as counted last.",
    ("vendor", "currency"),
)
ORDERED = Family(
    "groundtruth_ordered",
    "gauge",
    "Purchase orders of the vendor in force, in their currency.",
    ("vendor", "currency"),
)
ORDERS_LEFT = Family(
    "groundtruth_orders_left",
    "gauge",
    "What the purchase orders in force leave, in their currency.",
    ("vendor", "currency"),
)
COSTS_COUNTED = Family(
    "groundtruth_costs_counted_timestamp_seconds",
    "gauge",
    "When spend was counted last: the flow `watch` does it.",
)

# --- Prefect --------------------------------------------------------------------------------------

FLOW_RUNS = Family(
    "groundtruth_flow_runs",
    "gauge",
    "Runs of the flow that ended within a day, or have not ended, by state.",
    ("flow", "state"),
)
FLOW_DURATION = Family(
    "groundtruth_flow_last_duration_seconds",
    "gauge",
    "How long the last completed run of the flow took; only runs of the last day.",
    ("flow",),
)
FLOW_SUCCESS = Family(
    "groundtruth_flow_last_success_timestamp_seconds",
    "gauge",
    "When a run of the flow completed last; only runs of the last day.",
    ("flow",),
)

# --- disks ----------------------------------------------------------------------------------------

DISK_FREE = Family(
    "groundtruth_disk_free_bytes", "gauge", "Room that is left on the disk.", ("place",)
)
DISK_SIZE = Family("groundtruth_disk_size_bytes", "gauge", "Size of the disk.", ("place",))

# --- sites, at /metrics/sites ---------------------------------------------------------------------

SITE_UP = Family(
    "groundtruth_site_up", "gauge", "Whether the site answers and takes our token.", ("site",)
)
SITE_SECONDS = Family(
    "groundtruth_site_probe_duration_seconds",
    "gauge",
    "How long it took to ask the site.",
    ("site",),
)
SITE_LAG = Family(
    "groundtruth_site_lag_seconds",
    "gauge",
    "How long the oldest answer that is not yet collected has waited on the site; 0 for none.",
    ("site",),
)

FAMILIES: tuple[Family, ...] = tuple(
    each for each in dict(globals()).values() if isinstance(each, Family)
)
