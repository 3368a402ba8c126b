"""Exercises of the lesson on AdamW, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise

LESSON = "03_algorithms/13_adamw"
SETTING = (0.3, 0.6, 0.9, 0.5, 0.7)  # lr, beta1, beta2, eps, weight_decay: at the defaults wrong formulas look right


def _walk(answer):
    """Twenty steps along gradients of three sizes: every theta, the last m and v."""
    gradients = np.random.default_rng(0).normal(size=(20, 3)) * [0.1, 1.0, 10.0] + [0.2, 0.0, -3.0]
    theta, m, v, visited = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3), []
    for t, g in enumerate(gradients, 1):
        result = answer(theta.copy(), g.copy(), m, v, t, *SETTING)
        theta, m, v = (np.array(a, dtype=float) for a in result)
        visited.append(theta)
    return [np.array(visited), m, v]


def _step(theta, g, m, v, t, lr, beta1, beta2, eps, weight_decay, *, place="decoupled"):
    """AdamW, with the decay in the wrong place."""
    shrunk = theta * (1 - weight_decay * (1 if place == "no lr" else -lr if place == "grows" else lr))
    if place in ("gradient", "step", "after", "none"):
        shrunk = theta
    g = g + weight_decay * theta if place == "gradient" else g
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    top = m / (1 - beta1**t) + (weight_decay * theta if place == "step" else 0)
    moved = shrunk - lr * top / (np.sqrt(v / (1 - beta2**t)) + eps)
    return moved * (1 - lr * weight_decay) if place == "after" else moved, m, v


def _wrong(place):
    return lambda *args: _step(*args, place=place)


step = Exercise(
    "adamw_step",
    LESSON,
    "where does the decay enter the formula, and what is it multiplied by?",
    _step,
    {
        "The decay was added to the gradient: that is L2, and both averages see it.": _wrong("gradient"),
        "The decay is divided by the root of v_hat: it must not meet the step at all.": _wrong("step"),
        "The decay is not multiplied by lr.": _wrong("no lr"),
        "The decay is missing.": _wrong("none"),
        "The weights grow: the factor is 1 - lr * weight_decay.": _wrong("grows"),
        "You shrink after the step, so the step is shrunk too. First the decay, then the step.": _wrong("after"),
    },
    _walk,
    returns=3,
)


def _pairs(answer):
    return [answer(lr, decay) for lr, decay in ((0.1, 5.0), (1.0, 0.1), (0.01, 0.3))]


half_life = Exercise(
    "half_life",
    LESSON,
    "line 3 of the derivation: after how many factors is the product one half?",
    lambda lr, decay: np.log(0.5) / np.log(1 - lr * decay),
    {
        "log 2 / (lr weight_decay) is an approximation for small decay; solve for t exactly.": lambda lr, decay: (
            np.log(2) / (lr * decay)
        ),
        "The learning rate is missing: each step keeps 1 - lr * weight_decay.": lambda lr, decay: (
            np.log(0.5) / np.log(abs(1 - decay))
        ),
        "That is linear: each step takes a share of what is left, not of the start.": lambda lr, decay: (
            0.5 / (lr * decay)
        ),
        "Upside down.": lambda lr, decay: np.log(1 - lr * decay) / np.log(0.5),
    },
    _pairs,
)

settles = Exercise(
    "settles_at",
    LESSON,
    "when does the pull of the decay balance a step of the learning rate?",
    lambda g, decay: -np.sign(g) / decay,
    {
        "That is where the loss with an L2 penalty is lowest. AdamW divides the gradient's size out.": (
            lambda g, decay: -g / decay
        ),
        "The sign is wrong: the step goes against the gradient.": lambda g, decay: np.sign(g) / decay,
        "The decay stands in the denominator: the stronger it is, the closer to 0.": lambda g, decay: (
            -np.sign(g) * decay
        ),
        "Without an end: the decay grows with the weight and stops it.": lambda g, decay: -np.sign(g) * np.inf,
    },
    lambda answer: answer(np.array([3.0, -0.02, 50.0]), 0.25),
)


def _kept(lrs, decay):
    return np.prod(1 - decay * np.asarray(lrs))


kept = Exercise(
    "kept",
    LESSON,
    "one factor per step, each with its own rate.",
    _kept,
    {
        "exp(-sum) is an approximation for small rates; multiply the factors.": lambda lrs, d: np.exp(-d * np.sum(lrs)),
        "Each step takes a share of what is left: multiply, do not subtract.": lambda lrs, d: 1 - d * np.sum(lrs),
        "The rates differ from step to step; their mean is not enough.": lambda lrs, d: (
            (1 - d * np.mean(lrs)) ** len(lrs)
        ),
        "That is what was lost. What is kept?": lambda lrs, d: 1 - _kept(lrs, d),
        "The decay is multiplied by the rate of its step.": lambda lrs, d: (1 - d) ** len(lrs),
    },
    lambda answer: [answer(np.array([0.5, 1.0, 0.1]), 0.6), answer(np.linspace(0.9, 0.1, 9), 0.3)],
)

EXERCISES = [step, half_life, settles, kept]
