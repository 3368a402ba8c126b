"""Exercises of the lesson on how loss and optimizer interact."""

import numpy as np

from lessons_lib.exercises import Exercise, on

THETA = np.array([[1.0, -2.0, 0.5], [0.3, 4.0, -1.0]])
SLOPE = np.array([[0.7, -0.1, 2.0], [1.5, 0.0, -0.4]])
SLOPES = np.array([0.3, -2.0, 1e-3, 0.05, 0.8, 7.0, -0.01])

EXERCISES = [
    Exercise(
        "undo",
        "what do the two derivations put in the place of lr and of eps?",
        {
            "SGD's rate acts like c lr: to get the old one back, divide.": "lr / c -> lr * c",
            "Adam's eps acts like eps / c: to get the old one back, multiply.": "eps * c -> eps / c",
            "Both are the wrong way round: SGD's rate acts like c lr, Adam's eps like eps / c.": (
                "lr / c -> lr * c; eps * c -> eps / c"
            ),
            "SGD notices every factor: its rate must change.": "lr / c -> lr",
            "Adam's eps acts like eps / c: it must change as well, if the path is to be exactly the old one.": (
                "eps * c -> eps"
            ),
            "SGD's step has the gradient once, so the factor once, not its square.": "lr / c -> lr / c**2",
            "eps is added to the root of the squares: the factor enters once.": "eps * c -> eps * c**2",
            "Return SGD's rate first, then Adam's eps.": "lr / c, eps * c -> eps * c, lr / c",
        },
        on((0.5, 1e-8, 100.0), (0.01, 1e-3, 0.02), (3.0, 0.2, 7.0)),
        returns=2,
    ),
    Exercise(
        "scaleless_step",
        "divide the gradient by its length.",
        {
            "The sign is wrong: step against the gradient.": "theta - lr -> theta + lr",
            "Every number has its own length here, so the step is longer than lr. Take one for the whole array.": (
                lambda theta, g, lr: theta - lr * np.sign(g)
            ),
            "That divides by the squared length: the root is missing.": "np.sqrt(np.sum(g**2)) -> np.sum(g**2)",
            "Add the squares. Their mean makes the step longer by the root of their number.": "np.sum -> np.mean",
            "Where the gradient is 0 you divide 0 by 0.": "if size > 0 else theta ->",
            "That is gradient descent: its step grows with the factor.": "lr * g / size -> lr * g",
            "That clips: a short gradient keeps its length, and a factor below 1 shortens it.": (
                "/ size -> / max(size, 1)"
            ),
            "With an epsilon in the divisor a small loss shortens the step again.": "/ size -> / (size + 1e-8)",
            "That is the sum of the absolute values, not the length.": "np.sqrt(np.sum(g**2)) -> np.sum(np.abs(g))",
            "That is the largest number, not the length.": "np.sqrt(np.sum(g**2)) -> np.max(np.abs(g))",
        },
        on(
            (THETA, SLOPE, 0.3),
            (THETA, 1e-14 * SLOPE, 0.3),
            (THETA, 1e6 * SLOPE, 2.0),
            (THETA, 0 * SLOPE, 0.3),
            (THETA[0], SLOPE[0], 0.1),
        ),
    ),
    Exercise(
        "half_speed",
        "first for one parameter: at which c is its step half a learning rate?",
        {
            "Upside down: the larger the gradient, the smaller the factor that it bears.": (
                "eps / np.median(np.abs(g)) -> np.median(np.abs(g)) / eps"
            ),
            "Gradients have signs, steps have lengths: take absolute values first.": "np.abs(g) -> g",
            "First the absolute values, then their median.": "np.median(np.abs(g)) -> np.abs(np.median(g))",
            "The mean is not the middle one: a few large gradients pull it up.": "np.median -> np.mean",
            "At that factor all of them are at half speed or slower.": "np.median -> np.max",
            "At that factor only the slowest one is at half speed.": "np.median -> np.min",
            "At half a learning rate c |g| is equal to eps, not to half of it.": "eps / -> eps / 2 /",
            "At half a learning rate c |g| is equal to eps, not to twice that.": "eps / -> 2 * eps /",
        },
        on((SLOPES, 1e-8), (-SLOPES[2:], 1e-3), (SLOPES[[0, 4, 6]], 0.5)),
    ),
]
