"""Losses that ask for a margin, and losses on similarity."""

import numpy as np
import torch
import torch.nn.functional as F

from ...core import Loss, array_namespace, device, in_first_dtype, mean
from ...losses import (
    contrastive,
    cosine_embedding,
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
from ._case import WEIGHTS, LossCase, like, option_case, reductions


def _signs(rng, *shape):
    return 2 * rng.integers(0, 2, shape) - 1


def _scores(rng):
    return 2 * rng.normal(size=(7, 5)), _signs(rng, 7, 5)


def _far_scores(rng):
    return np.array([1e3, 1e3, -1e3, -1e3, 0.0]), np.array([1, -1, 1, -1, 1])


def _distances(rng):
    return 2 * rng.random((7, 5)), _signs(rng, 7, 5)


def _two_scores(rng):
    return 2 * rng.normal(size=(7, 5)), rng.normal(size=(7, 5)), _signs(rng, 7, 5)


def _classes(rng):
    return rng.normal(size=(9, 6)), rng.integers(0, 6, 9)


def _lists(rng):
    """Lists of no, some and all classes; what follows the first -1 must not be read."""
    some = np.array([rng.permutation(6) for _ in range(9)])
    some[np.arange(9), np.arange(9) % 6] = -1
    some[0] = rng.permutation(6)
    some[7] = [3, 3, 1, -1, 1, 0]  # 3 counts twice
    return rng.normal(size=(9, 6)), some


def _applies(rng):
    return 4 * rng.normal(size=(9, 6)), rng.integers(0, 2, (9, 6)).astype(float)


def _far_applies(rng):
    return np.array([[1e3, 1e3], [-1e3, -1e3]]), np.array([[1.0, 0.0], [1.0, 0.0]])


def _pairs(rng):
    return rng.normal(size=(9, 4)), 3 * rng.normal(size=(9, 4)), _signs(rng, 9)


def _triplets(rng):
    return tuple(rng.normal(size=(11, 4)) for _ in range(3))


def _square(rng):
    return (rng.normal(size=(6, 6)),)


def _wide(rng):
    return (rng.normal(size=(4, 9)),)


def _torch_hinge(s, y, margin=1.0, reduction="none"):
    return F.margin_ranking_loss(s, torch.zeros_like(s), y, margin=margin, reduction=reduction)


def _weighed(z, k):
    """PyTorch weighs each example by its class, and divides by the number of examples all the same."""

    @in_first_dtype
    def weigh(loss, w):
        xp = array_namespace(w)
        w = xp.take(w, k)
        return mean(Loss(w * loss.value, w[:, None] * loss.grad))

    return weigh(multi_margin(z, k), like(z, WEIGHTS))


def _cosine_distance(a, b):
    """1 - cosine, with its two gradients."""
    xp = array_namespace(a, b)
    return cosine_embedding(a, b, xp.ones(a.shape[:-1], dtype=xp.int64, device=device(a)))


def _torch_cosine_distance(a, b):
    return F.cosine_embedding_loss(a, b, torch.ones(a.shape[:-1], device=a.device), reduction="none")


def _with_cosine(*a, **options):
    return triplet_with_distance(*a, _cosine_distance, **options)


def _torch_with_cosine(*a, **options):
    return F.triplet_margin_with_distance_loss(*a, distance_function=_torch_cosine_distance, **options)


def _reduce(each, reduction):
    return each if reduction == "none" else getattr(each, reduction)()


def _torch_contrastive(d, y, margin=1.0, reduction="none"):
    """The paper's equation, with its Y = 0 for similar and 1 for dissimilar pairs."""
    paper = (1 - y.to(d.dtype)) / 2
    return _reduce((1 - paper) * d.square() / 2 + paper * F.relu(margin - d).square() / 2, reduction)


def _torch_info_nce(s, temperature=0.07, reduction="none"):
    return F.cross_entropy(s / temperature, torch.arange(s.shape[0], device=s.device), reduction=reduction)


def _torch_clip(s, temperature=0.07):
    return (_torch_info_nce(s, temperature, "mean") + _torch_info_nce(s.T, temperature, "mean")) / 2


_triplet = (_triplets, triplet, F.triplet_margin_loss)

CASES: list[LossCase] = [
    *reductions("hinge", _scores, hinge, _torch_hinge),
    option_case("hinge", "margin", _scores, hinge, _torch_hinge, margin=2.5),
    *reductions("soft_margin", _scores, soft_margin, F.soft_margin_loss),
    LossCase(
        "soft_margin",
        "scores of 1e3",  # PyTorch's own form gives inf and NaN here, its binary cross-entropy does not
        _far_scores,
        soft_margin,
        lambda s, y: F.binary_cross_entropy_with_logits(s, (1 + y.to(s.dtype)) / 2, reduction="none"),
    ),
    *reductions("hinge_embedding", _distances, hinge_embedding, F.hinge_embedding_loss),
    option_case("hinge_embedding", "margin", _distances, hinge_embedding, F.hinge_embedding_loss, margin=1.7),
    *reductions("margin_ranking", _two_scores, margin_ranking, F.margin_ranking_loss, inputs=2),
    option_case("margin_ranking", "margin", _two_scores, margin_ranking, F.margin_ranking_loss, inputs=2, margin=1.7),
    *reductions("multi_margin", _classes, multi_margin, F.multi_margin_loss),
    option_case("multi_margin", "margin", _classes, multi_margin, F.multi_margin_loss, margin=2.5),
    option_case("multi_margin", "p=2, margin", _classes, multi_margin, F.multi_margin_loss, far=100, p=2, margin=1.5),
    LossCase(
        "multi_margin",
        "weight",
        _classes,
        _weighed,
        lambda z, k: F.multi_margin_loss(z, k, weight=like(z, WEIGHTS)),
    ),
    *reductions("multilabel_margin", _lists, multilabel_margin, F.multilabel_margin_loss),
    *reductions("multilabel_soft_margin", _applies, multilabel_soft_margin, F.multilabel_soft_margin_loss),
    LossCase(
        "multilabel_soft_margin",
        "weight",
        _applies,
        lambda z, y: multilabel_soft_margin(z, y, like(z, WEIGHTS)),
        lambda z, y: F.multilabel_soft_margin_loss(z, y, weight=like(z, WEIGHTS), reduction="none"),
    ),
    option_case(
        "multilabel_soft_margin",
        "logits of 1e3",
        _far_applies,
        multilabel_soft_margin,
        F.multilabel_soft_margin_loss,
    ),
    *reductions("cosine_embedding", _pairs, cosine_embedding, F.cosine_embedding_loss, inputs=2),
    option_case("cosine_embedding", "margin", _pairs, cosine_embedding, F.cosine_embedding_loss, inputs=2, margin=-0.6),
    *reductions("triplet", *_triplet, inputs=3),
    option_case("triplet", "margin", *_triplet, inputs=3, margin=3.0),
    option_case("triplet", "p=1", *_triplet, inputs=3, p=1),
    option_case("triplet", "p=3.5", *_triplet, inputs=3, p=3.5),
    option_case("triplet", "p=inf", *_triplet, inputs=3, p=float("inf")),
    option_case("triplet", "eps", *_triplet, inputs=3, eps=0.5),
    option_case("triplet", "swap", *_triplet, inputs=3, swap=True),
    option_case("triplet", "swap, eps, p, margin", *_triplet, inputs=3, swap=True, eps=0.5, p=3, margin=2.0),
    *reductions("triplet_with_distance", _triplets, _with_cosine, _torch_with_cosine, inputs=3),
    option_case("triplet_with_distance", "margin", _triplets, _with_cosine, _torch_with_cosine, inputs=3, margin=0.2),
    option_case("triplet_with_distance", "swap", _triplets, _with_cosine, _torch_with_cosine, inputs=3, swap=True),
    *reductions("contrastive", _distances, contrastive, _torch_contrastive, far=100),
    option_case("contrastive", "margin", _distances, contrastive, _torch_contrastive, far=100, margin=1.7),
    *reductions("info_nce", _square, info_nce, _torch_info_nce, far=100),
    option_case("info_nce", "temperature", _square, info_nce, _torch_info_nce, temperature=2.5),
    option_case("info_nce", "more negatives", _wide, info_nce, _torch_info_nce, temperature=0.5),
    LossCase("symmetric_info_nce", "plain", _square, symmetric_info_nce, _torch_clip, far=100),
    LossCase(
        "symmetric_info_nce",
        "temperature",
        _square,
        lambda s: symmetric_info_nce(s, temperature=2.5),
        lambda s: _torch_clip(s, temperature=2.5),
    ),
]
