"""Exercises of the lesson on house prices."""

import numpy as np

from lessons_lib.exercises import Exercise, on

rng = np.random.default_rng(3)
X = np.array([0.1, 0.4, 0.9, 1.5, 2.2, 700.0])
Y = np.array([46.0, 70.0, 39.0, 4.0, 31.0, 42.0])

EXERCISES = [
    Exercise(
        "times",
        "work out each home's pull for itself, then divide.",
        {
            "The first residual is clipped: it pulls with 10, not with 30.": "10 * 2 -> 30 * 2",
            "Upside down: how many times as hard as the first does the second pull?": (
                "0.5 * 400 / (10 * 2) -> 10 * 2 / (0.5 * 400)"
            ),
            "Those are the slopes of the loss alone. Each is multiplied by the home's distance.": (
                "0.5 * 400 / (10 * 2) -> 0.5 / 10"
            ),
            "Clipping makes no residual larger: the second one stays 0.5.": "0.5 * 400 -> 10 * 400",
            "The first home's clipped residual, 10, is missing.": "(10 * 2) -> 2",
        },
    ),
    Exercise(
        "pull",
        "clip x, then clip the residual, then take the two means.",
        {
            "The residual is not clipped: that is the slope of half the squared error.": (
                "np.clip(a + b * x - y, -delta, delta) -> a + b * x - y"
            ),
            "x is not clipped at all.": "x.clip(max=far) -> x",
            "x is clipped in the prediction, and the pull still has the long lever: clip that one as well.": (
                "x = x.clip(max=far) -> z = x.clip(max=far); a + b * x -> a + b * z"
            ),
            "x is clipped as the lever, and the prediction still uses the far one: clip that as well.": (
                "x = x.clip(max=far) -> z = x.clip(max=far); (g * x) -> (g * z)"
            ),
            "That lifts near homes up to `far`. Take the smaller of the two.": "max=far -> min=far",
            "That is a sum over the homes: take the mean.": "g.mean(), (g * x).mean() -> g.sum(), (g * x).sum()",
            "The residual is prediction less price; yours has the other sign.": "a + b * x - y -> y - a - b * x",
            "That is the slope of the absolute error: inside of delta the residual counts as it is.": (
                "np.clip(a + b * x - y, -delta, delta) -> delta * np.sign(a + b * x - y)"
            ),
            "The factor of each home's pull on b is its x.": "(g * x).mean() -> g.mean() * x.mean()",
            "Return the slope by a first, then that by b.": "g.mean(), (g * x).mean() -> (g * x).mean(), g.mean()",
        },
        on(
            (45.0, -7.0, X, Y, 10.0, 3.0),
            (38.0, 0.5, X, Y, 3.0, 1.2),
            (40.0, -2.0, X[:4], Y[:4], 100.0, 1.0),
        ),
        returns=2,
    ),
    Exercise(
        "outvoters",
        "for each home two numbers: how far out it is as typed, and what all others have together.",
        {
            "You compare with the sum of all homes. The home's own true part is not in the others' sum.": (
                "u.sum() - u -> u.sum()"
            ),
            "Exceed: a draw does not outvote.": "> u.sum() -> >= u.sum()",
            "The typed distance, too, is measured from the centre.": (
                "abs(factor * distance - c) -> abs(factor * distance)"
            ),
            "That stretches the way from the centre. The factor belongs to the distance itself.": (
                "abs(factor * distance - c) -> factor * u"
            ),
            "The centre is the median, not the mean.": "np.median -> np.mean",
            "A distance typed too small may end below the centre: take the size.": (
                "abs(factor * distance - c) -> factor * distance - c"
            ),
            "That is a share. Wanted is the number of homes.": "np.sum(abs -> np.mean(abs",
            "Compare with the sum of the others, not with the largest of them.": "u.sum() - u -> u.max()",
        },
        on(
            (np.array([1.0, 2.0, 3.0]), 3.0),
            (rng.lognormal(0, 1.2, 15), 10.0),
            (rng.lognormal(0, 1.2, 15), 30.0),
            (np.array([0.2, 0.3, 0.4, 0.5, 6.0]), 5.0),
            (rng.lognormal(0, 0.3, 15), 2.0),
            (np.array([1.0, 2.0, 3.0, 10.0]), 1.2),
            (np.array([1.0, 9.0]), 0.1),
            (np.array([0.0, 0.0, 0.1, 0.2, 5.0]), 0.5),
        ),
    ),
]
