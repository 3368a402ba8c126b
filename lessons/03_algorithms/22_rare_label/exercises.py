"""Exercises of the lesson on a weight for the rare label."""

import numpy as np

from lessons_lib.exercises import Exercise, on

# far logits, near logits, and targets that are not only 0 and 1; the largest logit is not the first
NEAR = (
    np.array([-800.0, 800.0, -3.0, -0.5, 1.5, 0.7, 2.0, 800.0]),
    np.array([1.0, 1.0, 1.0, 0.0, 0.3, 1.0, 0.0, 0.0]),
)
FAR = np.array([0.2, -1e6, 1e6, -4.0, 1e6]), np.array([0.6173, 1.0, 0.0, 0.5, 1.0])
TRIALS = on((*NEAR, 3.0), (*NEAR, 0.25), (*FAR, 1.0))


def value(z, y):
    return np.logaddexp(0, z) - y * z


EXERCISES = [
    Exercise(
        "true_share",
        "the odds of p are w times the true odds.",
        {
            "That weighs once more. The weight must be taken back.": "p / (p + w * (1 - p)) -> w * p / (w * p + 1 - p)",
            "That divides the probability. The weight multiplies the odds, p / (1 - p).": "(p + w * (1 - p)) -> w",
            "Those are the true odds. Make a probability of them: a / (1 + a).": "(p + w * (1 - p)) -> (w * (1 - p))",
            "That is the share of label 0.": "p / (p + -> 1 - p / (p +",
        },
        on((np.array([0.5, 0.05, 0.9, 0.3]), 20.0), (np.array([0.2, 0.7]), 0.3)),
    ),
    Exercise(
        "weighted_bce",
        "which line of the derivation still keeps the terms of y and of 1 - y apart?",
        {
            "Both terms are weighted; that only rescales the loss.": lambda z, y, w: w * value(z, y),
            "Right for labels 0 and 1. At a target of 0.3 only the term with y is weighted.": (
                lambda z, y, w: np.where(y == 1, w, 1) * value(z, y)
            ),
            "Right for labels 0 and 1; between them, weight the term with y, not the sum of both.": (
                lambda z, y, w: (1 + (w - 1) * y) * value(z, y)
            ),
            "In the short form y stands in both terms. Go back to the two terms.": (
                lambda z, y, w: np.logaddexp(0, z) - w * y * z
            ),
            "exp overflows for a far logit. Use np.logaddexp(0, x).": (
                "np.logaddexp(0, -logits) -> np.log(1 + np.exp(-logits));"
                " np.logaddexp(0, logits) -> np.log(1 + np.exp(logits))"
            ),
            "w is not used at all.": "w * target -> target",
            "The term of 1 - y is weighted by 1 - w. Leave it alone.": "+ (1 - target) -> + (1 - target) * (1 - w)",
            "The weight sits on the negatives. It belongs to the term with y.": (
                "w * target -> target; + (1 - target) -> + w * (1 - target)"
            ),
            "The weight is not divided out again: PyTorch's pos_weight makes the loss larger.": (
                lambda z, y, w: (w * y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)) / (1 + (w - 1) * y)
            ),
            "The signs of the logits are swapped: label 1 must be cheap where the logit is large.": (
                "-logits -> +logits; (0, logits) -> (0, -logits)"
            ),
        },
        TRIALS,
    ),
    Exercise(
        "weighted_grad",
        "which sign has the slope at y = 1, and what is it where the model is certain and wrong?",
        {
            "The sign is wrong: at y = 1 a larger logit lowers the loss.": (
                "(1 - target) * p - w * target * (1 - p) -> w * target * (1 - p) - (1 - target) * p"
            ),
            "That is the slope without a weight.": "w * target -> target",
            "The weight sits on the negatives. It belongs to the term with y.": (
                "w * target -> target; return (1 - target) -> return w * (1 - target)"
            ),
            "Both terms are weighted; only label 1 pulls harder.": "return (1 - target) -> return w * (1 - target)",
            "That is p - w y: label 1 would pull even where the model is certain and right.": (
                "(1 - target) * p - w * target * (1 - p) -> p - w * target"
            ),
            "tanh(z) is twice too steep: the sigmoid is (1 + tanh(z / 2)) / 2.": "logits / 2 -> logits",
            "exp(z) overflows, and infinity divided by infinity is no number. Use np.tanh.": (
                "(1 + np.tanh(logits / 2)) / 2 -> np.exp(logits) / (1 + np.exp(logits))"
            ),
            "That is the slope by the probability. Multiply by p (1 - p).": (
                "(1 - target) * p - w * target * (1 - p) -> (1 - target) / (1 - p) - w * target / p"
            ),
            "That is the slope of the mean. Per example there is no division by N.": (
                "(1 - target) * p - w * target * (1 - p) -> ((1 - target) * p - w * target * (1 - p)) / p.size"
            ),
        },
        TRIALS,
    ),
]
