"""Exercises of the lesson on schedules, warm-up and averaging, with the wrong answers that they recognise."""

import warnings

import numpy as np
import torch
from torch.optim import lr_scheduler

from lessons_lib.exercises import Exercise, on


def _root(t, warmup, lr):
    return lr * min(t / warmup, (warmup / t) ** 0.5)


root = Exercise(
    "inverse_root",
    "two branches that must have the same value at t = warmup. Which is which?",
    {
        "The two branches do not meet: the root must start from lr at t = warmup.": lambda t, w, lr: (
            lr * (t / w if t < w else t**-0.5)
        ),
        "The smaller branch is the right idea, but at t = warmup the root must be lr: it lacks a factor.": (
            lambda t, w, lr: lr * min(t / w, t**-0.5)
        ),
        "The shape is right, the height is not: at t = warmup it must be lr; yours is lr / sqrt(warmup).": (
            lambda t, w, lr: lr * min(t**-0.5, t * w**-1.5)
        ),
        "lr = c / sqrt(t) at t = warmup: c is lr times the root of warmup, not times warmup.": lambda t, w, lr: (
            lr * (t / w if t < w else w * t**-0.5)
        ),
        "t is 1 in the first step, with the rate lr / warmup; yours counts from 0 there.": lambda t, w, lr: (
            lr * ((t - 1) / w if t < w else (w / t) ** 0.5)
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
        "After the warm-up yours counts t anew; the root of warmup / t needs the t of the whole training.": (
            lambda t, w, lr: lr * (t / w if t <= w else (w / (t - w)) ** 0.5)
        ),
        "lr is the highest rate; yours is not scaled by it.": lambda t, w, lr: _root(t, w, 1.0),
    },
    lambda answer: [answer(t, warmup, lr) for warmup, lr in ((10, 0.3), (400, 2.0)) for t in (1, 5, 10, 40, 1000)],
)


equal = Exercise(
    "as_precise",
    "one line of the derivation for each of the two: which of its variances must be equal?",
    {
        "That is line 1 for small rates: 2 - eta h is not 2.": lambda h, n: 2 / (h * n),
        "There line 3's falling rate ends; a constant rate of that size is about twice as precise.": lambda h, n: (
            1 / (h * n)
        ),
        "A sign: 2 - eta h must equal n eta h.": lambda h, n: 2 / (h * (n - 1)),
        "h is missing: a curvature twice as large halves the rate.": lambda h, n: 2 / (n + 1),
        "That is the variance of line 2; the rate that gives line 1 the same variance is wanted.": lambda h, n: (
            1 / (n * h**2)
        ),
        "One h was lost: in 2 - eta h = n eta h each eta has its h.": lambda h, n: 2 / (h * n + 1),
        "Line 2 divides by h squared, line 1 by h: one h is left.": lambda h, n: 2 / (h**2 * (n + 1)),
        "h is above the line, where it must be below.": lambda h, n: 2 * h / (n + 1),
        "Line 1 divides by 2 - eta h; you divided by 1 - eta h.": lambda h, n: 1 / (h * (n + 1)),
        "One h was lost on the way: 2 - eta h must equal n eta h.": lambda h, n: 2 / (h + n),
    },
    on((2.0, 3), (0.5, 10), (10.0, 2), (0.1, 200)),
)


def _rates(total, start, iters, milestone, t_max):
    """PyTorch's own rates; the bare start factor where PyTorch refuses it."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    if not 0 < start <= 1:
        return np.full(total, start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR warns of a call that it makes itself
        parts = [lr_scheduler.LinearLR(optimizer, start, 1.0, iters), lr_scheduler.CosineAnnealingLR(optimizer, t_max)]
        schedule, rates = lr_scheduler.SequentialLR(optimizer, parts, [milestone]), []
        for _ in range(total):
            rates.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
    return np.array(rates)


def _as_rates(answer):
    """The rates that the four numbers give: equal rates are equally right."""
    pairs = ((4, 12), (10, 30), (2, 9), (20, 26))
    return [_rates(total, *map(float, answer(warmup, total))) for warmup, total in pairs]


numbers = Exercise(
    "torch_numbers",
    "write down the first rates for warmup = 4, with the scheduler's step 0, 1, ... beside each.",
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
        "The cosine counts anew from the peak: total - 1 is the whole training's last step.": lambda w, total: (
            1 / w,
            w - 1,
            w - 1,
            total - 1,
        ),
        "T_max is one too large: the last update does not reach the lowest rate.": lambda w, total: (
            1 / w,
            w - 1,
            w - 1,
            total - w + 1,
        ),
        "T_max is one too small: the rate is lowest one update too early.": lambda w, total: (
            1 / w,
            w - 1,
            w - 1,
            total - w - 1,
        ),
        "The end is right, but lr comes one update late: the scheduler's step 0 is update 1.": lambda w, total: (
            1 / w,
            w,
            w,
            total - w - 1,
        ),
        "The end is right, but the peak is used twice: the cosine's own step 0 is the peak.": lambda w, total: (
            1 / w,
            w - 1,
            w,
            total - w - 1,
        ),
        "Two slips: the scheduler's step 0 has the first rate already, and T_max counts the cosine's own steps.": (
            lambda w, total: (1 / w, w, w, total)
        ),
        "The milestone is the number of a step: PyTorch starts the cosine anew only where it is met exactly.": (
            lambda w, total: (1 / w, w - 1, w - 1.5, total - w)
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

EXERCISES = [root, equal, numbers]
