"""Exercises of the lesson on model and objective."""

import numpy as np

from lessons_lib.exercises import Exercise, on

X = np.array([0.3, -0.4, 1.7, 0.9, 2.2])
Y = np.array([1.0, 0.2, 2.5, -0.7, 3.1])

EXERCISES = [
    Exercise(
        "count_parameters",
        "two neighbouring layers: how many weights, how many biases?",
        {
            "The biases are missing: one for each unit.": "(widths[i] + 1) -> widths[i]",
            "A bias belongs to each unit of the later layer, not of the earlier one.": (
                "(widths[i] + 1) * widths[i + 1] -> widths[i] * (widths[i + 1] + 1)"
            ),
            "Each unit has a bias of its own, not each layer one.": (
                "(widths[i] + 1) * widths[i + 1] -> (widths[i] * widths[i + 1] + 1)"
            ),
            "Those are units and inputs. The weights lie between two layers: the product of their widths.": (
                lambda widths: sum(widths)
            ),
            "The inputs have no biases: they come from outside.": (
                "(widths[i] + 1) * widths[i + 1] -> widths[i] * widths[i + 1]; "
                "range(len(widths) - 1)) -> range(len(widths) - 1)) + sum(widths)"
            ),
            "Add what lies between neighbours; do not multiply all layers.": lambda widths: np.prod(widths),
            "The last layer is missing.": "range(len(widths) - 1) -> range(len(widths) - 2)",
            "The first layer's parameters are missing.": "range(len(widths) - 1) -> range(1, len(widths) - 1)",
        },
        on(([10, 16, 1],), ([3, 2],), ([7, 5, 4, 3],), ([1, 1],), ([2, 8, 8, 5, 1],)),
    ),
    Exercise(
        "my_objective",
        "derivations 1 and 2.",
        {
            "That is the sum over the patients. Take the mean, in all three numbers.": "np.mean -> np.sum",
            "The slope of the penalty is missing: 2 lam theta_1 in the first slope.": "+ 2 * lam * theta[0], -> ,",
            "The penalty is missing in the value.": "np.mean(r**2) + lam * theta[0] ** 2 -> np.mean(r**2)",
            "In the slope by the rise each error is multiplied by its x.": "np.mean(r * x) -> np.mean(r)",
            "The base is not penalised here, only the rise.": (
                "2 * np.mean(r)] -> 2 * np.mean(r) + 2 * lam * theta[1]]; "
                "lam * theta[0] ** 2, -> lam * (theta[0] ** 2 + theta[1] ** 2),"
            ),
            "The slope of a square has a factor 2.": "2 * np.mean(r -> np.mean(r; 2 * lam * -> lam *",
            "The sign of the gradient is wrong: the error is prediction less target.": (
                "[2 * np.mean(r * x) -> [-2 * np.mean(r * x); 2 * np.mean(r)] -> -2 * np.mean(r)]"
            ),
            "The penalty is a square too: its slope is 2 lam theta_1.": "2 * lam * theta[0], -> lam * theta[0],",
            "Square each error first, then take the mean.": "np.mean(r**2) -> np.mean(r) ** 2",
            "The penalty is no example: it is not divided by their number.": (
                "2 * lam * theta[0], -> 2 * lam / len(x) * theta[0],; "
                "lam * theta[0] ** 2, -> lam / len(x) * theta[0] ** 2,"
            ),
        },
        on(
            (np.array([1.5, -0.4]), X, Y, 0.7),
            (np.array([-2.0, 3.0]), X[:3], Y[:3], 2.5),
            (np.array([0.6, 0.8]), X[1:], Y[1:], 0.3),
        ),
        returns=2,
    ),
    Exercise(
        "same_line",
        "multiply the whole objective by N, then write it with the other rise.",
        {
            "The sum is done; now the unit: her rise is his divided by k, and the penalty is its square.": "* k**2 ->",
            "The unit is done; now the sum: it is N times the mean.": "lam * N * -> lam *",
            "The rise enters the penalty as a square, and so does k.": "k**2 -> k",
            "Upside down in k: with a large x the rise is small, its square costs little: the factor must grow.": (
                "* k**2 -> / k**2"
            ),
            "The unit enters upside down, and its square is missing: the rise is squared.": "* k**2 -> / k",
            "Upside down in N: against a sum the penalty must be larger.": "lam * N -> lam / N",
            "N enters once: her sum is N times his mean, and the penalty must grow with it.": "* N * -> * N**2 *",
            "Both the sum and the unit matter as soon as there is a penalty.": lambda lam, N, k: lam,
        },
        on((0.1, 310, 10.0), (0.7, 5, 0.2), (2.0, 17, 3.0)),
    ),
]
