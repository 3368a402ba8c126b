"""Exercises of the lesson on low-rank adaptation."""

import numpy as np

from lessons_lib.exercises import Exercise, on

SMALL, MIXED = [(64, 64), (172, 64), (64, 172)], [(5, 3), (100, 2), (7, 30)]


def one_step(answer):
    rng = np.random.default_rng(0)
    found = []
    for tokens, inputs, outputs, rank, scale, lr in ((7, 5, 4, 3, 0.7, 0.2), (6, 3, 5, 2, 4.0, 0.05)):
        sizes = ((rank, inputs), (outputs, rank), (tokens, inputs), (tokens, outputs))
        found += answer(*(rng.normal(size=size) for size in sizes), scale, lr)
    return found


def ranks(answer):
    rng = np.random.default_rng(1)
    wide, flat = rng.normal(size=(9, 14)), rng.normal(size=(8, 8)) * 0.5 ** np.arange(8)
    thin = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 7))
    shares = (0.3, 0.5, 0.75, 0.9, 0.99)
    return [answer(update, share) for update in (wide, flat, thin) for share in shares]


EXERCISES = [
    Exercise(
        "trained_share",
        "an adapter is two thin matrices: rank columns, and rank rows.",
        {
            "Two strips, side by side: their numbers add up.": "(rows + columns) -> (rows * columns)",
            "That is rank 1: each strip is `rank` wide.": "rank * (rows + columns) -> (rows + columns)",
            "B is there, A is missing: it has rank times `in` numbers.": "(rows + columns) -> rows",
            "A is there, B is missing: it has rank times `out` numbers.": "(rows + columns) -> columns",
            "That is a mean of the shares. Add up the numbers of all matrices first, then divide.": (
                lambda shapes, rank: sum(rank * (r + c) / (r * c) for r, c in shapes) / len(shapes)
            ),
            "That is how many numbers are trained. Divide by the numbers in the matrices.": (
                "return adapters / sum(rows * columns for rows, columns in shapes) -> return adapters"
            ),
            "The adapters are what is trained, the matrices what they are compared with; do not add them.": (
                "rows * columns for rows -> rows * columns + rank * (rows + columns) for rows"
            ),
        },
        on((SMALL, 1), (SMALL, 8), (MIXED, 2), (MIXED, 3), ([(4096, 4096)], 8)),
    ),
    Exercise(
        "adapter_step",
        "both gradients first, then both steps.",
        {
            "The sign is wrong: a step goes against the gradient.": (
                "a - lr * grad_a, b - lr * grad_b -> a + lr * grad_a, b + lr * grad_b"
            ),
            "The scale stands in front of B A, so it is in both gradients.": (
                "scale * (g @ b).T -> (g @ b).T; scale * g.T -> g.T"
            ),
            "b has moved already where a's gradient needs the old one. Compute both gradients first.": (
                lambda a, b, x, g, scale, lr: (
                    a - lr * scale * (g @ (b - lr * scale * g.T @ (x @ a.T))).T @ x,
                    b - lr * scale * g.T @ (x @ a.T),
                )
            ),
            "a has moved already where b's gradient needs the old one. Compute both gradients first.": (
                lambda a, b, x, g, scale, lr: (
                    a - lr * scale * (g @ b).T @ x,
                    b - lr * scale * g.T @ (x @ (a - lr * scale * (g @ b).T @ x).T),
                )
            ),
            "g is the gradient of the loss already: its rows are added up, not averaged.": (
                "scale * (g @ b).T -> scale / len(x) * (g @ b).T; scale * g.T -> scale / len(x) * g.T"
            ),
            "a stands still only in the first step, when b is 0.": "a - lr * grad_a -> a",
            "You return the gradients. Take the step.": "a - lr * grad_a, b - lr * grad_b -> grad_a, grad_b",
            "The learning rate is missing.": "lr * grad_a -> grad_a; lr * grad_b -> grad_b",
            "Return a first, then b.": (
                "return a - lr * grad_a, b - lr * grad_b -> return b - lr * grad_b, a - lr * grad_a"
            ),
        },
        one_step,
        returns=2,
    ),
    Exercise(
        "enough",
        "the squares of the singular values, added up from the largest.",
        {
            "Add up the squares of the singular values, not the values.": "** 2 -> ** 1",
            "One rank short: that cut keeps less than wanted.": "1 + int -> int",
            "One rank too many: count from 1, and stop as soon as it is enough.": "1 + int -> 2 + int",
            "That counts the cuts that are good enough. Which is the first of them?": (
                "1 + int((kept < share).sum()) -> int((kept >= share).sum())"
            ),
            "Divide by the sum of all squares: the share is a part of it.": "/ squares.sum() ->",
            "A cut keeps all products up to its rank: add up.": "np.cumsum(squares) -> squares",
            "That is how many singular values exceed a part of the largest. Wanted is a part of the sum of squares.": (
                lambda update, share: int(
                    (lambda s: (s > (1 - share) * s[0]).sum())(np.linalg.svd(update, compute_uv=False))
                )
            ),
            "That is the share of the root of the sum of squares. The sum itself is wanted.": (
                "np.cumsum(squares) / squares.sum() -> np.sqrt(np.cumsum(squares) / squares.sum())"
            ),
        },
        ranks,
    ),
]
