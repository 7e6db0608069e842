"""What has been decided so far, as the products that follow from it."""

from annotation import Decided, Partition, partition
from catalog import Transaction, decisions, labels


def log_of(transaction: Transaction) -> list[Decided]:
    """Every question on which a decision stands, with that decision."""
    return [Decided(*each) for each in decisions.decided(transaction)]


def knowledge(transaction: Transaction) -> Partition:
    """The partition that follows from the manifests and from all decisions that stand."""
    return partition(log_of(transaction), labels.manifest_labels(transaction))
