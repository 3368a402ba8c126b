"""What losses on probabilities promise."""

import numpy as np
import pytest
import torch

from lessons_lib.losses import (
    binary_cross_entropy_on_probabilities,
    cross_entropy,
    kl_divergence,
    nll,
    soft_cross_entropy,
)

RNG = np.random.default_rng(0)
P, Q = RNG.dirichlet(np.ones(4), 20), RNG.dirichlet(np.ones(4), 20)


def test_kl_is_cross_entropy_less_entropy_never_negative_and_0_at_equality():
    kl = kl_divergence(np.log(Q), P).value
    assert (kl > 0).all() and np.abs(kl_divergence(np.log(P), P).value).max() < 1e-15
    entropy = soft_cross_entropy(np.log(P), P).value
    np.testing.assert_allclose(kl, soft_cross_entropy(np.log(Q), P).value - entropy, rtol=1e-12)
    assert not np.allclose(kl, kl_divergence(np.log(P), Q).value)  # the other direction is another loss


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_kl_at_the_edge_of_the_simplex(make):
    nothing = kl_divergence(make([0.0, -np.inf]), make([1.0, 0.0]))
    assert float(nothing.value) == 0 and bool((nothing.grad == make([-1.0, 0.0])).all())
    assert float(kl_divergence(make([0.0, -np.inf]), make([0.5, 0.5])).value) == np.inf


def test_nll_after_a_log_softmax_is_cross_entropy():
    z, k = RNG.normal(size=(9, 4)), RNG.integers(0, 4, 9)
    log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))
    np.testing.assert_allclose(nll(log_p, k).value, cross_entropy(z, k).value, rtol=1e-12)
    inner = nll(log_p, k).grad  # through the log-softmax: g - p sum(g)
    chained = inner - np.exp(log_p) * inner.sum(-1, keepdims=True)
    np.testing.assert_allclose(chained, cross_entropy(z, k).grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_bce_at_the_ends_is_pytorchs(p, y):
    ours = binary_cross_entropy_on_probabilities(np.array([p]), np.array([y]))
    leaf = torch.tensor([p], dtype=torch.float64, requires_grad=True)
    theirs = torch.nn.functional.binary_cross_entropy(leaf, torch.tensor([y], dtype=torch.float64))
    theirs.backward()
    assert ours.value[0] == theirs.item() and ours.grad[0] == pytest.approx(
        leaf.grad.item(), rel=1e-7
    )  # PyTorch's floor is a float32


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: nll(np.zeros((2, 3)), np.array([0, 3])), ValueError, "labels must lie in 0..2"),
        (lambda: kl_divergence(np.zeros(2), np.array([1.5, -0.5])), ValueError, "p must hold finite numbers >= 0"),
        (lambda: binary_cross_entropy_on_probabilities(np.array([1.1]), np.ones(1)), ValueError, "p must lie in"),
        (lambda: binary_cross_entropy_on_probabilities(np.array([0.1]), -np.ones(1)), ValueError, "target must lie"),
    ],
)
def test_bad_input(call, error, told):
    with pytest.raises(error, match=told):
        call()
