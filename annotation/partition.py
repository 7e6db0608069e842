"""The products that follow from all decisions that stand, and what contradicts them.

What hangs together in the graph of the evidence is one product; what a decision keeps apart must
not hang together. Where it does, somebody was wrong: the weaker evidence gives way, either the
edges of a minimum cut between the two or the decision that keeps them apart, and people are asked
across the cut. One component of the graph tells nothing of another: each is settled by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx

from annotation.evidence import (
    LIGHTEST,
    SUREST,
    Component,
    Decided,
    Evidence,
    Graph,
    Node,
    Rank,
    Rule,
    name_of,
    places,
    rules_of,
    weight_of,
)
from annotation.names import alike
from catalog.identity import digest
from catalog.schema import DecisionKind, VerifiedLabel

__all__ = ["SUREST", "Contradiction", "Decided", "Partition", "Settled", "partition", "settle"]


@dataclass(frozen=True)
class Contradiction:
    """Decisions that cannot all be right, and the images on either side of the weakest place.

    `left` and `right` were both called one product and kept apart; neither is empty. `beside` are
    those of either side that an answer put together with what was kept apart: what lies further off
    may show anything. `key` names what keeps them apart, whatever else is decided, so that people
    are asked once.
    """

    key: str
    locale: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    beside: tuple[tuple[str, ...], tuple[str, ...]]
    decision_ids: tuple[str, ...]


@dataclass(frozen=True)
class Partition:
    """The products that follow from what is decided.

    Attributes
    ----------
    product_of
        The product of each image that has one.
    names
        What each product is called, by product and locale.
    sources
        The decision behind the product of each image that has it from no manifest.
    apart
        Pairs (product or image, product or image) that are known to differ, each sorted.
    contradictions
        What people are to be asked.
    listed
        The locales in which a manifest lists a product.
    """

    product_of: Mapping[str, str]
    names: Mapping[tuple[str, str], str]
    sources: Mapping[str, Decided]
    apart: frozenset[tuple[str, str]]
    contradictions: tuple[Contradiction, ...]
    listed: Mapping[str, frozenset[str]]

    @cached_property
    def called(self) -> Mapping[str, Mapping[str, str]]:
        """The names of each product that has any, by locale."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for (product, locale), name in self.names.items():
            found[product][locale] = name
        return found

    def differ(self, first: str, second: str) -> bool:
        """Whether two images, two products, or one of each, are known to differ."""
        ends = [{end, self.product_of.get(end, end)} for end in (first, second)]
        return any(_pair(a, b) in self.apart for a in ends[0] for b in ends[1])

    def may_be_same(self, first: str, second: str) -> bool:
        """Whether it is worth asking if two products are one.

        It is not where they are known to differ, where a manifest lists both in one locale, for a
        customer who lists two means two, where they have names in one locale that are not alike, or
        while one of them has no name yet, for its name may join them.
        """
        nowhere: frozenset[str] = frozenset()
        if self.listed.get(first, nowhere) & self.listed.get(second, nowhere):
            return False
        one, other = self.called.get(first, {}), self.called.get(second, {})
        names_allow = all(alike(one[locale], other[locale]) for locale in one.keys() & other.keys())
        return bool(one and other) and names_allow and not self.differ(first, second)

    def constraints(self, image_ids: Sequence[str]) -> tuple[list[int], list[tuple[int, int]]]:
        """What is known of these images, as the clustering takes it.

        Returns
        -------
        must_link
            The number of each image's product, -1 where it is not known.
        cannot_link
            Pairs of places in `image_ids` that are known to show two products.
        """
        numbers: dict[str, int] = {}
        place_of: dict[str, int] = {}
        must_link = []
        for place, image in enumerate(image_ids):
            product = self.product_of.get(image)
            must_link.append(-1 if product is None else numbers.setdefault(product, len(numbers)))
            place_of.setdefault(product or image, place)
        cannot_link = [
            (place_of[first], place_of[second])
            for first, second in sorted(self.apart)
            if first in place_of and second in place_of
        ]
        return must_link, cannot_link

    def images(self) -> dict[str, list[str]]:
        """The images of each product, sorted."""
        found: dict[str, list[str]] = defaultdict(list)
        for image in sorted(self.product_of):
            found[self.product_of[image]].append(image)
        return found


