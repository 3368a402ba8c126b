"""Floats of any size, up to the largest and down to the smallest: the float64 result, rounded, or inf beyond the range.

Every case of every loss is computed in float32 and, from the same numbers, in float64. An error may be as large as what
rounding the inputs does to the float64 result; a NaN, or a 0 or inf that is not the rounded result, is never allowed.
"""

import math
from functools import partial

import numpy as np
import pytest
import torch
from arrays import back

from lessons_lib import losses
from lessons_lib.parity import cases

INF, MAX, TINY = math.inf, float(np.finfo("f4").max), float(np.finfo("f4").smallest_subnormal)
EPS = float(np.finfo("f4").eps)
RANGES = {"all": (-45, 38.5), "largest": (36.5, 38.5), "common": (-4, 4), "large": (0, 38.5), "smallest": (-45, -35)}


def of_any_size(rng, drawn, low, high):
    """Numbers with exponents from low to high, some of them special or equal, with the signs and bounds of `drawn`."""
    a = np.minimum(10 ** rng.uniform(low, high, drawn.shape), MAX)
    for special in (0.0, 1.0, MAX, TINY, rng.choice(a.reshape(-1))):
        a = np.where(rng.random(drawn.shape) < 0.04, special, a)
    if (drawn >= 0).all() and (drawn <= 1).all():
        a = np.where(a > 1, 1 - 1 / np.maximum(a, 1), a)
    sign = 1 if (drawn >= 0).all() else -1 if (drawn <= 0).all() else rng.choice([-1, 1], drawn.shape)
    return (sign * a).astype("f4").astype("f8")


def numbers(case, inputs, dtype=torch.float64):
    """Value and gradients as arrays, or None where an input is refused, such as a scale of 0."""
    try:
        loss = case.ours(*(torch.as_tensor(a).to(dtype) if a.dtype.kind == "f" else torch.as_tensor(a) for a in inputs))
    except ValueError:
        return None
    return [back(a).astype("f8") for a in (loss.value, *(loss.grad if case.inputs > 1 else (loss.grad,)))]


def rounded_inputs(case, rng, inputs):
    """Each float moved by a rounding error: its own, or of a larger number of which a formula may take it off."""
    floats = [a for a in inputs if a.dtype.kind == "f"]
    together = case.inputs > 1 and len({a.shape for a in floats}) == 1
    size = np.max(np.abs(floats), axis=0) if together else None
    for a in inputs:
        if a.dtype.kind == "f":
            step = EPS * rng.choice([-1, 0, 1], a.shape) * (np.abs(a) if size is None else size)
            yield np.clip(a + step, *((a.min(), a.max()) if (a >= 0).all() else (-INF, INF)))
        else:
            yield a


def allowed(case, rng, inputs, right):
    """How far each number may be off."""
    rounding = [np.zeros(a.shape) for a in right]
    for _ in range(6):
        other = numbers(case, [*rounded_inputs(case, rng, inputs)]) or right
        rounding = [np.fmax(e, np.abs(o - a)) for e, o, a in zip(rounding, other, right, strict=True)]
    value = right[0]
    for a, e in zip(right, rounding, strict=True):
        row = tuple(range(value.ndim, a.ndim))
        size = np.abs(a).max(axis=row, keepdims=True) if row else np.abs(a)
        least = np.reshape(np.minimum(np.abs(value), 1), value.shape + (1,) * len(row))
        yield 64 * EPS * np.fmax(size, least) + 32 * np.nan_to_num(e) + 32 * TINY


def differences(case, rng, inputs, right):
    """Which numbers are not right in float32: (ours, right, allowed)."""
    found = []
    ours = numbers(case, inputs, torch.float32)
    for a, b, e in zip(ours, right, allowed(case, rng, inputs, right), strict=True):
        beyond = ((b + e >= MAX) & (a == INF)) | ((b - e <= -MAX) & (a == -INF))
        given_up = (a == 0) & np.isinf(ours[0]).reshape(ours[0].shape + (1,) * (a.ndim - ours[0].ndim))  # no way down
        wrong = ~((np.abs(a - b) <= e) | beyond | given_up)
        found += zip(a[wrong], b[wrong], np.broadcast_to(e, a.shape)[wrong], strict=True)
    return found


def drawn(case, rng, low, high):
    """Inputs of any size; but what `barron` allows for alpha depends on the dtype, so that alpha stays as it is."""
    fixed = 1 if case.name.startswith("barron") and case.inputs == 3 else None
    given = case.draw(rng)
    return [of_any_size(rng, a, low, high) if a.dtype.kind == "f" and i != fixed else a for i, a in enumerate(given)]


def is_walked(case):
    """A mean or a sum over examples tells less, and it is inf where one of its terms is; CLIP's loss is only a mean."""
    return case.name == "symmetric_info_nce" or numbers(case, case.draw(np.random.default_rng(0)))[0].ndim > 0


@pytest.mark.parametrize("case", [c for c in cases.LOSSES if is_walked(c)], ids=lambda c: f"{c.name}-{c.option}")
def test_float32_gives_the_float64_result_rounded(case):
    rng, tried = np.random.default_rng(1), 0
    for low, high in RANGES.values():
        for _ in range(2):
            inputs = drawn(case, rng, low, high)
            with np.errstate(all="ignore"):
                right = numbers(case, inputs)
                if right and high - low > 5 and case.inputs * (right[1].ndim - right[0].ndim) > 1:
                    continue  # a sum over vectors or steps, of numbers of all sizes: the small ones are lost, rightly
                wrong = right and differences(case, rng, inputs, right)
            assert not wrong, f"{low, high}: {wrong}"
            tried += right is not None
    assert tried > 0


