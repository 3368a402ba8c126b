"""Exercises of the lesson on what makes a loss good."""

import numpy as np

from lessons_lib.exercises import Exercise, on

P = np.array([0.7, 0.2, 0.95, 0.4, 0.05, 0.5])
Y = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0])


RULES = {
    "squared": lambda p, y: (p - y) ** 2,
    "fourth_power": lambda p, y: (p - y) ** 4,
    "cross_entropy": lambda p, y: -np.log(1 - abs(p - y)),
    "root": lambda p, y: -np.sqrt(1 - abs(p - y)),
    "squared_and_a_fee": lambda p, y: (p - y) ** 2 + p / 10,
    "squared_and_a_bonus": lambda p, y: (p - y) ** 2 + 0.3 * y * (1 - p),
    "power_1_5": lambda p, y: abs(p - y) ** 1.5,
    "minus_p": lambda p, y: -p,  # the end of the grid is cheapest, whatever is true
}
for name, rule in RULES.items():
    rule.__name__ = name  # what the check shows of an input


def rules(answer):
    """The largest lie under proper and improper rules."""
    return [answer(rule) for rule in RULES.values()]


EXERCISES = [
    Exercise(
        "saved",
        "two mean losses: that of p = q, and that of the cheapest p.",
        {
            "That is what honesty costs; subtract what the best forecast costs.": "honest - lie -> honest",
            "That is what the best forecast costs; subtract it from what honesty costs.": "honest - lie -> lie",
            "The sign is wrong: the lie is the cheaper one.": "honest - lie -> lie - honest",
            "That is right for q above one half; below it the best forecast is 0 and costs q.": (
                "np.minimum(q, 1 - q) -> 1 - q"
            ),
            "That is right for q below one half; above it the best forecast is 1 and costs 1 - q.": (
                "np.minimum(q, 1 - q) -> q"
            ),
            "You took the dearest forecast; the best one costs the smaller share.": "np.minimum -> np.maximum",
            "Honesty is wrong in two ways: it pays 1 - q for the share q, and q for the share 1 - q.": (
                "2 * q * (1 - q) -> q * (1 - q)"
            ),
        },
        on((np.array([0.7, 0.3, 0.9, 0.45]),), (np.array([0.5, 0.01, 0.62]),)),
    ),
    Exercise(
        "spherical",
        "the loss for y = 1 first, then for y = 0; then the slope of each.",
        {
            "A loss is small where the forecast was good: minus the probability.": "-given / n -> given / n",
            "The loss takes the probability of what happened: 1 - p where y is 0.": ("y * p + (1 - y) * (1 - p) -> p"),
            "Divide by the root, not by the sum of squares.": "-given / n, -> -given / n**2,",
            "The root is missing.": "np.sqrt(p**2 + (1 - p) ** 2) -> p**2 + (1 - p) ** 2",
            "In the slope n stands to the third power.": "n**3 -> n",
            "In the slope n stands to the third power, not the second.": "n**3 -> n**2",
            "The slope's sign is wrong: for y = 1 a larger p lowers the loss.": "(p - y) / n -> (y - p) / n",
            "That is the slope with n held fast. But n changes with p too: use the rule for quotients.": (
                "(p - y) / n**3 -> (1 - 2 * y) / n"
            ),
            "That is the squared error's slope.": "(p - y) / n**3 -> 2 * (p - y)",
            "Return the loss first, then its slope.": "-given / n, (p - y) / n**3 -> (p - y) / n**3, -given / n",
        },
        on((P, Y), (P[::-1], Y), (P**2, 1 - Y)),
        returns=2,
    ),
    Exercise(
        "largest_lie",
        "for one true share: the mean loss of every p on the grid, and where it is least.",
        {
            "That is the dearest forecast: look for the least mean loss.": "np.argmin -> np.argmax",
            "The label 1 comes with the share q, the label 0 with 1 - q.": "q * loss(p, 1) + (1 - q) * loss(p, 0) -> "
            "(1 - q) * loss(p, 1) + q * loss(p, 0)",
            "The mean has both labels: a share 1 - q of the tumours has the label 0.": (
                "q * loss(p, 1) + (1 - q) * loss(p, 0) -> q * loss(p, 1)"
            ),
            "Both labels count, each with its share.": (
                "q * loss(p, 1) + (1 - q) * loss(p, 0) -> loss(p, 1) + loss(p, 0)"
            ),
            "A lie can go down as well as up: take its size.": "np.abs(best - p) -> best - p",
            "The largest lie, not the mean one.": "np.max -> np.mean",
            "Upward and downward lies cancel in your mean.": "np.max(np.abs(best - p)) -> np.mean(best - p)",
            "That is the square of the lie.": "np.abs(best - p) -> (best - p) ** 2",
            "That is the index of the cheapest forecast: take p there.": (
                "p[np.argmin(q * loss(p, 1) + (1 - q) * loss(p, 0))] -> "
                "np.argmin(q * loss(p, 1) + (1 - q) * loss(p, 0))"
            ),
            "Search all true shares: at one half even an improper rule can be honest.": (
                "for q in p -> for q in 0 * p + 0.5; best - p -> np.array(best) - 0.5"
            ),
        },
        rules,
    ),
]
