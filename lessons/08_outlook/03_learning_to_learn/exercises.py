"""Exercises of the lesson on learning to learn."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def bowl(h, c):
    """The slope of a parabola with curvature h and its minimum at c."""
    return lambda theta: h * (theta - c)


def bent(h, c):
    """A slope that is no straight line."""
    return lambda theta: h * np.sinh(theta - c)


def chained(tasks, theta, lr, steps, rate, rounds):
    for _ in range(rounds):
        total, end = 0 * theta, theta
        for support, query in tasks:
            for _ in range(steps):
                end = end - lr * support(end)
            total = total + query(end)
        theta = theta - rate * total / len(tasks)
    return theta


def impatient(tasks, theta, lr, steps, rate, rounds):
    for _ in range(rounds):
        for support, query in tasks:
            end = theta
            for _ in range(steps):
                end = end - lr * support(end)
            theta = theta - rate * query(end) / len(tasks)
    return theta


def impatient_steps(theta, h, c, b, lr, most):
    def loss(k):
        return h @ (c + (1 - lr * h) ** k * (theta - c) - b) ** 2

    return next((k for k in range(most) if loss(k + 1) >= loss(k)), most)


PAIR = [(bowl(3.0, -1.0), bowl(3.0, -1.2)), (bowl(0.5, 2.0), bowl(0.7, 1.5))]
THREE = [*PAIR, (bent(0.8, 0.3), bent(1.1, -0.2))]

H = np.array([6.0, 1.5, 0.3])
C = np.array([1.0, -2.0, 3.0])
B = np.array([0.9, -1.4, 0.5])

EXERCISES = [
    Exercise(
        "meta_slope",
        "where do the inner steps end, and by how much does that place move when theta moves?",
        {
            "The chain rule is missing: if theta moves by 1, the end moves by r. That was first-order MAML.": (
                "h * r * (end - b) -> h * (end - b)"
            ),
            "The query loss has its minimum at b, not at c.": "(end - b) -> (end - c)",
            "The inner steps go towards c, the minimum of the support loss.": (
                "c + r * (theta - c) -> b + r * (theta - b)"
            ),
            "r is the share of the distance that is left. Where do the steps end?": (
                "c + r * (theta - c) -> r * (theta - c)"
            ),
            "The loss is judged after the steps, not at theta.": "(end - b) -> (theta - b)",
            "The slope of the query loss has the factor h.": "h * r * (end - b) -> r * (end - b)",
            "Each step leaves the share 1 - lr h: k of them leave its k-th power.": (
                "(1 - lr * h) ** k -> (1 - k * lr * h)"
            ),
            "Each step shrinks the distance.": "1 - lr * h -> 1 + lr * h",
            "The end already holds one r. The chain rule brings one more, not two.": "h * r * (end -> h * r**2 * (end",
        },
        on(
            (0.5, 2.0, 1.0, 0.6, 0.1, 3),
            (-1.0, 0.7, 2.0, -0.5, 0.3, 2),
            (4.0, 5.0, -1.0, -2.0, 0.15, 1),
            (0.0, 1.5, 3.0, 2.0, 0.2, 0),
        ),
    ),
    Exercise(
        "meta_train",
        "two loops: over the rounds, and inside over the tasks; each task begins at theta.",
        {
            "Each task begins at theta, not where the one before has ended.": chained,
            "The query gradient is wanted where the inner steps have ended.": "query(end) -> query(theta)",
            "That is the support set's gradient. The query set judges.": "query(end) -> support(end)",
            "The inner steps learn from the support set.": "lr * support(end) -> lr * query(end)",
            "A mean over the tasks, not a sum.": "/ len(tasks) ->",
            "The start moves with the rate `rate`, the inner steps with `lr`.": "rate * total -> lr * total",
            "The inner steps use the rate `lr`.": "lr * support -> rate * support",
            "The start moves once a round, after all tasks.": impatient,
            "The step goes against the gradient.": "theta - rate -> theta + rate",
            "That is Reptile, which moves theta to the ends. Here the query gradient at the end moves it.": (
                "query(end) -> (theta - end)"
            ),
        },
        on(
            (PAIR, 0.5, 0.1, 2, 0.3, 3),
            (THREE, -0.4, 0.2, 3, 0.1, 2),
            (PAIR[1:], 1.0, 0.3, 1, 0.2, 1),
            (THREE, 0.0, 0.1, 0, 0.2, 4),
        ),
    ),
    Exercise(
        "best_steps",
        "the query loss for every number of steps from 0 to most, then the place of the smallest.",
        {
            "The support loss falls with every step. The query loss has its minimum at b.": "(end - b) -> (end - c)",
            "The inner steps end near c, where the support loss is lowest.": (
                "c + left * (theta - c) -> b + left * (theta - b)"
            ),
            "Each direction has its own share left: (1 - lr h) to the power k.": (
                "(1 - lr * h) ** k -> (1 - lr * h.mean()) ** k"
            ),
            "Zero steps are allowed, and so is most.": "range(most + 1) -> range(1, most + 1)",
            "The number most is allowed too.": "range(most + 1) -> range(most)",
            "The loss weighs each direction with its curvature.": "h @ (end - b) ** 2 -> ((end - b) ** 2).sum()",
            "That is the worst number of steps.": "argmin -> argmax",
            "The loss may rise first and fall later. Try every number of steps.": impatient_steps,
            "Square the distance in each direction, then add.": "h @ (end - b) ** 2 -> abs(h @ (end - b))",
        },
        on(
            (np.zeros(3), H, C, B, 0.1, 40),
            (np.zeros(3), H, C, B, 0.05, 40),
            (np.ones(2), H[1:], C[1:], B[1:], 0.2, 30),
            (B, H, C, B, 0.1, 10),
            (np.zeros(2), H[:2], C[:2], C[:2], 0.1, 5),
            (np.zeros(2), H[[0, 2]], np.array([0.5, 5.0]), np.array([0.0, 4.0]), 0.1, 80),
        ),
    ),
]
