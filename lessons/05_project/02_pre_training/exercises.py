"""Exercises of the lesson on pre-training."""

import numpy as np

from lessons_lib.exercises import Exercise, on

DRAW = np.random.default_rng(0)
COUNTS = [DRAW.integers(1, 60, size=(size, size)).astype(float) for size in (2, 3, 5)]
LOGITS = np.round(128 * DRAW.normal(size=(5, 4))) / 64
FAR = LOGITS + np.array([0.0, 1000.0, -1000.0, 0.0, 2000.0])[:, None]
WIDE = LOGITS * np.array([1.0, 700.0, 1.0, 900.0, 1.0])[:, None]
LABELS = np.array([2, 0, 3, 3, 1])
UNEVEN = np.array([1.0, 0.0, 2.0, 0.5, 0.25])
LOSSES = np.round(64 * DRAW.gamma(2.0, 1.0, size=(3, 16))) / 64

EXERCISES = [
    Exercise(
        "two_levels",
        "the best model without sight gives each token its share of the text.",
        {
            "The rows say how often a token is read. Predicted are the columns: sum over axis 0.": (
                "f = n.sum(axis=0) / n.sum() -> f = n.sum(axis=1)[:, None] / n.sum()"
            ),
            "After token i stands row i: its shares sum to 1 along the row.": (
                "n.sum(axis=1, keepdims=True) -> n.sum(axis=0, keepdims=True)"
            ),
            "That is the share of the pair in the text. The model has seen i: divide by the row's sum.": (
                "n / n.sum(axis=1, keepdims=True) -> n / n.sum()"
            ),
            "The loss is minus the logarithm.": (
                "-(n * np.log(f)).sum() / n.sum(), -(n * np.log(q)).sum() / n.sum() -> "
                "(n * np.log(f)).sum() / n.sum(), (n * np.log(q)).sum() / n.sum()"
            ),
            "Each pair counts as often as it occurs: the mean is not one over the entries of n.": (
                "-(n * np.log(f)).sum() / n.sum(), -(n * np.log(q)).sum() / n.sum() -> "
                "-np.log(f).mean(), -np.log(q).mean()"
            ),
            "That is the mean of the rows' losses. A token that comes often counts more than a rare one.": (
                "-(n * np.log(q)).sum() / n.sum() -> -(q * np.log(q)).sum(axis=1).mean()"
            ),
            "First the loss of the model that sees nothing, then the other.": (
                "-(n * np.log(f)).sum() / n.sum(), -(n * np.log(q)).sum() / n.sum() -> "
                "-(n * np.log(q)).sum() / n.sum(), -(n * np.log(f)).sum() / n.sum()"
            ),
            "That is the perplexity. Wanted is the loss in nats.": (
                "-(n * np.log(f)).sum() / n.sum(), -(n * np.log(q)).sum() / n.sum() -> "
                "np.exp(-(n * np.log(f)).sum() / n.sum()), np.exp(-(n * np.log(q)).sum() / n.sum())"
            ),
        },
        on(*((n,) for n in COUNTS)),
        returns=2,
    ),
    Exercise(
        "pull",
        "prediction minus label, times the share of the weight.",
        {
            "The sign is wrong: prediction minus label.": "(p - hot) -> (hot - p)",
            "J is a mean: divide by the sum of the weights.": "/ w.sum() ->",
            "Divide by the sum of the weights, not by the number of tokens.": "w.sum() -> len(w)",
            "The weights are missing: a token with the weight 0 must not pull.": "w[:, None] * (p - hot) -> (p - hot)",
            "The softmax runs over the vocabulary, axis 1.": (
                "p / p.sum(axis=1, keepdims=True) -> p / p.sum(axis=0, keepdims=True)"
            ),
            "The exponential overflows: subtract the largest logit of each row first.": (
                "z - z.max(axis=1, keepdims=True) -> z"
            ),
            "The largest logit of each row, not of all: elsewhere the exponentials all become 0.": (
                "z.max(axis=1, keepdims=True) -> z.max()"
            ),
            "The label is missing: at its place 1 is subtracted.": "p - hot -> p",
        },
        on(
            (LOGITS, LABELS, np.ones(5)),
            (LOGITS, LABELS, UNEVEN),
            (FAR, LABELS, UNEVEN),
            (WIDE, LABELS, UNEVEN + 1),
            (LOGITS[:2], LABELS[:2], UNEVEN[:2] + 1),
        ),
    ),
    Exercise(
        "by_context",
        "which columns belong to 3 to 4 tokens of context?",
        {
            "Each group begins where the last one ended, and not at the first place.": (
                "loss[:, first:last] -> loss[:, :last]"
            ),
            "That is the sum of the losses. Wanted is their mean.": ".mean() -> .sum()",
            "The last group is missing.": "loss.shape[1].bit_length() -> loss.shape[1].bit_length() - 1",
            "A place t has seen t + 1 tokens: the first group is the column 0 alone.": (
                "[], 0, 1 -> [], 1, 2; loss.shape[1].bit_length() -> loss.shape[1].bit_length() - 1"
            ),
            "Each group is twice as long as the one before; yours have one length.": (
                "first, last = last, 2 * last -> first, last = last, last + 1"
            ),
            "A mean over the rows and the places of the group: one number per group.": ".mean() -> .mean(axis=1)",
        },
        on((LOSSES,), (LOSSES[:, :4],), (LOSSES[:2, :8],), (LOSSES[:, :1],)),
    ),
]
