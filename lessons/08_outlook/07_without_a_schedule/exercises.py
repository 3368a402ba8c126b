"""Exercises of the lesson on training without a schedule."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(3)
Y, Z = RNG.normal(size=(2, 5)) * 3
H = np.array([1.0, 4.0, 0.3])
BEGIN = np.array([1.5, -2.0, 0.7])


def bent(theta):
    return H * theta + 0.5 * theta**2 - 1


EXERCISES = [
    Exercise(
        "predict_with",
        "y is a blend of z and x whose shares you know.",
        {
            "That is y again, a blend of y and z. Take the share of z away instead.": (
                "(y - (1 - beta) * z) / beta -> (1 - beta) * z + beta * y"
            ),
            "What is left after the share of z is β x: divide by β.": "/ beta ->",
            "Take the share of z away from y: subtract.": "y - (1 - beta) -> y + (1 - beta)",
            "z has the share 1 - β, and x has β.": "(1 - beta) -> beta",
            "Divide by the share of x, which is β.": "/ beta -> / (1 - beta)",
            "Those are the weights in the model, where the gradient was taken.": "(y - (1 - beta) * z) / beta -> y",
            "That is z, which takes the steps: the worst of the three to predict with.": (
                "(y - (1 - beta) * z) / beta -> z"
            ),
        },
        on((Y, Z, 0.9), (Y, Z, 0.3), (Z, Y, 0.6), (Y[:2], Z[:2], 0.98)),
    ),
    Exercise(
        "schedule_free",
        "three lines a step, in the order of the formula.",
        {
            "The gradient is taken at y.": "gradient(y) -> gradient(z)",
            "The gradient is taken at y, not at the average x.": "gradient(y) -> gradient(x)",
            "In y the share of x is β, that of z is 1 - β.": "(1 - beta) * z + beta * x -> beta * z + (1 - beta) * x",
            "The step is taken from z, not from y.": "z - lr -> y - lr",
            "That is z. Return the average, x.": "return x -> return z",
            "That is y. Return the average, x.": "return x -> return y",
            "In the first step x moves all the way to z: divide by t, which begins at 1.": "/ t -> / (t + 1)",
            "x is the mean of all z: it moves by 1 / t of the way, not by 1 - β.": (
                "(z - x) / t -> (z - x) * (1 - beta)"
            ),
            "A step goes against the gradient.": "z - lr -> z + lr",
            "One step too few: t runs from 1 to steps.": "steps + 1 -> steps",
        },
        on((BEGIN, bent, 0.2, 0.9, 6), (BEGIN, bent, 0.3, 0.4, 5), (BEGIN[:2], np.sign, 0.5, 0.6, 4)),
    ),
    Exercise(
        "hidden_rates",
        "put the weights w_k where the derivation has 1 / T.",
        {
            "That is the decay of equal weights. Here z_k counts with w_k.": (
                "np.maximum.accumulate(lrs) ** 2 -> np.ones(len(lrs))"
            ),
            "The weight is the square of the largest rate.": "** 2 ->",
            "The largest rate so far counts, not the rate of the step itself.": "np.maximum.accumulate(lrs) -> lrs",
            "Step i is in z_i and in those that come after it, not in those before.": (
                "np.cumsum(w[::-1])[::-1] -> np.cumsum(w)"
            ),
            "That is the share of the z that hold a step. Its own rate multiplies it.": "lrs * later -> later",
            "A mean: divide by the sum of all weights.": "/ w.sum() ->",
            "Divide by the sum of the weights, not by the number of steps.": "w.sum() -> len(lrs)",
            "Step i is in z_i as well: the sum begins with w_i.": "lrs * later -> lrs * (later - w)",
        },
        on(
            (np.array([0.1, 0.2, 0.3, 0.3, 0.3, 0.3]),),
            (np.array([0.5, 2.0, 1.0, 0.2]),),
            (np.array([3.0, 1.0, 2.0, 4.0, 0.5]),),
        ),
    ),
]
