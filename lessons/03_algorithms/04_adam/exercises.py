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
    theta, m, v, w1, w2, visited = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3), 0.0, 0.0, []
    for g, setting in zip(gradients, settings, strict=True):
        *arrays, w1, w2 = answer(theta, g, m, v, w1, w2, *setting)
        theta, m, v = map(np.asarray, arrays)
        visited.append(theta)
    return [np.array(visited), m, v, w1, w2]


EXERCISES = [
    Exercise(
        "adam_step",
        "line 2 of the derivation: what do the weights of all gradients so far add up to?",
        {
            "The corrections are missing: divide m and v by the sums of their weights.": "m / w1 -> m; v / w2 -> v",
            "Only m is corrected; v must be divided by the sum of its weights as well.": "v / w2 -> v",
            "You correct with the sums that came in. This step's weights belong to them too.": (
                "w1 = -> new1 =; w2 = -> new2 =; m, v, w1, w2 -> m, v, new1, new2"
            ),
            "You correct as if this step were the first: the sums that came in are not used.": (
                "m / w1 -> m / (1 - beta1); v / w2 -> v / (1 - beta2)"
            ),
            "w1 and w2 decay too: multiply the old sum by this step's beta before adding 1 - beta.": (
                "beta1 * w1 -> w1; beta2 * w2 -> w2"
            ),
            "eps stands under the root. Add it to the root of v_hat.": "np.sqrt(v / w2) + eps -> np.sqrt(v / w2 + eps)",
            "The step goes along the gradient, not along m_hat: that is RMSProp.": "(m / w1) -> g",
            "beta1 belongs to m and beta2 to v; you have them swapped.": "beta1 <-> beta2",
            "The factors 1 - beta are missing: m and v then add up instead of averaging.": (
                "(1 - beta1) * g -> g; (1 - beta2) * g**2 -> g**2"
            ),
            "You return the hats. Return m and v themselves; the next step corrects them with its own sums.": (
                ", m, v, -> , m / w1, v / w2,"
            ),
        },
        walk,
        returns=5,
    ),
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
        on(*((t, *betas) for betas in ((0.9, 0.999), (0.5, 0.7)) for t in (1, 2, 3, 12, 30))),
    ),
    Exercise(
        "longest_at",
        "line 4 of the derivation gives the size of step t.",
        {
            "That is the answer for beta2 = 0.999.": "0.95 -> 0.999",
            "That is the index in a list that starts at 0; t starts at 1.": 19,
            "That is the first step; with beta2 = 0.95 it is the shortest.": "max -> min",
            "That is the size of the longest step. Wanted is its number t.": (1 - 0.9**20) / np.sqrt(1 - 0.95**20),
        },
    ),
    Exercise(
        "largest_step",
        "how many terms has the sum in line 5 after t steps?",
        {
            "That is without the corrections: at t = 1 it is not 1.": "* np.sqrt(1 - beta2**t) / (1 - beta1**t) ->",
            "Upside down: the correction of m makes the step longer, that of v shorter.": (
                "* np.sqrt(1 - beta2**t) / (1 - beta1**t) -> / np.sqrt(1 - beta2**t) * (1 - beta1**t)"
            ),
            "That is a lone spike after silence, corrected. Gradients before it can push too.": "* np.sqrt(q_sum) ->",
            "That is the lone spike; the lesson refuted it as a bound.": (
                "return uncorrected * np.sqrt(1 - beta2**t) / (1 - beta1**t) ->"
                " return max(1, (1 - beta1) / np.sqrt(1 - beta2))"
            ),
            "That is the limit for large t. Keep the sum and the corrections finite.": (
                "sum((beta1**2 / beta2) ** k for k in range(t)) -> 1 / (1 - beta1**2 / beta2)"
                "; * np.sqrt(1 - beta2**t) / (1 - beta1**t) ->"
            ),
            "The terms of the sum are powers of beta1**2 / beta2, not of beta1 / beta2.": "beta1**2 / -> beta1 /",
            "The correction of v stands under a root.": "np.sqrt(1 - beta2**t) -> (1 - beta2**t)",
            "The corrections are right, but the sum has only t terms.": (
                "sum((beta1**2 / beta2) ** k for k in range(t)) -> 1 / (1 - beta1**2 / beta2)"
            ),
            "The sum stands under a root.": "np.sqrt(q_sum) -> q_sum",
        },
        on(*((t, *betas) for betas in ((0.9, 0.999), (0.5, 0.9), (0.8, 0.7)) for t in (1, 2, 5, 40))),
    ),
]
