# ---
# jupyter:
#   lesson:
#     title: "Fields of application: field, loss, optimizer, metric"
#     minutes: 35
#     settles: [C7, C8, C9, C17]
# ---

# %% [markdown]
# # Fields of application: field, loss, optimizer, metric
#
# **Goal.** Find your field in one table, and know before the first step what your loss should be. **35 minutes:** reading 15, exercises 20.
#
# **The question.** Ten classes, nothing trained yet, and the first loss is 2.9. Is something broken?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import numpy as np
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, plots
from lessons_lib import losses as L
from lessons_lib.checks import check
from lessons_lib.core import mean, weighted_mean
from lessons_lib.optim import Adam
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The table
#
# The source document says: cross-entropy for classification (C7 in our list of its claims), squared and absolute loss for regression (C8), SGD and its variants (C9), and that different tasks need different losses (C17). What well-known work in each field has used:
#
# | field | loss (lesson) | optimizer | metric | reference |
# |---|---|---|---|---|
# | text classification, named entities | cross-entropy per text or token (2) | Adam with decay, warm-up | accuracy, F1 | Devlin et al. 2018, arXiv 1810.04805 |
# | translation | token cross-entropy, smoothing 0.1 (10) | Adam, warm-up (16) | BLEU | Vaswani et al. 2017, arXiv 1706.03762 |
# | summarisation | token cross-entropy, smoothing 0.1 | Adam | ROUGE | Lewis et al. 2019, arXiv 1910.13461 |
# | language modelling | token cross-entropy | Adam, $\beta_2 = 0.95$, clipping at 1, cosine (16, 17) | perplexity | Brown et al. 2020, arXiv 2005.14165 |
# | image classification | cross-entropy | SGD, momentum 0.9, weight decay (11) | accuracy | He et al. 2015, arXiv 1512.03385 |
# | detection | focal (10) + smooth L1 of the boxes | SGD, momentum | average precision | Lin et al. 2017, arXiv 1708.02002 |
# | segmentation | cross-entropy per pixel, weighted | SGD, momentum 0.99 | overlap (IoU, Dice) | Ronneberger et al. 2015, arXiv 1505.04597 |
# | recommendation | soft margin of pairs (8) | SGD | AUC, ranking | Rendle et al. 2009, arXiv 1205.2618 |
# | faces, retrieval | triplet (8) | SGD, AdaGrad (12) | recall | Schroff et al. 2015, arXiv 1503.03832 |
# | images and text together | InfoNCE both ways | Adam with decoupled decay (13) | recall, zero-shot accuracy | Radford et al. 2021, arXiv 2103.00020 |
# | speech | CTC | SGD, momentum | error rate of labels | Graves et al. 2006 |
# | reinforcement learning | clipped ratio times advantage, + squared error of the value | Adam | return | Schulman et al. 2017, arXiv 1707.06347 |
#
# Translation and summarisation use token cross-entropy, not squared error, although their metric counts words. **In no row is the loss the metric:** the metric is what is wanted, the loss is what has a useful slope.
#
# ## Derivation: the first loss
#
# A model that knows nothing gives every answer the same score. Then the loss is a number that you can know in advance:
#
# 1. Cross-entropy over $C$ classes: $p = 1 / C$, so $\log C$, with or without label smoothing (all terms are equal). Binary, for each label: $\log 2$.
# 2. Triplet: equal distances leave the margin $m$ (lesson 8). A soft margin of pairs: $\log 2$.
# 3. InfoNCE with $N$ candidates: $\log N$: **it grows with the batch.**
# 4. Squared error with standardised targets and prediction 0: the variance, 1. Gaussian likelihood at variance 1: $\frac12$.
# 5. CTC with $T$ steps, $C$ classes and $n$ paths that spell the labels: each path has the probability $C^{-T}$, so $T \log C - \log n$: **it grows with the length.**

