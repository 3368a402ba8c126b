"""Exercises of the lesson on small terms in large models."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(0)
H, THETA = RNG.normal(size=(5, 3)), RNG.normal(size=(11, 3))
FAR = np.array([[900.0, 1.0, 0.0], [-800.0, 2.0, 1.0]])


def router(tokens, experts, seed):
    z = np.random.default_rng(seed).normal(size=(tokens, experts)) + np.arange(experts) / 2
    return np.exp(z) / np.exp(z).sum(1, keepdims=True)


MANY, FEW = router(400, 5, 1), router(90, 3, 2)
DEAD = router(60, 4, 3)[:, ::-1] * np.array([1.0, 1.2, 1.4, 0.02])
EVEN = np.eye(4)[np.arange(40) % 4]

EXERCISES = [
    Exercise(
        "floor",
        "the right word's logit as large as allowed, all others as small as allowed.",
        {
            "The other logits are not 0. They can be as low as -cap, so the gap is 2 cap.": "-2 * cap -> -cap",
            "The right word is not one of the others: there are words - 1 of those.": "(words - 1) -> words",
            "That is 1 / p. The loss is its logarithm.": (
                "np.log(1 + (words - 1) * np.exp(-2 * cap)) -> 1 + (words - 1) * np.exp(-2 * cap)"
            ),
            "The right word counts in Z too: 1 is missing.": "1 + (words - 1) -> (words - 1)",
            "That is the largest loss: there the right word has the smallest logit.": "-2 * cap -> 2 * cap",
            "All other words count, not one of them.": "(words - 1) * -> ",
            "That is the logarithm of the probability. The loss is minus it.": "np.log -> -np.log",
        },
        on((5.0, 262_144), (1.0, 10), (2.0, 50), (0.5, 2), (3.0, 32_000)),
    ),
    Exercise(
        "log_z_of_blocks",
        "keep the logarithm of the sum so far, and add each new logit to it with np.logaddexp.",
        {
            "The sum begins at 0, so its logarithm begins at minus infinity. exp(0) is one word too many.": (
                "-np.inf -> 0.0"
            ),
            "That is the largest logit, not the logarithm of the sum.": "np.logaddexp -> np.maximum",
            "Logits near 1000 overflow in exp: add in logarithms.": (
                "np.logaddexp(total, column) -> np.log(np.exp(total) + np.exp(column))"
            ),
            "That is the sum of the logits. Their exponentials are to be added.": (
                "np.logaddexp(total, column) -> np.where(np.isinf(total), column, total + column)"
            ),
            "Only the last word of the last block is left: carry the sum along.": (
                "np.logaddexp(total, column) -> column + 0"
            ),
            "That is the first block alone.": "in blocks -> in blocks[:1]",
        },
        on(
            ([H @ THETA[:4].T, H @ THETA[4:8].T, H @ THETA[8:].T],),
            ([H @ THETA.T],),
            ([FAR @ THETA[:5].T, FAR @ THETA[5:].T],),
            ([H[:2] @ THETA[i : i + 1].T for i in range(11)],),
        ),
    ),
    Exercise(
        "changes",
        "choose by score plus bias, count, compare with the limit, and only then change the bias.",
        {
            "Experts with many tokens must become less likely: the sign is wrong.": (
                "load.mean() - load) -> load - load.mean())"
            ),
            "An expert without tokens counts in the mean load too.": (
                "limit * load.mean() -> limit * load[load > 0].mean()"
            ),
            "The limit is a multiple of the mean load.": "limit * load.mean() -> limit",
            "The step has the length rate for each expert: take the sign alone.": (
                "np.sign(load.mean() - load) -> (load.mean() - load)"
            ),
            "That many counts were made. Wanted is the number of changes, one less.": "return step -> return step + 1",
            "The largest load decides, not the smallest.": "load.max() -> load.min()",
        },
        on(
            (MANY, 0.01, 1.2, 200),
            (MANY, 0.003, 1.5, 300),
            (MANY, 0.3, 1.05, 30),
            (FEW, 0.02, 1.1, 100),
            (DEAD, 0.01, 1.7, 200),
            (DEAD, 0.02, 1.9, 100),
            (EVEN, 0.1, 1.0, 9),
            (FEW, 0.05, 1.3, 2),
        ),
    ),
]
