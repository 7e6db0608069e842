"""The products that follow from all decisions that stand, and what contradicts them.

The decisions are a graph. Each group of a decision is a node with an edge to each of its images, a
manifest's product one with an edge to each image that it labels, and a name in a locale one with an
edge to each group that was given it. An edge weighs the log-odds of its posterior. What hangs
together is one product; what a decision keeps apart must not hang together. Where it does, somebody
was wrong: the weaker evidence gives way, either the edges of a minimum cut between the two or the
decision that keeps them apart, and people are asked across the cut.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, groupby
from typing import NamedTuple, TypeAlias

import networkx as nx

from annotation.names import alike, name_key
from catalog.identity import digest
from catalog.schema import Decision, DecisionKind, Question, QuestionKind, VerifiedLabel

# How sure evidence is that nobody was asked about: a customer's manifest, a name that two groups
# share, and what a question went out from. No answer is surer than the manifest.
MANIFEST = SUREST = 0.999
NAMED = 0.9
PREMISE = 0.9

# What was accepted without asking weighs the log-odds of its score in units so small that no number
# of such edges outweighs a person's word.
UNASKED = 1e-7

Node = tuple[str, ...]
Edge = tuple[Node, Node]
Graph: TypeAlias = "nx.Graph[Node]"


class Decided(NamedTuple):
    """A question and the decision that stands on it."""

    question: Question
    decision: Decision


@dataclass(frozen=True)
class Contradiction:
    """Decisions that cannot all be right, and the images on either side of the weakest place.

    `left` and `right` were both called one product and kept apart; neither is empty. `key` names
    what keeps them apart, whatever else is decided, so that people are asked once.
    """

    key: str
    locale: str
    left: tuple[str, ...]
    right: tuple[str, ...]
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
        for (product, locale), name in sorted(self.names.items()):
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


class _Apart(NamedTuple):
    """Two nodes that a decision keeps apart, and how surely."""

    weight: float
    decided: Decided
    first: Node
    second: Node


def partition(decided: Iterable[Decided], manifest: Iterable[VerifiedLabel]) -> Partition:
    """The products that follow from what stands, whatever the order in which it is given."""
    decided = sorted(decided, key=lambda each: each.decision.id)
    manifest = sorted(manifest, key=lambda label: label.id)
    graph, ruled_out = _graph(decided, manifest)
    pieces = _pieces(graph)
    contradictions = []
    for rule in sorted(ruled_out, key=lambda rule: (-rule.weight, rule.first, rule.second)):
        piece = pieces[rule.first]
        if piece is not pieces[rule.second]:
            continue
        cut, contradiction = _resolve(graph.subgraph(piece), rule)
        graph.remove_edges_from(cut)
        pieces.update(_pieces(graph.subgraph(piece)))
        if contradiction is not None:
            contradictions.append(contradiction)
    found = _Products.read(graph, pieces, decided, manifest)
    return Partition(
        found.product_of,
        found.names,
        found.sources,
        frozenset(found.apart(ruled_out)),
        tuple(contradictions),
        {
            product: frozenset(label.locale for label in labels)
            for product, labels in groupby(sorted(manifest, key=_product_of), key=_product_of)
        },
    )


def _graph(
    decided: Sequence[Decided], manifest: Sequence[VerifiedLabel]
) -> tuple[Graph, list[_Apart]]:
    graph: Graph = nx.Graph()
    ruled_out: list[_Apart] = []
    n_products = Counter(image for image, _ in {(x.image_id, x.product_id) for x in manifest})
    for label in manifest:
        product = ("product", label.product_id or "")
        # An image that manifests label in two ways joins nothing: one of them is wrong.
        if n_products[label.image_id] == 1:
            _link(graph, product, ("image", label.image_id), MANIFEST)
        if key := name_key(label.name or ""):
            _link(graph, product, ("name", label.locale, key), MANIFEST)
    for each in decided:
        question, decision = each
        groups = [("group", decision.id, str(n)) for n in range(len(decision.groups))]
        graph.add_nodes_from(groups)
        unit = 1.0 if decision.model_id is None else UNASKED
        places = iter(decision.memberships)
        for group, images in zip(groups, decision.groups, strict=True):
            for image in images:
                place = next(places)
                posterior = place if _was_asked_of(question, image) else PREMISE
                _link(graph, group, ("image", image), posterior, unit)
        differing = groups if decision.kind == DecisionKind.DIFFERENT else groups[:1]
        for image, place in zip(decision.removed_ids, places, strict=True):
            graph.add_node(("image", image))
            ruled_out += [
                _Apart(_log_odds(place), each, group, ("image", image)) for group in differing
            ]
        for first, second in combinations(groups, 2):
            if decision.kind == DecisionKind.SAME:
                _link(graph, first, second, decision.confidence, unit)
            else:
                ruled_out.append(_Apart(_log_odds(decision.confidence), each, first, second))
        if decision.name and decision.kind == DecisionKind.SAME:
            name = ("name", question.locale, name_key(decision.name))
            _link(graph, groups[-1], name, NAMED)
    return graph, ruled_out


def _shows_a_product(each: Decided, group: int, image: str) -> bool:
    """Whether an image's place in a group makes a product of it.

    One picture that was told apart from others is no product that somebody saw.
    """
    question, decision = each
    alone = decision.kind == DecisionKind.DIFFERENT and len(decision.groups[group]) == 1
    return not alone and _was_asked_of(question, image)


def _was_asked_of(question: Question, image: str) -> bool:
    """Whether the place of `image` was the question, and not what it went out from."""
    return question.kind != QuestionKind.MERGE and image not in question.reference_ids


def _link(graph: Graph, first: Node, second: Node, posterior: float, unit: float = 1.0) -> None:
    """Add evidence that two nodes are of one product; evidence for the same edge adds up."""
    weight = graph.edges[first, second]["weight"] if graph.has_edge(first, second) else 0.0
    graph.add_edge(first, second, weight=weight + unit * _log_odds(posterior))


def _log_odds(posterior: float) -> float:
    bounded = min(max(posterior, 0.5 + 1e-6), SUREST)
    return math.log(bounded / (1 - bounded))


def _pieces(graph: Graph) -> dict[Node, set[Node]]:
    """The connected component of each node, the same set for all its nodes."""
    return {node: piece for piece in nx.connected_components(graph) for node in piece}


def _resolve(piece: Graph, rule: _Apart) -> tuple[list[Edge], Contradiction | None]:
    """The edges of `piece` that give way to `rule`, and what people are to be asked about it."""
    weight, (left, right) = nx.minimum_cut(piece, rule.first, rule.second, capacity="weight")
    cut = [(a, b) for a in sorted(left) for b in piece[a] if b in right]
    on_left, on_right = (
        tuple(sorted(node[1] for node in side if node[0] == "image")) for side in (left, right)
    )
    contradiction = None
    # A name is no decision: two products that share one contradict nobody, and neither does what
    # nobody was asked about.
    unasked = max(len(cut), 1) * UNASKED * _log_odds(SUREST)
    of_names = all("name" in (a[0], b[0]) for a, b in cut)
    if on_left and on_right and weight > unasked and not of_names:
        cut_decisions = {node[1] for edge in cut for node in edge if node[0] == "group"}
        contradiction = Contradiction(
            digest(rule.decided.question.id, rule.first[2:], rule.second[2:] or rule.second),
            rule.decided.question.locale,
            on_left,
            on_right,
            tuple(sorted({rule.decided.decision.id, *cut_decisions})),
        )
    return (cut if weight <= rule.weight else []), contradiction


@dataclass(frozen=True)
class _Products:
    """What the pieces of the graph mean."""

    product_of: dict[str, str]
    names: dict[tuple[str, str], str]
    sources: dict[str, Decided]
    meant: dict[Node, str]

    @classmethod
    def read(
        cls,
        graph: Graph,
        pieces: Mapping[Node, set[Node]],
        decided: Sequence[Decided],
        manifest: Sequence[VerifiedLabel],
    ) -> "_Products":
        by_id = {each.decision.id: each for each in decided}
        listed: dict[str, list[VerifiedLabel]] = defaultdict(list)
        for label in manifest:
            listed[label.product_id or ""].append(label)
        manifest_product = {label.image_id: label.product_id for label in manifest}
        found = cls({}, {}, {}, {})
        for piece in {id(piece): piece for piece in pieces.values()}.values():
            groups = {node: by_id[node[1]] for node in sorted(piece) if node[0] == "group"}
            labels = [
                label for node in sorted(piece) if node[0] == "product" for label in listed[node[1]]
            ]
            images = [node for node in sorted(piece) if node[0] == "image"]
            shown = {
                image: source
                for _, image in images
                if (source := _source(graph, ("image", image), groups)) or image in manifest_product
            }
            if not shown:
                # Nobody saw a product here, but what the groups are of is still told from others.
                found.meant.update((group, images[0][1]) for group in groups if images)
                continue
            product = _identity(piece, labels, groups)
            found.meant.update(dict.fromkeys(groups, product))
            found.product_of.update(dict.fromkeys(shown, product))
            found.names.update(
                ((product, locale), name) for locale, name in _names(labels, groups.values())
            )
            surest = max(groups.values(), key=_confidence, default=None)
            for image, source in shown.items():
                if image in manifest_product:
                    source = surest if product != manifest_product[image] else None
                if source is not None:
                    found.sources[image] = source
        return found

    def apart(self, ruled_out: Iterable[_Apart]) -> Iterator[tuple[str, str]]:
        """The pairs of products, or of a product and an image, that `ruled_out` keeps apart."""
        for rule in ruled_out:
            first, second = self._meant(rule.first), self._meant(rule.second)
            if first is not None and second is not None and first != second:
                yield _pair(first, second)

    def _meant(self, node: Node) -> str | None:
        if node[0] == "group":
            return self.meant.get(node)
        return self.product_of.get(node[1], node[1])


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


def _names(labels: Sequence[VerifiedLabel], groups: Iterable[Decided]) -> Iterator[tuple[str, str]]:
    """What a product is called in each locale: by a manifest, else by most decided pictures."""
    votes: dict[str, Counter[tuple[bool, str]]] = defaultdict(Counter)
    for label in labels:
        if label.name:
            votes[label.locale][True, label.name] += 1
    for question, decision in groups:
        if decision.name and decision.kind == DecisionKind.SAME:
            votes[question.locale][False, decision.name] += len(decision.groups[-1])
    for locale, counted in sorted(votes.items()):
        yield locale, max(counted, key=lambda vote: (vote[0], counted[vote], vote[1]))[1]


def _source(graph: Graph, image: Node, groups: Mapping[Node, Decided]) -> Decided | None:
    """The surest decision that was asked where `image` belongs."""
    asked = [
        (graph.edges[image, node]["weight"], node[1], groups[node])
        for node in graph[image]
        if node in groups and _shows_a_product(groups[node], int(node[2]), image[1])
    ]
    return max(asked, default=(0.0, "", None), key=lambda found: found[:2])[2]


def _confidence(each: Decided) -> tuple[bool, float, str]:
    asked = each.decision.model_id is None
    return asked, each.decision.confidence, each.decision.id


def _product_of(label: VerifiedLabel) -> str:
    return label.product_id or ""


def _pair(first: str, second: str) -> tuple[str, str]:
    return (first, second) if first < second else (second, first)
