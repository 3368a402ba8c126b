"""What the margin losses and the losses on similarity promise: known values, symmetries, kinks, extremes, bad input."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from arrays import assert_near

from lessons_lib.core import Loss, mean
from lessons_lib.losses import (
    binary_cross_entropy,
    contrastive,
    cosine_embedding,
    cross_entropy,
    hinge,
    hinge_embedding,
    info_nce,
    margin_ranking,
    multi_margin,
    multilabel_margin,
    multilabel_soft_margin,
    soft_margin,
    symmetric_info_nce,
    triplet,
    triplet_with_distance,
)

RNG = np.random.default_rng(0)
BOTH = np.array([1, -1])


# The hinge and its smooth form


def test_hinge_by_hand_and_nothing_at_the_kink():
    loss = hinge(np.array([-2.0, 0.5, 1.0, 3.0, 2.0]), np.array([1, 1, 1, 1, -1]))
    assert_near(loss.value, [3, 0.5, 0, 0, 3])
    assert_near(loss.grad, [-1, -1, 0, 0, 1])  # the third just meets its margin, and is left alone
    assert_near(hinge(np.array([2.0, -2.0]), BOTH, margin=2.0).grad, [0, 0])


def test_hinge_bounds_the_number_of_mistakes_and_does_not_see_a_change_of_sign():
    s, y = 2 * RNG.normal(size=99), 2 * RNG.integers(0, 2, 99) - 1
    assert (hinge(s, y).value >= (y * s <= 0)).all()
    assert_near(hinge(-s, -y).value, hinge(s, y).value)
    assert_near(hinge(-s, -y).grad, -hinge(s, y).grad)


def test_soft_margin_is_binary_cross_entropy_and_from_afar_a_hinge():
    s, y = 3 * RNG.normal(size=20), 2 * RNG.integers(0, 2, 20) - 1
    ours, bce = soft_margin(s, y), binary_cross_entropy(s, (1 + y) / 2)
    assert_near(ours.value, bce.value)
    assert_near(ours.grad, bce.grad)
    assert_near(soft_margin(1e6 * s, y).value / 1e6, hinge(s, y, margin=0.0).value, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_soft_margin_survives_what_breaks_pytorch(dtype):
    s = torch.tensor([-1e4, 1e4], dtype=dtype)
    loss = soft_margin(s, torch.tensor([1, 1]))
    assert loss.value.tolist() == [-s[0], 0] and loss.grad.tolist() == [-1, 0]
    theirs = s.clone().requires_grad_()
    value = F.soft_margin_loss(theirs, torch.ones(2, dtype=dtype), reduction="none")
    value.sum().backward()
    assert value[0].isinf() and theirs.grad[0].isnan()


def test_soft_margin_keeps_its_tail():
    loss = soft_margin(np.array([20.0, -20.0], dtype=np.float32), np.array([1, -1]))
    assert_near(loss.value, [2.0611537e-9] * 2, rtol=1e-6)
    assert_near(loss.grad, [-2.0611537e-9, 2.0611537e-9], rtol=1e-6)


# Pairs of scores, and distances


def test_margin_ranking_sees_only_the_difference_and_treats_both_sides_alike():
    a, b, y = RNG.normal(size=30), RNG.normal(size=30), 2 * RNG.integers(0, 2, 30) - 1
    loss = margin_ranking(a, b, y, margin=0.7)
    assert_near(loss.value, margin_ranking(b, a, -y, margin=0.7).value)
    assert_near(loss.value, margin_ranking(a + 5, b + 5, y, margin=0.7).value)
    assert_near(loss.grad.first + loss.grad.second, 0)
    assert_near(loss.value, hinge(a - b, y, margin=0.7).value)


def test_margin_ranking_leaves_a_tie_and_a_met_margin_alone():
    one = np.ones(2)
    for loss in (margin_ranking(one, one, BOTH), margin_ranking(one + 0.5 * BOTH, one, BOTH, margin=0.5)):
        assert_near(loss.value, 0)
        assert_near(loss.grad.first, 0)
        assert_near(loss.grad.second, 0)


def test_hinge_embedding_and_contrastive_by_hand():
    d, y = np.array([3.0, 0.5, 2.0, 3.0, 0.0]), np.array([1, -1, -1, -1, -1])
    ours, squares = hinge_embedding(d, y, margin=2.0), contrastive(d, y, margin=2.0)
    assert_near(ours.value, [3, 1.5, 0, 0, 2])
    assert_near(ours.grad, [1, -1, 0, 0, -1])  # the third sits on the margin
    assert_near(squares.value, [4.5, 1.125, 0, 0, 2])
    assert_near(squares.grad, [3, -1.5, 0, 0, -2])


def test_two_springs_of_contrastive_balance_at_half_the_margin():
    d = np.full(2, 0.8)
    assert_near(contrastive(d, BOTH, margin=1.6).grad.sum(), 0)
    assert contrastive(d + 0.1, BOTH, margin=1.6).grad.sum() > 0 > contrastive(d - 0.1, BOTH, margin=1.6).grad.sum()


def test_contrastive_has_no_kink_at_its_margin():
    inside, outside = contrastive(np.array([1 - 1e-9, 1 + 1e-9]), np.array([-1, -1])).grad
    assert abs(inside - outside) < 1e-8


# Several classes


def test_multi_margin_by_hand():
    z, k = np.array([0.1, 0.2, 0.4, 0.8]), np.array(3)
    assert_near(multi_margin(z, k).value, (0.3 + 0.4 + 0.6) / 4)
    assert_near(multi_margin(z, k).grad, [0.25, 0.25, 0.25, -0.75])
    assert_near(multi_margin(z, k, margin=2.0, p=2).value, (1.3**2 + 1.4**2 + 1.6**2) / 4)
    assert_near(multi_margin(z, k, margin=2.0, p=2).grad, [0.65, 0.7, 0.8, -2.15])


def test_multi_margin_of_two_classes_is_half_a_hinge_and_of_one_is_nothing():
    z, k = RNG.normal(size=(20, 2)), RNG.integers(0, 2, 20)
    assert_near(multi_margin(z, k).value, hinge(z[:, 1] - z[:, 0], 2 * k - 1).value / 2)
    alone = multi_margin(RNG.normal(size=(3, 1)), np.zeros(3, dtype=int))
    assert_near(alone.value, 0)
    assert_near(alone.grad, 0)


@pytest.mark.parametrize("p", [1, 2])
def test_multi_margin_ignores_a_shift_and_leaves_a_met_margin_alone(p):
    z, k = RNG.normal(size=(9, 5)), RNG.integers(0, 5, 9)
    assert_near(multi_margin(z, k, p=p).value, multi_margin(z + 7, k, p=p).value)
    assert_near(multi_margin(z, k, p=p).grad.sum(-1), 0)
    met = multi_margin(np.array([1.0, 0.0, -3.0]), np.array(0), p=p)
    assert_near(met.value, 0)
    assert_near(met.grad, 0)


def test_multilabel_margin_by_hand():
    loss = multilabel_margin(np.array([0.1, 0.2, 0.4, 0.8]), np.array([3, 0, -1, 1]))  # classes 3 and 0, not 1 and 2
    assert_near(loss.value, (0.4 + 0.6 + 1.1 + 1.3) / 4)
    assert_near(loss.grad, [-0.5, 0.5, 0.5, -0.5])


def test_multilabel_margin_of_one_label_is_multi_margin_and_of_none_or_all_is_nothing():
    z, k = RNG.normal(size=(9, 5)), RNG.integers(0, 5, 9)
    one = np.concatenate([k[:, None], np.full((9, 4), -1)], axis=1)
    assert_near(multilabel_margin(z, one).value, multi_margin(z, k).value)
    assert_near(multilabel_margin(z, one).grad, multi_margin(z, k).grad)
    for labels in (np.tile([-1, 0, 1, 2, 3], (9, 1)), np.tile(np.arange(5), (9, 1))):
        assert_near(multilabel_margin(z, labels).value, 0)
        assert_near(multilabel_margin(z, labels).grad, 0)


def test_multilabel_margin_leaves_a_met_margin_alone():
    loss = multilabel_margin(np.array([1.0, 0.0]), np.array([0, -1]))
    assert_near(loss.value, 0)
    assert_near(loss.grad, 0)


def test_a_single_class_is_allowed():
    z = RNG.normal(size=(3, 1))
    assert_near(multilabel_margin(z, np.zeros((3, 1), dtype=int)).value, 0)
    assert_near(multilabel_soft_margin(z, np.ones((3, 1))).value, binary_cross_entropy(z, np.ones((3, 1))).value[:, 0])
    assert_near(triplet(z, z, z).value, 1)


def test_multilabel_soft_margin_is_the_mean_of_binary_cross_entropies():
    z, y, w = RNG.normal(size=(6, 4)), RNG.integers(0, 2, (6, 4)).astype(float), np.array([4.0, 0.0, 1.0, 2.0])
    loss, bce = multilabel_soft_margin(z, y, w), binary_cross_entropy(z, y)
    assert_near(loss.value, (w * bce.value).sum(-1) / 4)  # by the number of classes, not by the sum of the weights
    assert_near(loss.grad, w * bce.grad / 4)
    far = multilabel_soft_margin(np.array([1e4, -1e4]), np.array([0.0, 0.0]))
    assert_near(far.value, 5e3)
    assert_near(far.grad, [0.5, 0])


# Directions


def test_cosine_embedding_by_hand():
    a = np.tile([2.0, 0.0], (4, 1))
    b = np.array([[3.0, 0.0], [-3.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    loss = cosine_embedding(a, b, np.array([1, 1, -1, -1]), margin=0.1)
    assert_near(loss.value, [0, 2, 0.9, 0.5], atol=1e-11)
    assert_near(loss.grad.first[:3], 0, atol=1e-11)  # parallel: no direction in which to turn
    assert_near(loss.grad.first[3], [0, 0.4], atol=1e-11)
    assert_near(loss.grad.second[3], [0.128, -0.096], atol=1e-11)  # ((1, 0) - 0.6 (0.6, 0.8)) / 5


def test_cosine_embedding_turns_vectors_and_never_stretches_them():
    a, b, y = RNG.normal(size=(9, 4)), RNG.normal(size=(9, 4)), 2 * RNG.integers(0, 2, 9) - 1
    loss, longer = cosine_embedding(a, b, y), cosine_embedding(2 * a, 3 * b, y)
    assert_near(loss.value, longer.value, atol=1e-10)
    assert_near(loss.grad.first, 2 * longer.grad.first, rtol=1e-10, atol=1e-10)
    assert_near((a * loss.grad.first).sum(-1), 0, atol=1e-10)
    assert_near((b * loss.grad.second).sum(-1), 0, atol=1e-10)


def test_cosine_embedding_margin_may_reach_both_ends():
    a, b = RNG.normal(size=(2, 5, 4))
    apart = np.full(5, -1)
    assert_near(cosine_embedding(a, b, apart, margin=1.0).value, 0)
    assert_near(cosine_embedding(a, b, apart, margin=-1.0).value, 2 - cosine_embedding(a, b, -apart).value)


def test_cosine_embedding_leaves_a_met_margin_alone():
    loss = cosine_embedding(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([-1]))
    assert loss.value[0] == 0 and not loss.grad.first.any() and not loss.grad.second.any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_zero_vector_has_no_direction(dtype):
    zero, b, y = torch.zeros(2, 3, dtype=dtype), torch.ones(2, 3, dtype=dtype), torch.tensor([1, -1])
    for pair in ((zero, b), (b, zero), (zero, zero)):
        loss = cosine_embedding(*pair, y, margin=-0.5)
        assert loss.value.tolist() == [1, 0.5] and not loss.grad.first.any() and not loss.grad.second.any()
    theirs = torch.zeros(1, 3, requires_grad=True)
    F.cosine_embedding_loss(theirs, torch.ones(1, 3), torch.ones(1)).backward()
    assert float(theirs.grad.norm()) == pytest.approx(1e6, rel=1e-3)


# Triplets


def test_triplet_by_hand_and_nothing_at_the_kink():
    a, p, n = np.zeros((3, 2)), np.array([[3.0, 4.0]] * 3), np.array([[1.0, 0.0], [6.0, 0.0], [9.0, 0.0]])
    loss = triplet(a, p, n, eps=0.0)
    assert_near(loss.value, [5, 0, 0])
    assert_near(loss.grad.positive, [[0.6, 0.8], [0, 0], [0, 0]])  # the second just meets its margin
    assert_near(loss.grad.negative, [[-1, 0], [0, 0], [0, 0]])
    assert_near(loss.grad.anchor, [[0.4, -0.8], [0, 0], [0, 0]])


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("p", [1, 2, 3.5, math.inf])
def test_triplet_ignores_a_shift_of_all_three(p, swap):
    three = RNG.normal(size=(3, 9, 4))
    loss = triplet(*three, p=p, swap=swap)
    assert_near(loss.value, triplet(*(three + 5), p=p, swap=swap).value)
    assert_near(sum(loss.grad), 0)
    assert np.abs(loss.grad.anchor).max() > 0.1


@pytest.mark.parametrize("p", [1, 2, 3.5, 60, math.inf])
@pytest.mark.parametrize("eps", [0.0, 1e-6])
def test_triplet_of_one_point_costs_the_margin_and_moves_nothing_as_a_whole(p, eps):
    same = np.ones((2, 4), dtype=np.float32)
    loss = triplet(same, same, same, margin=0.3, p=p, eps=eps)
    assert_near(loss.value, 0.3, rtol=1e-6)
    assert all(np.isfinite(g).all() for g in loss.grad)
    assert_near(loss.grad.anchor, 0)
    assert_near(loss.grad.positive, 0 if eps == 0 else -(4 ** (1 / p - 1)), rtol=1e-5)  # r = eps in every place


def test_triplet_adds_eps_to_the_difference_not_to_the_norm():
    a, p, n = np.zeros((1, 4)), np.zeros((1, 4)), np.full((1, 4), 100.0)
    assert_near(triplet(a, p, n, margin=200.0, eps=0.5).value, 200 + 0.5 * 2 - 99.5 * 2)


def test_a_large_p_is_close_to_the_largest_difference_and_ties_share():
    three = RNG.normal(size=(3, 9, 4))
    assert_near(triplet(*three, p=500).value, triplet(*three, p=math.inf).value, rtol=0, atol=0.02)
    a, p = np.zeros((1, 3)), np.array([[2.0, -2.0, 1.0]])
    assert_near(triplet(a, p, a, p=math.inf, eps=0.0).grad.positive, [[0.5, -0.5, 0]])


def test_swap_takes_the_nearer_of_two_and_the_anchor_at_a_tie():
    a, p = np.array([[0.0]]), np.array([[4.0]])
    nearer = triplet(a, p, np.array([[3.0]]), eps=0.0, swap=True)  # the negative is 3 from the anchor, 1 from p
    assert_near(nearer.value, 1 + 4 - 1)
    assert_near([float(g[0, 0]) for g in nearer.grad], [-1, 0, 1])
    tie = triplet(a, p, np.array([[2.0]]), eps=0.0, swap=True)
    assert_near([float(g[0, 0]) for g in tie.grad], [0, 1, -1])
    theirs = [torch.tensor(x, requires_grad=True) for x in ([[0.0]], [[4.0]], [[2.0]])]
    F.triplet_margin_loss(*theirs, eps=0.0, swap=True).backward()
    assert_near([float(x.grad) for x in theirs], [-0.5, 0.5, 0])  # PyTorch shares a tie


def _squared_distance(a, b):
    return Loss(((a - b) ** 2).sum(-1), (2 * (a - b), 2 * (b - a)))


def _euclidean(a, b):
    d = np.sqrt(((a - b + 1e-6) ** 2).sum(-1))
    g = (a - b + 1e-6) / d[..., None]
    return Loss(d, (g, -g))


@pytest.mark.parametrize("swap", [False, True])
def test_triplet_is_triplet_with_distance_at_the_euclidean_one(swap):
    three = RNG.normal(size=(3, 9, 4))
    one, other = triplet(*three, swap=swap), triplet_with_distance(*three, _euclidean, swap=swap)
    assert_near(one.value, other.value)
    assert_near(np.array(one.grad), np.array(other.grad))


def test_triplet_on_squared_distances_pulls_and_pushes_along_a_line():
    """With squared distances the anchor feels 2 (n - p), wherever it stands."""
    three = RNG.normal(size=(3, 9, 4))
    loss = triplet_with_distance(*three, _squared_distance, margin=100.0)
    assert_near(loss.grad.anchor, 2 * (three[2] - three[1]), rtol=1e-11, atol=1e-12)


# Similarity matrices


def test_info_nce_knows_nothing_at_equal_similarities():
    loss = info_nce(np.zeros((4, 8)), temperature=0.5)
    assert_near(loss.value, math.log(8))
    assert_near(loss.grad, (1 / 8 - np.eye(4, 8)) / 0.5)
    assert_near(symmetric_info_nce(np.zeros((8, 8))).value, math.log(8))


def test_info_nce_is_cross_entropy_and_a_missing_negative_is_left_out():
    s = RNG.normal(size=(5, 7))
    assert_near(info_nce(s, 0.3).value, cross_entropy(s / 0.3, np.arange(5)).value)
    assert_near(info_nce(s, 0.3).grad, cross_entropy(s / 0.3, np.arange(5)).grad / 0.3)
    masked = np.where(np.arange(7) == 6, -np.inf, s)
    assert_near(info_nce(masked, 0.3).value, info_nce(s[:, :6], 0.3).value)
    assert_near(info_nce(masked, 0.3).grad[:, 6], 0)


@pytest.mark.parametrize("loss", [info_nce, symmetric_info_nce])
def test_the_gradient_in_the_temperature(loss):
    s, tau, h = RNG.normal(size=(5, 5)), 0.4, 1e-6
    slope = (loss(s, tau + h).value.sum() - loss(s, tau - h).value.sum()) / (2 * h)
    assert slope == pytest.approx(-(s * loss(s, tau).grad).sum() / tau, rel=1e-7)


def test_symmetric_info_nce_does_not_care_which_side_asks():
    s = RNG.normal(size=(6, 6))
    one, other = symmetric_info_nce(s, 0.2), symmetric_info_nce(s.T, 0.2)
    assert_near(one.value, other.value)
    assert_near(one.grad, other.grad.T)
    assert_near(symmetric_info_nce(s + s.T, 0.2).value, mean(info_nce(s + s.T, 0.2)).value)
    assert abs(one.value - mean(info_nce(s, 0.2)).value) > 1e-3 and mean(one).value == one.value
    assert_near(symmetric_info_nce(s[:1, :1]).value, 0)  # one pair alone has no negatives


def test_the_gradients_in_the_embeddings():
    a, b = (torch.tensor(RNG.normal(size=(5, 3)), requires_grad=True) for _ in range(2))
    z, k = a @ b.T / 0.3, torch.arange(5)
    ((F.cross_entropy(z, k) + F.cross_entropy(z.T, k)) / 2).backward()
    grad = symmetric_info_nce((a @ b.T).detach(), 0.3).grad
    assert_near(grad @ b.detach(), a.grad)
    assert_near(grad.T @ a.detach(), b.grad)


@pytest.mark.parametrize("loss", [info_nce, symmetric_info_nce])
def test_far_similarities_at_a_small_temperature(loss):
    worst = loss(np.array([[-1e4, 1e4], [1e4, -1e4]], dtype=np.float32), 0.01)
    assert_near(worst.value, 2e6, rtol=1e-6)
    assert np.isfinite(worst.grad).all() and worst.grad.dtype == np.float32
    assert_near(loss(1e4 * np.eye(3), 0.01).value, 0)


# All of them


def assert_both_shapes(loss, *arrays):
    """The loss of (2, 3, ...) examples, of the same as a flat batch of 6, and of the last one by itself."""
    flat = loss(*(a.reshape((6, *a.shape[2:])) for a in arrays))
    deep, last = loss(*arrays), loss(*(a[1, 2] for a in arrays))
    assert_near(deep.value.reshape(6), flat.value)
    assert_near(last.value, flat.value[5])
    pick = (lambda loss: np.stack(loss.grad)) if isinstance(flat.grad, tuple) else lambda loss: loss.grad[None]
    assert_near(pick(deep).reshape(pick(flat).shape), pick(flat))
    assert_near(pick(last), pick(flat)[:, 5])


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("p", [1, 3, math.inf])
def test_triplets_of_any_leading_shape(p, swap):
    assert_both_shapes(lambda *three: triplet(*three, p=p, swap=swap), *RNG.normal(size=(3, 2, 3, 4)))


def test_classes_and_features_lie_on_the_last_axis():
    z, w = RNG.normal(size=(2, 2, 3, 4))
    assert_both_shapes(multi_margin, z, RNG.integers(0, 4, (2, 3)))
    assert_both_shapes(multilabel_margin, z, np.tile([2, 0, -1, 1], (2, 3, 1)))
    assert_both_shapes(multilabel_soft_margin, z, RNG.random((2, 3, 4)))
    assert_both_shapes(cosine_embedding, z, w, 2 * RNG.integers(0, 2, (2, 3)) - 1)


Z, K, Y, V = np.zeros((4, 3)), np.zeros(4, dtype=int), np.ones(4, dtype=int), np.zeros(4)
LISTS = np.zeros((4, 3), dtype=int)


@pytest.mark.parametrize("make", [np.zeros, torch.zeros])
def test_empty_batches(make):
    none, rows = make(0), make((0, 3))
    y = none == 1
    y = y.astype(int) if make is np.zeros else y.long()
    lists = rows == 1
    lists = lists.astype(int) if make is np.zeros else lists.long()
    for loss in (
        hinge(none, y),
        soft_margin(none, y),
        hinge_embedding(none, y),
        contrastive(none, y),
        margin_ranking(none, none, y),
        multi_margin(rows, y),
        multilabel_margin(rows, lists),
        multilabel_soft_margin(rows, rows),
        cosine_embedding(rows, rows, y),
        triplet(rows, rows, rows, swap=True),
        info_nce(rows),
    ):
        assert tuple(loss.value.shape) == (0,) and float(mean(loss).value) == 0


def test_nan_is_not_hidden_by_a_maximum():
    nan, one = np.full(1, math.nan), np.ones(1, dtype=int)
    for loss in (
        hinge(nan, one),
        hinge_embedding(nan, -one),
        contrastive(nan, -one),
        margin_ranking(nan, nan, one),
        multi_margin(np.array([[math.nan, 1.0]]), one),
        multilabel_margin(np.array([[math.nan, 1.0]]), np.array([[1, -1]])),
        cosine_embedding(nan[None], np.ones((1, 1)), -one),
        triplet(nan[None], np.ones((1, 1)), np.ones((1, 1))),
    ):
        assert np.isnan(loss.value).all()


SIGNED = {
    "hinge": lambda y, **o: hinge(V, y, **o),
    "soft_margin": lambda y: soft_margin(V, y),
    "hinge_embedding": lambda y, **o: hinge_embedding(V, y, **o),
    "margin_ranking": lambda y, **o: margin_ranking(V, V, y, **o),
    "cosine_embedding": lambda y, **o: cosine_embedding(Z, Z, y, **o),
    "contrastive": lambda y, **o: contrastive(V, y, **o),
}


@pytest.mark.parametrize("name", SIGNED)
def test_labels_of_plus_and_minus_1(name):
    SIGNED[name](Y)
    for wrong in (0 * Y, 2 * Y, np.array([1, -1, 1, 0])):
        with pytest.raises(ValueError, match=r"labels must be \+1 or -1"):
            SIGNED[name](wrong)
    for wrong in (V + 1, Y.astype(bool)):
        with pytest.raises(TypeError, match="labels must be integers"):
            SIGNED[name](wrong)


MARGINS = {
    "hinge": lambda m: hinge(V, Y, m),
    "hinge_embedding": lambda m: hinge_embedding(V, Y, m),
    "margin_ranking": lambda m: margin_ranking(V, V, Y, m),
    "multi_margin": lambda m: multi_margin(Z, K, m),
    "contrastive": lambda m: contrastive(V, Y, m),
    "triplet": lambda m: triplet(Z, Z, Z, m),
    "triplet_with_distance": lambda m: triplet_with_distance(Z, Z, Z, _squared_distance, m),
}


@pytest.mark.parametrize("name", MARGINS)
@pytest.mark.parametrize("margin", [-0.1, math.nan, math.inf])
def test_margin(name, margin):
    with pytest.raises(ValueError, match=f"margin={margin} is not allowed; it must be a finite number >= 0"):
        MARGINS[name](margin)


BAD = [
    (lambda: contrastive(V - 0.1, Y), ValueError, "distance must hold numbers >= 0"),
    *[
        (lambda m=m: cosine_embedding(Z, Z, Y, margin=m), ValueError, rf"margin={m} is not allowed; .* \[-1, 1\]")
        for m in (1.1, -1.1, math.nan)
    ],
    (lambda: multi_margin(Z, K + 3), ValueError, r"labels must lie in 0\.\.2"),
    (lambda: multi_margin(Z, K - 1), ValueError, r"labels must lie in 0\.\.2"),
    (lambda: multi_margin(Z, K, p=3), ValueError, "p=3 is not allowed; it must be 1 or 2"),
    (lambda: multilabel_margin(Z, LISTS + 3), ValueError, r"labels must lie in -1\.\.2"),
    (lambda: multilabel_margin(Z, LISTS - 2), ValueError, r"labels must lie in -1\.\.2"),
    (lambda: multilabel_soft_margin(Z, Z - 1), ValueError, r"target must lie in \[0, 1\]"),
    (lambda: triplet(Z, Z, Z, p=0.5), ValueError, "p=0.5 is not allowed"),
    (lambda: triplet(Z, Z, Z, p=math.nan), ValueError, "p=nan is not allowed"),
    (lambda: triplet(Z, Z, Z, eps=-1e-6), ValueError, "eps=-1e-06 is not allowed"),
    (
        lambda: triplet_with_distance(Z, Z, Z, lambda a, b: Loss((a - b) ** 2, (a, b))),
        ValueError,
        r"distance must give Loss.* shaped \[\(4,\), .*got .* shaped \[\(4, 3\), ",
    ),
    *[
        (lambda found=found: triplet_with_distance(Z, Z, Z, lambda a, b: found), TypeError, "distance must give Loss")
        for found in (Z, Loss(Z[:, 0], Z), Loss(Z[:, 0], (Z,)), Loss(1.0, (Z, Z)), Loss(Z[:, 0], (None, Z)))
    ],
    (lambda: info_nce(Z), ValueError, r"N <= M.* got \(4, 3\)"),
    (lambda: symmetric_info_nce(Z.T), ValueError, r"similarity \(M, M\), M >= 1; got similarity \(3, 4\)"),
    *[
        (lambda f=f, t=t: f(Z[:3], t), ValueError, f"temperature={t} is not allowed")
        for f in (info_nce, lambda s, t: symmetric_info_nce(s.T @ s, t))
        for t in (0, -0.1, math.nan, math.inf)
    ],
]


@pytest.mark.parametrize(("call", "error", "says"), BAD)
def test_bad_input(call, error, says):
    with pytest.raises(error, match=says):
        call()
