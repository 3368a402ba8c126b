"""Exercises of the lesson on second-order methods."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def data_sets():
    rng = np.random.default_rng(0)
    theta, x = np.array([0.8, -0.5, 1.2]), rng.normal(size=(9, 3))
    y = rng.poisson(3.0, 9).astype(float)
    return (theta, x, y), (-0.7 * theta, x[:5], y[4:])


def saddles():
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    curvatures = np.array([[5.0, -0.5, 2.0], [-0.3, -1.0, -0.01], [1.0, 4.0, 9.0]])
    return [(rng.normal(size=3), (axes * c) @ axes.T) for c in curvatures]


STEP = "axes @ ((axes.T @ g) / np.abs(curvature))"

EXERCISES = [
    Exercise(
        "poisson_newton",
        "what are the first and the second derivative of the loss by z?",
        {
            "The sign is wrong: Newton's step goes against the gradient.": "theta - np -> theta + np",
            "Your Hessian has no weights: each example counts with its second derivative.": "(x.T * rate) -> x.T",
            "p (1 - p) is the weight of the logistic loss. Differentiate this one.": (
                "x.T * rate -> x.T * (rate * (1 - rate))"
            ),
            "The targets are no curvature: y z has no second derivative.": "x.T * rate -> x.T * y",
            "rate - y is the first derivative; the Hessian wants the second.": "x.T * rate -> x.T * (rate - y)",
            "A mean gradient meets a summed Hessian: divide both, or neither.": "(rate - y) -> (rate - y) / len(y)",
            "The gradient lacks the targets: the derivative of y z by z is y.": "(rate - y) -> rate",
            "That is a gradient step with a summed gradient: the Hessian is missing.": (
                "np.linalg.solve((x.T * rate) @ x, x.T @ (rate - y)) -> x.T @ (rate - y)"
            ),
            "You multiplied by the Hessian: its inverse is wanted, so solve.": (
                "np.linalg.solve((x.T * rate) @ x, x.T @ (rate - y)) -> (x.T * rate) @ x @ (x.T @ (rate - y))"
            ),
            "That is the step alone: add it to theta.": "return theta - -> return -",
        },
        on(*data_sets()),
    ),
    Exercise(
        "cg_steps",
        "what does line 5 say about equal curvatures, and on which axes is there anything to solve?",
        {
            "d is the limit, not the number: look for equal curvatures.": lambda curvatures, b: len(b),
            "You count every curvature, also where b is 0 and there is nothing to do.": "if target != 0 ->",
            "You count the axes where b is not 0, but equal curvatures share one step.": (
                "{h for -> [h for; != 0} -> != 0]"
            ),
            "A negative entry of b is something to solve, too: ask whether it is 0.": "!= 0 -> > 0",
            "Curvatures that differ by a fraction are different: do not round them.": "{h for -> {int(h) for",
            "An axis on which b is 0 needs no step, but its curvature may be needed on another.": (
                lambda curvatures, b: len(set(curvatures) - set(curvatures[b == 0]))
            ),
            "Not the entries of b have to differ, but the curvatures.": "{h for -> {target for",
            "One too many: a polynomial of degree k has k roots, and 0 steps suffice for b = 0.": (
                "return -> return 1 +"
            ),
            "One too few: each different curvature needs a root of its own.": "return -> return -1 +",
        },
        on(
            (np.array([1.0, 4.0, 1.0, 4.0, 9.0, 2.0, 9.0]), np.array([3.0, 2.0, -3.0, 1.0, 0.0, 0.0, 5.0])),
            (np.array([7.0, 7.0001, 3.0, 3.0]), np.array([-2.0, 1e-6, -4.0, 0.0])),
            (np.full(4, 5.0), np.array([1.0, 2.0, 3.0, 0.0])),
            (np.array([1.0, 2.0, 3.0]), np.ones(3)),
            (np.array([1.0, 2.0, 3.0]), np.zeros(3)),
        ),
    ),
    Exercise(
        "saddle_free",
        "for which sign of the curvature does line 4's step go the wrong way?",
        {
            "That is Newton's own step: uphill where the curvature is negative.": "np.abs(curvature) -> curvature",
            "A negative curvature is not a tiny positive one: the step length is g over its size.": (
                "np.abs(curvature) -> np.maximum(curvature, 1e-8)"
            ),
            "The sign is wrong: you go uphill along every axis.": "-axes -> axes",
            "np.abs of the entries of h is another matrix: take it of the eigenvalues.": lambda g, h: (
                -np.linalg.solve(np.abs(h), g)
            ),
            "The step is still in the eigenvectors' axes: turn it back.": "-axes @ -> -",
            "The eigenvectors are the columns: you turned the wrong way.": "-axes -> -axes.T; axes.T @ g -> axes @ g",
            "Turn g into the eigenvectors' axes before you divide.": "axes.T @ g -> g",
            "Flip signs along the eigenvectors, not along theta's own axes.": lambda g, h: (
                -np.sign(g) * np.abs(np.linalg.solve(h, g))
            ),
            "You leave out the axes of negative curvature; they are the way off a saddle.": (
                "np.abs(curvature) -> np.where(curvature > 0, curvature, np.inf)"
            ),
            "Longer where the curvature is larger? Newton divides by it.": "/ np.abs -> * np.abs",
        },
        on(*saddles()),
    ),
]
