"""Exercises of the lesson on memory."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(3)
BOOK = np.array([-1.0, -0.4, -0.15, -0.05, 0.0, 0.06, 0.2, 0.45, 1.0])
X = np.concatenate([RNG.normal(size=8), 100 * RNG.normal(size=12), RNG.normal(size=4)])
V = np.exp(4 * RNG.normal(size=64))
SIZES = [1, 2, 4, 8, 16, 32, 64]
EDGE = np.array([510.0, 1.0, 510.5, 1.0, 300.0, 1.0, 1.0, 1.0])


EXERCISES = [
    Exercise(
        "kept_bytes",
        "add up the directions, and the places and the scales of both averages.",
        {
            "There are two averages, m and v.": "+ 2 * ( -> + 1 * (",
            "The directions are missing.": "4 * small * rank + ->",
            "The directions have 32 bits, so 4 bytes a number.": "4 * small * rank -> small * rank",
            "The scales are missing: 4 bytes for each block.": "+ 4 * blocks ->",
            "A scale has 32 bits, so 4 bytes.": "4 * blocks -> blocks",
            "A block that is not full has a scale, too.": "np.ceil -> np.floor",
            "A rank beyond the smaller side is that side.": "min(rank, small) -> rank",
            "The directions lie on the smaller side, and the averages on the larger one.": (
                "min(rows, cols), max(rows, cols) -> max(rows, cols), min(rows, cols)"
            ),
            "The matrix may be wide or tall: look for its smaller side.": (
                "min(rows, cols), max(rows, cols) -> rows, cols"
            ),
            "8 bits are one byte, not four.": "rank * large + 4 -> 4 * rank * large + 4",
        },
        on((3, 257, 1), (64, 172, 16), (172, 64, 5), (30, 20, 50), (4, 7, 1), (5, 3, 2), (300, 900, 7)),
    ),
    Exercise(
        "rounded",
        "one line per block; divide by its largest, round, multiply again.",
        {
            "Every block has a largest value of its own.": "max(axis=1, keepdims=True) -> max()",
            "The largest in absolute value: a block may have its largest number below 0.": (
                "np.abs(rows).max -> rows.max"
            ),
            "You have not multiplied again.": "* largest ->",
            "You have not divided before rounding.": "rows / largest -> rows",
            "Wanted is the rounded number. That is its place in the book.": "book[nearest] * largest -> nearest",
            "That is the number furthest away.": "argmin -> argmax",
            "A distance has no sign: take its absolute value.": (
                "np.abs(shares[:, :, None] - book) -> (shares[:, :, None] - book)"
            ),
            "Return a row, as x is one.": ".reshape(x.shape) ->",
        },
        on((X, BOOK, 4), (X, BOOK, 8), (X[:9], BOOK[2:7], 3), (-X[::-1], np.linspace(-1, 1, 7), 4)),
    ),
    Exercise(
        "largest_block",
        "for each size: which numbers are below their block's largest over 510?",
        {
            "A number becomes 0 below half a step: one 510th of the largest.": "/ 510 -> / 255",
            "Each block has a largest number of its own.": "rows.max(axis=1, keepdims=True) -> rows.max()",
            "At most: a share that is just allowed is allowed.": "<= share -> < share",
            "You have kept the sizes that lose too much.": "<= share -> > share",
            "share is a share of all numbers, not a count.": "lost.mean() -> lost.sum()",
            "That is the share. Wanted is the size.": "found = size -> found = lost.mean()",
            "You have counted the numbers that stay.": "rows < -> rows >=",
        },
        on(
            (EDGE, SIZES[:4], 0.125),
            (EDGE, SIZES[:4], 0.2),
            (EDGE, SIZES[:4], 0.25),
            (EDGE, SIZES[:4], 0.0),
            (EDGE, SIZES[:4], 1.0),
            (V, SIZES, 0.1),
            (V, SIZES, 0.25),
            (V, SIZES, 0.5),
        ),
    ),
]
