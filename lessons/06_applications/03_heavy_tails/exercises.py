"""Exercises of the lesson on heavy tails."""

import numpy as np

from lessons_lib.exercises import Exercise, on

Z = np.array([1.0, 2.5, 4.0, 3.0, 5.5, 2.0, 2.2, 3.1, 4.4, 1.7, 3.6])  # 11 examples: no method interpolates
Y = np.array([9.0, 5.0, 30.0, 70.0, 90.0, 7.0, 31.0, 20.0, 300.0, 4.0, 33.0])
NEW = np.array([0.5, 2.0, 3.5])


def lost(order):
    """Ten true values, and three columns of guesses in this order."""
    y = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 20.0, 59.0])
    middle, mean, bound = 0 * y + 5.5, 0 * y + 12.2, 0 * y + 40.0
    return np.stack([middle, mean, bound], 1)[:, order], y


def wide(order):
    """Two groups with their own guesses, where the mean is far out and the bound has not the highest sum."""
    y = np.array([*range(1, 19), 20.0, 1009.0])
    guesses = np.tile([9.5, 60.0, 19.0], (20, 1))  # median, mean, and 18 of 20 are below
    return np.concatenate([guesses, 7 * guesses])[:, order], np.concatenate([y, 7 * y])


def left(order):
    """A tail on the other side: the mean lies below most of the values."""
    y = np.array([1.0, 2.0, 50.0, 51.0, 52.0, 53.0, 54.0, 55.0, 56.0, 57.0])
    middle, mean, bound = 0 * y + 52.5, 0 * y + 43.0, 0 * y + 56.5
    return np.stack([middle, mean, bound], 1)[:, order], y


EXERCISES = [
    Exercise(
        "factor",
        "first sigma from the two quartiles, then the factor between median and mean.",
        {
            "low and high are two quartiles apart: divide by twice 0.67449.": "(2 * 0.67449) -> 0.67449",
            "The factor is exp(sigma² / 2). A half is missing.": "sigma**2 / 2 -> sigma**2",
            "The factor needs the square of sigma.": "sigma**2 / 2 -> sigma / 2",
            "That is the logarithm of the factor.": "np.exp(sigma**2 / 2) -> sigma**2 / 2",
            "The quartiles are those of the lengths. Take logarithms first.": "np.log(high / low) -> (high - low)",
            "Divide by the quartile of the standard normal distribution: low and high are only 1.35 sigma apart.": (
                "/ (2 * 0.67449) -> / 2"
            ),
            "That is the median over the mean.": "np.exp(sigma**2 / 2) -> np.exp(-(sigma**2) / 2)",
        },
        on((48.0, 282.0), (10.0, 20.0), (3.0, 4.0)),
    ),
    Exercise(
        "readers",
        "two factors from the training examples, times the guesses for the new ones.",
        {
            "exp of the mean logarithm is about 1, and that is the median again. Take the mean of the ratios.": (
                "ratio.mean() -> np.exp(np.log(ratio).mean())"
            ),
            "That is the factor of a bell. Duan's needs no bell.": "ratio.mean() -> np.exp(np.log(ratio).var() / 2)",
            "That is the ratio of the totals: long guesses count more in it. Duan takes the mean of the ratios.": (
                "ratio.mean() -> y.sum() / np.exp(z).sum()"
            ),
            "The ratio is the true value over the guess.": "y / np.exp(z) -> np.exp(z) / y",
            "z is a logarithm, and y is none: exp first.": "y / np.exp(z) -> y / z",
            "z_new is a logarithm, and wanted is a length: exp.": "* np.exp(z_new) -> * z_new",
            "That is the quantile of the lengths over that of the guesses. Take the quantile of the ratios.": (
                "np.quantile(ratio, 0.9) -> np.quantile(y, 0.9) / np.quantile(np.exp(z), 0.9)"
            ),
            "That is the bound of a bell. Count: nine of ten ratios are at most the factor.": (
                "np.quantile(ratio, 0.9) -> np.exp(1.2816 * np.log(ratio).std())"
            ),
            "Only one of ten values keeps that bound.": "0.9 -> 0.1",
            "The means first, then the bounds.": "return factors -> return factors[::-1]",
        },
        on((Z, Y, NEW), (np.r_[Z, Z[:10] + 0.1], np.r_[Y, Y[:10][::-1]], NEW[:1]), (Z, Y[::-1], Z[:5])),
    ),
    Exercise(
        "who",
        "absolute error asks for the median, the quantile loss for a bound, the Poisson loss for the total.",
        {
            "The quantile loss at 0.9 does not give the highest total. Nine of ten values lie below its guesses.": (
                "abs(below - 0.9).argmin() -> total.argmax()"
            ),
            "Absolute error does not give the lowest total. Half of the values lie below its guesses.": (
                "absolute = abs(below - 0.5).argmin() -> absolute = total.argmin()"
            ),
            "The Poisson loss has the total right: compare the sums.": (
                "abs(total - y.sum()).argmin() -> 3 - absolute - below.argmax()"
            ),
            "The order is absolute error, Poisson, quantile.": "[absolute, poisson, -> [poisson, absolute,",
            "That counts the values above the guess.": "y[:, None] < guesses -> y[:, None] > guesses",
            "The distance must be without sign: a total can be too small as well.": (
                "abs(total - y.sum()).argmin() -> (total - y.sum()).argmin()"
            ),
            "No order decides, of totals or of shares: a mean far out in the tail can lie above the bound.": (
                "np.array([absolute, poisson, abs(below - 0.9).argmin()]) -> total.argsort()"
            ),
            "Largest distance: you need the smallest.": "abs(below - 0.5).argmin() -> abs(below - 0.5).argmax()",
        },
        on(lost([0, 1, 2]), lost([2, 0, 1]), wide([0, 1, 2]), wide([1, 2, 0]), wide([2, 1, 0]), left([1, 2, 0])),
    ),
]
