"""What only the Jensen-Shannon divergence promises."""

import math

import numpy as np
import pytest
import torch

from lessons_lib.losses import jensen_shannon, kl_divergence


def logs(p):
    with np.errstate(divide="ignore"):
        return np.log(p)


def test_it_is_symmetric_bounded_and_0_only_for_equals():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.full(5, 0.3), (2, 200))
    forth, back = jensen_shannon(logs(q), p).value, jensen_shannon(logs(p), q).value
    np.testing.assert_allclose(forth, back, rtol=1e-12)
    assert (forth > 0).all() and (forth < math.log(2)).all()
    np.testing.assert_allclose(jensen_shannon(logs(p), p).value, 0, atol=1e-15)


def test_it_is_the_mean_of_two_divergences_from_the_middle():
    p, q = np.random.default_rng(1).dirichlet(np.ones(4), (2, 10))
    m = logs((p + q) / 2)
    two = (kl_divergence(m, p).value + kl_divergence(m, q).value) / 2
    np.testing.assert_allclose(jensen_shannon(logs(q), p).value, two, rtol=1e-12)


def test_its_root_keeps_the_triangle_inequality():
    a, b, c = np.random.default_rng(2).dirichlet(np.full(4, 0.3), (3, 5000))

    def d(p, q):
        return np.sqrt(np.clip(jensen_shannon(logs(q), p).value, 0, None))

    assert (d(a, b) + d(b, c) - d(a, c) > -1e-12).all()


def test_near_equals_keep_their_small_divergence_in_float32():
    p = torch.tensor([[0.25, 0.25, 0.5]])
    logits = p.log() + torch.tensor([[1e-4, -1e-4, 0.0]])
    exact = jensen_shannon(logits.double(), p.double())
    assert jensen_shannon(logits, p).value.item() == pytest.approx(exact.value.item(), abs=1e-11)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_without_a_common_class_it_is_log_2_and_silent(dtype):
    loss = jensen_shannon(torch.tensor([[1e4, 0.0]], dtype=dtype), torch.tensor([[0.0, 1.0]], dtype=dtype))
    assert loss.value.item() == pytest.approx(math.log(2), rel=1e-3) and (loss.grad == 0).all()


@pytest.mark.parametrize("p", [[1.5, -0.5], [np.nan, 1.0]])
def test_p_must_hold_probabilities(p):
    with pytest.raises(ValueError, match="p must hold finite numbers >= 0"):
        jensen_shannon(np.zeros((1, 2)), np.array([p]))
