"""Exercises of the lesson on Nesterov's step and the other forms of momentum."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def walk(answer):
    """Twelve steps with a rate that changes half-way, without and with Nesterov: every theta, the last state."""
    rng, results = np.random.default_rng(0), []
    for nesterov, momentum in ((False, 0.8), (True, 0.8), (False, 0.4), (True, 0.4)):
        theta, m, visited = np.array([1.0, -2.0]), np.zeros(2), []
        for t in range(12):
            theta, m = map(np.asarray, answer(theta, rng.normal(size=2), m, 0.5 if t < 6 else 0.05, momentum, nesterov))
            visited.append(theta)
        results += [np.array(visited), m]
    return results


EXERCISES = [
    Exercise(
        "same_path_lr",
        "derivation 1 compares m with u.",
        {
            "Upside down: u is the longer vector, so it needs the smaller rate.": "lr * -> lr /",
            "With the same rate the sum walks 1 / (1 - momentum) times as fast.": "* (1 - momentum) ->",
            "The factor is 1 - momentum, not momentum.": "(1 - momentum) -> momentum",
        },
        on((0.1, 0.9), (2.0, 0.5), (0.3, 0.99)),
    ),
    Exercise(
        "momentum_step",
        "the new average first; derivation 1 says which u belongs to it.",
        {
            "That is the average's own step, too short at this rate: PyTorch steps along u = m / (1 - momentum).": (
                "u = m / (1 - momentum) -> u = m; (g + momentum -> ((1 - momentum) * g + momentum"
            ),
            "The step must be PyTorch's, so u = m / (1 - momentum) must stand where its formula says u.": (
                "u = m / (1 - momentum) -> u = m"
            ),
            "With Nesterov only u is m / (1 - momentum); the g beside it is not divided.": (
                "(g + momentum -> (g / (1 - momentum) + momentum"
            ),
            "Upside down: u is m divided by 1 - momentum.": "m / (1 - momentum) -> m * (1 - momentum)",
            "What comes in is the average, and you treat it as the sum: g enters with the weight 1 - momentum.": (
                "(1 - momentum) * g -> g; m / (1 - momentum) -> m"
            ),
            "The path is right, but you return u. Return the average m.": (
                "u = m / (1 - momentum) -> m = u = m / (1 - momentum)"
            ),
            "The weights are swapped: momentum keeps the old m, and 1 - momentum lets g in.": (
                "momentum * m + (1 - momentum) * g -> (1 - momentum) * m + momentum * g"
            ),
            "The sign is wrong: the step goes against u.": "theta - lr -> theta + lr",
            "Nesterov adds momentum * u to g, not to u.": "(g + -> (u +",
            "Both of your steps are the heavy ball's: with the flag the step is g + momentum * u.": (
                "(g + momentum * u if nesterov else u) -> u"
            ),
        },
        walk,
        returns=2,
    ),
    Exercise(
        "least_momentum",
        "solve the two inequalities for the root of the momentum.",
        {
            "The upper border is missing: a steep curvature may need more.": (
                "max(1 - np.sqrt(lr * low), np.sqrt(lr * high) - 1) -> (1 - np.sqrt(lr * low))"
            ),
            "The lower border is missing: a flat curvature may need more.": (
                "max(1 - np.sqrt(lr * low), np.sqrt(lr * high) - 1) -> (np.sqrt(lr * high) - 1)"
            ),
            "That is the root of the momentum.": "** 2 ->",
            "Both borders must hold: the larger of the two counts.": (
                "max(1 - np.sqrt(lr * low), np.sqrt(lr * high) - 1) ->"
                " min(abs(1 - np.sqrt(lr * low)), abs(np.sqrt(lr * high) - 1))"
            ),
            "The curvatures enter by their square roots.": (
                "np.sqrt(lr * low) -> lr * low; np.sqrt(lr * high) -> lr * high"
            ),
            "Where is `lr`? The borders are for the rate times the curvature.": "lr * low -> low; lr * high -> high",
            "That is the momentum for the best rate; here the rate is given.": lambda lr, low, high: (
                ((np.sqrt(high) - np.sqrt(low)) / (np.sqrt(high) + np.sqrt(low))) ** 2
            ),
        },
        # from a lower border that decides to curvatures that are all too steep for momentum 0
        on(
            (0.01, 1.0, 25.0),
            (0.3, 0.2, 5.0),
            (0.01, 4.0, 30.0),
            (0.3, 3.0, 12.0),
            (0.1, 9.0, 30.0),
            (2.0, 0.5, 0.5),
            (0.5, 3.0, 4.5),
        ),
    ),
]