def tensors(*arrays):
    return [torch.tensor(a) for a in arrays]


ROWS = {
    "BCE, right for certain": (losses.binary_cross_entropy, [[-INF, INF], [0.0, 1.0]], [0, 0], [0, 0]),
    "BCE, wrong for certain": (losses.binary_cross_entropy, [[-INF], [1.0]], [INF], [-1]),
    "soft margin, right for certain": (losses.soft_margin, [[INF], [1]], [0], [0]),
    "soft labels": (losses.soft_cross_entropy, [[[0.0, -INF]], [[1.0, 0.0]]], [0], [[0, 0]]),
    "multi-label, right": (losses.multilabel_soft_margin, [[[INF, -INF]], [[1.0, 0.0]]], [0], [[0, 0]]),
    "q below the smallest float": (losses.jensen_shannon, [[[0.0, -103.5]], [[1.0, 0.0]]], [0], [[0, 0]]),
    "a class left out": (losses.multilabel_margin, [[[0.0, 1, -INF]], [[0, -1, -1]]], [2 / 3], [[-1 / 3, 1 / 3, 0]]),
    "focal at the largest float": (losses.focal, [[[MAX, -MAX]], [1]], [INF], [[1, -1]]),
    "focal, sure": (losses.focal, [[[MAX, -MAX]], [0]], [0], [[0, 0]]),
    "Huber from afar": (losses.huber, [[5e3, -MAX], [0.0, 0.0]], [4999.5, MAX], [1, -1]),
    "smooth L1 from afar": (losses.smooth_l1, [[5e3], [0.0]], [4999.5], [1]),
    "smooth L1, beta 1e-60": (
        partial(losses.smooth_l1, beta=1e-60),
        [[5.0, 0.0, -TINY], [0.0] * 3],
        [5, 0, TINY],
        [1, 0, -1],
    ),
    "focal, weight 3e38": (
        partial(losses.focal, alpha=torch.tensor([1, 1, MAX])),
        [[[-11.0, 8, -1]], [2]],
        [INF],
        [[1.9100607e30, INF, -INF]],
    ),
    "weights of the largest size": (
        losses.soft_cross_entropy,
        [[[9e23, -9e23, -1], [0, 0, -INF], [0, 50, 0]], [[MAX, MAX, 0], [MAX, MAX, 0], [1, 0, 2**-30]]],
        [INF, INF, 50],
        [[MAX, -MAX, 0], [0, 0, 0], [-1, 1, -(2**-30)]],
    ),
    "y sums to nearly 1": (
        losses.soft_cross_entropy,
        [[[50.0, 0]], [[1, 2**-30]]],
        [50 * 2**-30],
        [[2**-30, -(2**-30)]],
    ),
    "KL of log q of any sign": (losses.kl_divergence, [[[-MAX, -MAX, MAX]], [[1.0, 1, 1]]], [MAX], [[-1, -1, -1]]),
    "KL of p beyond 1": (losses.kl_divergence, [[[-MAX, 1, MAX]], [[8.0, 0, 8.0]]], [0], [[-8, 0, -8]]),
    "log-rate 0, no count": (losses.poisson_nll, [[-INF, 1e3], [0.0, 1e38]], [0, INF], [0, INF]),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_known_values(row):
    fn, inputs, value, grad = row
    loss = fn(*tensors(*inputs))
    np.testing.assert_allclose(loss.value.numpy(), np.array(value, "f4"), rtol=1e-6)
    np.testing.assert_allclose(loss.grad.numpy(), np.array(grad, "f4"), rtol=1e-6, atol=0)


@pytest.mark.parametrize("size", [1e-30, 1e20, 1e38])
def test_directions_do_not_depend_on_size(size):
    a, b, labels = (
        torch.tensor([[1.0, 2.0], [1.0, 2.0]]),
        torch.tensor([[2.0, -0.5], [2.0, -0.5]]),
        torch.tensor([1, -1]),
    )
    far, plain = losses.cosine_embedding(a * size, b, labels, -0.5), losses.cosine_embedding(a, b, labels, -0.5)
    if size > 1:
        torch.testing.assert_close(far.value, plain.value)
        torch.testing.assert_close(far.grad.second, plain.grad.second)
    else:  # shorter than eps: hardly a direction
        torch.testing.assert_close(far.value, torch.tensor([1.0, 0.5]))


def test_nearly_parallel_vectors():
    a, b = torch.tensor([[1.0, 2**-20]] * 2), torch.tensor([[8.0, 0.0], [-8.0, 0.0]])
    loss = losses.cosine_embedding(a, b, torch.tensor([1, -1]), margin=-1.0)
    angle, short = 2.0**-40 / 2, (1 + 1 / 64) * 1e-12 / 2  # of 1 - c, by the angle and by eps
    np.testing.assert_allclose(loss.value.numpy(), 2 * [angle + short], rtol=1e-5)
    np.testing.assert_allclose(loss.grad.second.numpy()[:, 1], [-(2**-23), 2**-23], rtol=1e-5)


def test_a_temperature_gets_a_gradient_beside_padding():
    s = torch.tensor([[1.0, -INF, 0.2], [0.3, 0.9, -INF]])
    grad = losses.info_nce(s, 0.5).grad
    in_temperature = -torch.where(grad != 0, s * grad, 0).sum() / 0.5
    assert in_temperature.item() == pytest.approx(1.0931, abs=5e-5)


def test_many_classes_leave_no_row_without_a_divergence():
    logits = 20 * torch.randn(4, 32_000, generator=torch.Generator().manual_seed(0))
    loss = losses.jensen_shannon(logits, torch.softmax(logits.flip(-1), -1))
    assert loss.value.isfinite().all() and loss.grad.isfinite().all()
