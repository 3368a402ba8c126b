"""Exercises of the lesson on what Adam's step measures."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def walk(answer):
    """12 steps along random gradients, the rate and the betas changing, with an eps that shows."""
    rng = np.random.default_rng(0)
    theta, m, v, found = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3), []
    for t in range(1, 13):
        lr, beta1, beta2, eps = rng.uniform([0.1, 0.5, 0.8, 0.2], [0.3, 0.9, 0.99, 0.6]).tolist()
        theta, m, v = map(np.asarray, answer(theta, rng.normal(size=3), m, v, t, lr, beta1, beta2, eps))
        found += [theta, m, v]
    return found


def weights(answer):
    """Loud noise, a large mean, a heavy weight: in each trial another one decays least."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(200, 4))
    trials = [
        (noise * [0.5, 2.0, 1.0, 0.1] + [0.0, 0.0, 3.0, 0.2], np.array([1.0, 1.0, 1.0, 1.0]), 0.1),
        (noise * [0.5, 2.0, 1.0, 0.1] + [0.1, 0.0, 1.2, 0.2], np.array([1.0, 0.5, 0.5, 30.0]), 0.1),
        (noise * [0.5, 2.0, 1.0, 0.1] + [0.1, 0.0, 1.2, 0.2], np.array([1.0, 0.5, 0.5, 30.0]), 0.01),
        (noise * [1.0, 1.2, 0.5, 0.1] + [0.0, 0.0, -2.0, 0.0], np.array([1.0, -1.0, 4.0, 1.0]), 0.4),
        (noise * [1.0, 0.2, 0.5, 0.1] + [0.0, 2.0, 0.0, 0.0], np.array([0.1, -20.0, 1.0, 9.0]), 0.1),
    ]
    return [answer(*trial) for trial in trials]


EXERCISES = [
    Exercise(
        "mean_step",
        "mean over root mean square, of the gradient of a batch.",
        {
            "That is the step for single examples: a batch has less noise.": "/ B ->",
            "The variance of a batch falls with B, its standard deviation with the root of B.": "/ B -> / B**0.5",
            "The variance falls with B, not with its square.": "/ B -> / B**2",
            "A variance is the square of the standard deviation.": "std**2 -> std",
            "That is the ratio of mean and noise. It has no upper bound; the step has one.": "mean**2 + ->",
            "The mean of the squares stands under a root.": "np.sqrt(mean**2 + std**2 / B) -> (mean**2 + std**2 / B)",
            "That is in learning rates: multiply by lr.": "lr * ->",
            "A larger batch has less noise, not more.": "/ B -> * B",
            "Where there is no noise a step is one learning rate long, whatever the gradient.": (
                "/ np.sqrt(mean**2 + std**2 / B) ->"
            ),
        },
        on((0.3, 2.0, 8, 0.1), (-0.5, 1.0, 64, 0.02), (3.0, 0.4, 3, 1.5), (0.01, 5.0, 256, 0.3)),
    ),
    Exercise(
        "adam_short",
        "derivation 4: first the two averages, then the rate, then the fraction.",
        {
            "With a constant eps it equals Adam only for large t: the eps of this form changes with t.": (
                "eps * root -> eps"
            ),
            "That eps is divided by the root. It stands below the line, where all was multiplied by it.": (
                "eps * root -> eps / root"
            ),
            "The rate lacks the correction of v.": "lr * root -> lr",
            "The rate lacks the correction of m.": "/ (1 - beta1**t) ->",
            "The correction of v stands under a root.": "np.sqrt(1 - beta2**t) -> 1 - beta2**t",
            "Upside down: m is too small and must grow, v is too small and must grow.": (
                "lr * root / (1 - beta1**t) -> lr * (1 - beta1**t) / root"
            ),
            "beta1 belongs to m, beta2 to v.": "beta1 <-> beta2",
            "v averages the squares of the gradients.": "g**2 -> g",
            "The sign is wrong: the step goes against m.": "theta - rate -> theta + rate",
            "v stands under a root.": "np.sqrt(v) -> v",
        },
        walk,
        returns=3,
    ),
    Exercise(
        "decays_least",
        "what does Adam divide the penalty by?",
        {
            "That is the weight that decays most.": "np.argmax -> np.argmin",
            "v averages squares of all that comes in, and the penalty comes in, too.": (
                "grads + weight_decay * theta -> grads"
            ),
            "That is the variance. Adam divides by the root mean square, and the mean counts there.": (
                "np.mean(total**2, axis=0) -> np.var(total, axis=0)"
            ),
            "That is the mean. Adam divides by the root of the mean of the squares.": (
                "np.mean(total**2, axis=0) -> abs(np.mean(total, axis=0))"
            ),
            "Gradients of different signs cancel in this mean. Square first.": (
                "np.mean(total**2, axis=0) -> np.mean(total, axis=0)"
            ),
            "Asked is the share of the weight, not the pull: theta stands above and below, and cancels.": (
                "np.mean(total**2, axis=0) -> np.mean(total**2, axis=0) / theta**2"
            ),
            "That is the number of a step. The mean goes over the steps.": "axis=0 -> axis=1",
            "Wanted is the index of the weight, not its mean square.": "np.argmax -> np.max",
        },
        weights,
    ),
]