@dataclass(frozen=True)
class Settled:
    """What a part of the graph means, in the words of a `Partition`.

    `meant` is the product that each group speaks of, or one of its images where nobody saw a
    product; `contradictions` are kept by the rank of the rule that they are about.
    """

    product_of: dict[str, str] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    sources: dict[str, Decided] = field(default_factory=dict)
    meant: dict[Node, str] = field(default_factory=dict)
    contradictions: dict[Rank, Contradiction] = field(default_factory=dict)

    def add(self, other: "Settled") -> None:
        """Take in what another part means."""
        self.product_of.update(other.product_of)
        self.names.update(other.names)
        self.sources.update(other.sources)
        self.meant.update(other.meant)
        self.contradictions.update(other.contradictions)

    def remove(self, other: "Settled") -> None:
        """Take out what another part meant."""
        for image in other.product_of:
            del self.product_of[image]
        for name in other.names:
            del self.names[name]
        for image in other.sources:
            del self.sources[image]
        for group in other.meant:
            del self.meant[group]
        for rank in other.contradictions:
            del self.contradictions[rank]

    def apart(self, each: Decided) -> Iterator[tuple[str, str]]:
        """The pairs of products, or of a product and an image, that a decision keeps apart."""
        for rule in rules_of(each):
            first, second = self._meaning(rule.first), self._meaning(rule.second)
            if first is not None and second is not None and first != second:
                yield _pair(first, second)

    def _meaning(self, node: Node) -> str | None:
        if node[0] == "group":
            return self.meant.get(node)
        return self.product_of.get(node[1], node[1])


def partition(decided: Iterable[Decided], manifest: Iterable[VerifiedLabel]) -> Partition:
    """The products that follow from what stands, whatever the order in which it is given."""
    evidence = Evidence(decided, manifest)
    found = Settled()
    for component in evidence.components(evidence.hubs()):
        found.add(settle(component, evidence))
    return Partition(
        found.product_of,
        found.names,
        found.sources,
        frozenset(pair for each in evidence.decided.values() for pair in found.apart(each)),
        tuple(found.contradictions[rank] for rank in sorted(found.contradictions)),
        evidence.listed(),
    )


def settle(component: Component, evidence: Evidence) -> Settled:
    """What a component of the graph means, the weaker evidence having given way."""
    found = Settled()
    hanging_together, contradictions = pieces(component, evidence)
    for piece in hanging_together:
        _read(piece, evidence, found)
    found.contradictions.update(contradictions)
    return found


def pieces(
    component: Component, evidence: Evidence
) -> tuple[list[set[Node]], dict[Rank, Contradiction]]:
    """The nodes that still hang together when each rule was heeded or gave way, and what is asked.

    Contradictions are by the rank of the rule that they are about.
    """
    nodes = set(component.nodes)
    rules = evidence.rules(component, nodes)
    if not rules:
        return [nodes], {}
    graph = evidence.graph(component)
    piece_of = _pieces(graph)
    contradictions = {}
    for rule in rules:
        piece = piece_of[rule.first]
        if piece is not piece_of[rule.second]:
            continue
        cut, contradiction = _resolve(graph.subgraph(piece), rule, rules)
        graph.remove_edges_from(cut)
        piece_of.update(_pieces(graph.subgraph(piece)))
        if contradiction is not None:
            contradictions[rule.rank] = contradiction
    return list({id(piece): piece for piece in piece_of.values()}.values()), contradictions


def _pieces(graph: Graph) -> dict[Node, set[Node]]:
    """The connected component of each node, the same set for all its nodes."""
    return {node: piece for piece in nx.connected_components(graph) for node in piece}


def _resolve(
    piece: Graph, rule: Rule, rules: Sequence[Rule]
) -> tuple[list[tuple[Node, Node]], Contradiction | None]:
    """The edges of `piece` that give way to `rule`, and what people are to be asked about it.

    What joins two sides adds up, and so do the decisions of `rules` that keep the same sides apart.
    """
    weight, (left, right) = nx.minimum_cut(piece, rule.first, rule.second, capacity="weight")
    cut = [(a, b) for a in sorted(left) for b in piece[a] if b in right]
    on_left, on_right = (
        tuple(sorted(node[1] for node in side if node[0] == "image")) for side in (left, right)
    )
    contradiction = None
    # A name is no decision, nor is what nobody was asked: they give way and contradict nobody.
    by_name = all("name" in (a[0], b[0]) for a, b in cut)
    if on_left and on_right and not by_name and weight > len(cut) * LIGHTEST:
        cut_decisions = {node[1] for edge in cut for node in edge if node[0] == "group"}
        contradiction = Contradiction(
            digest(rule.decided.question.id, rule.first[2:], rule.second[2:] or rule.second),
            rule.decided.question.locale,
            on_left,
            on_right,
            (_beside(piece, rule.first, left), _beside(piece, rule.second, right)),
            tuple(sorted({rule.decided.decision.id, *cut_decisions})),
        )
    against: Counter[str] = Counter()
    for other in rules:
        if (other.first in left and other.second in right) or (
            other.first in right and other.second in left
        ):
            said = other.decided.decision.id
            against[said] = max(against[said], other.weight)
    return (cut if weight <= against.total() else []), contradiction


