"""Communities shorten the walk, keep together what belongs together and apart what does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import connected_components

from clustering import pairwise_f
from clustering.communities import Walk, find_communities
from clustering.constraints import check_apart, check_together


def symmetric(n: int, ends: list[tuple[int, int]], weights: list[float]) -> csr_matrix:
    dense = np.zeros((n, n))
    for (i, j), weight in zip(ends, weights, strict=True):
        dense[i, j] = dense[j, i] = weight if i != j else 0.0
    return csr_matrix(dense)


@st.composite
def graphs(draw):
    """Any graph of a few nodes; some of its nodes may have no links."""
    n = draw(st.integers(1, 14))
    node = st.integers(0, n - 1)
    ends = draw(st.lists(st.tuples(node, node), max_size=40))
    weight = draw(st.sampled_from([st.just(1.0), st.floats(0.01, 1.0)]))
    return symmetric(n, ends, draw(st.lists(weight, min_size=len(ends), max_size=len(ends))))


@st.composite
def graphs_with_knowledge(draw):
    """A graph, groups that belong together, and pairs of rows of different groups."""
    links = draw(graphs())
    n = links.shape[0]
    group, node = st.integers(-1, 3), st.integers(0, n - 1)
    together = check_together(draw(st.lists(group, min_size=n, max_size=n)), n)
    pairs = draw(st.lists(st.tuples(node, node), max_size=10))
    return links, together, [pair for pair in pairs if together[pair[0]] != together[pair[1]]]


def walk_on(links: csr_matrix) -> Walk:
    return Walk.along(links, csr_matrix(links.shape))


def planted(n_classes: int, per_class: int, seed: int) -> tuple[csr_matrix, np.ndarray]:
    """A graph in which most links lead to the own class, and these classes."""
    random = np.random.default_rng(seed)
    truth = random.permutation(np.repeat(np.arange(n_classes), per_class))
    likely = np.where(truth[:, None] == truth, 0.8, 0.02)
    upper = np.triu(random.random(likely.shape) < likely, 1)
    return csr_matrix((upper | upper.T).astype(np.float64)), truth


def entropy(shares: list[float]) -> float:
    total = sum(shares)
    return -sum(s / total * np.log2(s / total) for s in shares if s > 0)


def map_equation(links: csr_matrix, communities: np.ndarray) -> float:
    """L = q H(Q) + sum_c p_c H(P_c): Rosvall and Bergstrom, 2008, equation 1."""
    flows = links.toarray() / links.sum()
    visits = flows.sum(axis=1)
    bits, exits = 0.0, []
    for community in np.unique(communities):
        inside = communities == community
        exits.append(flows[np.ix_(inside, ~inside)].sum())
        codebook = [exits[-1], *visits[inside]]
        if sum(codebook) > 0:
            bits += sum(codebook) * entropy(codebook)
    return bits + (sum(exits) * entropy(exits) if sum(exits) > 0 else 0.0)


@given(graphs(), st.data())
def test_the_codelength_is_the_map_equation(links, data):
    n = links.shape[0]
    labels = data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    _, communities = np.unique(labels, return_inverse=True)
    expected = map_equation(links, communities) if links.nnz else 0.0
    assert walk_on(links).codelength(communities) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=50)
@given(graphs_with_knowledge())
def test_every_node_is_in_one_community_and_these_are_numbered_by_their_first_nodes(world):
    links, together, pairs = world
    apart = check_apart(pairs, together)
    for found in (
        find_communities(links),
        find_communities(links, together=together),
        find_communities(links, apart=apart),
        find_communities(links, together=together, apart=apart),
    ):
        assert found.dtype == np.int64
        assert found.shape == (links.shape[0],)
        numbers, first = np.unique(found, return_index=True)
        np.testing.assert_array_equal(numbers, np.arange(len(numbers)))
        assert (np.diff(first) > 0).all()


@given(graphs())
def test_a_node_without_links_stays_alone(links):
    found = find_communities(links)
    for node in np.flatnonzero(links.getnnz(axis=1) == 0):
        assert (found == found[node]).sum() == 1


@given(graphs())
def test_what_does_not_hang_together_is_not_joined(links):
    pieces, found = connected_components(links)[1], find_communities(links)
    assert len(np.unique(np.stack([found, pieces]), axis=1).T) == found.max() + 1


@settings(max_examples=300)
@given(graphs(), st.integers(0, 9))
def test_communities_are_never_longer_to_tell_than_all_alone_or_all_together(links, seed):
    walk, n = walk_on(links), links.shape[0]
    found = walk.codelength(find_communities(links, seed=seed))
    assert found <= walk.codelength(np.arange(n)) + 1e-9
    assert found <= walk.codelength(np.zeros(n, dtype=np.int64)) + 1e-9


@pytest.mark.parametrize("seed", [3, 17, 52])
def test_a_random_graph_is_one_community_though_single_moves_do_not_get_there(seed):
    random = np.random.default_rng(seed)
    upper = np.triu(random.random((12, 12)) * (random.random((12, 12)) < 0.35), 1)
    links = csr_matrix(upper + upper.T)
    assert set(find_communities(links, seed=seed)) == {0}


@given(graphs_with_knowledge())
def test_apart_costs_no_more_than_leaving_all_alone(world):
    links, together, pairs = world
    alone = np.arange(links.shape[0])
    found = find_communities(links, apart=check_apart(pairs, together))
    assert walk_on(links).codelength(found) <= walk_on(links).codelength(alone) + 1e-9


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(8, 12), st.integers(0, 999))
def test_planted_communities_are_told_as_shortly_as_they_were_planted(n_classes, per_class, seed):
    links, truth = planted(n_classes, per_class, seed)
    walk = walk_on(links)
    found = find_communities(links, seed=seed)
    assert walk.codelength(found) <= walk.codelength(truth) + 1e-9


def test_clear_communities_are_found_whatever_the_seed_and_the_order_of_the_nodes():
    links, truth = planted(6, 12, seed=1)
    for seed in range(5):
        assert pairwise_f(truth, find_communities(links, seed=seed)) == 1.0
        order = np.random.default_rng(seed).permutation(len(truth))
        assert pairwise_f(truth[order], find_communities(links[order][:, order])) == 1.0


@settings(max_examples=300)
@given(graphs_with_knowledge(), st.integers(0, 9))
def test_no_move_separates_what_is_together_or_joins_what_is_apart(world, seed):
    links, together, pairs = world
    found = find_communities(
        links, together=together, apart=check_apart(pairs, together), seed=seed
    )
    for group in np.unique(together):
        assert len(np.unique(found[together == group])) == 1
    for i, j in pairs:
        assert found[i] != found[j]


def test_a_pair_said_many_times_to_be_apart_is_apart():
    everyone = csr_matrix(np.ones((40, 40)) - np.eye(40))
    half = np.arange(40) // 20
    pairs = [(i, j) for i in range(20) for j in range(20, 40)] * 2
    for together in (np.arange(40), half):
        apart = check_apart(pairs, together)
        assert not set(find_communities(everyone, together=together, apart=apart)[:20]) & set(
            find_communities(everyone, together=together, apart=apart)[20:]
        )


@given(graphs_with_knowledge(), st.integers(0, 9))
def test_the_same_seed_gives_the_same_communities(world, seed):
    links, together, pairs = world
    known = {"together": together, "apart": check_apart(pairs, together), "seed": seed}
    np.testing.assert_array_equal(
        find_communities(links, **known), find_communities(links.copy(), **known)
    )


@given(graphs())
def test_only_the_proportions_of_the_weights_matter(links):
    np.testing.assert_array_equal(find_communities(links), find_communities(links * 4.0))


@given(graphs(), st.data())
def test_seen_from_afar_the_walk_is_no_other(links, data):
    n = links.shape[0]
    labels = data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    _, parts = np.unique(labels, return_inverse=True)
    members = csr_matrix((np.ones(n), (parts, np.arange(n))))
    walk, afar = walk_on(links), walk_on(links).between(parts)
    np.testing.assert_allclose(afar.visits, members @ walk.visits, atol=1e-12)
    offset = walk.codelength(parts) - afar.codelength(np.arange(afar.n_nodes))
    together = np.zeros(n, dtype=np.int64)
    one = walk.codelength(together) - afar.codelength(together[: afar.n_nodes])
    assert offset == pytest.approx(one, abs=1e-9)


def test_there_may_be_no_nodes_at_all():
    assert find_communities(csr_matrix((0, 0))).shape == (0,)


def test_a_walker_that_stays_where_it_is_needs_no_bits():
    alone = walk_on(csr_matrix(diags([1.0])))
    assert alone.codelength(np.zeros(1, dtype=np.int64)) == pytest.approx(0.0)
