"""Exercises of the lesson on second-order methods, with the wrong answers that they recognise."""

from itertools import groupby

import numpy as np

from lessons_lib.exercises import Exercise


def _counts():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, 3))
    return np.array([0.8, -0.5, 1.2]), x, rng.poisson(3.0, 9).astype(float)


def _newton(theta, x, y, *, weights=lambda rate, y: rate, sign=-1, mean=(), diagonal=False, penalty=(0, 0)):
    rate = np.exp(x @ theta)
    g, h = x.T @ (rate - y), (x.T * weights(rate, y)) @ x
    g, h = (part / (len(y) if name in mean else 1) for name, part in (("g", g), ("h", h)))
    h = np.diag(np.diag(h)) if diagonal else h
    g, h = g + penalty[0] * theta, h + penalty[1] * np.eye(len(theta))
    return theta + sign * np.linalg.solve(h, g)


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _wrong(**slip):
    return lambda *args: _newton(*args, **slip)


def _two_data_sets(answer):
    theta, x, y = _counts()
    return [answer(theta.copy(), x.copy(), y.copy()), answer(-0.7 * theta, x[:5].copy(), y[4:].copy())]


poisson = Exercise(
    "poisson_newton",
    "what are the first and the second derivative of the loss by z?",
    {
        "The sign is wrong: Newton's step goes against the gradient.": _wrong(sign=1),
        "Your Hessian has no weights: each example counts with its second derivative.": _wrong(
            weights=lambda rate, y: np.ones_like(rate)
        ),
        "p (1 - p) is the weight of the logistic loss. Differentiate this one.": _wrong(
            weights=lambda rate, y: rate * (1 - rate)
        ),
        "The sigmoid belongs to the logistic loss: the derivative of exp(z) is exp(z).": lambda theta, x, y: (
            theta - np.linalg.solve((x.T * (p := _sigmoid(x @ theta)) * (1 - p)) @ x, x.T @ (p - y))
        ),
        "Your Hessian is that of the logistic loss: the second derivative of exp(z) is exp(z).": _wrong(
            weights=lambda rate, y: rate / (1 + rate) ** 2
        ),
        "The targets are no curvature: y z has no second derivative.": _wrong(weights=lambda rate, y: y),
        "rate - y is the first derivative; the Hessian wants the second.": _wrong(weights=lambda rate, y: rate - y),
        "Squares of rate - y are only an estimate of the curvature: differentiate once more.": _wrong(
            weights=lambda rate, y: (rate - y) ** 2
        ),
        "A mean gradient meets a summed Hessian: divide both, or neither.": _wrong(mean="g"),
        "A summed gradient meets a mean Hessian: divide both, or neither.": _wrong(mean="h"),
        "The 0.001 is the tumours' penalty: this J has none.": _wrong(mean="gh", penalty=(0.001, 0.001)),
        "The 0.001 in the Hessian is the tumours' penalty: this J has none.": _wrong(mean="gh", penalty=(0, 0.001)),
        "The 0.001 on your summed Hessian is the tumours' penalty: this J has none.": _wrong(penalty=(0, 0.001)),
        "The gradient lacks the targets: the derivative of y z by z is y.": lambda theta, x, y: _newton(
            theta, x, 0 * y
        ),
        "You kept only the diagonal of the Hessian.": _wrong(diagonal=True),
        "That is a gradient step with rate 1: the Hessian is missing.": lambda theta, x, y: (
            theta - x.T @ (np.exp(x @ theta) - y) / len(y)
        ),
        "That is a gradient step with a summed gradient: the Hessian is missing.": lambda theta, x, y: (
            theta - x.T @ (np.exp(x @ theta) - y)
        ),
        "You multiplied by the Hessian: its inverse is wanted, so solve.": lambda theta, x, y: (
            theta - (x.T * np.exp(x @ theta)) @ x @ x.T @ (np.exp(x @ theta) - y) / len(y) ** 2
        ),
        "That is a step of least squares: here z stands in an exponential.": lambda theta, x, y: np.linalg.lstsq(
            x, y, rcond=None
        )[0],
        "That is the step alone: add it to theta.": lambda theta, x, y: _newton(theta, x, y) - theta,
    },
    _two_data_sets,
)


def _steps(curvatures, b):
    return len({h for h, target in zip(curvatures, b, strict=True) if target != 0})


def _systems(answer):
    return [
        answer(np.array(h), np.array(b))
        for h, b in (
            ([1.0, 4.0, 1.0, 4.0, 9.0, 2.0, 9.0], [3.0, 2.0, -3.0, 1.0, 0.0, 0.0, 5.0]),
            ([7.0, 7.0001, 3.0, 3.0], [-2.0, 1e-6, -4.0, 0.0]),
            ([5.0, 5.0, 5.0, 5.0], [1.0, 2.0, 3.0, 0.0]),
            ([1.0, 2.0, 3.0], [1.0, 1.0, 1.0]),
            ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]),
        )
    ]


