"""Exercises of the lesson on clipped ratios."""

import numpy as np

from lessons_lib.exercises import Exercise, on

OLD = np.log(np.array([[0.2, 0.4, 0.1, 0.5], [0.3, 0.25, 0.6, 0.2], [0.4, 0.1, 0.3, 0.5]]))
RATIO = np.array([[1.5, 0.6, 1.1, 0.9], [0.5, 1.6, 0.95, 1.25], [0.7, 1.3, 1.45, 1.0]])
NEW = OLD + np.log(RATIO)
A = np.array([1.5, -2.0, 0.5])
MASK = np.array([[1.0, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]])
P, FEW = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.05, 0.05, 0.45, 0.45])
EACH = np.array([[1.5, 1.5, 1.5, 1.5], [-2, -2, -2, -2], [0.5, -0.5, 0, 0]])

EXERCISES = [
    Exercise(
        "silent",
        "a condition for A > 0, another one for A < 0.",
        {
            "A good token is silent above the upper bound: both signs have a bound of their own.": (
                "(A > 0) & (ratio >= 1 + high) -> (A < 0) & (ratio >= 1 + high)"
            ),
            "A bad token above the upper bound is still pushed down. Only good ones are silent there.": (
                "(A > 0) & (ratio >= 1 + high) -> ratio >= 1 + high"
            ),
            "A good token below the lower bound is still pulled up. Only bad ones are silent there.": (
                "(A < 0) & (ratio <= 1 - low) -> ratio <= 1 - low"
            ),
            "That is the share of tokens that still push.": "off.mean() -> 1 - off.mean()",
            "Wanted is the share, not the number.": "off.mean() -> off.sum()",
            "The ratio is new over old: exp(log_p - old).": "log_p - old -> old - log_p",
            "The bounds are for the ratio, not for its logarithm.": "np.exp(log_p - old) -> log_p - old",
            "The upper bound has the width high, the lower one low.": "low <-> high",
        },
        on(
            (NEW, OLD, EACH, 0.2, 0.3),
            (NEW, OLD, EACH, 0.45, 0.05),
            (np.log([1.5, 0.5]), np.zeros(2), np.array([1.0, -1.0]), 0.5, 0.5),
            (np.log([1.25, 1.25, 0.75]), np.zeros(3), np.array([1.0, 2.0, -1.0]), 0.2, 0.3),
            (np.log([0.7, 0.9, 1.3]), np.zeros(3), np.array([-1.0, -1.0, 1.0]), 0.4, 0.2),
            (np.log([1.5, 0.5, 1.0]), np.zeros(3), np.array([0.0, 0.0, 1.0]), 0.2, 0.2),
        ),
    ),
    Exercise(
        "clipped_loss",
        "the smaller one of two products, for every token; then the mean over those that count.",
        {
            "A loss is made small, the objective large: a minus is missing.": "-np.minimum -> np.minimum",
            "That clips both signs on both sides. The smaller of the two products keeps the slope of a bad move.": (
                "np.minimum(ratio * A, held * A) -> held * A"
            ),
            "Nothing is clipped.": "np.minimum(ratio * A, held * A) -> ratio * A",
            "That is the optimistic one of the two products. Take the smaller one.": "np.minimum -> np.maximum",
            "That is a mean of means: every answer counts the same. Divide once, by all tokens that count.": (
                "(mask * loss).sum() / mask.sum() -> ((mask * loss).sum(1) / mask.sum(1)).mean()"
            ),
            "The tokens with mask 0 count as well.": "(mask * loss).sum() / mask.sum() -> loss.mean()",
            "You divide by all places, also by those with mask 0.": "/ mask.sum() -> / mask.size",
            "The ratio is new over old: exp(log_p - old).": "log_p - old -> old - log_p",
            "The bounds are for the ratio, not for its logarithm.": "np.exp(log_p - old) -> log_p - old",
            "The lower bound has the width low, the upper one high.": "low <-> high",
        },
        on(
            (NEW, OLD, A, MASK, 0.2, 0.28),
            (NEW, OLD, -A, MASK, 0.1, 0.4),
            (NEW[:2], OLD[:2], A[:2], MASK[1:], 0.3, 0.1),
        ),
    ),
    Exercise(
        "longer",
        "three lines: a, the change of the logits, the change of the probabilities.",
        {
            "The two divisions have changed places.": "if per_answer -> if not per_answer",
            "a is less its mean under p, not less the plain mean.": "(p * a).sum() -> a.mean()",
            "A factor p is missing: there is one in the step of each logit and one in that of each probability.": (
                "p * (a - (p * a).sum()) -> a - (p * a).sum()"
            ),
            "The probabilities must go on to sum to 1: take away the mean change of the logits.": (
                "delta - (p * delta).sum() -> delta"
            ),
            "That changes the reward. Wanted is the change of the mean length.": "(change * lengths) -> (change * A)",
            "The changes of p sum to 0. Weigh them by the lengths.": "(change * lengths) -> change",
        },
        on(
            (FEW, np.array([0.9, 0.9, -0.1, -0.1]), np.array([10.0, 100, 10, 100]), True),
            (P, np.array([0.7, -0.3, 0.7, -0.3]), np.array([4.0, 8, 16, 20]), False),
            (P, np.array([0.7, -0.3, 0.7, -0.3]), np.array([4.0, 8, 16, 20]), True),
        ),
    ),
]
