"""Exercises of the lesson on bugs that hide."""

import numpy as np

from lessons_lib.exercises import Exercise, on

SHAPES = {
    "embed_tokens.weight": (512, 64),
    "layers.0.input_layernorm.weight": (64,),
    "layers.0.self_attn.q_proj.weight": (64, 64),
    "layers.0.self_attn.q_proj.bias": (64,),
    "layers.0.ln_1.g": (64,),
    "layers.0.conv.weight": (64, 64, 3),
    "layers.0.norm_proj.weight": (64, 16),
    "scale": (),
    "lm_head.weight": (512, 64),
}

LOSSES = np.array([1.0, 2.5, np.inf, 0.5, 4.0])

TRAIN = ["The yield statement.", "An object is\ncreated.", "See also.", "See also."]
TEST = ["See also.", "A new paragraph, which is longer.", " An object is\ncreated.\n", "See also.", "See"]

EXERCISES = [
    Exercise(
        "mask",
        "say which token of the row each label is, and compare with the answer's two ends.",
        {
            "Padding counts: the answer has an end as well.": "& (place < begin + answer[:, None]) ->",
            "The prompt counts: the answer has a beginning as well.": "(place >= begin) & ->",
            "END does not count: the answer's last token is a label, too.": (
                "begin + answer[:, None] -> begin + answer[:, None] - 1"
            ),
            "One place too late: the label at a place is the token one place later.": (
                "np.arange(context) + 1 -> np.arange(context)"
            ),
            "The first token of the answer is left out. The prompt's last token has it as its label.": (
                ">= begin -> > begin"
            ),
            "The first padding counts, too: the answer ends before place prompt + answer.": (
                "< begin + answer -> <= begin + answer"
            ),
            "That is all that does not count.": (
                ".astype(float) -> == 0"
            ),
            "The answer's length counts from its beginning, not from the row's.": (
                "begin + answer[:, None] -> answer[:, None]"
            ),
        },
        on(
            (np.array([3, 1, 5]), np.array([4, 2, 3]), 10),
            (np.array([6, 2]), np.array([4, 1]), 6),
            (np.array([9]), np.array([2]), 8),
        ),
    ),
    Exercise(
        "loudness",
        "the last line of the derivation.",
        {
            "Upside down: tokens of short micro-batches are loud.": (
                "counts.mean() / counts -> counts / counts.mean()"
            ),
            "That is the wrong weight itself, but for the number of micro-batches. Divide it by the sound one.": (
                "counts.mean() / counts -> 1 / counts"
            ),
            "The sound weight is one over the sum of the counts. How many micro-batches share the mean?": (
                "counts.mean() -> counts.sum()"
            ),
            "That is the wrong weight. Divide it by the sound one, one over all counts.": (
                "counts.mean() / counts -> 1 / counts / len(counts)"
            ),
            "The mean of the counts, not the longest.": "counts.mean() -> counts.max()",
            "That is the share of the labels that a micro-batch has.": (
                "counts.mean() / counts -> counts / counts.sum()"
            ),
        },
        on((np.array([200.0, 20.0, 5.0, 1.0]),), (np.array([3.0, 3.0]),), (np.array([7.0, 2.0, 40.0]),)),
    ),
    Exercise(
        "part_loss",
        "choose the labels that count, add up, divide once.",
        {
            "That is the mean of means: divide by the labels of the whole batch, not of this part.": (
                "/ total -> / weight.sum()"
            ),
            "That is the mean of means with a guard against 0. Divide by the labels of the whole batch.": (
                "/ total -> / max(weight.sum(), 1)"
            ),
            "That divides by all places of the part, padding too. Divide by the labels of the whole batch.": (
                "/ total -> / len(value)"
            ),
            "Labels that do not count are in the sum. One of them may be inf.": (
                "value[weight > 0].sum() -> value.sum()"
            ),
            "0 times inf is NaN. Choose the labels first, then add up.": (
                "value[weight > 0].sum() -> (value * weight).sum()"
            ),
            "A sum grows with the batch. Divide by the labels that count.": "/ total ->",
            "Those are the labels that do not count.": "weight > 0 -> weight == 0",
        },
        on(
            (LOSSES, np.array([1, 1, 0, 1, 0]), 10),
            (LOSSES[:2], np.array([0, 1]), 4),
            (LOSSES, np.zeros(5, dtype=int), 7),
            (LOSSES[2:3], np.array([0]), 2),
        ),
    ),
    Exercise(
        "decays",
        "names differ from model to model; what do norms and biases have in common?",
        {
            "Norms and biases are True in your list: they are vectors.": "len(shape) > 1 -> True",
            "Those are the ones that must not decay.": "> 1 -> <= 1",
            "A name is no proof: a norm may have another one, and a matrix may have `norm` in its own.": (
                'len(shape) > 1 -> "norm" not in name and "bias" not in name'
            ),
            "Biases are out, and norms are still True in your list. Both are vectors.": (
                'len(shape) > 1 -> "bias" not in name'
            ),
            "Norms have a `weight` as well: a name does not tell.": (
                'len(shape) > 1 -> name.endswith("weight")'
            ),
            "Vectors are still True in your list: they have one axis, matrices have more.": "> 1 -> > 0",
            "Layers with more than two axes are left out, such as convolutions. They scale nothing.": "> 1 -> == 2",
        },
        on((SHAPES,), ({"bias": (3,), "weight": (2, 3)},)),
    ),
    Exercise(
        "leaked",
        "a set of the training paragraphs, and a sum over the test.",
        {
            "That is the share that is new.": "in known -> not in known",
            "Wanted is a share of the characters. You count paragraphs.": "len(p) for -> 1 for",
            "Strip the test's paragraphs before you look them up.": "[p.strip() for p in test] -> list(test)",
            "Strip the training paragraphs, too.": "{p.strip() for p in train} -> set(train)",
            "Divide by the characters of the test, not by the number of its paragraphs.": (
                "sum(len(p) for p in found) -> len(found)"
            ),
            "Divide by the characters: you return how many there are.": "/ sum(len(p) for p in found) ->",
            "That divides by the training text. Wanted is a share of the test.": (
                "/ sum(len(p) for p in found) -> / sum(len(p) for p in train)"
            ),
            "A paragraph that stands in the test twice counts twice.": "p in found if -> p in set(found) if",
            "That looks for parts of paragraphs. A paragraph has leaked if it stands there as a whole.": (
                "p in known -> any(p in q for q in known)"
            ),
        },
        on((TRAIN, TEST), (TRAIN[:1], TEST), (["  a b"], ["a b", "c"]), (["x"], [" x "])),
    ),
]
