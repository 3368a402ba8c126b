"""Exercises of the lesson on momentum."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def walk(answer):
    """12 steps along random gradients: every theta and every u. No two steps have the same rate and momentum."""
    rng = np.random.default_rng(0)
    theta, u, visited, sums = np.array([1.0, -2.0, 0.5]), np.zeros(3), [], []
    for lr, momentum in rng.uniform([0.1, 0.2], [0.8, 0.95], (12, 2)).tolist():
        theta, u = map(np.asarray, answer(theta, rng.normal(size=3), u, lr, momentum))
        visited.append(theta)
        sums.append(u)
    return [np.array(visited), np.array(sums)]


EXERCISES = [
    Exercise(
        "run_up",
        "derivation 2: divide the step at t by its limit.",
        {
            "Upside down: it must grow when momentum comes nearer to 1.": (
                "np.log(1 - share) / np.log(momentum) -> np.log(momentum) / np.log(1 - share)"
            ),
            "That is where 1 - share is reached: the power of momentum is what is still missing.": "1 - share -> share",
            "The power is one of momentum, not of 1 - momentum.": "np.log(momentum) -> np.log(1 - momentum)",
            "One step too many: in the first step the sum has one gradient already.": (
                "np.log(momentum) -> np.log(momentum) + 1"
            ),
            "One step too few: t gradients leave the power t of momentum, not t + 1.": (
                "np.log(momentum) -> np.log(momentum) - 1"
            ),
            "That is the length of that step, in gradients. Wanted is its number.": lambda momentum, share: (
                share / (1 - momentum)
            ),
            "Without the logarithms this is no solution of 1 - momentum^t = share.": lambda momentum, share: (
                (1 - share) / momentum
            ),
        },
        on((0.9, 0.9), (0.9, 0.5), (0.5, 0.9), (0.99, 0.3)),
    ),
    Exercise(
        "heavy_ball",
        "first the new sum, then the step along it.",
        {
            "That is an average of gradients. Here they are added up: g enters with the weight 1.": (
                "+ g -> + (1 - momentum) * g"
            ),
            "The rate stands inside your sum: after it changes, old ones keep the old rate. Multiply at the end.": (
                "+ g -> + lr * g; lr * u -> u"
            ),
            "You step along the sum that came in. First the new u, then theta.": (
                "u = momentum * u + g -> new = momentum * u + g; lr * u, u -> lr * u, new"
            ),
            "You step along g: that is gradient descent. Step along u.": "lr * u -> lr * g",
            "The sign is wrong: the step goes against u.": "theta - lr -> theta + lr",
            "The old sum does not fade: momentum belongs to u.": "momentum * u + g -> u + g",
            "momentum multiplies what is kept, the old u, and not the new g.": "momentum * u + g -> u + momentum * g",
            "That is Nesterov's step; here the step goes along u alone.": "lr * u -> lr * (g + momentum * u)",
            "You return the step. Return the sum u.": "lr * u, u -> lr * u, lr * u",
            "Return theta first, then u.": "theta - lr * u, u -> u, theta - lr * u",
        },
        walk,
        returns=2,
    ),
    Exercise(
        "tuned",
        "the two ends of the valley must lie on the two borders of the band.",
        {
            "That rate is the best one without momentum.": "4 / (a + b) ** 2 -> 2 / (low + high)",
            "That is the root of the rate: square it.": "4 / (a + b) ** 2 -> 2 / (a + b)",
            "These are gradient descent's best constants: the momentum is not 0.": (
                "4 / (a + b) ** 2, root**2 -> 2 / (low + high), 0"
            ),
            "That is the square root of the momentum.": "root**2 -> root",
            "With these only the left half of the band is used: the steepest curvature lies in its middle.": (
                "4 / (a + b) ** 2, root**2 -> 1 / high, (1 - np.sqrt(low / high)) ** 2"
            ),
            "The momentum is right up to this: the curvatures enter it by their square roots.": (
                "(b - a) / (b + a) -> (high - low) / (high + low)"
            ),
            "The ends are swapped: a negative root squares away, the rate does not.": "(a + b) ** 2 -> (b - a) ** 2",
            "That rate is for a smallest curvature of 1. A rate times a curvature has no unit: divide by `low`.": (
                "4 / (a + b) ** 2 -> 4 / (1 + b / a) ** 2"
            ),
            "Both curvatures enter by their square roots, in the rate and in the momentum.": (
                "np.sqrt(low), np.sqrt(high) -> low, high"
            ),
            "Return the rate first, then the momentum.": "4 / (a + b) ** 2, root**2 -> root**2, 4 / (a + b) ** 2",
        },
        on((1.0, 100.0), (0.3, 7.0), (2.0, 50.0)),
        returns=2,
    ),
]
