"""How sure the products are, and which second question would make them surer.

Any answer may be wrong. If the only edge that holds two sides of a product together is, every pair
of images across it is: `(1 - posterior) * n_left * n_right` wrong pairs are to be expected. Where
several edges hold them together, all have to be wrong, and their log-odds add up; those of
decisions that keep the sides apart, and gave way, are taken off. A cut tree (Gomory and Hu, 1961)
names the weakest cut between any two nodes of a product; each of its edges is a place where the
product may fall apart, and a bridge is such a place by itself. The sum over all of them is exact to
the first order for products without cycles, and too small for the others by cuts that are as weak
as those of the tree.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise
from math import comb
from typing import NamedTuple

import networkx as nx

from annotation.corrections import asked_again
from annotation.decision_graph import DecisionGraph
from annotation.evidence import HUBS, Graph, Node, Rule, places, posterior_of
from annotation.questions import ANCHORS, GALLERY, merge_question
from catalog.identity import set_digest
from catalog.schema import Question

_CERTAIN = 10**15


@dataclass(frozen=True)
class DoubtfulJoin:
    """A place where a product may fall apart, and how many pairs of images are then wrong.

    `left` and `right` are the pictures of either side around the place, the nearest and surest
    first, at most a gallery of each; `n_left` counts all of the smaller side. `key` names the
    questions whose answers hold the sides together, so that a doubt is put before people once.
    """

    key: str
    product_id: str
    locale: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    n_left: int
    posterior: float
    wrong_pairs: float


class Redundancy(NamedTuple):
    """A question about what is decided already, and the doubts that its answer settles."""

    question: Question
    joins: tuple[DoubtfulJoin, ...]

    @property
    def wrong_pairs(self) -> float:
        """How many pairs of images are expected to be wrong until it is answered."""
        return sum(join.wrong_pairs for join in self.joins)


class _Place(NamedTuple):
    """An edge of a product's cut tree, `far` beyond `near`, and what its doubt amounts to."""

    near: Node
    far: Node
    posterior: float
    wrong_pairs: float


@dataclass(frozen=True)
class Doubt:
    """How sure one product is; it holds until a decision touches the product.

    Attributes
    ----------
    product_id
        The product.
    n_pairs
        The pairs of images that it joins.
    wrong_pairs
        How many of them are expected to show two products.
    """

    product_id: str
    n_pairs: int
    wrong_pairs: float
    _believed: Graph
    _tree: Graph
    _rules: tuple[Rule, ...]
    _shown: frozenset[Node]
    _places: tuple[_Place, ...]


def doubt_of(graph: DecisionGraph, product_id: str) -> Doubt:
    """Weigh the evidence for a product.

    Raises
    ------
    KeyError
        If there is no such product, or no more.
    """
    believed = _belief(graph, product_id)
    product_of = graph.product_of
    shown = frozenset(
        node for node in believed if node[0] == "image" and product_of.get(node[1]) == product_id
    )
    tree = _cut_tree(believed)
    rules = graph.rules(product_id, believed.nodes)
    _weigh_against(tree, rules)
    found = tuple(_places(tree, shown))
    n_pairs = comb(len(shown), 2)
    wrong = min(float(n_pairs), sum(place.wrong_pairs for place in found))
    return Doubt(product_id, n_pairs, wrong, believed, tree, tuple(rules), shown, found)


def expected_precision(doubts: Iterable[Doubt]) -> float:
    """The expected share of the pairs of images that products join rightly; 1 without pairs."""
    n_pairs, wrong = 0, 0.0
    for doubt in doubts:
        n_pairs += doubt.n_pairs
        wrong += doubt.wrong_pairs
    return 1 - wrong / n_pairs if n_pairs else 1.0


def doubtful_joins(
    graph: DecisionGraph, doubts: Iterable[Doubt], *, most: int
) -> list[DoubtfulJoin]:
    """The places where products are likeliest to be wrong, the most wrong pairs first.

    What only a manifest holds together is left out: nobody is asked whether a customer is right.
    """
    found = (
        (place.wrong_pairs, doubt.product_id, place, doubt)
        for doubt in doubts
        for place in doubt._places
        if place.wrong_pairs > 0 and "product" not in (place.near[0], place.far[0])
    )
    worst = nlargest(most, found, key=lambda each: each[:3])
    return [_join(graph, doubt, place) for _, _, place, doubt in worst]


def redundancy_questions(joins: Sequence[DoubtfulJoin], *, per_sheet: int) -> list[Redundancy]:
    """What to ask so that each of `joins` holds by more than it does.

    Two sides are compared as galleries. Pictures of one product that each hang on it alone share a
    sheet with the surest of its others, which asks once more which of them show it.
    """
    single: dict[tuple[str, str], list[DoubtfulJoin]] = defaultdict(list)
    for join in joins:
        if join.n_left == 1:
            single[join.product_id, join.locale].append(join)
    sheets = [
        tuple(of_product[start : start + per_sheet - ANCHORS])
        for of_product in single.values()
        if len(of_product) > 1
        for start in range(0, len(of_product), per_sheet - ANCHORS)
    ]
    on_sheets = {join.key for sheet in sheets for join in sheet}
    return [
        *(
            Redundancy(
                merge_question(join.right, join.left, about=[join.key], locale=join.locale), (join,)
            )
            for join in joins
            if join.key not in on_sheets
        ),
        *(Redundancy(_sheet(sheet), sheet) for sheet in sheets),
    ]


def _sheet(joins: Sequence[DoubtfulJoin]) -> Question:
    doubtful = {join.left[0] for join in joins}
    anchors = [image for image in joins[0].right if image not in doubtful][:ANCHORS]
    return asked_again(
        {*doubtful, *anchors}, locale=joins[0].locale, site="", about=[join.key for join in joins]
    )


