"""Exercises of the lesson on schedules, warm-up and averaging, with the wrong answers that they recognise."""

from collections.abc import Callable
from math import ceil

import numpy as np

from ..optim.cycles import cosine
from ..optim.schedules import linear, sequential
from .engine import Exercise, on

LESSON = "03_algorithms/16_schedules"


def _root(t, warmup, lr):
    return lr * min(t / warmup, (warmup / t) ** 0.5)


root = Exercise(
    "inverse_root",
    LESSON,
    "two branches that must have the same value at t = warmup. Which is which?",
    _root,
    {
        "The two branches do not meet: the root must start from lr at t = warmup.": lambda t, w, lr: (
            lr * (t / w if t < w else t**-0.5)
        ),
        "The larger branch is taken; before warmup the straight line is the smaller.": lambda t, w, lr: (
            lr * max(t / w, (w / t) ** 0.5)
        ),
        "After the warm-up it must fall like the root of t, not like t.": lambda t, w, lr: lr * min(t / w, w / t),
        "There is no warm-up in yours.": lambda t, w, lr: lr * min(1.0, (w / t) ** 0.5),
        "After the warm-up it must fall.": lambda t, w, lr: lr * min(1.0, t / w),
        "t counts from the start of training, also after the warm-up.": lambda t, w, lr: (
            lr * (t / w if t <= w else (t - w + 1) ** -0.5)
        ),
        "lr is the highest rate; yours is not scaled by it.": lambda t, w, lr: _root(t, w, 1.0),
    },
    lambda answer: [answer(t, warmup, lr) for warmup, lr in ((10, 0.3), (400, 2.0)) for t in (1, 5, 10, 40, 1000)],
)


def _raw(thetas, decay):
    average = np.zeros(thetas.shape[1])
    for theta in thetas:
        average = decay * average + (1 - decay) * theta
    return average


def _from_first(thetas, decay):
    average = thetas[0]
    for theta in thetas[1:]:
        average = decay * average + (1 - decay) * theta
    return average


ema = Exercise(
    "mended_ema",
    LESSON,
    "which share of the average is still the zero it started from, after n steps?",
    lambda thetas, decay: _raw(thetas, decay) / (1 - decay ** len(thetas)),
    {
        "The zero at the start is still in the average.": _raw,
        "That starts at the first weights instead of at 0: another average.": _from_first,
        "That is the plain mean of all weights.": lambda thetas, decay: thetas.mean(0),
        "decay and 1 - decay are swapped.": lambda thetas, decay: (
            _raw(thetas, 1 - decay) / (1 - (1 - decay) ** len(thetas))
        ),
        "The correction needs the number of steps as an exponent.": lambda thetas, decay: (
            _raw(thetas, decay) / (1 - decay)
        ),
        "One step too few in the correction: after n steps it is the n-th power.": lambda thetas, decay: (
            _raw(thetas, decay) / (1 - decay ** max(len(thetas) - 1, 0.5))
        ),
        "Multiplied where it must be divided.": lambda thetas, decay: _raw(thetas, decay) * (1 - decay ** len(thetas)),
        "That corrects inside the loop: each step then starts from a mended average.": lambda thetas, decay: (
            _mend_inside(thetas, decay)
        ),
    },
    lambda answer: [
        answer(np.array([[4.0, -1.0], [2.0, 3.0], [10.0, 0.5]]), 0.9),
        answer(np.array([[4.0, -1.0]]), 0.99),
        answer(np.arange(20.0).reshape(10, 2) ** 1.5, 0.8),
    ],
)


def _mend_inside(thetas, decay):
    average = np.zeros(thetas.shape[1])
    for t, theta in enumerate(thetas, 1):
        average = (decay * average + (1 - decay) * theta) / (1 - decay**t)
    return average


def _precise(lam, s2, lr, share=100.0):
    goal = lr * s2 / (lam * (2 - lr * lam)) / share
    return s2 / (lam**2 * goal), 2 * lam * goal / (s2 + lam**2 * goal)


equal = Exercise(
    "as_precise",
    LESSON,
    "which variance is the goal? Then one line of the derivation for each of the two numbers.",
    _precise,
    {
        "The rate is right. The number of steps: line 2 divides by h squared.": lambda lam, s2, lr: (
            _precise(lam, s2, lr)[0] * lam,
            _precise(lam, s2, lr)[1],
        ),
        "The number of steps is right. The rate is not lr / 100: lr is also in the denominator.": lambda lam, s2, lr: (
            _precise(lam, s2, lr)[0],
            lr / 100,
        ),
        "Neighbours on the circle are correlated: 100 steps are not enough.": lambda lam, s2, lr: (
            100.0,
            _precise(lam, s2, lr)[1],
        ),
        "The goal is a hundredth of the variance, not of the distance.": lambda lam, s2, lr: _precise(
            lam, s2, lr, 10_000.0
        ),
        "The number of steps first, then the rate.": lambda lam, s2, lr: _precise(lam, s2, lr)[::-1],
        "The goal is V / 100; yours is V itself.": lambda lam, s2, lr: _precise(lam, s2, lr, 1.0),
    },
    on((2.0, 3.0, 0.4), (0.5, 10.0, 1.5), (10.0, 0.1, 0.15)),
    returns=2,
)


def _as_rates(answer):
    """The rates that the four numbers give: equal rates are equally right."""
    results = []
    for warmup, total in ((4, 12), (10, 50), (2, 9), (100, 130)):
        start, iters, milestone, t_max = map(float, answer(warmup, total))
        parts: list[Callable] = [lambda t, a=start, n=iters: linear(t, a, 1.0, n), lambda t, n=t_max: cosine(t, n, 1.0)]
        results.append(np.array([sequential(t, parts, [ceil(milestone)]) for t in range(total)]))
    return results


numbers = Exercise(
    "torch_numbers",
    LESSON,
    "write down the first rates for warmup = 4, with the scheduler's step 0, 1, ... beside each.",
    lambda w, total: (1 / w, w - 1, w - 1, total - w),
    {
        "One update too many on the way up: the scheduler's step 0 has the first rate already.": lambda w, total: (
            1 / w,
            w,
            w,
            total - w,
        ),
        "The peak is used twice: the cosine's step 0 is the peak.": lambda w, total: (1 / w, w - 1, w, total - w),
        "The rate jumps: the cosine begins before the straight line has arrived.": lambda w, total: (
            1 / w,
            w,
            w - 1,
            total - w,
        ),
        "The first batch is lost: its rate is 0 (and PyTorch refuses this factor).": lambda w, total: (
            0.0,
            w,
            w,
            total - w,
        ),
        "T_max counts the cosine's own steps, not all of them.": lambda w, total: (1 / w, w - 1, w - 1, total),
        "T_max is one too large: the last update does not reach the lowest rate.": lambda w, total: (
            1 / w,
            w - 1,
            w - 1,
            total - w + 1,
        ),
        "The start factor is a share of lr that grows to 1 in equal parts: how many parts?": lambda w, total: (
            1 / (w - 1),
            w - 1,
            w - 1,
            total - w,
        ),
    },
    _as_rates,
    returns=4,
)

EXERCISES = [root, ema, equal, numbers]
