"""Exercises of the lesson on where Adam wins."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def turned():
    """Rotations of three axes, none of them symmetric, each with a gradient."""
    rng = np.random.default_rng(0)
    return [(np.linalg.qr(rng.normal(size=(3, 3)))[0], rng.normal(size=3)) for _ in range(4)]


EXERCISES = [
    Exercise(
        "drift",
        "how long is each step, whatever the size of its gradient, and which way does it go?",
        {
            "Down where the gradient is positive: the sum has the wrong sign.": "-np.sign -> np.sign",
            "The size of a gradient cancels; only its sign is left.": "np.sign(gradients).sum() -> np.sum(gradients)",
            "Add the steps up; that is their mean.": ".sum() -> .mean()",
            "That counts all steps as one way. They go up and down.": "-np.sign(gradients).sum() -> -len(gradients)",
            "That is the sign of the sum; each step has a sign of its own.": (
                "np.sign(gradients).sum() -> np.sign(np.sum(gradients))"
            ),
        },
        on(*((np.array(g),) for g in ([3.0, -1.0, -1.0], [5.0], [-2.0, -0.5, 1e-3, -7.0], [0.5, 4.0, -1.0, 2.0, 1.0]))),
    ),
    Exercise(
        "steps_to_halve",
        "by which factor does one step shrink the first parameter?",
        {
            "Half is left when factor ** n = 1/2, not when n times the loss of one step is 1/2.": (
                "np.log(0.5) / np.log(1 - h1 / h2) -> 0.5 * h2 / h1"
            ),
            "h1 and h2 are exchanged: the rate is 1 / h2.": "h1 <-> h2",
            "That is the number of steps to a tenth.": "np.log(0.5) -> np.log(0.1)",
            "That is for the rate 2 / h2; it is 1 / h2.": "1 - h1 / h2 -> 1 - 2 * h1 / h2",
        },
        on((1.0, 25.0), (0.1, 0.4), (3.0, 1000.0)),
    ),
    Exercise(
        "turned_step",
        "what is the gradient by phi, and how far does Adam move phi?",
        {
            "theta has to be turned back: it is Q phi.": "-q @ np.sign -> -np.sign",
            "The gradient by phi is Q transposed times g.": "q.T @ g -> q @ g",
            "That turns back with the transpose; theta is Q phi.": "-q @ -> -q.T @",
            "The sign is wrong: a step goes against the gradient.": "-q @ -> q @",
            "That is the step without turned axes.": "-q @ np.sign(q.T @ g) -> -np.sign(g)",
            "The size of phi's gradient cancels; only its sign is left.": "np.sign(q.T @ g) -> (q.T @ g)",
        },
        on(*turned()),
    ),
]
