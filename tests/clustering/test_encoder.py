"""The encoder turns images of unseen classes into unit vectors that tell them apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone

from clustering import Encoder, embed_unseen
from clustering.augment import Draws, augment
from clustering.retrieval import map_at_r


def drawings(n_classes: int, per_class: int, *, seed: int):
    """Images of any shape: two coloured bands per class, at a place that differs per image."""
    random = np.random.default_rng(seed)
    images, labels = [], np.repeat(np.arange(n_classes), per_class)
    colours = random.integers(0, 256, size=(n_classes, 2, 3))
    for label in labels:
        height, width = random.integers(40, 70, size=2)
        image = random.integers(90, 130, size=(height, width, 3))
        top = random.integers(0, height // 3)
        image[top : top + height // 4] = colours[label, 0]
        image[top + height // 4 : top + height // 2] = colours[label, 1]
        images.append(image.astype(np.uint8))
    return images, labels


def nearest_is_of_the_same_class(features, labels):
    cosines = features @ features.T
    np.fill_diagonal(cosines, -1.0)
    return (labels[cosines.argmax(axis=1)] == labels).mean()


@pytest.fixture(scope="module")
def encoder():
    return Encoder(image_size=32, dim=16, epochs=6).fit(*drawings(8, 10, seed=1))


def test_images_of_unseen_classes_are_told_apart(encoder):
    images, labels = drawings(10, 8, seed=2)
    assert nearest_is_of_the_same_class(encoder.transform(images), labels) > 0.6


def test_embeddings_are_unit_vectors_of_the_chosen_length(encoder):
    features = encoder.transform(drawings(2, 3, seed=3)[0])
    assert features.shape == (6, 16)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1.0, rtol=1e-5)


def test_no_images_give_no_embeddings(encoder):
    assert encoder.transform([]).shape == (0, 16)


def test_a_saved_encoder_embeds_as_before(encoder, tmp_path):
    images = drawings(2, 3, seed=3)[0]
    encoder.save(tmp_path)
    np.testing.assert_array_equal(
        Encoder.load(tmp_path).transform(images), encoder.transform(images)
    )


def test_the_same_seed_gives_the_same_embeddings_and_reports_every_epoch():
    images, labels = drawings(3, 4, seed=4)
    seen = []
    first = Encoder(16, epochs=2).fit(images, labels, on_epoch=lambda *heard: seen.append(heard))
    second = Encoder(16, epochs=2).fit(images, labels)
    np.testing.assert_array_equal(first.transform(images), second.transform(images))
    assert seen == list(enumerate(first.losses_, start=1))


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3), np.float32)],
)
def test_an_image_of_another_form_is_named(image):
    good = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"images\[1\] has shape"):
        Encoder(16, epochs=1).fit([good, image], [0, 1])


@pytest.fixture(scope="module")
def many():
    """Images of a hundred classes, the fewest of which some are held out, labelled otherwise."""
    images, classes = drawings(100, 2, seed=7)
    return images, classes * 10 + 3


@pytest.fixture(scope="module")
def judged(many):
    return Encoder(image_size=16, dim=8, epochs=4).fit(*many)


def test_some_of_a_hundred_classes_are_held_out_and_named_as_given(many, judged):
    _, labels = many
    assert len(judged.held_out_) == 10
    assert set(judged.held_out_) < set(labels)
    assert judged.n_classes_ == 90


def test_fewer_classes_are_all_learnt():
    fitted = Encoder(16, dim=8, epochs=1).fit(*drawings(99, 2, seed=7))
    assert (len(fitted.held_out_), fitted.n_classes_, fitted.history_) == (0, 99, [])
    assert fitted.best_epoch_ == 1


def test_the_classes_held_out_teach_nothing(many, judged):
    images, labels = many
    other = [
        255 - image if label in judged.held_out_ else image
        for image, label in zip(images, labels, strict=True)
    ]
    assert Encoder(image_size=16, dim=8, epochs=4).fit(other, labels).losses_ == judged.losses_


def test_the_weights_kept_are_those_that_served_the_classes_held_out_best(many, judged):
    images, labels = many
    rows = np.flatnonzero(np.isin(labels, judged.held_out_))
    found = map_at_r(judged.transform([images[row] for row in rows]), labels[rows])
    assert found == pytest.approx(max(judged.history_), abs=1e-6)
    assert judged.best_epoch_ == int(np.argmax(judged.history_)) + 1


def test_training_stops_when_patience_runs_out(many):
    fitted = Encoder(16, dim=8, epochs=40, patience=2).fit(*many)
    assert len(fitted.losses_) == fitted.best_epoch_ + 2 < 40
    assert len(fitted.history_) == len(fitted.losses_)


def test_a_start_gives_the_first_weights_and_is_left_as_it_was(encoder):
    images, labels = drawings(4, 6, seed=8)
    before = encoder.transform(images)
    still = clone(encoder).set_params(epochs=1, learning_rate=1e-12, weight_decay=0.0)
    still.fit(images, labels, start=encoder)
    for name, value in still.network_.named_parameters():
        torch.testing.assert_close(value, encoder.network_.get_parameter(name))
    clone(encoder).set_params(epochs=1).fit(images, labels, start=encoder)
    np.testing.assert_array_equal(encoder.transform(images), before)


def test_a_start_with_other_weights_is_refused(encoder):
    with pytest.raises(ValueError, match=r"start has backbone='convnet' and dim=16.*dim=8"):
        Encoder(32, dim=8).fit(*drawings(2, 2, seed=9), start=encoder)


def test_half_of_the_classes_are_embedded_by_an_encoder_that_learnt_the_other_half():
    images, labels = drawings(5, 4, seed=5)
    features, rows = embed_unseen(Encoder(16, dim=8, epochs=1), images, labels)
    others = np.setdiff1d(np.arange(len(images)), rows)
    assert len(set(labels[rows])) == 2
    assert not set(labels[rows]) & set(labels[others])
    encoder = Encoder(16, dim=8, epochs=1).fit([images[row] for row in others], labels[others])
    np.testing.assert_array_equal(features, encoder.transform([images[row] for row in rows]))


def test_too_few_classes_for_two_halves_are_refused():
    with pytest.raises(ValueError, match="3 classes; two halves need at least 4"):
        embed_unseen(Encoder(16, epochs=1), *drawings(3, 2, seed=6))


def test_random_views_are_images_and_follow_the_seed():
    images = torch.rand(8, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    first, again, other = (
        augment(images, Draws(torch.Generator().manual_seed(seed), len(images)))
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == images.shape
    assert ((first >= 0) & (first <= 1)).all()
