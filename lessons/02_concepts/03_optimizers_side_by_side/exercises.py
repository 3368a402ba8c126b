"""Exercises of the lesson that puts seven optimizers side by side."""

import numpy as np

from lessons_lib.exercises import Exercise, on
from lessons_lib.landscapes import himmelblau, quadratic, three_hump_camel


def walks(answer):
    """Newton on a bowl, between bumps, with too few steps, near a minimum, and at it."""
    bowl, bumps, camel = quadratic(2.0, 30.0), himmelblau(), three_hump_camel()
    trials = [
        (np.array([3.0, -1.0]), bowl, 1e-3, 5),
        (np.array([4.5, 3.5]), bumps, 0.01, 20),
        (np.array([2.5, 1.5]), bumps, 5.0, 20),
        (np.array([6.0, 4.0]), bumps, 0.01, 2),
        (np.array([-0.5, 0.75]), camel, 0.01, 9),
        (np.array([0.45, 0.03]), bowl, 1.0, 3),
        (np.array([0.0, 0.0]), bowl, 0.0, 4),
    ]
    found = [answer(theta, land.gradient, land.hessian, *rest) for theta, land, *rest in trials]
    return [part for theta, steps in found for part in (theta, steps)]


def steps_with_a_mean(answer):
    """Five steps, each with another Hessian, gradient and rate: every theta and every mean."""
    rng = np.random.default_rng(0)
    theta, mean, seen = np.array([1.0, -2.0, 0.5]), 2 * np.eye(3), []
    for t in range(1, 6):
        rows = rng.normal(size=(4, 3))
        h = rows.T @ rows / 2 + 0.5 * np.eye(3)
        theta, mean = map(np.asarray, answer(theta, rng.normal(size=3), h, mean, t, rng.uniform(0.1, 0.9)))
        seen += [theta, mean]
    return seen


EXERCISES = [
    Exercise(
        "gd_steps",
        "derivation 2 has the factor of one step.",
        {
            "The loss is the square of the distance: it falls by the factor squared.": (
                "(2 * np.log(factor)) -> np.log(factor)"
            ),
            "Not quite: at n steps the loss has the factor to the power 2 n, so divide by 2.": (
                "(2 * np.log(factor)) -> (np.log(factor) / 2)"
            ),
            "Rounded down, the loss is still above the share.": "np.ceil -> np.floor",
            "A number of steps is whole: round up.": (
                "int(np.ceil(np.log(share) / (2 * np.log(factor)))) -> np.log(share) / (2 * np.log(factor))"
            ),
            "That is the factor at the rate 1 over the steepest curvature. The best rate is larger.": (
                "(kappa - 1) / (kappa + 1) -> 1 - 1 / kappa"
            ),
            "That is momentum's factor at its best: here the condition number enters as it is.": (
                "(kappa - 1) / (kappa + 1) -> (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)"
            ),
            "One step too many.": "return int(np.ceil( -> return 1 + int(np.ceil(",
        },
        on((100.0, 1e-6), (2.5, 0.01), (40.0, 0.3), (1000.0, 1e-3), (1.5, 1e-6)),
    ),
    Exercise(
        "newton_until",
        "first the test, then the step.",
        {
            "The sign is wrong: Newton's step goes against the solution.": "theta - np -> theta + np",
            "That is gradient descent with the rate 1. Solve with the Hessian.": (
                "np.linalg.solve(hessian(theta), g) -> g"
            ),
            "You multiplied by the Hessian. Its inverse is wanted: solve.": (
                "np.linalg.solve(hessian(theta), g) -> hessian(theta) @ g"
            ),
            "A large negative slope is no reason to stop: take the size of each number.": (
                "np.abs(g).max() -> g.max()"
            ),
            "Every number of the gradient must be small, not just one.": ".max() -> .min()",
            "At most the tolerance: equality is allowed.": "<= -> <",
            "Your count is one too high: when the test succeeds, step steps have been taken.": (
                "theta, step -> theta, step + 1"
            ),
            "When the steps are used up, their number is `most`.": "theta, most -> theta, step",
            "Return theta first, then the number of steps.": ("theta, step -> step, theta; theta, most -> most, theta"),
            "The test is on the size of the largest number, not on the gradient's length or a sum.": (
                "np.abs(g).max() -> np.linalg.norm(g)"
            ),
        },
        walks,
        returns=2,
    ),
    Exercise(
        "mean_newton",
        "first the new mean, then the step with it.",
        {
            "You solve with this batch's Hessian. The mean is what survives the noise.": (
                "solve(mean, g) -> solve(h, g)"
            ),
            "You solve with the old mean. Update it first.": (
                "mean = mean + (h - mean) / t -> new = mean + (h - mean) / t; , mean -> , new"
            ),
            "That is a sum of Hessians, not their mean: it makes the steps shorter and shorter.": (
                "(h - mean) / t -> h"
            ),
            "The old mean stands for t - 1 batches: the new Hessian moves it by a t-th of the difference.": (
                "(h - mean) / t -> (h - mean) / (t + 1)"
            ),
            "The mean of two numbers each time forgets the old batches: weigh the new one by 1 / t.": (
                "mean + (h - mean) / t -> (mean + h) / 2"
            ),
            "The sign is wrong: the step goes against the solution.": "theta - rate -> theta + rate",
            "The rate is missing: Newton's full step is too long on a batch.": "rate * np -> np",
            "Return the mean of the Hessians as well as theta, in this order.": (
                "theta - rate * np.linalg.solve(mean, g), mean -> mean, theta - rate * np.linalg.solve(mean, g)"
            ),
        },
        steps_with_a_mean,
        returns=2,
    ),
]
