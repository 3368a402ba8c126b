"""What only focal loss promises."""

import numpy as np
import pytest
import torch

from lessons_lib.losses import cross_entropy, focal

K = np.array([0])


def test_known_values():
    loss = focal(np.zeros((1, 4)), K)  # p = 1/4
    assert loss.value[0] == pytest.approx(0.75**2 * np.log(4))
    weight = 0.75**2 * (1 + 2 * 0.25 * np.log(4) / 0.75)
    np.testing.assert_allclose(loss.grad[0], weight * np.array([-0.75, 0.25, 0.25, 0.25]))


def test_the_sure_count_less_than_in_cross_entropy_and_the_wrong_as_much():
    for z, low, high in [(4.0, 0.0, 0.01), (-8.0, 0.99, 1.01)]:
        logits = np.array([[z, 0.0]])
        ratio = focal(logits, K).value[0] / cross_entropy(logits, K).value[0]
        assert low < ratio < high


def test_the_gradient_may_exceed_that_of_cross_entropy_where_p_is_small():
    logits = np.array([[0.0, 0.0, 0.0, 0.0]])
    assert abs(focal(logits, K, 0.5).grad[0, 0]) > abs(cross_entropy(logits, K).grad[0, 0])


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_certainty_gives_no_nan(gamma, dtype):
    """q = 0 in (1 - p)^(gamma - 1) would be 0 * inf."""
    loss = focal(torch.tensor([[1e4, 0.0], [0.0, 1e4], [30.0, 0.0]], dtype=dtype), torch.tensor([0, 0, 0]), gamma)
    assert loss.value.isfinite().all() and loss.grad.isfinite().all() and loss.value[0] == 0
    assert loss.grad[1].tolist() == [-1, 1]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_the_easiest_examples_keep_float32_s_digits(gamma):
    logits = torch.tensor([[gap, 0.0, 0.0] for gap in (5.0, 14.0, 17.0, 25.0, 30.0)])
    labels = torch.zeros(len(logits), dtype=torch.int64)
    near, exact = focal(logits, labels, gamma), focal(logits.double(), labels, gamma)
    torch.testing.assert_close(near.value.double(), exact.value, rtol=2e-6, atol=0)
    torch.testing.assert_close(near.grad.double(), exact.grad, rtol=2e-6, atol=0)
    p = torch.softmax(logits.double(), -1)[0, 0]
    assert exact.value[0].item() == pytest.approx((-((1 - p) ** gamma) * p.log()).item())


def test_alpha_multiplies():
    logits, labels, alpha = (
        np.random.default_rng(0).normal(size=(5, 3)),
        np.array([0, 1, 2, 1, 0]),
        np.array([2.0, 0, 5]),
    )
    plain, weighed = focal(logits, labels), focal(logits, labels, alpha=alpha)
    np.testing.assert_allclose(weighed.value, alpha[labels] * plain.value)
    np.testing.assert_allclose(weighed.grad, alpha[labels][:, None] * plain.grad)


@pytest.mark.parametrize("gamma", [-1.0, float("nan"), float("inf")])
def test_gamma_must_be_a_number_from_0(gamma):
    with pytest.raises(ValueError, match="gamma="):
        focal(np.zeros((1, 2)), K, gamma)


@pytest.mark.parametrize("alpha", [[1.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf]])
def test_alpha_must_have_one_weight_per_class(alpha):
    with pytest.raises(ValueError, match=r"alpha( must hold finite numbers >= 0| \(C\), C >= 1; got)"):
        focal(np.zeros((1, 2)), K, alpha=np.array(alpha))
