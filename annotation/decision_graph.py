"""The partition kept up to date, answer by answer.

A decision speaks of the components that its images and its name lie in. Learning it settles these
anew and leaves all others alone, so that a thousand answers among a million images take a moment.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from annotation.evidence import Component, Decided, Evidence, Graph, Node, Rule, groups_of, rules_of
from annotation.partition import Partition, Settled, pieces, settle
from catalog.schema import VerifiedLabel


@dataclass(frozen=True)
class Touched:
    """What is no longer as it was.

    Attributes
    ----------
    images
        The images whose product changed, those that lost theirs as well.
    products
        The products for or against which the evidence changed, as they were and as they are.
    apart
        The pairs (product or image, product or image) that are known to differ since, or not any
        more.
    """

    images: frozenset[str]
    products: frozenset[str]
    apart: frozenset[tuple[str, str]]


class DecisionGraph:
    """All that is decided, and the products that follow from it.

    `partition` is at every moment what `annotation.partition` makes of the decisions that stand:
    those that were learnt and that no other one that was learnt supersedes, in whatever order and
    however often they arrived.

    Parameters
    ----------
    log
        Decisions with their questions; superseded ones may be among them.
    manifest
        What the manifests say.
    """

    def __init__(self, log: Iterable[Decided], manifest: Iterable[VerifiedLabel]) -> None:
        self._evidence = Evidence((), manifest)
        self._listed = self._evidence.listed()
        self._settled = Settled()
        self._component_of: dict[Node, Component] = {}
        self._home: dict[str, Component] = {}
        self._apart: Counter[tuple[str, str]] = Counter()
        self._told_apart: dict[str, set[str]] = defaultdict(set)
        self._superseded: set[str] = set()
        self._partition: Partition | None = None
        self._change(list(log), fresh=self._evidence.hubs())

    @property
    def partition(self) -> Partition:
        """The products that follow from what stands now; learning more does not change it."""
        if self._partition is None:
            found = self._settled
            self._partition = Partition(
                dict(found.product_of),
                dict(found.names),
                dict(found.sources),
                frozenset(self._apart),
                tuple(found.contradictions[rank] for rank in sorted(found.contradictions)),
                self._listed,
            )
        return self._partition

    def learn(self, decided: Iterable[Decided]) -> Touched:
        """Take in decisions, known ones and superseded ones as well, and say what that changed."""
        return self._change(list(decided))

    @property
    def product_of(self) -> Mapping[str, str]:
        """The product of each image that has one, as it is now: it changes with what is learnt."""
        return MappingProxyType(self._settled.product_of)

    @property
    def decided(self) -> Mapping[str, Decided]:
        """The decisions that stand now, by their identities."""
        return MappingProxyType(self._evidence.decided)

    def evidence(self, product_id: str) -> Graph:
        """What makes a product one, each edge with the `weight` of its posterior (`evidence`).

        Raises
        ------
        KeyError
            If there is no such product, or no more.
        """
        component = self._home[product_id]
        hanging_together, _ = pieces(component, self._evidence)
        piece = next(
            piece
            for piece in hanging_together
            if any(self.product_of.get(node[1]) == product_id for node in piece)
        )
        graph = self._evidence.graph(component)
        graph.remove_nodes_from([node for node in graph if node not in piece])
        return graph

    def rules(self, product_id: str, nodes: Collection[Node]) -> list[Rule]:
        """What was said against a product, between `nodes` of its evidence, and gave way."""
        return self._evidence.rules(self._home[product_id], nodes)

    def _change(self, given: Collection[Decided], fresh: Iterable[Node] = ()) -> Touched:
        standing = self._evidence.decided
        replaced = {each.decision.supersedes_id for each in given}
        self._superseded.update(identity for identity in replaced if identity is not None)
        came = {
            each.decision.id: each
            for each in given
            if each.decision.id not in self._superseded and each.decision.id not in standing
        }
        gone = {identity: standing[identity] for identity in replaced if identity in standing}
        standing.update(came)
        new, leaving = (
            {hub for each in some.values() for hub in groups_of(each.decision)}
            for some in (came, gone)
        )
        reached = self._evidence.nodes(new | leaving)
        old = {id(found): found for node in reached if (found := self._component_of.get(node))}
        hubs = new.union(fresh, *(each.hubs for each in old.values()))
        nodes = reached.union(*(each.nodes for each in old.values()))
        images = {node[1] for node in nodes if node[0] == "image"}
        speakers = {hub[1] for hub in hubs if hub[0] == "group"}
        speakers.update(*(self._told_apart[each] for each in images & self._told_apart.keys()))

        kept_apart = self._kept_apart(speakers - came.keys())
        before = self._forget(old.values())
        self._listen(came.values())
        for identity in gone:
            self._ignore(standing.pop(identity))
        products = self._settle(hubs - leaving)
        apart = self._recount(kept_apart, self._kept_apart(speakers - gone.keys()))

        self._partition = None
        now = self._settled.product_of
        moved = frozenset(each for each in images if before.product_of.get(each) != now.get(each))
        return Touched(moved, frozenset(products.union(before.product_of.values())), apart)

    def _forget(self, components: Iterable[Component]) -> Settled:
        """Take back what `components` meant; what that was."""
        before = Settled()
        for component in components:
            before.add(settle(component, self._evidence))
            for node in component.nodes:
                del self._component_of[node]
        self._settled.remove(before)
        for product in set(before.product_of.values()):
            self._home.pop(product, None)
        return before

    def _settle(self, hubs: Iterable[Node]) -> set[str]:
        """Settle the components of `hubs`; their products."""
        products = set()
        for component in self._evidence.components(hubs):
            found = settle(component, self._evidence)
            self._settled.add(found)
            self._component_of.update(dict.fromkeys(component.nodes, component))
            here = set(found.product_of.values())
            self._home.update(dict.fromkeys(here, component))
            products |= here
        return products

    def _listen(self, came: Iterable[Decided]) -> None:
        for question, decision in came:
            for rule in rules_of(Decided(question, decision)):
                if rule.second[0] == "image":
                    self._told_apart[rule.second[1]].add(decision.id)

    def _ignore(self, gone: Decided) -> None:
        for rule in rules_of(gone):
            if rule.second[0] == "image":
                self._told_apart[rule.second[1]].discard(gone.decision.id)

    def _kept_apart(self, decision_ids: Iterable[str]) -> Counter[tuple[str, str]]:
        """The pairs that some decisions keep apart, each as often as they say so."""
        decided = (self._evidence.decided[identity] for identity in decision_ids)
        return Counter(pair for each in decided for pair in self._settled.apart(each))

    def _recount(
        self, before: Counter[tuple[str, str]], after: Counter[tuple[str, str]]
    ) -> frozenset[tuple[str, str]]:
        """Count `after` instead of `before`; the pairs that came or went."""
        changed = set()
        for pair in before.keys() | after.keys():
            count = self._apart[pair] - before[pair] + after[pair]
            if (count > 0) != (pair in self._apart):
                changed.add(pair)
            if count > 0:
                self._apart[pair] = count
            else:
                del self._apart[pair]
        return frozenset(changed)
