"""Schedules, clipping and averages: each against its class in PyTorch, then what they promise on paper."""

import math

import numpy as np
import pytest
import torch
from arrays import INTO, back
from torch.optim import lr_scheduler as theirs
from torch.optim import swa_utils

from lessons_lib.optim import averages, clip, schedules

LR, STEPS = 0.3, 60


def optimizer(momentum=0.5):
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=LR, momentum=momentum)


def torch_rates(make, steps=STEPS, key="lr"):
    opt = optimizer()
    scheduler, rates = make(opt), []
    for t in range(steps):
        rates.append(opt.param_groups[0][key])
        opt.step()
        if t < steps - 1:  # OneCycleLR has no step after its last one
            scheduler.step()
    return rates


def assert_agree(ours, make, steps=STEPS, key="lr"):
    rates = [ours(t) for t in range(steps)]
    np.testing.assert_allclose(rates, torch_rates(make, steps, key), rtol=1e-12, atol=1e-15)
    assert len(set(rates)) > 1, "a schedule that never moves compares nothing"


PROPORTIONAL = {
    "step": (lambda t: schedules.step_decay(t, 7, LR, 0.6), lambda o: theirs.StepLR(o, 7, 0.6)),
    "step, default": (lambda t: schedules.step_decay(t, 30, LR), lambda o: theirs.StepLR(o, 30)),
    "multi": (
        lambda t: schedules.multi_step(t, [5, 20, 20, 41], LR, 0.7),
        lambda o: theirs.MultiStepLR(o, [20, 5, 20, 41], 0.7),
    ),
    "multi, default": (lambda t: schedules.multi_step(t, [0, 9], LR), lambda o: theirs.MultiStepLR(o, [0, 9])),
    "constant": (lambda t: schedules.constant_then(t, 11, LR, 0.2), lambda o: theirs.ConstantLR(o, 0.2, 11)),
    "constant, default": (lambda t: schedules.constant_then(t, 5, LR), theirs.ConstantLR),
    "linear": (lambda t: schedules.linear(t, 23, LR, 0.1, 0.7), lambda o: theirs.LinearLR(o, 0.1, 0.7, 23)),
    "linear down": (lambda t: schedules.linear(t, 23, LR, 1.0, 0.0), lambda o: theirs.LinearLR(o, 1.0, 0.0, 23)),
    "linear, default": (lambda t: schedules.linear(t, 5, LR), theirs.LinearLR),
    "exponential": (lambda t: schedules.exponential(t, LR, 0.9), lambda o: theirs.ExponentialLR(o, 0.9)),
    "polynomial": (lambda t: schedules.polynomial(t, 40, LR, 2.5), lambda o: theirs.PolynomialLR(o, 40, 2.5)),
    "polynomial, default": (lambda t: schedules.polynomial(t, 5, LR), theirs.PolynomialLR),
    "multiplicative": (
        lambda t: schedules.multiplicative(t, LR, lambda i: 1 - 0.5 / (i + 1)),
        lambda o: theirs.MultiplicativeLR(o, lambda i: 1 - 0.5 / (i + 1)),
    ),
    "lambda": (lambda t: LR / (1 + t), lambda o: theirs.LambdaLR(o, lambda t: 1 / (1 + t))),
    "sequential": (
        lambda t: schedules.sequential(
            t, [lambda s: schedules.linear(s, 8, LR, 0.1), lambda s: schedules.step_decay(s, 5, LR, 0.8),
                lambda s: schedules.polynomial(s, 20, LR, 2.0)], [10, 33]
        ),
        lambda o: theirs.SequentialLR(
            o, [theirs.LinearLR(o, 0.1, 1.0, 8), theirs.StepLR(o, 5, 0.8), theirs.PolynomialLR(o, 20, 2.0)], [10, 33]
        ),
    ),
    "sequential of one": (
        lambda t: schedules.sequential(t, [lambda s: schedules.exponential(s, LR, 0.9)], []),
        lambda o: theirs.SequentialLR(o, [theirs.ExponentialLR(o, 0.9)], []),
    ),
    "chained": (
        lambda t: schedules.chained(
            t, LR, [lambda s, lr: schedules.constant_then(s, 4, lr, 0.2),
                    lambda s, lr: schedules.exponential(s, lr, 0.9),
                    lambda s, lr: schedules.multi_step(s, [7, 30], lr, 0.5)]
        ),
        lambda o: theirs.ChainedScheduler(
            [theirs.ConstantLR(o, 0.2, 4), theirs.ExponentialLR(o, 0.9), theirs.MultiStepLR(o, [7, 30], 0.5)]
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROPORTIONAL)
def test_rates_in_proportion_to_lr(name):
    assert_agree(*PROPORTIONAL[name])


@pytest.mark.parametrize("lr_min", [0.0, 0.02])
@pytest.mark.parametrize("total", [13, 50, 100])
def test_cosine(total, lr_min):  # also far beyond its end, where PyTorch rises again
    assert_agree(lambda t: schedules.cosine(t, total, LR, lr_min), lambda o: theirs.CosineAnnealingLR(o, total, lr_min))


@pytest.mark.parametrize(("period", "growth"), [(7, 1), (4, 2), (3, 3), (100, 1)])
@pytest.mark.parametrize("lr_min", [0.0, 0.02])
def test_cosine_restarts(period, growth, lr_min):
    make = lambda o: theirs.CosineAnnealingWarmRestarts(o, period, growth, lr_min)  # noqa: E731
    assert_agree(lambda t: schedules.cosine_restarts(t, period, LR, lr_min, growth), make)
    opt = optimizer()
    scheduler = make(opt)
    for t in (0.25, 3.5, 11.75, 29.5):  # parts of an epoch
        scheduler.step(t)
        assert schedules.cosine_restarts(t, period, LR, lr_min, growth) == pytest.approx(
            opt.param_groups[0]["lr"], rel=1e-12
        )


@pytest.mark.parametrize(("up", "down"), [(5, None), (4, 9), (9, 4), (200, None)])
@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range", "own, by cycle", "own, by step"])
def test_cyclic(up, down, mode):
    def fn(x):
        return 1 / (1 + x)

    options = {"mode": mode, "gamma": 0.97} if "own" not in mode else {
        "scale_fn": fn, "scale_mode": "cycle" if "cycle" in mode else "iterations"}  # fmt: skip
    height = {
        "exp_range": lambda cycle, t: 0.97**t,
        "own, by cycle": lambda cycle, t: fn(cycle),
        "own, by step": lambda cycle, t: fn(t),
    }.get(mode, mode)

    def make(o):
        return theirs.CyclicLR(o, 0.01, 0.4, up, down, base_momentum=0.6, max_momentum=0.95, **options)

    assert_agree(lambda t: schedules.cyclic(t, 0.01, 0.4, up, down, height), make)
    assert_agree(lambda t: schedules.cyclic(t, 0.95, 0.6, up, down, height), make, key="momentum")


@pytest.mark.parametrize("shape", ["cos", "linear"])
@pytest.mark.parametrize(
    ("pct_start", "three_phase"), [(0.3, False), (0.3, True), (0.5, True), (0.05, False), (0.95, False), (0.17, True)]
)
@pytest.mark.parametrize("factors", [{}, {"div_factor": 5.0, "final_div_factor": 7.0}])
def test_one_cycle(shape, pct_start, three_phase, factors):
    def make(o):
        return theirs.OneCycleLR(o, 0.4, total_steps=STEPS, pct_start=pct_start, anneal_strategy=shape,
            three_phase=three_phase, base_momentum=0.6, max_momentum=0.95, **factors)  # fmt: skip

    kind = {"pct_start": pct_start, "shape": shape, "three_phase": three_phase}
    assert_agree(lambda t: schedules.one_cycle(t, STEPS, 0.4, **kind, **factors), make)
    ends = {"div_factor": 0.6 / 0.95, "final_div_factor": 1.0}
    assert_agree(lambda t: schedules.one_cycle(t, STEPS, 0.6, **kind, **ends), make, key="momentum")


@pytest.mark.parametrize(("total", "pct_start"), [(1, 1.0), (10, 0.1), (60, 0.0), (60, 1 / 80), (60, 1.0)])
def test_one_cycle_refuses_a_phase_without_a_step(total, pct_start):
    with pytest.raises(ValueError, match=f"pct_start={pct_start}, total={total} leave a phase without a step"):
        schedules.one_cycle(0, total, 0.4, pct_start=pct_start)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(
    "options",
    [{}, {"patience": 2, "factor": 0.5}, {"patience": 1, "cooldown": 3, "threshold": 0.05},
     {"patience": 0, "min_lr": 0.01}, {"patience": 0, "eps": 0.02}, {"patience": 0, "factor": 0.0}],
)  # fmt: skip
@pytest.mark.parametrize("start", [2.0, -0.1])  # the second: with "rel" the sign of the metric matters
def test_plateau(mode, threshold_mode, options, start):
    sign = 1 if mode == "min" else -1
    rng = np.random.default_rng(3)
    metrics = start + sign * np.maximum(0.8 ** np.arange(STEPS), 0.05) + 0.02 * rng.normal(size=STEPS)
    metrics[[4, 21]] = np.nan, np.inf
    opt = optimizer()
    scheduler = theirs.ReduceLROnPlateau(opt, mode, threshold_mode=threshold_mode, **options)
    own = {"lr_min" if k == "min_lr" else k: v for k, v in options.items()}
    rates = []
    for n in range(1, STEPS + 1):
        scheduler.step(metrics[n - 1])
        rates.append(opt.param_groups[0]["lr"])
        ours = schedules.plateau(list(metrics[:n]), LR, mode=mode, threshold_mode=threshold_mode, **own)
        assert ours == pytest.approx(rates[-1], rel=1e-12), n
    if options and start > 0:
        assert len(set(rates)) > 1
    assert schedules.plateau([], LR) == LR


def test_warmup_cosine():
    """From t = 1 it is LinearLR then CosineAnnealingLR, which cannot start at 0."""

    def make(o):
        return theirs.SequentialLR(
            o, [theirs.LinearLR(o, 1 / 10, 1.0, 9), theirs.CosineAnnealingLR(o, 49, 0.02)], [9]
        )  # fmt: skip

    rates = torch_rates(make, 59)  # its step 0 is our t = 1
    np.testing.assert_allclose([schedules.warmup_cosine(t, 10, 59, LR, 0.02) for t in range(1, 60)], rates, rtol=1e-12)
    assert schedules.warmup_cosine(0, 10, 59, LR) == 0 and schedules.warmup_cosine(5, 10, 59, LR) == LR / 2
    assert schedules.warmup_cosine(10**6, 10, 59, LR, 0.02) == 0.02  # it stays; `cosine` rises again
    for t in range(50):
        assert schedules.warmup_cosine(t, 0, 50, LR, 0.1) == schedules.cosine(t, 50, LR, 0.1)


def test_warmup_stable_decay():
    def make(o):
        parts = [theirs.LinearLR(o, 1 / 10, 1.0, 9), theirs.ConstantLR(o, 1.0, 1), theirs.LinearLR(o, 1.0, 0.1, 20)]
        return theirs.SequentialLR(o, parts, [9, 29])

    rates = torch_rates(make, STEPS)
    ours = [schedules.warmup_stable_decay(t, 10, 30, 50, LR, LR / 10) for t in range(1, STEPS + 1)]
    np.testing.assert_allclose(ours, rates, rtol=1e-12)
    falls = [schedules.warmup_stable_decay(35, 10, 30, 50, 1.0, 0.2, shape=s) for s in ("linear", "cos", "sqrt")]
    assert falls == pytest.approx([0.8, 0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2, 0.6])  # a quarter of the way


@pytest.mark.parametrize("shape", ["cos", "linear"])
@pytest.mark.parametrize("anneal_steps", [0, 1, 10, 100])
def test_swa_lr(shape, anneal_steps):
    rates = torch_rates(lambda o: swa_utils.SWALR(o, 0.05, anneal_steps, shape))
    ours = [schedules.swa_lr(t, LR, 0.05, anneal_steps, shape) for t in range(STEPS)]
    np.testing.assert_allclose(ours, rates, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: schedules.step_decay(-1, 3, 0.1), "t=-1 is not allowed"),
        (lambda: schedules.step_decay(1, 0, 0.1), "step_size=0"),
        (lambda: schedules.step_decay(1, 3, 0.1, -0.1), "factor=-0.1"),
        (lambda: schedules.multi_step(math.nan, [3], 0.1), "t=nan"),
        (lambda: schedules.constant_then(1, -2, 0.1), "total=-2"),
        (lambda: schedules.linear(1, 5, 0.1, start=-1), "start=-1"),
        (lambda: schedules.linear(1, 0, 0.1), "total=0"),
        (lambda: schedules.exponential(1, 0.1, math.inf), "factor=inf"),
        (lambda: schedules.polynomial(1, 0, 0.1), "total=0"),
        (lambda: schedules.polynomial(1, 5, 0.1, power=-1), "power=-1"),
        (lambda: schedules.multiplicative(-1, 0.1, abs), "t=-1"),
        (lambda: schedules.sequential(1, [abs, abs], []), "one fewer than the 2 schedules"),
        (lambda: schedules.sequential(1, [abs, abs, abs], [3, 2]), "must ascend"),
        (lambda: schedules.chained(-1, 0.1, [pow]), "t=-1"),
        (lambda: schedules.cosine(1, 0, 0.1), "total=0"),
        (lambda: schedules.cosine(1, 10, -0.1), "lr=-0.1"),
        (lambda: schedules.cosine_restarts(1, 0, 0.1), "period=0"),
        (lambda: schedules.cosine_restarts(1, 3, 0.1, growth=0.5), "growth=0.5"),
        (lambda: schedules.cyclic(1, 0.1, 0.2, up=0), "up=0"),
        (lambda: schedules.cyclic(1, 0.1, 0.2, 3, height="saw"), "height='saw' is unknown"),
        (lambda: schedules.one_cycle(10, 10, 0.1), "t=10 .* the last step is total - 1 = 9"),
        (lambda: schedules.one_cycle(1, 10, 0.1, pct_start=1.5), "pct_start=1.5"),
        (lambda: schedules.one_cycle(1, 10, 0.1, pct_start=0.6, three_phase=True), "pct_start=0.6"),
        (lambda: schedules.one_cycle(1, 10, 0.1, shape="spline"), "shape='spline' is unknown"),
        (lambda: schedules.one_cycle(1, 10, 0.1, div_factor=0), "div_factor=0"),
        (lambda: schedules.warmup_cosine(1, 10, 10, 0.1), "warmup=10, .* total=10 must ascend"),
        (lambda: schedules.warmup_cosine(-1, 5, 10, 0.1), "t=-1"),
        (lambda: schedules.warmup_stable_decay(1, 5, 4, 10, 0.1), "decay_from=4"),
        (lambda: schedules.warmup_stable_decay(1, 5, 7, 10, 0.1, lr_min=-1), "lr_min=-1"),
        (lambda: schedules.plateau([1.0], 0.1, factor=1.0), "factor=1.0"),
        (lambda: schedules.plateau([1.0], 0.1, mode="least"), "mode='least' is unknown"),
        (lambda: schedules.plateau([1.0], 0.1, threshold_mode="log"), "threshold_mode='log' is unknown"),
        (lambda: schedules.plateau([1.0], 0.1, patience=-1), "patience=-1"),
        (lambda: schedules.swa_lr(1, 0.1, -0.1), "lr_swa=-0.1"),
        (lambda: averages.ema(np.ones(2), np.ones(2), 1.0), "decay=1.0"),
        (lambda: averages.ema(np.ones(2), np.ones(3)), r"theta \(3,\)"),
        (lambda: averages.running_mean(np.ones(2), np.ones(2), -1), "n=-1"),
        (lambda: clip.clip_by_value(np.ones(2), -1.0), "limit=-1.0"),
        (lambda: clip.clip_by_value(np.ones(2), math.nan), "limit=nan"),
        (lambda: clip.clip_by_norm(np.ones(2), math.nan), "limit=nan"),
        (lambda: clip.clip_by_norm(np.ones(2), 1.0, norm_type=0.5), "norm_type=0.5"),
        (lambda: clip.clip_by_norm(np.array([np.nan, 1.0]), 1.0), "norm nan"),
        (lambda: clip.clip_by_norm([np.ones(1), np.array([np.inf])], 1.0), "norm inf"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_integers_and_missing_gradients_are_named():
    for g, name in (
        ([np.ones(2), None], r"g\[1\]"),
        ({"w": None}, r"g\['w'\]"),
        ("abc", "g must"),
        ([np.ones(2), np.ones(2, dtype=int)], r"g\[1\]"),
        ({"w": np.ones(2, dtype=int)}, r"g\['w'\]"),
    ):
        for call in (clip.clip_by_norm, clip.clip_by_value):
            with pytest.raises(TypeError, match=name):
                call(g, 1.0)


def gradients(scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return [scale * rng.normal(size=s) for s in [(3, 4), (5,), (), (0, 2)]]


def torch_clipped(arrays, dtype, fn, *args, **kwargs):
    parameters = [torch.nn.Parameter(torch.zeros(a.shape, dtype=dtype)) for a in arrays]
    for p, a in zip(parameters, arrays, strict=True):
        p.grad = torch.as_tensor(a).to(dtype).clone()
    out = fn(parameters, *args, **kwargs)
    return [p.grad for p in parameters], out


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("norm_type", [1, 2.0, 3.5, math.inf])
@pytest.mark.parametrize("limit", [0.0, 0.3, 2.0, 1e4])
def test_clip_by_norm(library, norm_type, limit):
    arrays = gradients(2.0)[: 3 if norm_type == math.inf else 4]  # PyTorch has no largest number of an empty tensor
    g = [INTO[library](a) for a in arrays]
    expected, norm = torch_clipped(arrays, torch.float64, torch.nn.utils.clip_grad_norm_, limit, norm_type)
    assert clip.global_norm(g, norm_type) == pytest.approx(float(norm), rel=1e-13)
    as_list, as_dict = clip.clip_by_norm(g, limit, norm_type), clip.clip_by_norm(dict(enumerate(g)), limit, norm_type)
    for i, want in enumerate(expected):
        for ours in (as_list[i], as_dict[i]):
            np.testing.assert_allclose(back(ours), want.numpy(), rtol=1e-13)
            assert ours.dtype == g[i].dtype and tuple(ours.shape) == np.shape(arrays[i])
            assert type(ours) is type(g[i]) or isinstance(ours, np.generic)  # NumPy's arrays without axes
        np.testing.assert_array_equal(back(g[i]), arrays[i], err_msg="a gradient was changed")
    one = clip.clip_by_norm(g[0], limit, norm_type)  # one array alone
    alone, _ = torch_clipped(arrays[:1], torch.float64, torch.nn.utils.clip_grad_norm_, limit, norm_type)
    np.testing.assert_allclose(back(one), alone[0].numpy(), rtol=1e-13)


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("limit", [0.0, 0.3, 2.0, 1e4])
def test_clip_by_value(library, limit):
    arrays = gradients(2.0)
    g = [INTO[library](a) for a in arrays]
    expected, _ = torch_clipped(arrays, torch.float64, torch.nn.utils.clip_grad_value_, limit)
    for ours, also, want in zip(
        clip.clip_by_value(g, limit), clip.clip_by_value(dict(enumerate(g)), limit).values(), expected, strict=True
    ):
        np.testing.assert_array_equal(back(ours), want.numpy())
        np.testing.assert_array_equal(back(also), want.numpy())
    np.testing.assert_array_equal(back(clip.clip_by_value(g[0], limit)), expected[0].numpy())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_clip_keeps_the_dtype(dtype):
    g = [torch.as_tensor(a).to(dtype) for a in gradients(3.0)]
    expected, _ = torch_clipped(g, dtype, torch.nn.utils.clip_grad_norm_, 0.5)
    for ours, want in zip(clip.clip_by_norm(g, 0.5), expected, strict=True):
        assert ours.dtype == dtype
        torch.testing.assert_close(ours, want, rtol=4 * torch.finfo(dtype).eps, atol=0.0)


@pytest.mark.parametrize(
    ("size", "dtype"), [(1e30, np.float32), (6e4, np.float16), (1e-30, np.float32), (1e200, float)]
)
def test_the_norm_neither_overflows_nor_underflows(size, dtype):
    g = np.full(4, size, dtype=dtype)
    assert clip.global_norm(g) == pytest.approx(2 * float(g[0]), rel=1e-6)
    clipped = clip.clip_by_norm(g, 1.0)  # PyTorch makes the large ones 0
    np.testing.assert_allclose(clipped, g if size < 1 else np.full(4, 0.5), rtol=1e-3)
    assert clipped.dtype == dtype


@pytest.mark.parametrize("limit", [math.inf, 1e300])
def test_no_limit_changes_nothing(limit):
    for g in (np.array([3.0, -4.0]), torch.tensor([3.0, -4.0]), torch.tensor([3.0, -4.0]).half()):
        for clipped in (clip.clip_by_norm(g, limit), clip.clip_by_value(g, limit)):
            np.testing.assert_array_equal(back(clipped), back(g))
            assert clipped.dtype == g.dtype
    assert clip.clip_by_value(torch.tensor([math.inf]), limit).item() == math.inf


def test_norm_clipping_keeps_the_direction_and_value_clipping_does_not():
    g = np.array([3.0, 4.0, 0.0])
    shorter = clip.clip_by_norm(g, 1.0)
    assert np.linalg.norm(shorter) == pytest.approx(1.0, rel=1e-6) and np.linalg.norm(shorter) < 1.0
    np.testing.assert_allclose(shorter / np.linalg.norm(shorter), g / 5)
    np.testing.assert_array_equal(clip.clip_by_value(g, 1.0), [1, 1, 0])
    np.testing.assert_array_equal(clip.clip_by_norm(g, 5.1), g)
    np.testing.assert_array_equal(clip.clip_by_norm(np.zeros(3), 0.0), np.zeros(3))
    assert clip.global_norm([]) == 0 and clip.clip_by_norm([], 1.0) == [] and clip.clip_by_norm({}, 1.0) == {}
    assert clip.clip_by_norm(np.zeros((0, 3)), 1.0).shape == (0, 3)


def test_what_is_not_finite():
    wild = np.array([np.nan, np.inf, -np.inf, 3.0])
    np.testing.assert_array_equal(clip.clip_by_value(wild, 1.0), [np.nan, 1, -1, 1])
    assert math.isnan(clip.global_norm(wild)) and clip.global_norm(wild[1:]) == math.inf


@pytest.mark.parametrize("library", INTO)
@pytest.mark.parametrize("kind", ["ema", "ema, many", "swa", "swa, many", "swa, default"])
def test_averages(library, kind):
    options = {
        "ema": {"avg_fn": swa_utils.get_ema_avg_fn(0.8)},
        "ema, many": {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.8)},
        "swa": {"avg_fn": swa_utils.get_swa_avg_fn()},
        "swa, many": {"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()},
        "swa, default": {},
    }[kind]
    model = torch.nn.Linear(3, 2, bias=False, dtype=torch.float64)
    averaged, rng = swa_utils.AveragedModel(model, **options), np.random.default_rng(0)
    average = INTO[library](np.zeros((2, 3)))
    for n in range(12):
        weight = rng.normal(size=(2, 3))
        with torch.no_grad():
            model.weight.copy_(torch.as_tensor(weight))
        averaged.update_parameters(model)
        theta = INTO[library](weight)
        if "swa" in kind:
            average = averages.running_mean(average, theta, n)
        else:
            average = averages.ema(average, theta, 0.8) if n else theta
        rtol = 1e-6 if kind == "swa, many" else 1e-12  # PyTorch rounds the weight 1 / (n + 1) to float32 there
        np.testing.assert_allclose(back(average), averaged.module.weight.detach().numpy(), rtol=rtol, atol=rtol / 10)
        assert type(average) is type(theta) and average.dtype == theta.dtype
        np.testing.assert_array_equal(back(theta), weight, err_msg="theta was changed")


def test_what_the_averages_are():
    thetas, zero = np.random.default_rng(1).normal(size=(9, 4)), np.zeros(4)
    mean, fading = zero, zero
    for n, theta in enumerate(thetas):
        mean, fading = averages.running_mean(mean, theta, n), averages.ema(fading, theta, 0.7)
    np.testing.assert_allclose(mean, thetas.mean(0), rtol=1e-13)
    w = 0.7 ** np.arange(8, -1, -1)
    np.testing.assert_allclose(fading / (1 - 0.7**9), w @ thetas / w.sum(), rtol=1e-12)  # corrected as in Adam


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_an_average_of_half_precision_weights_is_kept_in_float32(dtype):
    """With 11 or 8 bits an average that starts at the first weights would stand still: steps of 0.1 % are lost."""
    theta, average, rounded = torch.full((1,), 2.0, dtype=dtype), torch.ones(1, dtype=dtype), torch.ones(1, dtype=dtype)
    for _ in range(1000):
        average = averages.ema(average, theta)
        rounded = averages.ema(rounded, theta).to(dtype)
    assert average.dtype == torch.float32 and rounded.item() < 1.6
    assert average.item() == pytest.approx(2 - 0.999**1000, rel=1e-5)
    assert averages.running_mean(theta, torch.ones(1), 2).item() == pytest.approx(5 / 3, rel=1e-6)
