"""Every row of lessons_lib.cases: on every array library, against PyTorch, autograd and finite differences."""

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib import cases, losses, optim, parity

LOSS_IDS = [f"{c.name}-{c.option}" for c in cases.LOSSES]
RULE_IDS = [f"{c.name}-{c.option}" for c in cases.RULES]
HELPERS = {"smooth_labels", "Each"}  # public, but neither a loss nor a rule for one array


def test_every_public_name_has_a_case():
    public = set(losses.__all__) | set(optim.__all__)
    assert {c.name for c in (*cases.LOSSES, *cases.RULES)} == public - HELPERS


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("name", parity.names())
def test_parity_with_pytorch_in_every_dtype(name, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    found = parity.rows(name, device)
    assert {r.dtype for r in found} == set(parity.DTYPES)
    assert [r for r in found if not r.ok] == []


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("case", cases.LOSSES, ids=LOSS_IDS)
def test_loss_on_every_array_library(case, library):
    drawn = case.draw(np.random.default_rng(1))
    inputs = [INTO[library](a) for a in drawn]
    loss = case.ours(*inputs)
    pred, *others = (torch.as_tensor(a) for a in drawn)
    theirs = case.torch(pred.requires_grad_(), *others)
    up = torch.as_tensor(np.random.default_rng(2).normal(size=tuple(theirs.shape)))
    theirs.backward(up)
    up = up.numpy().reshape(up.shape + (1,) * (pred.ndim - up.ndim))
    np.testing.assert_allclose(back(loss.value), theirs.detach().numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(back(loss.grad) * up, pred.grad.numpy(), rtol=1e-12, atol=1e-15)
    assert type(loss.grad) is type(inputs[0]) and loss.grad.dtype == inputs[0].dtype
    for a, drawn_a in zip(inputs, drawn, strict=True):
        np.testing.assert_array_equal(back(a), drawn_a, err_msg="an input was changed")


@pytest.mark.parametrize("case", cases.LOSSES, ids=LOSS_IDS)
def test_gradient_is_the_slope_of_the_value(case):
    pred, *others = case.draw(np.random.default_rng(3))
    loss = case.ours(pred, *others)
    rng = np.random.default_rng(4)
    up = rng.normal(size=np.shape(loss.value))
    grad = loss.grad * np.reshape(up, up.shape + (1,) * (pred.ndim - up.ndim))
    for _ in range(5):  # along random directions
        d, h = rng.normal(size=pred.shape), 1e-6
        ahead, behind = (np.sum(up * case.ours(pred + s * h * d, *others).value) for s in (1, -1))
        assert (ahead - behind) / (2 * h) == pytest.approx(np.sum(grad * d), rel=1e-5, abs=1e-6)


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
        theirs.grad = torch.tensor(g)
        optimizer.step()
    np.testing.assert_allclose(back(theta), theirs.detach().numpy(), rtol=1e-12, atol=1e-13)
    assert state.t == 50 and theta.dtype == kept[0].dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("case", cases.LOSSES, ids=LOSS_IDS)
def test_far_logits_stay_finite(case, dtype):
    pred, *others = (torch.as_tensor(a) for a in case.draw(np.random.default_rng(6)))
    far = (pred.sign() * (100 if case.name == "squared_error" else 1e4)).to(dtype)
    loss = case.ours(far, *(a.to(dtype) if a.is_floating_point() else a for a in others))
    assert bool(loss.grad.isfinite().all()) and loss.grad.dtype == loss.value.dtype == dtype
    may_pass_the_largest = dtype == torch.float16 and loss.value.ndim == 0  # a sum of terms near 1e4
    assert bool(loss.value.isfinite().all()) or may_pass_the_largest


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
