"""Exercises of the lesson on the auto-encoder and its reduction."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(0)
PRED, X, THETA = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
PICTURES = 3 + RNG.normal(size=(12, 5)) @ RNG.normal(size=(5, 5))

EXERCISES = [
    Exercise(
        "my_penalty",
        "by which factor must the paper's error term be multiplied to become yours?",
        {
            "The paper's strength unchanged: your errors are scaled otherwise than the paper's.": (
                "2 * lam / np.prod(x.shape[1:]) -> lam"
            ),
            "Upside down: your errors are divided by the number of pixels, and so must be the penalty.": (
                "/ np.prod(x.shape[1:]) -> * np.prod(x.shape[1:])"
            ),
            "The paper halves its errors and you do not: yours count twice as much, and so must your penalty.": (
                "2 * lam -> lam"
            ),
            "The half is the wrong way round: your errors count twice as much, not half as much.": "2 * lam -> lam / 2",
            "The number of pixels is missing: you average over them, the paper adds up.": "/ np.prod(x.shape[1:]) ->",
            "Both average over the pictures: divide by the pixels of one picture.": "np.prod(x.shape[1:]) -> x.size",
            "That is the number of pictures.": "np.prod(x.shape[1:]) -> len(x)",
            "That is one side of the picture. Its pixels are height times width.": "np.prod(x.shape[1:]) -> x.shape[1]",
            "The error is divided by the pixels once.": "np.prod(x.shape[1:]) -> np.prod(x.shape[1:]) ** 2",
        },
        on((0.05, np.zeros((5, 8, 8))), (1.0, np.ones((3, 28, 20))), (0.3, np.ones((7, 2, 9)))),
    ),
    Exercise(
        "objective",
        "divide the errors by the number of pictures, and the penalty by nothing.",
        {
            "Value and slope are averaged over the pixels as well. Add up over them.": (
                "np.sum(r**2) / len(x) -> np.mean(r**2); r / len(x) -> r / r.size"
            ),
            "The slope by pred belongs to the mean over everything: divide by the pictures alone.": (
                "r / len(x) -> r / r.size"
            ),
            "The value is not averaged over the pictures.": "np.sum(r**2) / len(x) -> np.sum(r**2)",
            "The slope by pred is not averaged over the pictures.": "2 * r / len(x) -> 2 * r",
            "The slope of a square has a 2.": "2 * r / len(x) -> r / len(x)",
            "The penalty has a half: lam / 2 times the squares.": "lam / 2 -> lam",
            "The slope of lam / 2 theta^2 has no half: the 2 of the square cancels it.": (
                "lam * theta -> lam / 2 * theta"
            ),
            "The penalty is not averaged over the weights.": "np.sum(theta**2) -> np.mean(theta**2)",
            "The sign is wrong: the error is the prediction less the target.": "pred - x -> x - pred",
            "The penalty is missing in the value.": "+ lam / 2 * np.sum(theta**2) ->",
        },
        on((PRED, X, THETA, 0.3), (PRED[:2], X[:2], THETA, 2.0), (PRED, X, THETA[0], 0.05)),
        returns=3,
    ),
    Exercise(
        "deadly",
        "for which penalty does the largest variance just fail to be above P lambda / 2?",
        {
            "That is the sum's: with the mean, P lambda stands in the place of lambda.": "/ x.shape[1] ->",
            "Upside down: with the mean a smaller penalty is deadly, so divide by the pixels.": (
                "/ x.shape[1] -> * x.shape[1]"
            ),
            "The threshold is half of P lambda: the 2 is missing.": "2 * np.linalg -> np.linalg",
            "First take off the mean of each pixel.": "x - x.mean(0) -> x",
            "Take off the mean of each pixel, not one number for all.": "x.mean(0) -> x.mean()",
            "That is the weakest direction: eigvalsh gives the eigenvalues rising.": "[-1] -> [0]",
            "That is the variance of all directions together. Take the largest.": "[-1] -> .sum()",
            "A covariance is a mean over the pictures.": "r.T @ r / len(x) -> r.T @ r",
            "Divide by the number of pictures, not by one less.": "r / len(x) -> r / (len(x) - 1)",
            "That is the largest variance of a pixel. A direction mixes pixels, and varies more.": (
                "np.linalg.eigvalsh(r.T @ r / len(x))[-1] -> x.var(0).max()"
            ),
        },
        on((PICTURES,), (10 * PICTURES[:7, :3],), (PICTURES[:, 1:] - 3,)),
    ),
]
