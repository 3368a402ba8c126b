"""Exercises of the page of questions."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RATES = np.array([0.1, 0.2, 0.4, 0.8])
NAN, INF = np.nan, np.inf
SWEEPS = [
    np.array([[4.0, 3.0, 2.0, NAN], [4.1, 3.2, 2.1, INF], [4.2, 2.6, NAN, 9.0]]),
    np.array([[4.0, 1.0, 2.0, NAN], [4.1, 9.0, 2.1, INF], [4.2, 9.5, 2.6, 2.0]]),
    np.array([[4.0, 3.0, 2.0, 1.5], [4.1, 3.2, 2.1, 1.8], [4.2, 3.1, 2.2, 1.9]]),
    np.array([[1.0, 3.0, 2.0, 2.5], [1.1, 3.2, 2.1, 2.8], [1.2, 3.1, 2.2, NAN]]),
    np.array([[4.0, 3.0, 2.5, INF], [4.1, 2.9, 2.4, INF], [4.2, NAN, 2.6, 8.0]]),
    np.array([[4.0, 3.0, 3.5, 1.0], [4.1, 2.9, 3.4, NAN], [4.2, 2.8, 3.6, INF]]),
    np.array([[4.0, 1.0, 2.8, 8.0], [4.1, 1.0, 2.9, 8.5], [4.2, 6.0, 3.0, 9.0]]),
    np.array([[4.0, 2.0, 3.5, 3.0], [4.1, 2.0, 3.4, 3.0], [4.2, 60.0, 3.6, 3.0]]),
]

EXERCISES = [
    Exercise(
        "back",
        "measured in units of lr, the loss is L0 - slope t + bend t^2 / 2. Solve for the bend first.",
        {
            "That is the rate at which the loss is lowest. It is back at L0 twice as far out.": (
                "2 * lr * slope -> lr * slope"
            ),
            "The result counts steps of the length lr: multiply by lr.": "2 * lr * slope -> 2 * slope",
            "From 0 to lr the loss falls by less than the slope says: add half of the bend.": "+ bend / 2 ->",
            "The bend has held the fall back: add half of it, and do not take it off.": "+ bend / 2 -> - bend / 2",
            "Only half of the bend is missing in the first fall.": "+ bend / 2 -> + bend",
            "The middle loss counts twice in the bend: up to it once, and from it once.": "2 * L1 -> L1",
            "The fraction is upside down: a steeper slope allows a longer step, a stronger bend a shorter one.": (
                "slope / bend -> bend / slope"
            ),
            "The sign of the slope is wrong: what counts is the fall from L0 to L1.": "L0 - L1 -> L1 - L0",
        },
        on((3.0, 2.0, 1.5, 0.1), (0.9, 0.7, 0.8, 0.5), (2.0, 1.9, 4.0, 0.3), (5.0, 4.0, 3.5, 2.0)),
    ),
    Exercise(
        "choose",
        "make every run that diverged a bad number, not a missing one.",
        {
            "argmin stops at nan and takes it for the best. A diverged run must count as infinitely bad.": (
                "known = np.where(np.isfinite(losses), losses, np.inf) -> known = losses"
            ),
            "Runs that diverged were left out. Then a rate that survives once looks good.": (
                "np.where(np.isfinite(losses), losses, np.inf) -> np.where(np.isfinite(losses), losses, np.nan)"
                "; np.median -> np.nanmedian"
            ),
            "Asked for is the median over the seeds, not the mean.": "np.median -> np.mean",
            "The single best run decides here. Take the median over the seeds.": "np.median -> np.min",
            "The worst run decides here. Take the median over the seeds.": "np.median -> np.max",
            "The best stands at an end of the grid. Then nobody knows whether a rate outside is better: return nan.": (
                "rates[best] if 0 < best < len(rates) - 1 else np.nan -> rates[best]"
            ),
            "The lower end of the grid is an end as well.": "0 < best < len(rates) - 1 -> best < len(rates) - 1",
            "The upper end of the grid is an end as well.": "0 < best < len(rates) - 1 -> 0 < best",
            "That is the place in the grid; return the rate that stands there.": "rates[best] -> best",
        },
        lambda answer: [answer(RATES * (1 + k % 2), losses.copy()) for k, losses in enumerate(SWEEPS)],
    ),
    Exercise(
        "silent",
        "two ways to get n equal rewards: all right, or all wrong.",
        {
            "All wrong gives equal rewards too.": "p**n + (1 - p) ** n -> p**n",
            "All right gives equal rewards too.": "p**n + (1 - p) ** n -> (1 - p) ** n",
            "That is the share that teaches something.": (
                "np.mean(p**n + (1 - p) ** n) -> 1 - np.mean(p**n + (1 - p) ** n)"
            ),
            "Prompts differ. Take the mean of the chances, not the chance of the mean prompt.": (
                "np.mean(p**n + (1 - p) ** n) -> p.mean() ** n + (1 - p.mean()) ** n"
            ),
            "The answers are independent: their chances multiply.": "p**n + (1 - p) ** n -> n * p + n * (1 - p)",
            "A share is a mean over the prompts, not a sum.": "np.mean -> np.sum",
        },
        on(
            (np.array([0.01]), 8),
            (np.array([0.5, 0.9, 0.02]), 4),
            (np.array([0.3, 0.7, 0.99, 0.0, 1.0]), 2),
            (np.array([0.2, 0.6]), 16),
        ),
    ),
]