# %% name="first-losses"
zeros, rng = np.zeros, np.random.default_rng(seed)
k, signs = rng.integers(0, 10, 64), 2 * rng.integers(0, 2, 64) - 1
target = rng.normal(size=10_000)
target = (target - target.mean()) / target.std()
same, smooth = np.ones((8, 4)), L.smooth_labels(k, 10, 0.1, np.dtype(float))
one_label = np.array([[3]]), np.array([5]), np.array([1])  # the label, the steps, how many labels
first = {  # field: value of a model that knows nothing, what line 1 to 5 says
    "10 classes": (L.cross_entropy(zeros((64, 10)), k), np.log(10)),
    "10 classes, smoothing 0.1": (L.soft_cross_entropy(zeros((64, 10)), smooth), np.log(10)),
    "focal, gamma = 2": (L.focal(zeros((64, 10)), k), 0.9**2 * np.log(10)),
    "words, 50 000": (L.cross_entropy(zeros((64, 50_000)), k), np.log(50_000)),
    "labels, yes or no": (L.binary_cross_entropy(zeros(64), (signs + 1) / 2), np.log(2)),
    "ranking pairs": (L.soft_margin(zeros(64), signs), np.log(2)),
    "triplets, margin 0.2": (L.triplet(same, same, same, margin=0.2), 0.2),
    "InfoNCE, 256 pairs": (L.info_nce(zeros((256, 256))), np.log(256)),
    "standardised numbers": (L.squared_error(zeros(10_000), target), 1.0),
    "Gaussian, variance 1": (L.gaussian_nll(zeros(10_000), 1.0, target), 0.5),
    "CTC, 5 steps, 1 label, 10 classes": (L.ctc(zeros((1, 5, 10)), *one_label), 5 * np.log(10) - np.log(15)),
}
for name, (loss, expected) in first.items():
    assert np.isclose(mean(loss).value, expected), name
Table(["nothing learned yet", "first loss"], [[name, f"{expected:.3f}"] for name, (_, expected) in first.items()])

# %% [markdown]
# (One label in five steps: its paths are "some steps in a row say 3", of which there are $5 + 4 + 3 + 2 + 1 = 15$.)
#
# So a first loss of 2.9 for ten classes *is* wrong: a clueless model has 2.303. Above it, the model is sure at random: the start is too large. Below it, before any training, the loss is divided by too much: by examples or tokens that do not count, for one.

# %% name="wrong-start"
x = rng.normal(size=(2000, 64))
labels, found = rng.integers(0, 10, 2000), {}
for size in (0.01, 0.1, 0.3, 1.0):
    found[size] = mean(L.cross_entropy(x @ rng.normal(0, size, (64, 10)), labels)).value
    print(f"weights of size {size:4}: first loss at least {np.floor(10 * found[size]) / 10:.1f}")
assert found[0.01] < 2.32 and found[1.0] > 2 * np.log(10)
counts = (np.arange(64) < 32) * 1.0  # half of the batch is padding
clueless = L.cross_entropy(zeros((64, 10)), k)
print(f"half padding: {(clueless.value * counts).sum() / 64:.2f} divided by all, {weighted_mean(clueless, counts).value:.2f} by those that count")
assert np.isclose((clueless.value * counts).sum() / 64, np.log(10) / 2) and np.isclose(weighted_mean(clueless, counts).value, np.log(10))

# %% [markdown]
# ## Code
#
# One row of the table is not in PyTorch's losses under one name: the loss of a language model. It is lesson 2's cross-entropy with labels that are the *next* tokens, and a weight of 0 for padding and prompt:

# %% name="language-model"
def next_token_loss(logits, tokens, learn):  # (B, T, V), (B, T), (B, T): which tokens count as targets
    return weighted_mean(L.cross_entropy(logits[:, :-1], tokens[:, 1:]), learn[:, 1:])

draw = torch.Generator().manual_seed(seed)
tokens = torch.randint(0, 50, (2, 7), generator=draw)
logits = torch.randn(2, 7, 50, generator=draw, dtype=torch.float64)
learn = torch.tensor([[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0]])  # prompt, answer, padding
labels = torch.where(learn == 1, tokens, -100)[:, 1:]
theirs = F.cross_entropy(logits[:, :-1].reshape(-1, 50), labels.reshape(-1))
assert torch.isclose(next_token_loss(logits, tokens, learn * 1.0).value, theirs)
show(L.cross_entropy)

# %% [markdown]
# ## Parity
#
# The assert above compares with PyTorch's `ignore_index`; the losses of the table have their tables in their lessons and on the parity page.
#
# ## Picture: the loss is not the metric
#
# Digits, linear softmax, Adam at 0.03. Test loss and test accuracy, 40 looks in 2000 steps:

# %% name="train"
def train(s, lr=0.03, steps=2000, look=50):
    d, rng, looks = data.digits(s), np.random.default_rng(s), []
    x, x_test = (np.c_[v, np.ones(len(v))] for v in (d.x, d.x_test))
    theta, rule = np.zeros((65, 10)), Adam(lr)
    state = rule.init(theta)
    for t in range(1, steps + 1):
        n = rng.integers(len(x), size=64)
        theta, state = rule.update(theta, x[n].T @ mean(L.cross_entropy(x[n] @ theta, d.y[n])).grad, state)
        if t % look == 0:
            z = x_test @ theta
            looks.append([mean(L.cross_entropy(z, d.y_test)).value, (z.argmax(1) == d.y_test).mean()])
    return np.array(looks).T

curves = np.array([train(s) for s in setting.seeds])

# %% name="picture"
def band(i):
    return {"median, band: all seeds": tuple(np.quantile(curves[:, i], [0, 0.5, 1], axis=0))}

