"""Exercises of the lesson on fine-tuning."""

import numpy as np

from lessons_lib.exercises import Exercise, on

WAY = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2])
GAIN = np.array([0.0, 0.75, 1.25, 1.5, 1.6875, 1.75, 1.625])
PRICE = np.array([0.0, 0.03125, 0.125, 0.3125, 0.625, 1.0, 1.5])

EXERCISES = [
    Exercise(
        "price_of",
        "first how far you must go for this gain, then what that costs.",
        {
            "The price is the square of the share of the way.": "alpha**2 -> alpha",
            "That is the price at this share of the way. But share is one of the gain.": (
                "1 - np.sqrt(1 - share) -> share"
            ),
            "That is how far you are from the end of the way. alpha counts from its beginning.": (
                "1 - np.sqrt(1 - share) -> np.sqrt(1 - share)"
            ),
            "The gain of a share of the way is not its square: 2 alpha - alpha² = share.": (
                "1 - np.sqrt(1 - share) -> np.sqrt(share)"
            ),
            "That is the other solution: it lies beyond the end of the way.": (
                "1 - np.sqrt(1 - share) -> 1 + np.sqrt(1 - share)"
            ),
        },
        on((0.75,), (0.5,), (0.9,), (0.19,), (1.0,)),
    ),
    Exercise(
        "row",
        "one row that is a token longer, cut twice.",
        {
            "The prompt counts. Its tokens get the weight 0.": "len(prompt) : end -> 0:end",
            "y is x: the model would have to predict the token that it reads. Shift by one.": (
                "tokens[1:] -> tokens[:-1]"
            ),
            "The weight belongs to the token to predict. Yours stands one place late: cut it like y.": (
                "counts[1:] -> counts[:-1]"
            ),
            "The filling counts. Only the answer's tokens do.": "len(prompt) : end -> len(prompt) :",
            "The last token of the answer, the end, must count as well.": "len(prompt) : end -> len(prompt) : end - 1",
            "The first token of the answer must count as well.": "len(prompt) : end -> len(prompt) + 1 : end",
            "x and y have changed places.": "tokens[:-1], tokens[1:] -> tokens[1:], tokens[:-1]",
            "The prompt comes first, then the answer.": "[prompt, answer] -> [answer, prompt]",
            "You have marked the prompt instead of the answer.": "len(prompt) : end -> : len(prompt)",
        },
        on(
            (np.array([5, 3, 8]), np.array([7, 2]), 8),
            (np.array([4]), np.array([9, 6, 3, 1]), 7),
            (np.array([2, 11]), np.array([5, 12, 1]), 4),
        ),
        returns=3,
    ),
    Exercise(
        "ship",
        "leave out what is too expensive, then look for the largest gain.",
        {
            "That model costs more than you may pay.": "np.flatnonzero(price <= budget) -> np.arange(len(price))",
            "A price that is just the budget is allowed.": "price <= budget -> price < budget",
            "That is its place in the list. Wanted is its share of the way.": (
                "shares[allowed[np.argmax(gain[allowed])]] -> allowed[np.argmax(gain[allowed])]"
            ),
            "The place was found among the allowed models: look it up there first.": (
                "shares[allowed[np.argmax(gain[allowed])]] -> shares[np.argmax(gain[allowed])]"
            ),
            "That is the one which goes furthest. Beyond the best one the gain falls again.": (
                "np.argmax(gain[allowed]) -> -1"
            ),
            "That is the smallest gain.": "np.argmax -> np.argmin",
            "You have kept those that are too expensive.": "price <= budget -> price >= budget",
        },
        on(
            (WAY, GAIN, PRICE, 0.3125),
            (WAY, GAIN, PRICE, 0.2),
            (WAY, GAIN, PRICE, 1.5),
            (WAY[::-1], GAIN[::-1], PRICE[::-1], 0.7),
            (WAY, GAIN, PRICE, 0.03125),
        ),
    ),
]
