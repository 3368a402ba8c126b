"""Exercises of the lesson on AdamW."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def walk(answer):
    """Twenty steps along gradients of three sizes, twice: every theta, the last m and v."""
    gradients = np.random.default_rng(0).normal(size=(20, 3)) * [0.1, 1.0, 10.0] + [0.2, 0.0, -3.0]
    results = []
    # lr, beta1, beta2, eps, weight_decay: at the defaults wrong formulas look right
    for setting in ((0.3, 0.6, 0.9, 0.5, 0.7), (0.1, 0.8, 0.5, 2.0, 3.0)):
        theta, m, v, visited = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3), []
        start = np.array([0.7, 1.5, -4.0]) * setting[0]
        for t, g in enumerate(gradients, 1):
            theta, m, v = map(np.asarray, answer(theta, g, m, v, t, start, *setting))
            visited.append(theta)
        results += [np.array(visited), m, v]
    return results


HALF = "np.log(0.5) / np.log(1 - lr * weight_decay)"
DECAY = "theta = start + (1 - lr * weight_decay) * (theta - start)"

EXERCISES = [
    Exercise(
        "adamw_towards",
        "where does the decay enter the formula, and which distance does it shrink?",
        {
            "That decays towards 0. Shrink the distance from start.": (
                f"{DECAY} -> theta = (1 - lr * weight_decay) * theta"
            ),
            "Shrink the distance from start, not start itself.": (
                f"{DECAY} -> theta = theta - lr * weight_decay * start"
            ),
            "That is the shrunken distance; start must be added to it again.": "start + (1 -> (1",
            "The decay was added to the gradient: that is L2, and both averages see it.": (
                f"{DECAY} -> g = g + weight_decay * (theta - start)"
            ),
            "The decay is divided by the root of v_hat: it must not meet the step at all.": (
                f"{DECAY} -> decay = weight_decay * (theta - start); lr * m_hat -> lr * (m_hat + decay)"
            ),
            "The decay is not multiplied by lr.": "1 - lr * weight_decay -> 1 - weight_decay",
            "1 - lr * weight_decay is the share of the distance that is kept, not walked.": (
                f"{DECAY} -> theta = theta + (1 - lr * weight_decay) * (start - theta)"
            ),
            "The decay is right; the step lacks Adam's corrections, m_hat and v_hat.": (
                "m / (1 - beta1**t), v / (1 - beta2**t) -> m, v"
            ),
            "Return m and v themselves: the next step wants them without their hats.": ", m, v -> , m_hat, v_hat",
            "You shrink after the step, so the step is shrunk too. First the decay, then the step.": (
                f"{DECAY} -> ; theta - lr * m_hat / (np.sqrt(v_hat) + eps) ->"
                " start + (1 - lr * weight_decay) * (theta - lr * m_hat / (np.sqrt(v_hat) + eps) - start)"
            ),
        },
        walk,
        returns=3,
    ),
    Exercise(
        "half_life",
        "line 3 of the derivation: after how many factors is the product one half?",
        {
            "log 2 / (lr weight_decay) is an approximation for small decay; solve for t exactly.": (
                "np.log(1 - lr * weight_decay) -> -(lr * weight_decay)"
            ),
            "The learning rate is missing: each step keeps 1 - lr * weight_decay.": (
                "1 - lr * weight_decay -> abs(1 - weight_decay)"
            ),
            "That is linear: each step takes a share of what is left, not of the start.": (
                f"{HALF} -> 0.5 / (lr * weight_decay)"
            ),
            "After 1 / (lr weight_decay) steps about 1 / e is left, not one half.": (
                f"{HALF} -> 1 / (lr * weight_decay)"
            ),
            "That is negative: the logarithm of one half is -log 2.": "0.5 -> 2",
            "Do not round to whole steps.": (f"{HALF} -> np.ceil({HALF})"),
        },
        on((0.1, 5.0), (1.0, 0.1), (0.02, 7.0)),
    ),
    Exercise(
        "bowl_end",
        "how far can the gradient push against the decay, and does it need to?",
        {
            "That is where the loss with an L2 penalty is lowest. AdamW divides the gradient's size out.": (
                "np.clip(a, -1 / weight_decay, 1 / weight_decay) -> a / (1 + weight_decay)"
            ),
            "That is as far as AdamW can push. A minimum that is nearer stops it.": (
                "np.clip(a, -1 / weight_decay, 1 / weight_decay) -> np.sign(a) / weight_decay"
            ),
            "Only as far as 1 / weight_decay, on either side: there the decay balances the step.": lambda a, decay: a,
            "The wrong side: the gradient pushes towards a.": "return -> return -",
            "The sign of a is lost.": "clip(a, -> clip(abs(a),",
            "The decay moves no end that can be reached; it only limits how far off an end can be.": (
                "return -> return a -"
            ),
            "On either side: a may be negative.": "-1 / weight_decay -> None",
            "The limit is 1 / weight_decay: the stronger the decay, the closer to 0.": (
                "1 / weight_decay -> weight_decay"
            ),
        },
        on(
            (np.array([3.0, -0.02, 50.0, -7.0, 1.5]), 0.25),
            (np.array([0.3, -2.5, 9.0]), 2.0),
            (np.array([50.0, -15.0]), 0.05),
        ),
    ),
    Exercise(
        "carried_over",
        "what is the logarithm of the share that is kept?",
        {
            "Upside down: with more or larger rates the decay must be smaller.": "lrs <-> new_lrs",
            "Not only the number of steps counts, but the rate of each.": "np.sum -> len",
            "The number of steps counts too: a sum, not a mean.": "np.sum -> np.mean",
            "The largest rate is not enough: all steps take their share.": "np.sum -> np.max",
            "The logarithm of a product is a sum.": "np.sum -> np.prod",
            "That product must stay as it is; which decay gives it under the new rates?": "/ np.sum(new_lrs) ->",
            "That is the share that is kept, not the decay.": (
                "weight_decay * np.sum(lrs) / np.sum(new_lrs) -> np.exp(-weight_decay * np.sum(lrs))"
            ),
        },
        on(
            (0.1, np.linspace(0.02, 0.001, 9), np.full(4, 0.01)),
            (0.01, np.array([1e-3, 2e-3]), np.array([3e-3, 3e-3, 1e-3])),
        ),
    ),
]