def _beside(piece: Graph, node: Node, side: Collection[Node]) -> tuple[str, ...]:
    """The images of a side that a group holds, or that share one with an image."""
    groups = [node] if node[0] == "group" else [each for each in piece[node] if each in side]
    held = {node, *(image for group in groups for image in piece[group] if image in side)}
    return tuple(sorted(each[1] for each in held if each[0] == "image"))


def _read(piece: Collection[Node], evidence: Evidence, found: Settled) -> None:
    """Add to `found` what a piece that hangs together means."""
    groups = {node: evidence.decided[node[1]] for node in piece if node[0] == "group"}
    labels = [label for node in piece if node[0] == "product" for label in evidence.labels[node[1]]]
    if not groups and not labels:
        return
    images = {node[1] for node in piece if node[0] == "image"}
    asked = _sources(groups, images)
    shown = {image for image in images if image in asked or image in evidence.listed_as}
    if not shown:
        # Nobody saw a product here, but what the groups are of is still told from others.
        if images:
            found.meant.update(dict.fromkeys(groups, min(images)))
        return
    product = _identity(piece, labels, groups)
    found.meant.update(dict.fromkeys(groups, product))
    found.product_of.update(dict.fromkeys(shown, product))
    called = [each for each in groups.values() if name_of(each) in piece]
    found.names.update(((product, place), name) for place, name in _names(labels, called))
    surest = max(groups.values(), key=_confidence, default=None)
    for image in shown:
        source = asked.get(image)
        if image in evidence.listed_as:
            source = surest if product != evidence.listed_as[image] else None
        if source is not None:
            found.sources[image] = source


def _identity(
    piece: Iterable[Node], labels: Sequence[VerifiedLabel], groups: Mapping[Node, Decided]
) -> str:
    """A product is named by its manifest, else by its names, else by its first question."""
    listed = sorted(label.product_id for label in labels if label.product_id)
    if listed:
        return listed[0]
    named = sorted(digest("product", " ".join(node[1:])) for node in piece if node[0] == "name")
    asked = sorted((each.question.id, group) for (_, _, group), each in groups.items())
    return named[0] if named else digest("product", *asked[0])


def _names(labels: Sequence[VerifiedLabel], called: Iterable[Decided]) -> Iterator[tuple[str, str]]:
    """What a product is called in each locale: by a manifest, else by most decided pictures."""
    votes: dict[str, Counter[tuple[bool, str]]] = defaultdict(Counter)
    for label in labels:
        if label.name:
            votes[label.locale][True, label.name] += 1
    for question, decision in called:
        votes[question.locale][False, decision.name or ""] += len(decision.groups[-1])
    for locale, counted in sorted(votes.items()):
        yield locale, max(counted, key=lambda vote: (vote[0], counted[vote], vote[1]))[1]


def _sources(groups: Mapping[Node, Decided], images: Collection[str]) -> dict[str, Decided]:
    """The surest decision that was asked where each of `images` belongs, of those in `groups`."""
    surest: dict[str, tuple[int, str]] = {}
    found = {}
    for (_, decision_id, number), each in groups.items():
        decision = each.decision
        # One picture that was told apart from others is no product that somebody saw.
        if decision.kind == DecisionKind.DIFFERENT and len(decision.groups[int(number)]) == 1:
            continue
        for image, posterior, asked in places(each, int(number)):
            rank = weight_of(posterior, of=decision), decision_id
            if asked and image in images and rank > surest.get(image, (0, "")):
                surest[image], found[image] = rank, each
    return found


def _confidence(each: Decided) -> tuple[bool, float, str]:
    asked = each.decision.model_id is None
    return asked, each.decision.confidence, each.decision.id


def _pair(first: str, second: str) -> tuple[str, str]:
    return (first, second) if first < second else (second, first)
