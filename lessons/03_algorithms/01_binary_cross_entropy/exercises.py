"""Exercises of the lesson on binary cross-entropy."""

import numpy as np

from lessons_lib.exercises import Exercise, on

# far logits, near logits, and targets that are not only 0 and 1; the largest logit is not the first
NEAR = (
    np.array([-800.0, 800.0, -3.0, -0.5, 1.5, 0.7, 2.0, 800.0, 0.0, 6.0, -6.0, 20.0]),
    np.array([1.0, 1.0, 1.0, 0.0, 0.3, 1.0, 0.0, 0.0, 1.0, 1.0, 0.3, 0.0]),
)
FAR = np.array([0.2, -1e6, 1e6, -4.0, 1e6, -1e30]), np.array([0.6173, 1.0, 0.0, 0.5, 1.0, 1.0])


def stated(z, y, low=0.0):
    """The formula on the probability, kept away from 0 and 1 by `low`."""
    p = np.clip(1 / (1 + np.exp(-z)), low, 1 - low)
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


def capped(x):
    """log(1 + exp(x)), at most 100."""
    return np.minimum(np.logaddexp(0, x), 100)


EXERCISES = [
    Exercise(
        "price",
        "what does an example with label 1 cost if the model says p, and one with label 0?",
        {
            "That is in bits (base 2); nats use the natural logarithm.": "np.log -> np.log2",
            "That is base 10; nats use the natural logarithm.": "np.log -> np.log10",
            "The sign is wrong: a loss is never negative.": "-0.9 * np.log(p) - 0.1 -> 0.9 * np.log(p) + 0.1",
            "That is the sum over the 100 tumours. Divide by their number.": "0.9 * -> 90 *; 0.1 -> 10",
            "The shares are swapped: 90 of 100 have label 1 and cost -log p.": (
                "0.9 * np.log(p) - 0.1 -> 0.1 * np.log(p) - 0.9"
            ),
            "The 10 tumours that are malignant cost something too.": "- 0.1 * np.log(1 - p) ->",
            "The malignant ones cost -log(1 - p): the model gave their label only 1 - p.": "np.log(1 - p) -> np.log(p)",
            "That is for a model that is right as often as it claims. This one is right 90 times of 100.": (
                "-0.9 -> -p; 0.1 -> (1 - p)"
            ),
            "90 and 10 are not equally many: weigh the two costs with 0.9 and 0.1.": "0.9 -> 0.5; 0.1 -> 0.5",
            "Rounded. The numbers are wanted as they are.": [0.325, 0.47, 0.692],
        },
    ),
    Exercise(
        "bce_value",
        "try your formula at z = 800 and z = -800: which exp overflows?",
        {
            "The sigmoid rounds to 0 or 1, and its logarithm is infinite. Work with the logit itself.": stated,
            "Clipping the probability caps the loss: a logit of 800 on the wrong side costs 800.": (
                lambda z, y: stated(z, y, 1e-7)
            ),
            "A clip at 1e-12 caps the loss at 28; a logit of 800 on the wrong side costs 800.": (
                lambda z, y: stated(z, y, 1e-12)
            ),
            "A bound of -100 for the logarithm caps the loss at 100; a logit of 800 on the wrong side costs 800.": (
                lambda z, y: y * capped(-z) + (1 - y) * capped(z)
            ),
            "exp(z) overflows for a large logit. Use exp(-|z|), which never exceeds 1.": (
                "np.maximum(logits, 0) ->; -np.abs(logits) -> logits"
            ),
            "For a negative logit exp(-z) overflows. Use exp(-|z|), which never exceeds 1.": (
                "np.maximum(logits, 0) -> logits; -np.abs(logits) -> -logits"
            ),
            "The labels are swapped: y = 1 must be cheap where the logit is large.": "* target -> * (1 - target)",
            "The sign of y z is wrong: a large logit must make y = 1 cheap.": "- logits * target -> + logits * target",
            "The term - y z is missing.": "- logits * target ->",
            "Right for labels 0 and 1; a target may also lie between, like 0.3.": "* target -> * (target == 1)",
            "A small number inside the logarithm caps the loss; a logit of 800 on the wrong side costs 800.": (
                lambda z, y: -y * np.log(1 / (1 + np.exp(-z)) + 1e-12) - (1 - y) * np.log(1 / (1 + np.exp(z)) + 1e-12)
            ),
            "That is already a mean. Return one number per example.": lambda z, y: np.mean(np.logaddexp(0, z) - y * z),
        },
        on(NEAR, FAR),
    ),
    Exercise(
        "dead_logits",
        "the lesson found it for one format; a loop finds it for each.",
        {
            "All three in float64: Python computes in it. np.float16(z) makes a number of 16 bits.": "dtype(z) -> z",
            "That is the last logit below 1. The first at 1 is wanted.": "next(z for -> next(z - 1 for",
            "There exp(-z) falls below the gap above 1. It is rounded away at half of the gap.": lambda: [7, 16, 37],
            "float16 was computed in float32 and rounded once. Compute in the format itself.": lambda: [9, 17, 37],
            "You rounded the finished p. Compute every step in the format: there 1 + exp(-z) is rounded first.": (
                lambda: [9, 18, 37]
            ),
            "There exp(-z) itself becomes 0; 1 + exp(-z) is rounded to 1 much earlier.": lambda: [18, 104, 746],
            "The order is reversed: float16 comes first, float64 last.": lambda: [37, 17, 8],
            "Those are the points in between. Wanted are the first whole numbers after them.": (
                lambda: [float(np.log(2) * digits) for digits in (11, 24, 53)]
            ),
        },
        lambda answer: list(answer()),
    ),
]
