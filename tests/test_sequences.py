"""What only CTC and the two-stage softmax promise."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lessons_lib.bridge import as_autograd
from lessons_lib.core import mean
from lessons_lib.losses import adaptive_cross_entropy, cross_entropy, ctc
from lessons_lib.parity.cases.sequences import CLASSES, CUTOFFS


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def one(z, labels, **options):
    """CTC of a single example that uses all its steps and labels."""
    labels = np.array([labels], dtype=int).reshape(1, -1)
    return ctc(z[None], labels, np.array([len(z)]), np.array([labels.shape[1]]), **options)


@pytest.mark.parametrize("labels", [[1], [1, 2], [2, 2], [1, 2, 1], []])
@pytest.mark.parametrize("blank", [0, 3])
def test_ctc_is_the_sum_over_every_path(labels, blank):
    z = np.random.default_rng(0).normal(size=(5, 4))
    p = softmax(z)
    total, at = 0.0, np.zeros_like(p)
    for path in itertools.product(range(4), repeat=5):
        if [c for c, _ in itertools.groupby(path) if c != blank] == labels:
            chance = math.prod(p[t, c] for t, c in enumerate(path))
            total += chance
            at[range(5), path] += chance
    loss = one(z, labels, blank=blank)
    assert loss.value[0] == pytest.approx(-math.log(total), rel=1e-13)
    np.testing.assert_allclose(loss.grad[0], p - at / total, rtol=1e-11)


def test_ctc_of_one_step_is_cross_entropy_and_of_no_label_the_blank_s():
    z = np.random.default_rng(1).normal(size=(6, 4))
    single, plain = one(z[:1], [2]), cross_entropy(z[:1], np.array([2]))
    np.testing.assert_allclose(single.value, plain.value, rtol=1e-14)
    np.testing.assert_allclose(single.grad[0], plain.grad, rtol=1e-14)
    np.testing.assert_allclose(one(z, []).value, [cross_entropy(z, np.zeros(6, dtype=int)).value.sum()], rtol=1e-14)


def test_ctc_does_not_see_what_lies_past_an_example_s_end():
    rng = np.random.default_rng(2)
    z, labels, steps, lengths = rng.normal(size=(2, 7, 5)), np.array([[1, 2, 3], [4, 4, 1]]), np.array([5, 7]), [2, 3]
    loss = ctc(z, labels, steps, np.array(lengths))
    z[0, 5:], labels[0, 2] = 1e3, -7
    moved = ctc(z, labels, steps, np.array(lengths))
    np.testing.assert_array_equal(moved.value, loss.value)
    np.testing.assert_array_equal(moved.grad, loss.grad)
    assert (loss.grad[0, 5:] == 0).all() and (loss.grad[0, :5] != 0).all()
    np.testing.assert_allclose(loss.grad.sum(-1), 0, atol=1e-14)  # adding a number to all logits of a step: no change
    np.testing.assert_allclose(ctc(z + 3.0, labels, steps, np.array(lengths)).value, loss.value, rtol=1e-13)


def test_ctc_with_too_few_steps_is_inf_and_teaches_nothing():
    z = torch.randn(1, 2, 4, generator=torch.Generator().manual_seed(0))
    args = torch.tensor([[1, 1]]), torch.tensor([2]), torch.tensor([2])  # 1 1 needs a blank between: three steps
    loss = ctc(z, *args)
    assert loss.value.item() == math.inf and (loss.grad == 0).all()
    leaf = z.clone().requires_grad_()
    F.ctc_loss(leaf.log_softmax(-1).movedim(0, 1), *args, reduction="sum").backward()
    assert leaf.grad.isnan().any()  # PyTorch's
    assert one(np.zeros((3, 4)), [1, 1]).value[0] == pytest.approx(3 * math.log(4))  # one path is left


def test_ctc_learns_to_spell():
    z, labels = np.zeros((1, 8, 4)), np.array([[2, 2, 1]])
    for _ in range(200):
        z = z - ctc(z, labels, np.array([8]), np.array([3])).grad
    spelt = [c for c, _ in itertools.groupby(z[0].argmax(-1)) if c != 0]
    assert spelt == [2, 2, 1] and ctc(z, labels, np.array([8]), np.array([3])).value[0] < 0.1


GOOD = {
    "logits": np.zeros((2, 5, 4)),
    "labels": np.array([[1, 2], [3, 0]]),
    "steps": np.array([5, 4]),
    "lengths": np.array([2, 1]),
}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"logits": np.zeros((2, 0, 4))}, ValueError, r"logits \(N, T, C\), C >= 1, T >= 1; got logits \(2, 0, 4\)"),
        ({"labels": np.array([[1, 4], [3, 0]])}, ValueError, r"labels must lie in 0\.\.3"),
        ({"labels": np.array([[1, 0], [3, 0]])}, ValueError, "differ from blank=0"),
        ({"steps": np.array([6, 4])}, ValueError, r"steps must lie in 1\.\.5"),
        ({"steps": np.array([0, 4])}, ValueError, r"steps must lie in 1\.\.5"),
        ({"steps": np.array([5])}, ValueError, r"steps \(N\), .*got .*steps \(1,\)"),
        ({"lengths": np.array([3, 1])}, ValueError, r"lengths must lie in 0\.\.2"),
        ({"lengths": np.array([-1, 1])}, ValueError, r"lengths must lie in 0\.\.2"),
        ({"blank": 4}, ValueError, "blank=4 is not allowed"),
    ],
)
def test_ctc_says_what_is_wrong(change, error, words):
    ctc(**GOOD)
    with pytest.raises(error, match=words):
        ctc(**(GOOD | change))


def test_two_stages_make_one_distribution():
    z = np.random.default_rng(3).normal(size=CLASSES + len(CUTOFFS))
    each = [adaptive_cross_entropy(z[None], np.array([k]), CUTOFFS).value[0] for k in range(CLASSES)]
    assert np.exp(-np.array(each)).sum() == pytest.approx(1, rel=1e-14)


def test_clusters_that_the_label_is_not_in_learn_nothing():
    z = np.random.default_rng(4).normal(size=(3, CLASSES + len(CUTOFFS)))
    grad = adaptive_cross_entropy(z, np.array([1, 4, 8]), CUTOFFS).grad
    head, first, second = grad[:, :5] != 0, grad[:, 5:7] != 0, grad[:, 7:] != 0
    assert (
        head.all() and first.all(1).tolist() == [False, True, False] and second.all(1).tolist() == [False, False, True]
    )
    assert not first[[0, 2]].any() and not second[[0, 1]].any()


def test_pytorch_s_layer_gets_our_gradient():
    torch.manual_seed(0)
    layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, CLASSES, CUTOFFS, div_value=2.0, head_bias=True, dtype=torch.float64)
    x, k = torch.randn(20, 8, dtype=torch.float64, requires_grad=True), torch.arange(20) % CLASSES
    leaves = [x, *layer.parameters()]
    theirs = torch.autograd.grad(layer(x, k).loss, leaves)
    logits = torch.cat([layer.head(x), *(tail(x) for tail in layer.tail)], -1)
    loss = as_autograd(lambda z: mean(adaptive_cross_entropy(z, k, CUTOFFS)))(logits)
    for a, b in zip(torch.autograd.grad(loss, leaves), theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("cutoffs", [(), (0, 3), (3, 3), (5, 3), (3, 9)])
def test_cutoffs_must_rise_inside_the_classes(cutoffs):
    with pytest.raises(ValueError, match="cutoffs="):
        adaptive_cross_entropy(np.zeros((2, 9 + len(cutoffs))), np.array([0, 1]), cutoffs)


@pytest.mark.parametrize(
    ("labels", "error"),
    [(np.array([0.0, 1]), TypeError), (np.array([0, 9]), ValueError), (np.array([0, -1]), ValueError)],
)
def test_adaptive_labels_must_be_classes(labels, error):
    with pytest.raises(error, match="labels must"):
        adaptive_cross_entropy(np.zeros((2, 11)), labels, CUTOFFS)
