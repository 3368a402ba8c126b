"""Every row of lessons_lib.parity.cases: on every array library, against PyTorch, autograd and finite differences."""

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib import losses, optim, parity
from lessons_lib.parity import cases

LOSS_IDS = [f"{c.name}-{c.option}" for c in cases.LOSSES]
RULE_IDS = [f"{c.name}-{c.option}" for c in cases.RULES]
# public, but neither a loss nor a rule for one array
HELPERS = {
    "smooth_labels",
    "group_advantage",
    "leave_one_out_advantage",
    "mean_log_p",
    "sequence_log_p",
    "Each",
    "descend",
    "qk_clip",
    "scaled_lora_gradients",
}


def test_every_public_name_has_a_case():
    public = set(losses.__all__) | set(optim.__all__)
    assert {c.name for c in (*cases.LOSSES, *cases.RULES)} == public - HELPERS


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("name", parity.names())
def test_parity_with_pytorch_in_every_dtype(name, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    found = parity.rows(name, device)
    expected = {d for c in parity.ALL if c.name == name for d in getattr(c, "dtypes", parity.DTYPES)}
    assert {r.dtype for r in found} == expected
    assert [r for r in found if not r.ok] == []


def spread(up, grad):
    """The upstream numbers, one per value, shaped so that they multiply a gradient."""
    return np.reshape(up, up.shape + (1,) * (np.ndim(grad) - up.ndim))


def grads_of(case, loss):
    return loss.grad if case.inputs > 1 else (loss.grad,)


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("case", cases.LOSSES, ids=LOSS_IDS)
def test_loss_on_every_array_library(case, library):
    drawn = case.draw(np.random.default_rng(1))
    inputs = [INTO[library](a) for a in drawn]
    loss = case.ours(*inputs)
    tensors = [torch.tensor(a) for a in drawn]
    leaves = [a.requires_grad_() for a in tensors[: case.inputs]]
    theirs = case.torch(*tensors)
    up = np.random.default_rng(2).normal(size=tuple(theirs.shape))
    theirs.backward(torch.as_tensor(up))
    rtol = max(1e-12, case.allowed * np.finfo(float).eps)
    np.testing.assert_allclose(back(loss.value), theirs.detach().numpy(), rtol=rtol, atol=1e-15)
    for grad, leaf, given in zip(grads_of(case, loss), leaves, inputs, strict=False):
        np.testing.assert_allclose(back(grad) * spread(up, grad), leaf.grad.numpy(), rtol=rtol, atol=1e-15)
        assert type(grad) is type(given) and grad.dtype == given.dtype and grad.shape == given.shape
    for a, drawn_a in zip(inputs, drawn, strict=True):
        np.testing.assert_array_equal(back(a), drawn_a, err_msg="an input was changed")


@pytest.mark.parametrize("case", [c for c in cases.LOSSES if not c.held], ids=lambda c: f"{c.name}-{c.option}")
def test_gradient_is_the_slope_of_the_value(case):
    drawn = case.draw(np.random.default_rng(3))
    loss = case.ours(*drawn)
    rng = np.random.default_rng(4)
    up = rng.normal(size=np.shape(loss.value))
    for i, grad in enumerate(grads_of(case, loss)):
        for _ in range(5):  # along random directions
            d, h = rng.normal(size=drawn[i].shape), 1e-6
            moved = ([*drawn[:i], drawn[i] + s * h * d, *drawn[i + 1 :]] for s in (1, -1))
            ahead, behind = (np.sum(up * case.ours(*inputs).value) for inputs in moved)
            assert (ahead - behind) / (2 * h) == pytest.approx(np.sum(grad * spread(up, grad) * d), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("case", cases.RULES, ids=RULE_IDS)
def test_rule_on_every_array_library(case, library):
    rng = np.random.default_rng(5)
    start = rng.normal(size=(4, 3))
    theta = INTO[library](start)
    state = case.ours.init(theta)
    theirs = torch.tensor(start, requires_grad=True)
    optimizer = case.torch([theirs])
    for _ in range(50):
        g = np.array([1e-3, 1.0, 30.0]) * rng.normal(size=(4, 3))
        kept = theta, INTO[library](g)
        before = back(theta).copy()
        theta, state = case.ours.update(theta, INTO[library](case.sign * g), state)
        np.testing.assert_array_equal(back(kept[0]), before, err_msg="theta was changed in place")
        theirs.grad = case.gradient(torch.tensor(g))
        optimizer.step()
    rtol = max(1e-12, case.allowed * np.finfo(float).eps)
    np.testing.assert_allclose(back(theta), theirs.detach().numpy(), rtol=rtol, atol=rtol / 10)
    assert state.t == 50 and theta.dtype == kept[0].dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("case", cases.LOSSES, ids=LOSS_IDS)
def test_far_predictions_stay_finite(case, dtype):
    tensors = [torch.as_tensor(a) for a in case.draw(np.random.default_rng(6))]
    tensors[: case.inputs] = [a.sign() * case.far for a in tensors[: case.inputs]]
    loss = case.ours(*(a.to(dtype) if a.is_floating_point() else a for a in tensors))
    assert all(bool(g.isfinite().all()) and g.dtype == dtype for g in grads_of(case, loss))
    may_pass_the_largest = dtype == torch.float16 and loss.value.ndim == 0  # a sum of terms near 1e4
    assert loss.value.dtype == dtype and (bool(loss.value.isfinite().all()) or may_pass_the_largest)


@pytest.mark.parametrize("rule", [optim.Adam(0.1), optim.AdamW(0.1, weight_decay=0.0), optim.AMSGrad(0.1)], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_survives_what_breaks_pytorch(rule, dtype):
    theta = torch.ones(3, dtype=dtype)
    still, _ = rule.update(theta, torch.zeros(3, dtype=dtype), rule.init(theta))
    assert torch.equal(still, theta)  # eps = 1e-8 is 0 in float16; PyTorch gives NaN there
    for size in (1e-4, 1e4):  # their squares leave float16's range
        moved, state = rule.update(theta, torch.full((3,), size, dtype=dtype), rule.init(theta))
        assert moved.tolist() == pytest.approx([0.9] * 3, abs=4e-3) and moved.dtype == dtype
        assert state.m.dtype == state.v.dtype == torch.float32
