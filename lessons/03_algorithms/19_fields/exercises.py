"""Exercises of the lesson on fields of application."""

import numpy as np

from lessons_lib.exercises import Exercise, on

GRADIENT = "-2 * y / size + 2 * both / size**2"

EXERCISES = [
    Exercise(
        "first_losses",
        "which probability does a clueless model give to each answer?",
        {
            "The first one in nats: the natural logarithm.": "np.log(V) -> np.log2(V)",
            "The first is minus the logarithm of 1 / V.": "np.log(V) -> -np.log(V)",
            "The tags' losses are summed, not averaged.": "n_tags * ->",
            "The tags are not exclusive: each is a question of its own.": "n_tags * np.log(2) -> np.log(n_tags)",
            "The third one: prediction 0 also misses the mean.": "+ m**2 ->",
            "The third one: the targets also scatter around their mean.": "s**2 + ->",
            "The third one is a mean of squares, not a root.": "s**2 + m**2 -> np.sqrt(s**2 + m**2)",
            "The last one: that is the variance; the standard deviation is its root.": "np.sqrt( -> (",
            "The last one: the loss rises by half the variance, so twice the rise.": "2 * (start -> (start",
            "The last one: line 6 has a factor 1 - 1/C, which counts where C is small.": "/ (1 - 1 / C) ->",
        },
        on((50_257, 80, 3.0, 2.0, 10, 2.9), (100, 7, -0.5, 0.1, 2, 0.8)),
        returns=4,
    ),
    Exercise(
        "text_metrics",
        "how many nats does the whole text cost?",
        {
            "A mean of means: a short piece counts as much as a long one.": (
                "np.sum(means * counts) -> np.mean(means) * np.sum(counts)"
            ),
            "That is the mean of the pieces' perplexities; take the exponential last.": (
                "np.exp(nats / np.sum(counts)) -> np.sum(np.exp(means) * counts) / np.sum(counts)"
            ),
            "Bits per byte: divide by the bytes, not by the tokens.": "n_bytes -> np.sum(counts)",
            "Those are nats per byte; a bit is log 2 nats.": "/ np.log(2) ->",
            "A bit is less than a nat: divide by log 2, do not multiply.": "nats / np.log(2) -> nats * np.log(2)",
            "Perplexity: divide the nats by the tokens before you take the exponential.": (
                "nats / np.sum(counts) -> nats"
            ),
            "That is the mean loss; perplexity is e to it.": "np.exp(nats / np.sum(counts)) -> nats / np.sum(counts)",
            "Perplexity is per token; only the bits are per byte.": "np.sum(counts) -> n_bytes",
            "A piece costs its mean times its tokens; yours adds the bare means.": "means * counts -> means",
            "Perplexity has the base e here, because the loss is in nats.": "np.exp( -> 2 ** (",
        },
        on(
            (np.array([3.0, 1.0, 2.5]), np.array([10, 500, 90]), 2400),
            (np.array([0.5, 4.0]), np.array([64, 8]), 300),
        ),
        returns=2,
    ),
    Exercise(
        "soft_dice",
        "the quotient rule: where does one p occur?",
        {
            "The value is right. In the gradient the denominator depends on p too.": "+ 2 * both / size**2 ->",
            "The sign of the gradient is wrong.": f"{GRADIENT} -> 2 * y / size - 2 * both / size**2",
            "That is the overlap; the loss is 1 less it.": (
                f"1 - 2 * both / size, {GRADIENT} -> 2 * both / size, 2 * y / size - 2 * both / size**2"
            ),
            "The factor 2 is missing: a perfect answer must cost 0.": "2 * ->",
            "The value is right. In the gradient the second part has the square of the denominator below.": (
                "size**2 -> size"
            ),
            "The value is right. The two parts of the gradient have opposite signs.": "size + 2 -> size - 2",
            "The value is right. A pixel with y = 0 has a gradient too: its p makes the denominator larger.": (
                f"{GRADIENT} -> y * ({GRADIENT})"
            ),
            "The value is right. In the gradient's second part the sum over all pixels stays a sum.": (
                "+ 2 * both -> + 2 * p * y"
            ),
            "The gradient is by p, not by the logit: no factor p (1 - p).": f"{GRADIENT} -> ({GRADIENT}) * p * (1 - p)",
            "That is the overlap over the union (IoU); Dice divides by the sum of both sizes.": (
                f"np.sum(p) + np.sum(y) -> np.sum(p) + np.sum(y) - np.sum(p * y)"
                f"; 1 - 2 * both / size, {GRADIENT} -> 1 - both / size, -y / size + both * (1 - y) / size**2"
            ),
        },
        on(
            (np.array([0.9, 0.2, 0.6, 0.05]), np.array([1.0, 0, 1, 0])),
            (np.array([0.3, 0.8, 0.1, 0.4, 0.7]), np.array([0.0, 1, 1, 0, 1])),
        ),
        returns=2,
    ),
]
