"""What the decisions that stand and the manifests say: a graph that nobody needs all at once.

Each group of a decision is a node with an edge to each of its images, a manifest's product one with
an edge to each image that it labels, and a name in a locale one with an edge to each group that was
given it. Groups and products are the hubs: every edge has one at its beginning. An edge weighs the
log-odds of its posterior. What a decision keeps apart is no edge but a rule.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple, TypeAlias

import networkx as nx
from networkx.utils import UnionFind

from annotation.names import name_key
from catalog.schema import Decision, DecisionKind, Question, QuestionKind, VerifiedLabel

# How sure evidence is that nobody was asked about: a customer's manifest, a name that two groups
# share, and what a question went out from. No answer is surer than the manifest.
MANIFEST = SUREST = 0.999
NAMED = 0.9
PREMISE = 0.9

# What was accepted without asking weighs its log-odds so lightly that no number of such edges
# outweighs a person's word.
UNASKED = 1e-7

_UNIT = 1e-9

HUBS = ("group", "product")

Node = tuple[str, ...]
Rank = tuple[int, Node, Node]
Graph: TypeAlias = "nx.Graph[Node]"


class Decided(NamedTuple):
    """A question and the decision that stands on it."""

    question: Question
    decision: Decision


class Component(NamedTuple):
    """Nodes that hang together, and those of them that are hubs, sorted."""

    hubs: tuple[Node, ...]
    nodes: tuple[Node, ...]


class Link(NamedTuple):
    """Evidence that two nodes are of one product: how sure it is, and the decision `of` which."""

    first: Node
    second: Node
    posterior: float
    of: Decision | None

    @property
    def weight(self) -> int:
        """What the evidence adds to the edge between the two."""
        return weight_of(self.posterior, of=self.of)


class Place(NamedTuple):
    """An image in a group of a decision; `asked` whether that was the question, not its premise."""

    image: str
    posterior: float
    asked: bool


class Rule(NamedTuple):
    """Two nodes that a decision keeps apart, and how surely."""

    weight: int
    decided: Decided
    first: Node
    second: Node

    @property
    def rank(self) -> Rank:
        """Rules are heeded in this order, the surest first."""
        return -self.weight, self.first, self.second


class Evidence:
    """Every decision that stands and every manifest, by what they speak of.

    Attributes
    ----------
    decided
        The decisions that stand, by their identity.
    labels
        The labels of each product that manifests list.
    listed_as
        The product of each image that a manifest labels.
    """

    def __init__(self, decided: Iterable[Decided], manifest: Iterable[VerifiedLabel]) -> None:
        self.decided = {each.decision.id: each for each in decided}
        self.labels: dict[str, list[VerifiedLabel]] = defaultdict(list)
        self.listed_as: dict[str, str | None] = {}
        self._disputed: set[str] = set()
        for label in sorted(manifest, key=lambda label: label.id):
            self.labels[label.product_id or ""].append(label)
            if self.listed_as.setdefault(label.image_id, label.product_id) != label.product_id:
                self._disputed.add(label.image_id)
            self.listed_as[label.image_id] = label.product_id

    def listed(self) -> dict[str, frozenset[str]]:
        """The locales in which a manifest lists each product."""
        return {
            product: frozenset(label.locale for label in labels)
            for product, labels in self.labels.items()
        }

    def hubs(self) -> Iterator[Node]:
        """Every group of a decision and every listed product."""
        for each in self.decided.values():
            yield from groups_of(each.decision)
        for product in self.labels:
            yield "product", product

    def links(self, hub: Node) -> Iterator[Link]:
        """The edges that begin at `hub`; several between two nodes add up."""
        return self._listed(hub) if hub[0] == "product" else self._said(hub)

    def nodes(self, hubs: Iterable[Node]) -> set[Node]:
        """`hubs` and the nodes that they have an edge to."""
        found = set(hubs)
        for hub in list(found):
            found.update(link.second for link in self.links(hub))
        return found

    def components(self, hubs: Iterable[Node]) -> list[Component]:
        """`hubs`, those together that hang together; a node without a hub hangs on nothing."""
        joined: UnionFind[Node] = UnionFind()
        hub_of: dict[Node, Node] = {}
        for hub in hubs:
            together = {hub_of.setdefault(hub, hub)}
            together.update(hub_of.setdefault(link.second, hub) for link in self.links(hub))
            joined.union(hub, *together)
        members: dict[Node, list[Node]] = defaultdict(list)
        for node, hub in hub_of.items():
            members[joined[hub]].append(node)
        return [
            Component(tuple(sorted(node for node in nodes if node[0] in HUBS)), tuple(nodes))
            for nodes in members.values()
        ]

    def graph(self, component: Component) -> Graph:
        """The graph of a component, its edges with the `weight` of all evidence for them."""
        graph: Graph = nx.Graph()
        graph.add_nodes_from(component.hubs)
        for hub in component.hubs:
            for link in self.links(hub):
                edge = link.first, link.second
                known = graph.edges[edge]["weight"] if graph.has_edge(*edge) else 0
                graph.add_edge(*edge, weight=known + link.weight)
        return graph

    def rules(self, component: Component, nodes: Collection[Node]) -> list[Rule]:
        """What keeps apart nodes of one component, the surest first."""
        heard = {hub[1] for hub in component.hubs if hub[0] == "group"}
        inside = [
            rule
            for decision_id in heard
            for rule in rules_of(self.decided[decision_id])
            if rule.first in nodes and rule.second in nodes
        ]
        return sorted(inside, key=lambda rule: rule.rank)

    def _listed(self, hub: Node) -> Iterator[Link]:
        for label in self.labels[hub[1]]:
            # An image that manifests label in two ways joins nothing: one of them is wrong.
            if label.image_id not in self._disputed:
                yield Link(hub, ("image", label.image_id), MANIFEST, None)
            if key := name_key(label.name or ""):
                yield Link(hub, ("name", label.locale, key), MANIFEST, None)

    def _said(self, hub: Node) -> Iterator[Link]:
        each, number = self.decided[hub[1]], int(hub[2])
        decision = each.decision
        for place in places(each, number):
            posterior = place.posterior if place.asked else PREMISE
            yield Link(hub, ("image", place.image), posterior, decision)
        if decision.kind != DecisionKind.SAME:
            return
        groups = groups_of(decision)
        for other in groups[number + 1 :]:
            yield Link(hub, other, decision.confidence, decision)
        name = name_of(each)
        if name is not None and number == len(groups) - 1:
            yield Link(hub, name, NAMED, None)


def name_of(each: Decided) -> Node | None:
    """The name that a decision gives, as a node."""
    name = each.decision.name
    if not name or each.decision.kind != DecisionKind.SAME:
        return None
    return "name", each.question.locale, name_key(name)


def groups_of(decision: Decision) -> list[Node]:
    return [("group", decision.id, str(number)) for number in range(len(decision.groups))]


def places(each: Decided, number: int) -> Iterator[Place]:
    """The places of the images of a group of a decision."""
    question, decision = each
    images = decision.groups[number]
    start = sum(map(len, decision.groups[:number]))
    posteriors = decision.memberships[start : start + len(images)]
    premises = images if question.kind == QuestionKind.MERGE else question.reference_ids
    for image, posterior in zip(images, posteriors, strict=True):
        yield Place(image, posterior, image not in premises)


def rules_of(each: Decided) -> list[Rule]:
    """What a decision keeps apart."""
    decision = each.decision
    if decision.kind == DecisionKind.SAME and not decision.removed_ids:
        return []
    groups = groups_of(decision)
    differing = groups if decision.kind == DecisionKind.DIFFERENT else groups[:1]
    start = sum(map(len, decision.groups))
    found = [
        Rule(weight_of(place), each, group, ("image", image))
        for image, place in zip(decision.removed_ids, decision.memberships[start:], strict=True)
        for group in differing
    ]
    if decision.kind != DecisionKind.SAME:
        weight = weight_of(decision.confidence)
        found += [Rule(weight, each, *pair) for pair in combinations(groups, 2)]
    return found


def weight_of(posterior: float, *, of: Decision | None = None) -> int:
    """The log-odds of a posterior in billionths: whole numbers add up alike in any order.

    They are those of what a person said, or of a decision.
    """
    bounded = min(max(posterior, 0.5 + 1e-6), SUREST)
    unit = UNASKED if of is not None and of.model_id is not None else 1.0
    return round(unit * math.log(bounded / (1 - bounded)) / _UNIT)


LIGHTEST = round(UNASKED * math.log(SUREST / (1 - SUREST)) / _UNIT)
"""The most that an edge weighs that nobody was asked about."""


def posterior_of(weight: int) -> float:
    """The posterior whose log-odds `weight` is in billionths."""
    return 1 / (1 + math.exp(-weight * _UNIT))
