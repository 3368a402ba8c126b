"""Exercises of the lesson on fine-tuning."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def network(n, d, h, C, seed):
    rng = np.random.default_rng(seed)
    error = rng.dirichlet(np.ones(C), n) - np.eye(C)[rng.integers(C, size=n)]
    return rng.normal(size=(n, d)), rng.normal(size=(d, h)), 2 * rng.normal(size=(h, C)), error


EXERCISES = [
    Exercise(
        "pays",
        "what does one task save?",
        {
            "Each task still costs its fine-tuning: what does it save?": ("(scratch - tuned) -> scratch"),
            "That is how many fine-tunings the pre-training costs. What does each save?": "(scratch - tuned) -> tuned",
            "The task saves the difference, not the sum.": "scratch - tuned -> scratch + tuned",
            "The number of tasks is whole.": "int(np.ceil(pretraining / (scratch - tuned))) -> "
            "pretraining / (scratch - tuned)",
            "Rounded down, the last task is missing.": "np.ceil -> np.floor",
            "Rounded to the nearest, the last task may be missing.": "np.ceil -> np.round",
            "One too many where the division leaves nothing over: equal cost is enough.": (
                "int(np.ceil(pretraining / (scratch - tuned))) -> int(pretraining // (scratch - tuned)) + 1"
            ),
        },
        on((96000.0, 2000.0, 500.0), (1000.0, 30.0, 23.0), (10.0, 7.5, 3.5), (9.0, 40.0, 30.0), (700.0, 50.0, 43.0)),
    ),
    Exercise(
        "gradients",
        "one picture and one parameter first: input times error times head.",
        {
            "A feature that is 0 stays 0 for a small change: it passes nothing on to W.": " * (f > 0) ->",
            "The features are max(0, x W).": "np.maximum(x @ W, 0) -> x @ W",
            "That is the sum over the pictures. The loss is their mean.": (
                "x.T @ back / len(x), f.T @ error / len(x) -> x.T @ back, f.T @ error"
            ),
            "The gradient by W is not divided by the number of pictures.": "x.T @ back / len(x) -> x.T @ back",
            "The gradient by V is not divided by the number of pictures.": "f.T @ error / len(x) -> f.T @ error",
            "Whether a feature passes something on depends on the feature, not on the sign of what comes back.": (
                "(error @ V.T) * (f > 0) -> np.maximum(error @ V.T, 0)"
            ),
            "Return the gradient by W first, then that by V.": (
                "x.T @ back / len(x), f.T @ error / len(x) -> f.T @ error / len(x), x.T @ back / len(x)"
            ),
            "That is the step, with its minus. Wanted is the gradient.": (
                "x.T @ back / len(x), f.T @ error / len(x) -> -x.T @ back / len(x), -f.T @ error / len(x)"
            ),
            "A mean over all numbers is not the mean over the pictures: divide by the number of pictures only.": (
                "x.T @ back / len(x), f.T @ error / len(x) -> x.T @ back / x.size, f.T @ error / error.size"
            ),
        },
        on(network(6, 4, 3, 5, 0), network(3, 5, 7, 2, 1), network(1, 2, 4, 3, 2)),
        returns=2,
    ),
    Exercise(
        "mean_lead",
        "the differences first, repetition by repetition.",
        {
            "The divisor of the standard deviation is the number of repetitions less 1.": "ddof=1 -> ddof=0",
            "That is the spread of single repetitions. The mean of several is surer: divide by the root.": (
                "d.std(ddof=1) / len(d) ** 0.5 -> d.std(ddof=1)"
            ),
            "Divide by the root of the number of repetitions.": "len(d) ** 0.5 -> len(d)",
            "That is the lead of b over a.": "a - b -> b - a",
            "That treats the two ways as if they had other pictures. Take the differences first.": lambda a, b: (
                (a - b).mean(),
                np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a)),
            ),
            "That is the variance: a root is missing.": "d.std(ddof=1) / len(d) ** 0.5 -> d.var(ddof=1) / len(d)",
            "The mean lead, not the middle one.": "d.mean() -> np.median(d)",
            "Return the mean first, then its standard error.": (
                "d.mean(), d.std(ddof=1) / len(d) ** 0.5 -> d.std(ddof=1) / len(d) ** 0.5, d.mean()"
            ),
        },
        on(
            (np.array([0.82, 0.87, 0.85, 0.79, 0.9]), np.array([0.8, 0.81, 0.86, 0.75, 0.83])),
            (np.array([0.3, 0.25, 0.4]), np.array([0.38, 0.31, 0.36])),
        ),
        returns=2,
    ),
]
