"""Exercises of the lesson on the bowl under softmax."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(4)
Z, V = 2 * RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)) + 1.5
WIDE = np.array([[800.0, 799.0, 0.0, 798.5], [-900.0, -901.0, -900.5, -902.0]])


def network(n, d, h1, h2, c):
    shapes = (n, d), (d, h1), (h1, h2), (h2, c), (n, c)
    return tuple(0.7 * RNG.normal(size=shape) for shape in shapes)


T = np.linspace(0, 1, 5)
LOSSES = np.array(
    [
        [0.1, 0.4, 0.9, 0.5, 0.3],
        [2.0, 1.8, 1.2, 1.1, 1.0],
        [0.5, 0.2, 0.1, 0.3, 0.9],
        [1.0, 1.1, 0.6, 0.2, 0.0],
        [0.0, 0.2, 0.6, 1.1, 1.0],
    ]
)

EXERCISES = [
    Exercise(
        "bend",
        "the second line of derivation 1, for every row.",
        {
            "That is the mean of the squares. Take the square of the mean off.": (
                "(p * v**2).sum(axis=1) - (p * v).sum(axis=1) ** 2 -> (p * v**2).sum(axis=1)"
            ),
            "Square the mean, not the numbers whose mean it is.": (
                "(p * v).sum(axis=1) ** 2 -> ((p * v) ** 2).sum(axis=1)"
            ),
            "The mean is weighted by the probabilities; yours counts every class alike.": (
                "(p * v**2).sum(axis=1) - (p * v).sum(axis=1) ** 2 -> v.var(axis=1)"
            ),
            "The squares are weighted, their centre is not: take the mean under p off.": (
                "(p * v**2).sum(axis=1) - (p * v).sum(axis=1) ** 2 -> "
                "(p * (v - v.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)"
            ),
            "Probabilities of one example sum to 1: divide each row by its own sum.": (
                "e.sum(axis=1, keepdims=True) -> e.sum()"
            ),
            "Divide by the sum: these are not probabilities yet.": "e / e.sum(axis=1, keepdims=True) -> e",
            "Large logits overflow. Take the largest of each row off before exp.": (
                "z - z.max(axis=1, keepdims=True) -> z"
            ),
            "One number for each example, not one for all.": (
                "(p * v**2).sum(axis=1) - (p * v).sum(axis=1) ** 2 -> "
                "((p * v**2).sum(axis=1) - (p * v).sum(axis=1) ** 2).sum()"
            ),
            "That is the slope along v, without a label. The bend is a variance.": (
                "(p * v**2).sum(axis=1) - (p * v).sum(axis=1) ** 2 -> (p * v).sum(axis=1)"
            ),
        },
        on((Z, V), (WIDE, np.array([[1.0, -2.0, 5.0, 0.5], [3.0, 0.0, -1.0, 2.0]]))),
    ),
    Exercise(
        "deep",
        "walk from the end to the start, one factor at a time.",
        {
            "The slope of tanh is missing in the second layer.": "to_z @ W3.T * (1 - h2**2) -> to_z @ W3.T",
            "The slope of tanh is missing in the first layer.": "to_a2 @ W2.T * (1 - h1**2) -> to_a2 @ W2.T",
            "The way to the first layer goes through the second bend: start it from to_a2.": (
                "to_a2 @ W2.T -> to_z @ W3.T @ W2.T"
            ),
            "The slope of tanh is 1 - h squared, with h the unit after the bend.": (
                "(1 - h2**2) -> (1 - np.tanh(h2) ** 2); (1 - h1**2) -> (1 - np.tanh(h1) ** 2)"
            ),
            "The slope of tanh is 1 minus the square.": "1 - h2**2 -> 1 - h2; 1 - h1**2 -> 1 - h1",
            "The weights of the second layer take the first layer's units as inputs.": (
                "h1.T @ to_a2 -> (x @ W1).T @ to_a2"
            ),
            "The weights of the last layer take the units after the bend.": "h2.T @ to_z -> (h1 @ W2).T @ to_z",
            "Return them in the order of the layers, the first one first.": (
                "x.T @ to_a1, h1.T @ to_a2, h2.T @ to_z -> h2.T @ to_z, h1.T @ to_a2, x.T @ to_a1"
            ),
            "to_z belongs to the mean loss already: do not divide by N again.": (
                "x.T @ to_a1, h1.T @ to_a2, h2.T @ to_z -> x.T @ to_a1 / len(x), h1.T @ to_a2 / len(x), "
                "h2.T @ to_z / len(x)"
            ),
            "The gradient, not its opposite.": (
                "x.T @ to_a1, h1.T @ to_a2, h2.T @ to_z -> -x.T @ to_a1, -h1.T @ to_a2, -h2.T @ to_z"
            ),
        },
        on(network(5, 4, 3, 2, 3), network(3, 2, 4, 5, 2)),
        returns=3,
    ),
    Exercise(
        "barrier",
        "take the chord off, then look for the largest number of each row.",
        {
            "That is the highest loss. Take the chord off first.": "(losses - chord) -> losses",
            "The chord joins both ends; yours stays at the first loss.": (
                "(1 - t) * losses[:, :1] + t * losses[:, -1:] -> losses[:, :1]"
            ),
            "The two ends are swapped: at t = 0 stands the first model.": (
                "(1 - t) * losses[:, :1] + t * losses[:, -1:] -> t * losses[:, :1] + (1 - t) * losses[:, -1:]"
            ),
            "That is the height in the middle. The highest place may be elsewhere.": (
                "(losses - chord).max(axis=1) -> (losses - chord)[:, losses.shape[1] // 2]"
            ),
            "How far above the chord, not how far away: below it the loss makes no ridge.": (
                "(losses - chord) -> abs(losses - chord)"
            ),
            "One barrier for each pair, not one for all.": ".max(axis=1) -> .max()",
            "The mean of the two ends is the chord in the middle only.": (
                "(1 - t) * losses[:, :1] + t * losses[:, -1:] -> (losses[:, :1] + losses[:, -1:]) / 2"
            ),
            "That is where the ridge is highest. Wanted is how high.": (
                "(losses - chord).max(axis=1) -> t[(losses - chord).argmax(axis=1)]"
            ),
            "The highest loss less the height of the chord below it: take the chord off before the maximum.": (
                "(losses - chord).max(axis=1) -> losses.max(axis=1) - chord.mean(axis=1)"
            ),
        },
        on((T, LOSSES), (np.array([0.0, 0.1, 0.6, 1.0]), LOSSES[:, [0, 2, 3, 4]])),
    ),
]
