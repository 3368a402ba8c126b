"""Exercises of the lesson on three steps by hand."""

import numpy as np

from lessons_lib.exercises import Exercise, on

rng = np.random.default_rng(7)
X = rng.normal(size=(7, 3)) + 0.4
Y = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
APART = np.array([[2.0, 0.5], [1.0, 1.5], [-0.5, 1.0], [-1.0, -1.0], [-0.2, -0.9]])
SIDES = np.array([1.0, 1.0, 1.0, 0.0, 0.0])
WRONG_FIRST = np.array([[3.0, 0.2], [-1.5, 1.0], [-3.0, 0.0]])  # at first the model is sure that the second has label 0

EXERCISES = [
    Exercise(
        "first_step",
        "at weights 0 every probability is one half; sum each class for itself.",
        {
            "That is right for classes of equal size. Weigh each mean with its class's share.": (
                "share * x[y == 1].mean(axis=0) - (1 - share) * x[y == 0].mean(axis=0) -> "
                "(x[y == 1].mean(axis=0) - x[y == 0].mean(axis=0)) / 2"
            ),
            "That is the gradient; the step goes against it.": "lr / 2 * ( -> -lr / 2 * (",
            "p - y is one half, not 1.": "lr / 2 -> lr",
            "That holds where the mean of all measurements is 0. Here it need not be.": (
                "lr / 2 * (share * x[y == 1].mean(axis=0) - (1 - share) * x[y == 0].mean(axis=0)) -> "
                "lr * share * (1 - share) * (x[y == 1].mean(axis=0) - x[y == 0].mean(axis=0))"
            ),
            "The malignant ones push away: subtract their part.": "- (1 - share) -> + (1 - share)",
            "The two shares are swapped.": "share = y.mean() -> share = 1 - y.mean()",
        },
        on((X, Y, 0.7), (X[:5], Y[:5], 2.0), (X, 1 - Y, 1.0)),
    ),
    Exercise(
        "step",
        "logits, probabilities, and the mean of (p - y) x.",
        {
            "That is the sum over the examples; the mean divides by N.": "/ len(y) ->",
            "The step goes uphill.": "theta - lr -> theta + lr",
            "A prediction is a probability: put the logit into the sigmoid.": (
                "1 / (1 + np.exp(-(x @ theta))) -> x @ theta"
            ),
            "In the sigmoid the logit stands with a minus.": "np.exp(-(x @ theta)) -> np.exp(x @ theta)",
            "That is the slope of the squared error through a sigmoid: p (1 - p) does not belong here.": (
                "(p - y) -> ((p - y) * p * (1 - p))"
            ),
            "The learning rate is missing.": "lr * x.T -> x.T",
        },
        on(
            (np.array([0.3, -2.0, 1.0]), X, Y, 0.7),
            (np.zeros(3), X, Y, 2.0),
            (np.array([5.0, -4.0, 3.0]), X[:4], Y[:4], 0.1),
        ),
    ),
    Exercise(
        "steps_until",
        "test, then step; count the steps.",
        {
            "That is the first step at which one example is sure; all of them must be.": "np.min -> np.max",
            "The mean is not enough: every example must be sure.": "np.min -> np.mean",
            "You count one step too many: before the first step the count is 0.": "return steps -> return steps + 1",
            "Already 0 steps can be enough: test before the first step, and let equality count.": ">= sure -> > sure",
            "Divide the sum over the examples by their number.": "/ len(y) ->",
            "Sure of the wrong label does not count: take the probability of the own label.": (
                "np.where(y == 1, p, 1 - p) -> np.maximum(p, 1 - p)"
            ),
        },
        on(
            (APART, SIDES, 1.0, 0.9),
            (APART, SIDES, 0.2, 0.5),
            (APART[::-1, ::-1] - 0.3, SIDES[[4, 3, 1, 2, 0]], 3.0, 0.97),
            (-APART, 1 - SIDES, 1.0, 0.8),
            (WRONG_FIRST, np.array([1.0, 1.0, 0.0]), 1.0, 0.7),
        ),
    ),
]
