"""Exercises of the lesson on Adam."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def walk(answer):
    """30 steps along gradients of three sizes: all thetas, and the last state. No two steps have the same settings.

    They are far from the defaults, at which wrong formulas look right.
    """
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(30, 3)) * [0.1, 1.0, 10.0] + [0.2, 0.0, -3.0]
    settings = rng.uniform([0.1, 0.3, 0.7, 0.2], [0.5, 0.8, 0.95, 1.0], (30, 4)).tolist()  # lr, beta1, beta2, eps
    theta, m, v, visited = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3), []
    for t, (g, setting) in enumerate(zip(gradients, settings, strict=True), 1):
        theta, m, v = map(np.asarray, answer(theta, g, m, v, t, *setting))
        visited.append(theta)
    return [np.array(visited), m, v]


EXERCISES = [
    Exercise(
        "resumed",
        "which m and v does a long run under a constant gradient end with?",
        {
            "That is a run without corrections from a zero start. Here m and v are full, and are corrected again.": (
                "np.sqrt(1 - beta2**t) / (1 - beta1**t) -> (1 - beta1**t) / np.sqrt(1 - beta2**t)"
            ),
            "That is a run whose t was kept, or one from a zero start: there the corrections fit.": lambda t, *betas: (
                1.0
            ),
            "v stands under a root, and so does its correction.": "np.sqrt(1 - beta2**t) -> (1 - beta2**t)",
            "Only m is corrected in your answer; v_hat is too large as well.": "np.sqrt(1 - beta2**t) -> 1",
            "Only v is corrected in your answer; m_hat is too large as well.": "/ (1 - beta1**t) ->",
            "beta1 belongs to m and beta2 to v; you have them swapped.": "beta1 <-> beta2",
        },
        on(*((t, *betas) for betas in ((0.9, 0.999), (0.5, 0.7)) for t in (1, 2, 3, 12, 30, 300))),
    ),
    Exercise(
        "adam_step",
        "five lines, in the order of the formula: m, v, the two hats, theta; then return theta, m, v.",
        {
            "The corrections are missing: divide m by 1 - beta1**t, and v by 1 - beta2**t.": (
                "m / (1 - beta1**t) -> m; v / (1 - beta2**t) -> v"
            ),
            "Only m is corrected; v must be divided by 1 - beta2**t as well.": "v / (1 - beta2**t) -> v",
            "Only v is corrected; m must be divided by 1 - beta1**t as well.": "m / (1 - beta1**t) -> m",
            "The sign is wrong: the step goes against the gradient.": "theta - lr -> theta + lr",
            "v averages the square of the gradient, g**2.": "g**2 -> g",
            "The correction is a power: 1 - beta**t, not 1 - beta.": "beta1**t -> beta1; beta2**t -> beta2",
            "The root is missing: divide by the root of v_hat.": "np.sqrt(v_hat) -> v_hat",
            "eps is missing: add it to the root of v_hat.": "np.sqrt(v_hat) + eps -> np.sqrt(v_hat)",
            "eps stands under the root. Add it to the root of v_hat.": "np.sqrt(v_hat) + eps -> np.sqrt(v_hat + eps)",
            "eps stands before the correction, as in the paper's short form. Add it to the root of v_hat.": (
                "np.sqrt(v_hat) + eps -> np.sqrt(v_hat) + eps / np.sqrt(1 - beta2**t)"
            ),
            "The factors 1 - beta are missing: m and v then add up instead of averaging.": (
                "(1 - beta1) * g -> g; (1 - beta2) * g**2 -> g**2"
            ),
            "You return the hats. Return m and v themselves: the next step averages on from them.": (
                ", m, v -> , m_hat, v_hat"
            ),
        },
        walk,
        returns=3,
    ),
    Exercise(
        "total_weight",
        "what part of the average is still its start at zero, after each step?",
        {
            "That is the weight of the start at zero. The gradients have the rest.": "1 - np.prod -> np.prod",
            "That is right only while all betas are equal.": "np.prod(betas) -> betas[-1] ** len(betas)",
            "That adds the last weights of all steps; each step also shrinks the weights of before.": (
                "1 - np.prod(betas) -> np.sum(1 - np.array(betas))"
            ),
            "That is the weight of the newest gradient alone.": "np.prod(betas) -> betas[-1]",
        },
        on(([0.9],), ([0.5, 0.5, 0.5],), ([0.5, 0.9, 0.2],), ([0.99, 0.7, 0.95, 0.3, 0.6, 0.85],), ([0.8, 0.6],)),
    ),
]
