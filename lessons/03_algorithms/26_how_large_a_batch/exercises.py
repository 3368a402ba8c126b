"""Exercises of the lesson on the size of a batch."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def sizes(answer):
    a = np.array([1.0, 4.0, 4.0, -3.0, 10.0, 2.5, -7.0])
    found = [answer(a, v) for v in (200.0, 20.0, 15.0, 12.0, 8.0, 5.5, 5.0, 3.0, 1.0, 0.1)]
    return [*found, answer(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), 0.75)]  # exactly at the bound with 2


ORDER = np.array([3, 0, 6, 2, 5, 1, 4])

EXERCISES = [
    Exercise(
        "best_rate",
        "the last line of the derivation: its slope by eta is 0 at the lowest point.",
        {
            "That is the best rate without noise.": "(squared + sigma**2 / B) -> squared",
            "At that rate gain and price are equal. The best rate is half of it.": ("squared / (h -> 2 * squared / (h"),
            "The price has the variance of the error: sigma squared over B.": "sigma**2 -> sigma",
            "A batch has less noise than a single example: divide by B.": "/ B ->",
            "The gain has the squared gradient.": "(h * theta) ** 2 -> abs(h * theta)",
            "The gradient is h times theta, not theta.": "(h * theta) ** 2 -> theta**2",
            "The error of a batch falls with the root of B, its variance with B.": "/ B -> / B**0.5",
        },
        on((1.5, 2.0, 3.0, 8), (-0.2, 0.7, 1.3, 3), (0.05, 3.0, 0.4, 32), (4.0, 0.5, 0.1, 1)),
    ),
    Exercise(
        "batch_size",
        "the formula, solved for B.",
        {
            "That is for drawing with replacement: it can exceed N.": lambda a, v: np.ceil(a.var() / v),
            "The last factor is missing; cutting the answer at N does not bring it back.": lambda a, v: min(
                len(a), np.ceil(a.var() / v)
            ),
            "Your variance divides by N - 1; with the factor (N - B) / (N - 1) it must divide by N.": (
                "a.var() -> a.var(ddof=1)"
            ),
            "At most v: equality is allowed.": "int(np.ceil( -> int(np.floor(1 + ",
            "Rounded down, the variance is above v.": "np.ceil -> np.floor",
            "A batch has a whole number of examples.": "int(np.ceil(N * variance / (v * (N - 1) + variance))) -> "
            "N * variance / (v * (N - 1) + variance)",
            "That is for the standard deviation; the variance is its square.": "v * -> v**2 *",
            "The last factor's divisor is N - 1, not N.": "(N - 1) -> N",
        },
        sizes,
    ),
    Exercise(
        "epoch",
        "where does each batch begin?",
        {
            "The last, smaller batch is dropped: some examples are never used.": (
                "range(0, len(order), B) -> range(0, len(order) - B + 1, B)"
            ),
            "These batches overlap. Step on by B.": "range(0, len(order), B) -> range(len(order) - B + 1)",
            "If B divides the number of examples, your last batch is empty.": (
                "range(0, len(order), B) -> range(0, len(order) + 1, B)"
            ),
            "The batches are of nearly equal size; each but the last has B examples.": lambda order, B: np.array_split(
                order, -(-len(order) // B)
            ),
            "B is the size of a batch, not the number of batches.": lambda order, B: np.array_split(order, B),
            "These are consecutive numbers. Take them from the shuffled order.": (
                "order[i : i + B] -> np.arange(len(order))[i : i + B]"
            ),
        },
        on(*((ORDER, size) for size in (3, 7, 2, 10)), (ORDER[1::2], 2)),
    ),
]