steps = Exercise(
    "cg_steps",
    "what does line 5 say about equal curvatures, and on which axes is there anything to solve?",
    {
        "d is the limit, not the number: look for equal curvatures.": lambda h, b: len(h),
        "You count every curvature, also where b is 0 and there is nothing to do.": lambda h, b: len(set(h)),
        "You count the axes where b is not 0, but equal curvatures share one step.": lambda h, b: np.count_nonzero(b),
        "A negative entry of b is something to solve, too: ask whether it is 0.": lambda h, b: len(set(h[b > 0])),
        "Curvatures that differ by a fraction are different: do not round them.": lambda h, b: len(
            {int(x) for x in h[b != 0]}
        ),
        "An axis on which b is 0 needs no step, but its curvature may be needed on another.": lambda h, b: len(
            set(h) - set(h[b == 0])
        ),
        "Equal curvatures need not be neighbours: count each value once.": lambda h, b: len(list(groupby(h[b != 0]))),
        "Entries of b on equal curvatures do not cancel: one that is not 0 is enough.": lambda h, b: sum(
            b[h == x].sum() != 0 for x in set(h)
        ),
        "The smaller of two counts is only a limit: look at the curvatures where b is not 0.": lambda h, b: min(
            len(set(h)), np.count_nonzero(b)
        ),
        "Not the entries of b have to differ, but the curvatures.": lambda h, b: len({x for x in b if x != 0}),
        "One too many: a polynomial of degree k has k roots, and 0 steps suffice for b = 0.": lambda h, b: (
            _steps(h, b) + 1
        ),
        "One too few: each different curvature needs a root of its own.": lambda h, b: _steps(h, b) - 1,
    },
    _systems,
)


def _flee(g, h, *, size=np.abs, sign=-1, back=True, transposed=False):
    curvature, axes = np.linalg.eigh(h)
    axes = axes.T if transposed else axes
    step = (axes.T @ g) / size(curvature)
    return sign * (axes @ step if back else step)


def _landscape(answer):
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    curvatures = np.array([[5.0, -0.5, 2.0], [-0.3, -1.0, -0.01], [1.0, 4.0, 9.0]])
    return [answer(rng.normal(size=3), (axes * c) @ axes.T) for c in curvatures]


saddle = Exercise(
    "saddle_free",
    "for which sign of the curvature does line 4's step go the wrong way?",
    {
        "That is Newton's own step: uphill where the curvature is negative.": lambda g, h: -np.linalg.solve(h, g),
        "That is Newton's own step without its minus, and uphill along every good axis.": lambda g, h: np.linalg.solve(
            h, g
        ),
        "A negative curvature is not a tiny positive one: the step length is g over its size.": lambda g, h: _flee(
            g, h, size=lambda c: np.maximum(c, 1e-8)
        ),
        "The sign is wrong: you go uphill along every axis.": lambda g, h: _flee(g, h, sign=1),
        "np.abs of the entries of h is another matrix: take it of the eigenvalues.": lambda g, h: (
            -np.linalg.solve(np.abs(h), g)
        ),
        "The step is still in the eigenvectors' axes: turn it back.": lambda g, h: _flee(g, h, back=False),
        "The eigenvectors are the columns: you turned the wrong way.": lambda g, h: _flee(g, h, transposed=True),
        "You turned twice the same way: axes.T @ g is the way there, axes @ is the way back.": lambda g, h: (
            lambda c, axes: -axes @ ((axes @ g) / np.abs(c))
        )(*np.linalg.eigh(h)),
        "You turned with axes.T twice: the way back is axes @.": lambda g, h: (
            lambda c, axes: -axes.T @ ((axes.T @ g) / np.abs(c))
        )(*np.linalg.eigh(h)),
        "The curvatures belong to the eigenvectors' axes, g to theta's: turn g before you divide, then back.": (
            lambda g, h: -g / np.abs(np.linalg.eigvalsh(h))
        ),
        "Turn g into the eigenvectors' axes before you divide.": lambda g, h: (lambda c, axes: -axes @ (g / np.abs(c)))(
            *np.linalg.eigh(h)
        ),
        "Flip signs along the eigenvectors, not along theta's own axes.": lambda g, h: (
            -np.sign(g) * np.abs(np.linalg.solve(h, g))
        ),
        "You leave out the axes of negative curvature; they are the way off a saddle.": lambda g, h: _flee(
            g, h, size=lambda c: np.where(c > 0, c, np.inf)
        ),
        "Each axis has its own sign: turning the whole step round also turns the good axes.": lambda g, h: (
            -np.linalg.solve(h, g) * -np.sign(-np.linalg.solve(h, g) @ g)
        ),
        "Longer where the curvature is larger? Newton divides by it.": lambda g, h: _flee(
            g, h, size=lambda c: 1 / np.abs(c)
        ),
        "Downhill means against the slope: the sign of each part of g must stay in.": lambda g, h: (
            lambda c, axes: -axes @ np.abs((axes.T @ g) / c)
        )(*np.linalg.eigh(h)),
        "A damping shifts all curvatures; here each keeps its own size.": lambda g, h: (
            -np.linalg.solve(h - 2 * min(0.0, np.linalg.eigvalsh(h)[0]) * np.eye(len(g)), g)
        ),
    },
    _landscape,
)

EXERCISES = [poisson, steps, saddle]
