"""Exercises of the lesson on divergences."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: F401, a solution uses it

from lessons_lib.exercises import Exercise, on


def log_softmax(z):
    return z - np.logaddexp.reduce(z)


def rows(answer):
    rng = torch.Generator().manual_seed(0)
    results = []
    for n, c in ((5, 3), (2, 7)):
        z, p = (3 * torch.randn(n, c, generator=rng, dtype=torch.float64) for _ in range(2))
        results.append(answer(z.clone(), p.softmax(-1)))
    return results


Z, P = np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.5, 0.3, 0.15, 0.05])
NEVER = np.array([2.0, 1.0, -900.0]), np.array([0.7, 0.0, 0.3])  # logits that leave nothing of q, and p with a 0

EXERCISES = [
    Exercise(
        "reverse_kl",
        "which of the two distributions stands in front of the logarithm, and which argument of F.kl_div is that?",
        {
            "That is forward KL. F.kl_div(a, b) has b in front of the logarithm.": (
                "p.log(), logits.softmax(-1) -> logits.log_softmax(-1), p"
            ),
            "Divided by the classes too: that is what the default reduction does.": (
                'reduction="batchmean") -> reduction="sum") / p.numel()'
            ),
            "That is the sum over the rows, not their mean.": "batchmean -> sum",
            "The first argument must be logarithms, whichever distribution it is.": "p.log() -> p",
            "The second argument holds logarithms: then PyTorch must be told.": "softmax(-1) -> log_softmax(-1)",
            "The softmax goes over the classes, the last axis.": "-1 -> 0",
        },
        rows,
    ),
    Exercise(
        "skewed_kl",
        "what is the derivative by one q_i, and how does it pass through the softmax?",
        {
            "That is forward KL itself, without the net.": "beta -> 1",
            "The value is right. The gradient is the one by q, not by the logits.": "q * (by_q - q @ by_q) -> by_q",
            "The value is right. In the gradient the inner derivative beta is missing.": "-beta * p -> -p",
            "The value is right. The gradient is that of forward KL, q - p.": "q * (by_q - q @ by_q) -> q - p",
            "The value is right. Line 2 also subtracts the mean: q * (a - q @ a).": "(by_q - q @ by_q) -> by_q",
            "The shares are exchanged: beta is the model's.": (
                "(1 - beta) * p + beta * q -> beta * p + (1 - beta) * q; -beta -> (beta - 1)"
            ),
            "A class with p_i = 0 adds nothing: there 0 times log 0 is NaN.": "np.where(some, p, 1) -> p",
            "The sign of the gradient is wrong.": "-beta * p -> beta * p",
            "The value is right. The derivative of log m is 1 / m, not 1 / q.": (
                "-beta * p / m -> -beta * p / np.where(some, q, 1)"
            ),
        },
        on((Z, P, 0.3), (3 * Z, P[::-1], 0.9), (-Z, P, 0.6), (*NEVER, 0.4)),
        returns=2,
    ),
    Exercise(
        "distil",
        "write down the two losses one after the other: which softmax has a temperature?",
        {
            "The factor T squared is missing.": "alpha * T**2 -> alpha; alpha * T * (q - p) -> alpha / T * (q - p)",
            "The value is right. In the gradient the chain rule through z / T is missing.": (
                "alpha * T * -> alpha * T**2 *"
            ),
            "The value is right. The teacher's part of the gradient needs the factor T squared too.": (
                "alpha * T * -> alpha / T *"
            ),
            "The labels' part has no temperature.": "log_softmax(z), -> log_softmax(z / T),; (q1 - -> 1 / T * (q1 -",
            "alpha is the teacher's share, 1 - alpha the labels'.": (
                "1 - alpha -> share; alpha -> (1 - alpha); share -> alpha"
            ),
            "Teacher and student are exchanged in the divergence.": (
                "np.sum(p * (log_p - log_q)) -> np.sum(q * (log_q - log_p))"
            ),
            "The value is right. The labels are missing from the gradient.": (
                "+ (1 - alpha) * (q1 - np.eye(len(z))[k]) ->"
            ),
            "The sign of the gradient is wrong.": (
                "alpha * T * (q - p) + (1 - alpha) * -> alpha * T * (p - q) - (1 - alpha) *"
            ),
        },
        on(
            *(
                (Z, np.array([4.0, 0.0, -1.0, 1.0]), k, T, a)
                for k, T, a in ((0, 1.5, 0.3), (1, 3.0, 0.8), (3, 8.0, 0.6))
            ),
            (np.array([30.0, -1.0, 9.0]), np.array([0.0, 20.0, 60.0]), 1, 5.0, 0.5),
        ),
        returns=2,
    ),
]
