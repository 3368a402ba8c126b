"""Exercises of the lesson on schedules, warm-up and averaging."""

import warnings

import numpy as np
import torch
from torch.optim import lr_scheduler

from lessons_lib.exercises import Exercise, on


def rates(total, start, iters, milestone, t_max):
    """PyTorch's own rates; the bare start factor where PyTorch refuses it."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    if not 0 < start <= 1:
        return np.full(total, start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SequentialLR warns of a call that it makes itself
        parts = [lr_scheduler.LinearLR(optimizer, start, 1.0, iters), lr_scheduler.CosineAnnealingLR(optimizer, t_max)]
        schedule, found = lr_scheduler.SequentialLR(optimizer, parts, [milestone]), []
        for _ in range(total):
            found.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()
    return np.array(found)


def as_rates(answer):
    """The rates that the four numbers give: equal rates are equally right."""
    pairs = ((4, 12), (10, 30), (2, 9), (20, 26))
    return [rates(total, *map(float, answer(warmup, total))) for warmup, total in pairs]


MIN, NUMBERS = "min(t / warmup, (warmup / t) ** 0.5)", "1 / warmup, warmup - 1, warmup - 1, total - warmup"

EXERCISES = [
    Exercise(
        "inverse_root",
        "two branches that must have the same value at t = warmup. Which is which?",
        {
            "The two branches do not meet: the root must start from lr at t = warmup.": (
                f"{MIN} -> (t / warmup if t < warmup else t**-0.5)"
            ),
            "The smaller branch is the right idea, but at t = warmup the root must be lr: it lacks a factor.": (
                "(warmup / t) ** 0.5 -> t**-0.5"
            ),
            "The shape is right, the height is not: at t = warmup it must be lr; yours is lr / sqrt(warmup).": (
                f"{MIN} -> min(t**-0.5, t * warmup**-1.5)"
            ),
            "t is 1 in the first step, with the rate lr / warmup; yours counts from 0 there.": (
                f"{MIN} -> ((t - 1) / warmup if t < warmup else (warmup / t) ** 0.5)"
            ),
            "The larger branch is taken; before warmup the straight line is the smaller.": "min -> max",
            "After the warm-up it must fall like the root of t, not like t.": "** 0.5 ->",
            "There is no warm-up in yours.": "t / warmup, -> 1.0,",
            "After the warm-up it must fall.": "(warmup / t) ** 0.5 -> 1.0",
            "After the warm-up yours counts t anew; the root of warmup / t needs the t of the whole training.": (
                f"{MIN} -> (t / warmup if t <= warmup else (warmup / (t - warmup)) ** 0.5)"
            ),
            "lr is the highest rate; yours is not scaled by it.": "lr * ->",
        },
        on(*((t, warmup, lr) for warmup, lr in ((10, 0.3), (400, 2.0)) for t in (1, 5, 10, 40, 1000))),
    ),
    Exercise(
        "as_precise",
        "one line of the derivation for each of the two: which of its variances must be equal?",
        {
            "That is line 1 for small rates: 2 - eta h is not 2.": "(n + 1) -> n",
            "There line 3's falling rate ends; a constant rate of that size is about twice as precise.": (
                "2 / -> 1 /; (n + 1) -> n"
            ),
            "A sign: 2 - eta h must equal n eta h.": "n + 1 -> n - 1",
            "h is missing: a curvature twice as large halves the rate.": "h * ->",
            "That is the variance of line 2; the rate that gives line 1 the same variance is wanted.": (
                "2 / (h * (n + 1)) -> 1 / (n * h**2)"
            ),
            "One h was lost: in 2 - eta h = n eta h each eta has its h.": "h * (n + 1) -> h * n + 1",
            "Line 2 divides by h squared, line 1 by h: one h is left.": "h * -> h**2 *",
            "h is above the line, where it must be below.": "2 / (h * (n + 1)) -> 2 * h / (n + 1)",
            "Line 1 divides by 2 - eta h; you divided by 1 - eta h.": "2 / -> 1 /",
        },
        on((2.0, 3), (0.5, 10), (10.0, 2), (0.1, 200)),
    ),
    Exercise(
        "torch_numbers",
        "write down the first rates for warmup = 4, with the scheduler's step 0, 1, ... beside each.",
        {
            "One update too many on the way up: the scheduler's step 0 has the first rate already.": (
                "warmup - 1 -> warmup"
            ),
            "The peak is used twice: the cosine's step 0 is the peak.": "warmup - 1, total -> warmup, total",
            "The rate jumps: the cosine begins before the straight line has arrived.": (
                "warmup - 1, warmup - 1 -> warmup, warmup - 1"
            ),
            "The first batch is lost: its rate is 0 (and PyTorch refuses this factor).": (
                f"{NUMBERS} -> 0.0, warmup, warmup, total - warmup"
            ),
            "T_max counts the cosine's own steps, not all of them.": "total - warmup -> total",
            "The cosine counts anew from the peak: total - 1 is the whole training's last step.": (
                "total - warmup -> total - 1"
            ),
            "T_max is one too large: the last update does not reach the lowest rate.": (
                "total - warmup -> total - warmup + 1"
            ),
            "T_max is one too small: the rate is lowest one update too early.": "total - warmup -> total - warmup - 1",
            "The milestone is the number of a step: PyTorch starts the cosine anew only where it is met exactly.": (
                "warmup - 1, total -> warmup - 1.5, total"
            ),
            "The start factor is a share of lr that grows to 1 in equal parts: how many parts?": (
                "1 / warmup -> 1 / (warmup - 1)"
            ),
        },
        as_rates,
        returns=4,
    ),
]
