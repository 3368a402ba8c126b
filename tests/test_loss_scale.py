"""Dynamic loss scaling: PyTorch's GradScaler on the same gradients, and what it is for."""

import math

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib.optim import SGD
from lessons_lib.optim.loss_scale import LARGEST, SMALLEST, LossScale, ScaleState

INF, NAN = math.inf, math.nan
RUNS = [[4.0, 8.0], [INF, 1.0], [1.0, 1.0], [2.0, -2.0], [1.0, NAN], [-INF, 0.0], [3.0, 0.0], [0.0, 0.0], [1.0, 2.0]]


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("options", [(8.0, 2.0, 0.5, 2), (8.0, 4.0, 0.25, 1), (1024.0, 1.5, 0.125, 3)])
def test_the_scales_and_the_steps_are_pytorchs(library, options):
    start, growth, backoff, interval = options
    scaler = torch.amp.GradScaler(
        "cpu", init_scale=start, growth_factor=growth, backoff_factor=backoff, growth_interval=interval
    )
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([p], lr=0.1)
    rule, ours = LossScale(*options), SGD(0.1)
    state, theta, moved = rule.init(), np.ones(2), 0
    for g in RUNS:
        p.grad = torch.tensor(g)
        scaler.scale(torch.ones(()))
        scaler.step(optimizer)
        scaler.update()
        given = INTO[library](np.array(g))
        unscaled, state = rule.update({"w": given}, state)
        if unscaled is not None:
            theta, _ = ours.update(theta, back(unscaled["w"]), ours.init(theta))
            moved += 1
        np.testing.assert_array_equal(back(given), g, err_msg="the gradient was changed")
        np.testing.assert_allclose(theta, p.detach().numpy(), rtol=1e-6)
        assert state.scale == scaler.get_scale()
    assert moved == 6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_what_float16_would_lose_comes_back_in_float32(dtype):
    small = torch.tensor(1e-9)
    assert small.half() == 0  # without a scale nothing is left
    rule = LossScale()
    g, _ = rule.update([(small * rule.start).to(dtype)], rule.init())
    assert g[0].dtype == torch.float32
    torch.testing.assert_close(g[0], small, rtol=4 * torch.finfo(dtype).eps, atol=0.0)


def test_the_scale_climbs_until_it_overflows_and_stays_in_float32():
    rule, largest = LossScale(start=1.0, interval=10), 0.0
    state = rule.init()
    for _ in range(1000):  # a gradient of 3, which float16 holds up to a scale of 16384
        _, state = rule.update(torch.tensor([3.0 * state.scale]).half(), state)
        largest = max(largest, state.scale)
    assert largest == 2.0**15 and state.scale in (2.0**14, 2.0**15)
    _, state = rule.update(np.zeros(2), ScaleState(LARGEST, 9))
    assert state == (LARGEST, 0)


def test_the_scale_has_a_floor_and_what_it_lets_overflow_is_skipped():
    rule = LossScale()
    state = rule.init()
    for _ in range(1200):
        g, state = rule.update(np.full(2, INF), state)
        assert g is None
    assert state.scale == SMALLEST > 0
    for size in (1.0, 3.0, 3e38):  # float32 holds 1 / 2^-126 and 3 / 2^-126, not the third
        g, after = rule.update(torch.full((2,), size), state)
        assert (g is None) == (size > 3.0) and after.scale == SMALLEST
        assert g is None or bool(g.isfinite().all())
    with pytest.raises(ValueError, match=r"state\.scale=0\.0 is not allowed"):
        rule.update(np.ones(2), ScaleState(0.0, 0))
    with pytest.raises(TypeError, match="state must be what"):
        rule.update(np.ones(2), (1.0, 0))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"start": 0.0}, "start=0.0 is not allowed; it must be > 0"),
        ({"start": INF}, "start=inf"),
        ({"growth": 1.0}, "growth=1.0 is not allowed; it must be > 1"),
        ({"growth": NAN}, "growth=nan"),
        ({"backoff": 1.0}, "backoff=1.0"),
        ({"backoff": 0.0}, "backoff=0.0 is not allowed; it must be a finite number > 0"),
        ({"interval": 0}, "interval=0 is not allowed; it must be an integer >= 1"),
    ],
)
def test_bad_options(options, says):
    with pytest.raises(ValueError, match=says):
        LossScale(**options)


def test_integers_are_refused_and_no_gradient_is_finite():
    with pytest.raises(TypeError, match=r"g\[0\]"):
        LossScale().update([np.ones(2, dtype=int)], LossScale().init())
    assert LossScale().update([], LossScale().init()) == ([], (2.0**16, 1))