plots.side_by_side(
    np.arange(50, 2001, 50), band(0), band(1), "step", ("test cross-entropy", "test accuracy"),
    "Left: the test loss falls for a hundred steps and then rises again without end. Right: the accuracy stays "
    "where it is.",
    titles=("The loss says: stop", "The metric says: no matter"),
)

# %% name="picture-verdict"
rise = curves[:, 0, -1] / curves[:, 0].min(1)
lost = curves[np.arange(len(curves)), 1, curves[:, 0].argmin(1)] - curves[:, 1, -5:].mean(1)
print("test loss at the end, in the median over 1.2 times its lowest:", np.median(rise) > 1.2)
print("accuracy lost since then, in the median less than 0.02:", np.median(lost) < 0.02)
assert np.median(rise) > 1.2 and np.median(lost) < 0.02

# %% [markdown]
# Both are right. The model goes on being right about as often, and grows surer of its mistakes. If probabilities matter (a doctor reads them), stop early; if only the answer counts, look at the metric. Choose by what the field wants, on validation data.
#
# ## What breaks
#
# A loss whose first value depends on the batch or the length cannot be compared across runs that differ in them: InfoNCE with 256 pairs starts at 5.5, with 4096 at 8.3, and neither model is worse. Divide CTC by its steps, a sequence loss by its tokens, before you compare.

# %% name="not-comparable"
for n in (256, 4096):
    print(f"InfoNCE, {n} pairs: a clueless model has {np.log(n):.1f}")
for T in (5, 50):
    value = L.ctc(zeros((1, T, 10)), np.array([[3]]), np.array([T]), np.array([1])).value[0]
    print(f"CTC, {T} steps: {value:.1f}, for each step {value / T:.2f}")
    assert np.isclose(value, T * np.log(10) - np.log(T * (T + 1) / 2))

# %% [markdown]
# ## Exercises
#
# ### 1. Before the first step (5 minutes, easy)
# Return the four first losses of models that know nothing: a language model over `V` tokens; a photo tagger with `n_tags` yes-or-no tags whose losses are *summed*; InfoNCE with `N` candidates; squared error (mean) for targets with mean `m` and standard deviation `s`, prediction 0.

# %% name="exercise-first"
def first_losses(V, n_tags, N, m, s):
    ### BEGIN SOLUTION
    return np.log(V), n_tags * np.log(2), np.log(N), s**2 + m**2
    ### END SOLUTION

# %% name="check-first"
check("first_losses")

# %% [markdown]
# <details><summary>Hint</summary>The mean of a square is the variance plus the squared mean.</details>
#
# ### 2. Perplexity (6 minutes, medium)
# A text was read in pieces: `means[i]` is the mean loss of piece `i` in nats, `counts[i]` its tokens; the text has `n_bytes` bytes. Return two numbers: perplexity ($e$ to the mean loss per token), and *bits per byte*.

# %% name="exercise-perplexity"
def text_metrics(means, counts, n_bytes):
    ### BEGIN SOLUTION
    nats = np.sum(means * counts)
    return np.exp(nats / np.sum(counts)), nats / np.log(2) / n_bytes
    ### END SOLUTION

# %% name="check-perplexity"
check("text_metrics")

# %% [markdown]
# <details><summary>Hint 1</summary>First the nats of the whole text.</details>
# <details><summary>Hint 2</summary>A bit is log 2 nats.</details>
#
# ### 3. A loss made from a metric (9 minutes, hard)
# Segmentation is judged by overlap. The *soft Dice loss* is $1 - \frac{2 \sum p_i y_i}{\sum p_i + \sum y_i}$ for probabilities `p` and labels `y` of the pixels. Return its value and its gradient by `p`.

# %% name="exercise-dice"
def soft_dice(p, y):
    ### BEGIN SOLUTION
    both, size = np.sum(p * y), np.sum(p) + np.sum(y)
    return 1 - 2 * both / size, -2 * y / size + 2 * both / size**2
    ### END SOLUTION

# %% name="check-dice"
check("soft_dice")

# %% [markdown]
# <details><summary>Hint 1</summary>The quotient rule; each p occurs above and below.</details>
# <details><summary>Hint 2</summary>The second part of the gradient is the same number for every pixel.</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/19_fields.ipynb)
#
# ## Takeaways
#
# - Know your first loss before you start: $\log C$, $\log 2$, the margin, $\log N$, the variance. A different one is a mistake that training will hide.
# - The loss has the slope, the metric has the meaning; no field trains on its metric. **C7, C8: conditional,** as defaults; **C9: confirmed,** with Adam for text and momentum for images in the works cited; **C17: confirmed.**
# - Do not copy a row of the table without its reason, and do not compare losses whose first values differ.