def _belief(graph: DecisionGraph, product_id: str) -> Graph:
    """The evidence for a product, in which no question hangs loose from what it showed.

    A gallery shows its product whichever of its pictures may be wrong: the question is tied to the
    first of them, and only how the others belong to that one is in doubt.
    """
    believed = graph.evidence(product_id)
    for group in [node for node in believed if node[0] == "group"]:
        shown = places(graph.decided[group[1]], int(group[2]))
        premises = (("image", place.image) for place in shown if not place.asked)
        first = next((image for image in premises if believed.has_edge(group, image)), None)
        if first is not None:
            believed.edges[group, first]["weight"] = _CERTAIN
    return believed


def _places(tree: Graph, shown: Collection[Node]) -> Iterator[_Place]:
    """Where a product may fall apart: the edges of its cut tree."""
    edges = list(nx.dfs_edges(tree, min(tree)))
    n_beyond = {node: int(node in shown) for node in tree}
    for near, far in reversed(edges):
        n_beyond[near] += n_beyond[far]
    for near, far in edges:
        posterior, n = posterior_of(tree.edges[near, far]["weight"]), n_beyond[far]
        yield _Place(near, far, posterior, (1 - posterior) * n * (len(shown) - n))


def _cut_tree(believed: Graph) -> Graph:
    """A tree over the nodes of a product; its lightest edge between two is their minimum cut."""
    tree: Graph = nx.Graph()
    tree.add_nodes_from(believed)
    rest = believed.copy()
    # networkx's stubs take a node that is a tuple for an edge.
    bridges: Iterable[tuple[Node, Node]] = nx.bridges(believed)  # type: ignore
    for first, second in bridges:
        tree.add_edge(first, second, weight=believed.edges[first, second]["weight"])
        rest.remove_edge(first, second)
    _hang_leaves(rest, tree)
    for block in nx.connected_components(rest):
        if len(block) > 1:
            core = rest.subgraph(block).copy()
            cuts = core if nx.is_tree(core) else nx.gomory_hu_tree(core, capacity="weight")
            tree.add_weighted_edges_from(cuts.edges(data="weight"))
    return tree


def _weigh_against(tree: Graph, rules: Iterable[Rule]) -> None:
    """Take off each edge of a cut tree what keeps its two sides apart, once for each decision."""
    against: dict[frozenset[Node], Counter[str]] = defaultdict(Counter)
    for rule in rules:
        said = rule.decided.decision.id
        for edge in pairwise(nx.shortest_path(tree, rule.first, rule.second)):
            found = against[frozenset(edge)]
            found[said] = max(found[said], rule.weight)
    for (first, second), weights in against.items():
        left = tree.edges[first, second]["weight"] - weights.total()
        tree.edges[first, second]["weight"] = max(0, left)


def _hang_leaves(core: Graph, tree: Graph) -> None:
    """Move from `core` to `tree` what one neighbour holds as firmly as all others do, but no hub.

    No minimum cut between other nodes needs to part such a pair (Padberg and Rinaldi, 1990), which
    leaves the flows of Gomory and Hu to a few questions instead of all their pictures and names.
    """
    for leaf in sorted(node for node in core if node[0] not in HUBS):
        held = {other: data["weight"] for other, data in core[leaf].items()}
        if not held or 2 * max(held.values()) < sum(held.values()):
            continue
        surest = max(held, key=lambda other: (held[other], other))
        tree.add_edge(leaf, surest, weight=sum(held.values()))
        core.remove_node(leaf)
        for other in held.keys() - {surest}:
            known = core.edges[surest, other]["weight"] if core.has_edge(surest, other) else 0
            core.add_edge(surest, other, weight=known + held[other])


def _join(graph: DecisionGraph, doubt: Doubt, place: _Place) -> DoubtfulJoin:
    believed = doubt._believed
    without = nx.restricted_view(doubt._tree, [], [(place.near, place.far)])
    beyond = nx.node_connected_component(without, place.far)
    crossing = list(nx.edge_boundary(believed, beyond))
    groups = sorted(node for edge in crossing for node in edge if node[0] == "group")
    sides = sorted(
        (
            (len(doubt._shown & beyond), _gallery(doubt, without, place.far)),
            (len(doubt._shown - beyond), _gallery(doubt, without, place.near)),
        )
    )
    [(n_left, left), (_, right)] = sides
    against = [
        rule.decided.question.id
        for rule in doubt._rules
        if (rule.first in beyond) != (rule.second in beyond)
    ]
    held = [sorted(_named(graph, node) for node in edge) for edge in crossing]
    return DoubtfulJoin(
        set_digest([*held, *against]),
        doubt.product_id,
        graph.decided[groups[0][1]].question.locale,
        left,
        right,
        n_left,
        place.posterior,
        place.wrong_pairs,
    )


def _named(graph: DecisionGraph, node: Node) -> Node:
    """A node, named so that it keeps its name when its decision is superseded."""
    return (graph.decided[node[1]].question.id, node[2]) if node[0] == "group" else node


def _gallery(doubt: Doubt, without: Graph, end: Node) -> tuple[str, ...]:
    """The images around one end of a doubtful place, the nearest and surest first.

    Those further off than the sheets next to it may hang on another doubt: a gallery that shows two
    products tells nothing.
    """
    away = nx.single_source_shortest_path_length(without, end)
    held = dict(doubt._believed.degree(doubt._shown & away.keys(), weight="weight"))
    nearest = min(away[image] for image in held)
    near = [image for image in held if away[image] <= nearest + 2]
    near.sort(key=lambda image: (away[image], -held[image], image))
    return tuple(image[1] for image in near[:GALLERY])
