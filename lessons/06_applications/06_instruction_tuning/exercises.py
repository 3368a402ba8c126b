"""Exercises of the lesson on instruction tuning."""

import numpy as np

from lessons_lib.exercises import Exercise, on

EACH = np.random.default_rng(0).uniform(0.5, 6.0, (6, 5))
WEIGHT = np.array(
    [[0, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 0, 0, 0], [0, 0, 0, 1, 1], [0, 1, 1, 1, 1]], dtype=float
)


def step(devices, micro):
    rng = np.random.default_rng([devices, micro])
    return rng.normal(size=(devices, micro, 3)), rng.integers(1, 40, (devices, micro))


def asked(answer):
    found = []
    long, late, short = [5, 4, 5, 3, 5, 5], [4, 5, 5, 4, 5, 4], [2, 5, 5, 2, 5, 2]
    for cut, ends, parts in ((1, long, 1), (3, late, 1), (1, long, 3), (1, long, 15), (1, short, 1)):
        text = np.arange(5) < np.array(ends)[:, None]
        each, inner = EACH + np.arange(5)[:: cut - 2], text & (np.arange(5) >= cut)  # dear at first, or at the end
        each = each + 9 * (text.sum(1, keepdims=True) == 2)  # short answers are dear: a mean for each row goes astray
        each = np.where(text, each / parts, 60.0)
        pair = np.array([each[inner].mean(), each[text].mean()])
        first = np.array([round(pair[way], digits) for way, digits in ((0, 2), (1, 3), (0, 1), (1, 1), (0, 3))])
        found.append(answer(first, each, text, inner))
    return found


EXERCISES = [
    Exercise(
        "two_means",
        "the sum of the losses and the number of tokens, for each micro-batch.",
        {
            "The second number: the mean of the micro-batches' means, not the sum of them.": (
                "(sums / counts).mean() -> (sums / counts).sum()"
            ),
            "Tokens that do not count are in the sums.": "np.split(each * weight, K) -> np.split(each, K)",
            "That divides by all places. Divide by the tokens that count.": (
                "[part.sum() for part in np.split(weight, K)] -> [part.size for part in np.split(weight, K)]"
            ),
            "Both numbers are the token mean. The second one weighs each micro-batch alike.": (
                "(sums / counts).mean() -> sums.sum() / counts.sum()"
            ),
            "Both numbers are means of means. The first one divides once, by all tokens.": (
                "sums.sum() / counts.sum() -> (sums / counts).mean()"
            ),
            "That is the sequence mean: a mean for each row. A micro-batch has several rows.": "K) -> len(each))",
            "K micro-batches are asked for, not K rows in each.": "K) -> len(each) // K)",
            "The rows go to the micro-batches in their order; yours are dealt out in turn.": (
                "[part.sum() for part in np.split(each * weight, K)] -> "
                "[(each * weight)[k::K].sum() for k in range(K)]; "
                "[part.sum() for part in np.split(weight, K)] -> [weight[k::K].sum() for k in range(K)]"
            ),
        },
        on((EACH, WEIGHT, 1), (EACH, WEIGHT, 2), (EACH, WEIGHT, 3), (EACH[:4], WEIGHT[:4], 4)),
        returns=2,
    ),
    Exercise(
        "handed_over",
        "turn every mean gradient back into a sum.",
        {
            "The engine divides by the number of devices. Multiply by it.": "len(counts) * sums -> sums",
            "You multiply by the number of micro-batches. The engine divides by that of the devices.": (
                "len(counts) -> counts.shape[1]"
            ),
            "Half cured: right on each device, wrong between them. Divide by all tokens of the step.": (
                "len(counts) * sums / counts.sum() -> sums / counts.sum(1)[:, None]"
            ),
            "That is the error that shipped, the mean of means.": (
                "len(counts) * sums / counts.sum() -> gradients.mean(1)"
            ),
            "A device knows only its own gradients. The engine brings them together.": (
                "len(counts) * sums / counts.sum() -> 0 * sums + sums.sum(0) / counts.sum()"
            ),
            "Those are means. Multiply each by its count first.": "gradients * counts[:, :, None] -> gradients",
            "That is the sum over all tokens. Divide it by their number.": (
                "len(counts) * sums / counts.sum() -> len(counts) * sums"
            ),
        },
        on(step(2, 2), step(3, 1), step(1, 3), step(2, 4)),
    ),
    Exercise(
        "who_masked",
        "compute the loss that each of the two ways would print.",
        {
            "Those are the ones that counted the prompt.": "< np.abs(first - counted) -> > np.abs(first - counted)",
            "You find nobody. A printed loss is rounded, never equal to yours; it divides by the tokens that count.": (
                "np.abs(first - masked) < np.abs(first - counted) -> first == masked"
            ),
            "Lower does not mean masked: on some batches the prompt costs less than the answer, on others more.": (
                "np.abs(first - masked) < np.abs(first - counted) -> first < (masked + counted) / 2"
            ),
            "Higher does not mean masked: on some batches the prompt costs less than the answer, on others more.": (
                "np.abs(first - masked) < np.abs(first - counted) -> first > (masked + counted) / 2"
            ),
            "The loss without a mask is the mean over prompt and answer, not over the prompt alone.": (
                "each[text] -> each[text & ~answer]"
            ),
            "Padding counts in your second mean.": "each[text].mean() -> each.mean()",
            "All took a token mean. You weigh every row alike.": (
                "each[answer].mean() -> np.mean([e[a].mean() for e, a in zip(each, answer)]); "
                "each[text].mean() -> np.mean([e[t].mean() for e, t in zip(each, text)])"
            ),
        },
        asked,
    ),
]
