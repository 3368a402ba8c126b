"""The warm-up on the start page."""

import numpy as np

from lessons_lib.exercises import Exercise, on

EXERCISES = [
    Exercise(
        "warm_up",
        "replace the three dots by: return a + b",
        {
            "That is the difference. The check knows this mistake; now return the sum.": lambda a, b: a - b,
            "That is the product.": lambda a, b: a * b,
            "That adds up all the numbers of both; keep one number per place.": lambda a, b: np.sum(a + b),
        },
        on(
            (np.array([1.0, 2.0]), np.array([10.0, 30.0])),
            (np.array([[-0.5], [7.0]]), np.array([[4.0], [0.25]])),
        ),
    )
]
