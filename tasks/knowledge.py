"""What has been decided so far, as the products that follow from it."""

from annotation import Decided, Partition, partition
from catalog import Transaction, decisions, labels


def knowledge(transaction: Transaction) -> Partition:
    """The partition that follows from the manifests and from all decisions that stand."""
    log = [Decided(*each) for each in decisions.decided(transaction)]
    return partition(log, labels.manifest_labels(transaction))
