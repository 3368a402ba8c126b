"""Exercises of the lesson on AdamW, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _walk(answer):
    """Twenty steps along gradients of three sizes, twice: every theta, the last m and v."""
    gradients = np.random.default_rng(0).normal(size=(20, 3)) * [0.1, 1.0, 10.0] + [0.2, 0.0, -3.0]
    results = []
    # lr, beta1, beta2, eps, weight_decay: at the defaults wrong formulas look right
    for setting in ((0.3, 0.6, 0.9, 0.5, 0.7), (0.1, 0.8, 0.5, 2.0, 3.0)):
        theta, m, v, visited = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3), []
        start = np.array([0.7, 1.5, -4.0]) * setting[0]
        for t, g in enumerate(gradients, 1):
            theta, m, v = map(np.asarray, answer(theta, g, m, v, t, start, *setting))
            visited.append(theta)
        results += [np.array(visited), m, v]
    return results


def _step(theta, g, m, v, t, start, lr, beta1, beta2, eps, weight_decay, *, place="decoupled"):
    """AdamW towards start, with the decay in the wrong place."""
    away = 0 if place == "none" else theta if place == "to 0" else start if place == "of start" else theta - start
    shrunk = theta - weight_decay * away * (1 if place == "no lr" else -lr if place == "grows" else lr)
    if place in ("gradient", "step", "after"):
        shrunk = theta
    shrunk = shrunk - start if place == "distance" else shrunk
    shrunk = (1 - lr * weight_decay) * theta + start if place == "all of start" else shrunk
    shrunk = theta + (1 - lr * weight_decay) * (start - theta) if place == "share" else shrunk
    shrunk = (1 - lr * weight_decay) * theta + weight_decay * start if place == "start without lr" else shrunk
    g = g + weight_decay * away if place == "gradient" else g
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    top = m / (1 - beta1**t) + (weight_decay * away if place == "step" else 0)
    moved = shrunk - lr * top / (np.sqrt(v / (1 - beta2**t)) + eps)
    if place == "no hats":
        moved = shrunk - lr * m / (np.sqrt(v) + eps)
    if place == "inside":
        moved = shrunk - lr * top / np.sqrt(v / (1 - beta2**t) + eps)
    if place == "hats":
        return moved, m / (1 - beta1**t), v / (1 - beta2**t)
    return start + (moved - start) * (1 - lr * weight_decay) if place == "after" else moved, m, v


def _wrong(place):
    return lambda *args: _step(*args, place=place)


step = Exercise(
    "adamw_towards",
    "where does the decay enter the formula, and which distance does it shrink?",
    {
        "That decays towards 0. Shrink the distance from start.": _wrong("to 0"),
        "Shrink the distance from start, not start itself.": _wrong("of start"),
        "That is the shrunken distance; start must be added to it again.": _wrong("distance"),
        "All of start comes in at each step; its share is lr * weight_decay.": _wrong("all of start"),
        "start comes in with lr * weight_decay, not with weight_decay alone.": _wrong("start without lr"),
        "The decay is right; eps stands outside the root.": _wrong("inside"),
        "The decay was added to the gradient: that is L2, and both averages see it.": _wrong("gradient"),
        "The decay is divided by the root of v_hat: it must not meet the step at all.": _wrong("step"),
        "The decay is not multiplied by lr.": _wrong("no lr"),
        "The decay is missing.": _wrong("none"),
        "1 - lr * weight_decay is the share of the distance that is kept, not walked.": _wrong("share"),
        "The decay is right; the step lacks Adam's corrections, m_hat and v_hat.": _wrong("no hats"),
        "Return m and v themselves: the next step wants them without their hats.": _wrong("hats"),
        "The distance grows: the factor is 1 - lr * weight_decay.": _wrong("grows"),
        "You shrink after the step, so the step is shrunk too. First the decay, then the step.": _wrong("after"),
    },
    _walk,
    returns=3,
)


def _pairs(answer):
    return [answer(lr, decay) for lr, decay in ((0.1, 5.0), (1.0, 0.1), (0.02, 7.0))]


half_life = Exercise(
    "half_life",
    "line 3 of the derivation: after how many factors is the product one half?",
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
        "After 1 / (lr weight_decay) steps about 1 / e is left, not one half.": lambda lr, decay: 1 / (lr * decay),
        "Upside down.": lambda lr, decay: np.log(1 - lr * decay) / np.log(0.5),
        "That is negative: the logarithm of one half is -log 2.": lambda lr, decay: np.log(2) / np.log(1 - lr * decay),
        "Do not round to whole steps.": lambda lr, decay: np.ceil(np.log(0.5) / np.log(1 - lr * decay)),
        "Do not cut off the fraction of a step.": lambda lr, decay: np.floor(np.log(0.5) / np.log(1 - lr * decay)),
    },
    _pairs,
)

bowl = Exercise(
    "bowl_end",
    "how far can the gradient push against the decay, and does it need to?",
    {
        "That is where the loss with an L2 penalty is lowest. AdamW divides the gradient's size out.": (
            lambda a, decay: a / (1 + decay)
        ),
        "That is as far as AdamW can push. A minimum that is nearer stops it.": lambda a, decay: np.sign(a) / decay,
        "Only as far as 1 / weight_decay, on either side: there the decay balances the step.": lambda a, decay: a,
        "The wrong side: the gradient pushes towards a.": lambda a, decay: -np.clip(a, -1 / decay, 1 / decay),
        "The sign of a is lost.": lambda a, decay: np.minimum(np.abs(a), 1 / decay),
        "The decay moves no end that can be reached; it only limits how far off an end can be.": (
            lambda a, decay: np.sign(a) * np.maximum(np.abs(a) - 1 / decay, 0)
        ),
        "On either side: a may be negative.": lambda a, decay: np.minimum(a, 1 / decay),
        "The limit is 1 / weight_decay: the stronger the decay, the closer to 0.": lambda a, decay: np.clip(
            a, -decay, decay
        ),
    },
    on(
        (np.array([3.0, -0.02, 50.0, -7.0, 1.5]), 0.25),
        (np.array([0.3, -2.5, 9.0]), 2.0),
        (np.array([50.0, -15.0]), 0.05),
    ),
)


carry = Exercise(
    "carried_over",
    "what is the logarithm of the share that is kept?",
    {
        "Upside down: with more or larger rates the decay must be smaller.": lambda decay, lrs, new: (
            decay * np.sum(new) / np.sum(lrs)
        ),
        "Not only the number of steps counts, but the rate of each.": lambda decay, lrs, new: (
            decay * len(lrs) / len(new)
        ),
        "The number of steps counts too: a sum, not a mean.": lambda decay, lrs, new: (
            decay * np.mean(lrs) / np.mean(new)
        ),
        "The largest rate is not enough: all steps take their share.": lambda decay, lrs, new: (
            decay * np.max(lrs) / np.max(new)
        ),
        "The logarithm of a product is a sum.": lambda decay, lrs, new: decay * np.prod(lrs) / np.prod(new),
        "That product must stay as it is; which decay gives it under the new rates?": lambda decay, lrs, new: (
            decay * np.sum(lrs)
        ),
        "That is the share that is kept, not the decay.": lambda decay, lrs, new: np.exp(-decay * np.sum(lrs)),
    },
    lambda answer: [
        answer(0.1, np.linspace(0.02, 0.001, 9), np.full(4, 0.01)),
        answer(0.01, np.array([1e-3, 2e-3]), np.array([3e-3, 3e-3, 1e-3])),
    ],
)

EXERCISES = [step, half_life, bowl, carry]
