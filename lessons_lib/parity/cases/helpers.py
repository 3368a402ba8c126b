"""What stands around a rule: schedules, clipping, averages and the loss scale; and L-BFGS, a loop of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.optim import lr_scheduler as theirs
from torch.optim import swa_utils

from ... import second_order
from ...optim import averages, clip, loss_scale
from ...optim import schedules as s
from ._case import HelperCase

LR, STEPS = 0.3, 60


def schedule(ours: Callable, option: str, rate: Callable, make: Callable, step=()) -> HelperCase:
    """The rates of 60 steps, Python's own numbers; make(optimizer) is PyTorch's scheduler."""

    def their_rates(dtype, device):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=LR, momentum=0.5)
        scheduler, rates = make(optimizer), []
        for t in range(STEPS):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if t < STEPS - 1:  # OneCycleLR has no step after its last one
                scheduler.step(*(a(t) for a in step))
        return torch.tensor(rates, dtype=dtype)

    return HelperCase(
        ours, option, lambda dtype, device: torch.tensor([rate(t) for t in range(STEPS)], dtype=dtype), their_rates
    )


def _metric(t):
    return max(0.8**t, 0.05)


def _one_cycle(**kind) -> HelperCase:
    return schedule(
        s.one_cycle,
        ", ".join(kind) or "plain",
        lambda t: s.one_cycle(t, STEPS, 0.4, **kind),
        lambda o: theirs.OneCycleLR(
            o, 0.4, total_steps=STEPS, **{"anneal_strategy" if k == "shape" else k: v for k, v in kind.items()}
        ),
    )


SCHEDULES = [
    schedule(s.step_decay, "factor", lambda t: s.step_decay(t, 7, LR, 0.6), lambda o: theirs.StepLR(o, 7, 0.6)),
    schedule(
        s.multi_step,
        "factor",
        lambda t: s.multi_step(t, [5, 20], LR, 0.7),
        lambda o: theirs.MultiStepLR(o, [5, 20], 0.7),
    ),
    schedule(
        s.constant_then,
        "factor",
        lambda t: s.constant_then(t, 11, LR, 0.2),
        lambda o: theirs.ConstantLR(o, 0.2, 11),
    ),
    schedule(s.linear, "up", lambda t: s.linear(t, 23, LR, 0.1, 0.7), lambda o: theirs.LinearLR(o, 0.1, 0.7, 23)),
    schedule(s.exponential, "plain", lambda t: s.exponential(t, LR, 0.9), lambda o: theirs.ExponentialLR(o, 0.9)),
    schedule(s.polynomial, "power", lambda t: s.polynomial(t, 40, LR, 2.5), lambda o: theirs.PolynomialLR(o, 40, 2.5)),
    schedule(
        s.multiplicative,
        "plain",
        lambda t: s.multiplicative(t, LR, lambda i: 1 - 0.5 / (i + 1)),
        lambda o: theirs.MultiplicativeLR(o, lambda i: 1 - 0.5 / (i + 1)),
    ),
    schedule(
        s.sequential,
        "of two",
        lambda t: s.sequential(t, [lambda a: s.linear(a, 8, LR, 0.1), lambda a: s.step_decay(a, 5, LR, 0.8)], [10]),
        lambda o: theirs.SequentialLR(o, [theirs.LinearLR(o, 0.1, 1.0, 8), theirs.StepLR(o, 5, 0.8)], [10]),
    ),
    schedule(
        s.chained,
        "of two",
        lambda t: s.chained(
            t, LR, [lambda a, lr: s.constant_then(a, 4, lr, 0.2), lambda a, lr: s.exponential(a, lr, 0.9)]
        ),
        lambda o: theirs.ChainedScheduler([theirs.ConstantLR(o, 0.2, 4), theirs.ExponentialLR(o, 0.9)]),
    ),
    schedule(
        s.cosine,
        "lr_min",
        lambda t: s.cosine(t, 50, LR, 0.02),
        lambda o: theirs.CosineAnnealingLR(o, 50, 0.02),
    ),
    schedule(
        s.cosine_restarts,
        "growth, lr_min",
        lambda t: s.cosine_restarts(t, 4, LR, 0.02, 2),
        lambda o: theirs.CosineAnnealingWarmRestarts(o, 4, 2, 0.02),
    ),
    *(
        schedule(
            s.cyclic,
            f'"{mode}"',
            lambda t, mode=mode: s.cyclic(t, 0.01, 0.4, 4, 9, mode),
            lambda o, mode=mode: theirs.CyclicLR(o, 0.01, 0.4, 4, 9, mode),
        )
        for mode in ("triangular", "triangular2")
    ),
    _one_cycle(),
    _one_cycle(shape="linear"),
    _one_cycle(three_phase=True, div_factor=5.0, final_div_factor=7.0),
    schedule(
        s.plateau,
        "patience, factor",
        lambda t: s.plateau([_metric(i) for i in range(t)], LR, 0.5, 2),
        lambda o: theirs.ReduceLROnPlateau(o, factor=0.5, patience=2),
        step=[_metric],
    ),
    schedule(s.swa_lr, "cos", lambda t: s.swa_lr(t, LR, 0.05), lambda o: swa_utils.SWALR(o, 0.05)),
]


def _gradients(dtype, device) -> list[torch.Tensor]:
    rng = np.random.default_rng(0)
    return [torch.as_tensor(2 * rng.normal(size=shape)).to(device, dtype) for shape in [(3, 4), (5,), ()]]


def clipping(ours: Callable, option: str, torch_clip: Callable, *args) -> HelperCase:
    """All gradients of a list; in half precision PyTorch clips their float32 copies, as ours promises to."""

    def their_gradients(dtype, device):
        parameters = [torch.nn.Parameter(torch.zeros(g.shape, device=device)) for g in _gradients(dtype, device)]
        for p, g in zip(parameters, _gradients(dtype, device), strict=True):
            p.data = p.data.to(torch.float64 if dtype == torch.float64 else torch.float32)
            p.grad = g.to(p.dtype)
        torch_clip(parameters, *args)
        return torch.cat([p.grad.flatten() for p in parameters])

    def our_gradients(dtype, device):
        return torch.cat([g.flatten() for g in ours(_gradients(dtype, device), *args)])

    every = ("float64", "float32", "float16", "bfloat16")
    return HelperCase(ours, option, our_gradients, their_gradients, every, half_allowed=1)


def averaging(ours: Callable, average: Callable, avg_fn: Callable) -> HelperCase:
    """The average of 12 draws of a weight."""

    def weights(dtype, device):
        rng = np.random.default_rng(0)
        return [torch.as_tensor(rng.normal(size=(2, 3))).to(device, dtype) for _ in range(12)]

    def our_average(dtype, device):
        mean, *rest = weights(dtype, device)
        for n, theta in enumerate(rest, 1):
            mean = average(mean, theta, n)
        return mean

    def their_average(dtype, device):
        model = torch.nn.Linear(3, 2, bias=False, dtype=dtype, device=device)
        averaged = swa_utils.AveragedModel(model, avg_fn=avg_fn)
        for theta in weights(dtype, device):
            model.weight.data.copy_(theta)
            averaged.update_parameters(model)
        return averaged.module.weight

    return HelperCase(ours, "plain", our_average, their_average, ("float64", "float32"))


RUNS = [
    [4.0, 8.0],
    [np.inf, 1.0],
    [1.0, 1.0],
    [2.0, -2.0],
    [1.0, np.nan],
    [-np.inf, 0.0],
    [3.0, 0.0],
    [0.0, 0.0],
    [1.0, 2.0],
]


def scaling(option: str, start, growth, backoff, interval) -> HelperCase:
    """The scales and the weights of a run in which some gradients overflow."""

    def ours(dtype, device):
        rule, theta, found = loss_scale.LossScale(start, growth, backoff, interval), torch.ones(2, dtype=dtype), []
        state = rule.init()
        for g in RUNS:
            unscaled, state = rule.update(torch.tensor(g, dtype=dtype), state)
            theta = theta if unscaled is None else theta - 0.1 * unscaled
            found += [state.scale, *theta.tolist()]
        return torch.tensor(found, dtype=dtype)

    def theirs_(dtype, device):
        options = {"growth_factor": growth, "backoff_factor": backoff, "growth_interval": interval}
        scaler = torch.amp.GradScaler("cpu", init_scale=start, **options)
        p, found = torch.nn.Parameter(torch.ones(2, dtype=dtype)), []
        optimizer = torch.optim.SGD([p], lr=0.1)
        for g in RUNS:
            p.grad = torch.tensor(g, dtype=dtype)
            scaler.scale(torch.ones(()))
            scaler.step(optimizer)
            scaler.update()
            found += [scaler.get_scale(), *p.tolist()]
        return torch.tensor(found, dtype=dtype)

    return HelperCase(loss_scale.LossScale, option, ours, theirs_, ("float64", "float32"))


def quasi_newton(option: str, **options) -> HelperCase:
    """Where ten steps in a valley of two numbers end. Rounding grows from step to step, a thousandfold by then."""

    def value(p):
        return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2

    def ours(dtype, device):
        start = torch.tensor([-1.2, 1.0], dtype=dtype, device=device)
        return second_order.lbfgs(value, torch.func.grad(value), start, 10, max_evals=100, **options)[-1]

    def theirs_(dtype, device):
        p = torch.tensor([-1.2, 1.0], dtype=dtype, device=device, requires_grad=True)
        search = "strong_wolfe" if options.get("line_search", True) else None
        lr, history = options.get("lr", 1.0), options.get("history", 100)
        optimizer = torch.optim.LBFGS([p], lr, 10, 100, history_size=history, line_search_fn=search)

        def closure():
            optimizer.zero_grad()
            loss = value(p)
            loss.backward()
            return loss

        optimizer.step(closure)
        return p

    return HelperCase(second_order.lbfgs, option, ours, theirs_, ("float64", "float32"), allowed=2000)


CASES: list[HelperCase] = [
    *SCHEDULES,
    clipping(clip.clip_by_norm, "plain", torch.nn.utils.clip_grad_norm_, 0.5),
    clipping(clip.clip_by_norm, "norm_type=1", torch.nn.utils.clip_grad_norm_, 0.5, 1.0),
    clipping(clip.clip_by_norm, "norm_type=inf", torch.nn.utils.clip_grad_norm_, 0.5, float("inf")),
    clipping(clip.clip_by_value, "plain", torch.nn.utils.clip_grad_value_, 0.5),
    averaging(averages.ema, lambda a, theta, n: averages.ema(a, theta, 0.8), swa_utils.get_ema_avg_fn(0.8)),
    averaging(averages.running_mean, averages.running_mean, swa_utils.get_swa_avg_fn()),
    scaling("plain", 8.0, 2.0, 0.5, 2),
    scaling("growth, backoff, interval", 8.0, 4.0, 0.25, 1),
    quasi_newton("plain"),
    quasi_newton("history", history=2),
    quasi_newton("line_search=False", line_search=False, lr=1e-3),
]
