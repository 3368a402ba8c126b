# ---
# jupyter:
#   lesson:
#     title: "Fields of application: field, loss, optimizer, metric"
#     question: "Ten classes, nothing trained yet, and the first loss is 2.9. Is something broken?"
#     minutes: 40
#     needs: [02_cross_entropy, 08_margins]
#     settles: []
#     studies: [losses.cross_entropy, losses.info_nce]
# ---

# %% [markdown] name="goal"
# # Fields of application: field, loss, optimizer, metric
#
# **Goal.** Find your field in one table, and know before the first step what your loss should be.
#
# **The question.** Ten classes, nothing trained yet, and the first loss is 2.9. Is something broken?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import numpy as np
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, plots
from lessons_lib import losses as L
from lessons_lib.core import mean, weighted_mean
from lessons_lib.optim import SGD, Adam
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/19_fields")

# %% [markdown] name="derivation-the-first-loss"
# ## The table
#
# The source document says: cross-entropy for classification, squared and absolute loss for regression, SGD and its variants, and that different tasks need different losses. What well-known work in each field has used (InfoNCE and CTC are explained below):
#
# | field | loss (lesson) | optimizer | metric | reference |
# |---|---|---|---|---|
# | text classification, named entities | cross-entropy per text or token (2) | Adam with decay, warm-up | accuracy, F1 score | Devlin et al. 2018, arXiv 1810.04805 |
# | translation, summarisation | token cross-entropy, smoothing 0.1 (10) | Adam, warm-up (16) | BLEU, ROUGE | Vaswani et al. 2017, arXiv 1706.03762; Lewis et al. 2019, arXiv 1910.13461 |
# | language modelling | token cross-entropy | Adam, $\beta_2 = 0.95$, clipping at 1, cosine (16, 17) | perplexity | Brown et al. 2020, arXiv 2005.14165 |
# | image classification | cross-entropy | SGD, momentum 0.9, weight decay (11) | accuracy | He et al. 2015, arXiv 1512.03385 |
# | detection | focal (10) + smooth L1 of the boxes (Huber, 6) | SGD, momentum | average precision | Lin et al. 2017, arXiv 1708.02002 |
# | segmentation | cross-entropy per pixel, weighted | SGD, momentum 0.99 | overlap (IoU) | Ronneberger et al. 2015, arXiv 1505.04597 |
# | forecasting | absolute error, scaled (5) | Adam | absolute error, scaled | Oreshkin et al. 2019, arXiv 1905.10437 |
# | recommendation | soft margin of pairs (8) | SGD | AUC | Rendle et al. 2009, arXiv 1205.2618 |
# | faces | triplet (8) | SGD, AdaGrad (12) | true pairs found, at a fixed rate of false ones | Schroff et al. 2015, arXiv 1503.03832 |
# | images and text together | InfoNCE both ways | Adam with decoupled decay (13) | recall, zero-shot accuracy | Radford et al. 2021, arXiv 2103.00020 |
# | speech | CTC | SGD, momentum | error rate of labels | Graves et al. 2006, "Connectionist temporal classification" |
# | reinforcement learning | clipped ratio of new to old probability, times how much better it went than expected; squared error of the expected return | Adam | return | Schulman et al. 2017, arXiv 1707.06347 |
#
# Translation chooses a token at each place: cross-entropy, not squared error. **Loss and metric agree in two rows only:** perplexity is $e$ to the loss, and the forecasters train on the kind of error that they are judged by. The other metrics count, rank or come at the end, with no slope to follow: the loss stands in for them.
#
# ## Derivation: the first loss
#
# A model that knows nothing gives every answer the same score. Then the loss is a number that you can know in advance:
#
# 1. Cross-entropy over $C$ classes: $p = 1 / C$, so $\log C$, **whatever the labels are,** with or without label smoothing (all terms are equal). The focal loss keeps its factor: $(1 - \frac1C)^\gamma \log C$. Binary, for each label: $\log 2$, and so is the soft margin of a pair.
# 2. Triplet: equal distances leave the margin $m$ (lesson 8).
# 3. InfoNCE is cross-entropy with similarities, divided by a temperature, for logits: an image has to find its text among the $N$ of the batch. So $\log N$: **it grows with the batch.**
# 4. Squared error with standardised targets and prediction 0: the variance, 1.
# 5. CTC: a *path* names a class at each of $T$ steps, one class being "blank"; merge repeats, drop blanks, and it spells the labels or not. The loss is $-\log$ of the probability of the $n$ paths that do: $T \log C - \log n$. (One label, five steps: a run of one to five says it, $n = 5 + 4 + 3 + 2 + 1$.)
# 6. Random scores $z_j$, independent, of mean 0 and variance $\sigma^2$. In $\log \sum_j e^{z_j} - z_k$ all that is linear in the scores, or mixes two of them, is 0 on average. At $z = 0$ the second derivative of the first term by each $z_j$ is $\frac1C (1 - \frac1C)$, and there are $C$ of them. So for small $\sigma$ the loss is $\log C + \frac{\sigma^2}{2} (1 - \frac1C)$: **$\log C$ and about half the variance.**

# %% name="inputs"
rng = np.random.default_rng(seed)
k, yes = rng.integers(0, 10, 64), rng.integers(0, 2, 64) * 1.0
target = rng.normal(size=10_000)
target = (target - target.mean()) / target.std()
equal, point, flat = np.zeros((64, 10)), np.ones((8, 4)), np.zeros(10_000)
smooth = L.smooth_labels(k, 10, 0.1, np.dtype(float))
speech = np.zeros((1, 5, 10)), np.array([[3]]), np.array([5]), np.array([1])  # T = 5

# %% name="first-losses"
first = {  # measured, and by lines 1 to 5
    "10 classes": (L.cross_entropy(equal, k), np.log(10)),
    "10 classes, smoothing 0.1": (L.soft_cross_entropy(equal, smooth), np.log(10)),
    "10 classes, focal, gamma = 2": (L.focal(equal, k), 0.9**2 * np.log(10)),
    "50 000 words": (L.cross_entropy(np.zeros((1, 50_000)), k[:1]), np.log(50_000)),
    "yes or no": (L.binary_cross_entropy(flat[:64], yes), np.log(2)),
    "triplets, margin 0.2": (L.triplet(point, point, point, margin=0.2), 0.2),
    "InfoNCE, 256 pairs": (L.info_nce(np.zeros((256, 256))), np.log(256)),
    "standardised numbers": (L.squared_error(flat, target), 1.0),
    "CTC, 5 steps, 1 label, 10 classes": (L.ctc(*speech), 5 * np.log(10) - np.log(15)),
}
for name, (loss, expected) in first.items():
    assert np.isclose(mean(loss).value, expected), name
s = rng.normal(size=(8, 8))
pairs, classes = L.info_nce(s, temperature=0.5), L.cross_entropy(s / 0.5, np.arange(8))
# line 3:
assert np.allclose(pairs.value, classes.value) and np.allclose(pairs.grad, classes.grad / 0.5)
Table(["nothing learned yet", "first loss"], [[name, f"{x:.3f}"] for name, (_, x) in first.items()])

# %% [markdown] name="code"
# ## Code
#
# A language model needs no new loss: the labels are the *next* tokens, and a weight of 0 takes padding and prompt out. InfoNCE is line 3; the line above `def` says what its arguments may be, `ratio` subtracts the largest similarity before it divides (a constant that a softmax does not see), and `expm1` is $e^x - 1$ without its rounding, here $p - 1$:

# %% name="language-model"
def next_token_loss(logits, tokens, learn):  # (B, T, V), (B, T), (B, T) of 0 and 1: learn it?
    return weighted_mean(L.cross_entropy(logits[:, :-1], tokens[:, 1:]), learn[:, 1:])

show(L.info_nce)

# %% [markdown] name="parity-text"
# ## Parity
#
# `next_token_loss` against PyTorch's `ignore_index`. The losses of the library: `results/parity.md`.

# %% name="parity"
draw = torch.Generator().manual_seed(seed)
tokens = torch.randint(0, 50, (2, 7), generator=draw)
logits = torch.randn(2, 7, 50, generator=draw, dtype=torch.float64).requires_grad_()
learn = torch.tensor([[0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 0, 0]])  # prompt, answer, padding
labels = torch.where(learn == 1, tokens, -100)[:, 1:]
theirs = F.cross_entropy(logits[:, :-1].reshape(-1, 50), labels.reshape(-1))
theirs.backward()
ours = next_token_loss(logits.detach(), tokens, learn)
assert torch.isclose(ours.value, theirs) and torch.allclose(ours.grad, logits.grad[:, :-1])
print(f"ours {ours.value:.4f}, PyTorch {theirs:.4f}")

# %% [markdown] name="picture-where-29-comes"
# ## Picture: where 2.9 comes from
#
# A linear layer, ten classes, random labels. We turn up its random weights, and with them $\sigma$:

# %% name="first-loss"
def first_loss(s, sigma, C=10):
    rng = np.random.default_rng(s)
    z = rng.normal(size=(1000, 64)) @ rng.normal(0, sigma / 8, (64, C))  # sums of 64
    return mean(L.cross_entropy(z, rng.integers(0, C, 1000))).value

sigma = np.linspace(0, 2, 21)
measured = np.array([[first_loss(s, a) for a in sigma] for s in setting.seeds])
line6 = np.log(10) + sigma**2 / 2 * 0.9
assert np.abs(np.median(measured, axis=0) - line6)[sigma <= 0.5].max() < 0.03
up, mid, down = (L.cross_entropy(h * np.eye(10)[:1], k[:1]).value for h in (1e-3, 0, -1e-3))
assert np.allclose((up - 2 * mid + down) / 1e-6, 0.1 * 0.9)  # the second derivative by one score
spread = np.interp(2.9, np.median(measured, axis=0), sigma)
print(f"2.9 is reached at a standard deviation of {spread:.1f}")
print(f"line 6 for a variance of 1/3: {np.log(10) + 0.9 / 6:.2f}")

# %% name="picture" tags=["fold"]
# The picture
plots.lines(
    sigma,
    {
        "measured, band: all seeds": tuple(np.quantile(measured, [0, 0.5, 1], axis=0)),
        "line 6": line6,
        "2.9": np.full(21, 2.9),
    },
    "standard deviation of the logits", "first loss, 10 classes",
    "The first loss is 2.3 for equal logits and rises, at first like the parabola of line 6; "
    "it reaches 2.9 where the logits have a standard deviation of about 1.2.",
    title="What 2.9 says about the start",
)

# %% [markdown] name="after-picture"
# So 2.9 fits *random logits with a standard deviation of about 1.2* (beyond 1, line 6 promises too much). PyTorch's `nn.Linear` draws weights of variance $1 / (3n)$ for $n$ inputs; with standardised inputs line 6 gives 2.45. Does 2.9 hurt? Digits, linear softmax, Adam, 300 steps from weights of size 0.15 (64 inputs: $\sigma = 8 \cdot 0.15 = 1.2$) and 1 ($\sigma = 8$), against a start at 0:

# %% name="train"
def train(s, rule, start=0.0, steps=300, look=50):
    d, rng, looks = data.digits(s), np.random.default_rng(s), []
    x, x_test = (np.c_[v, np.ones(len(v))] for v in (d.x, d.x_test))
    theta = rng.normal(0, start, (65, 10))
    state = rule.init(theta)
    for t in range(steps + 1):
        if t % look == 0:
            z = x_test @ theta
            loss, wrong = L.cross_entropy(z, d.y_test).value, z.argmax(1) != d.y_test
            looks.append([loss.mean(), 1 - wrong.mean(), loss[wrong].mean()])
        n = rng.integers(len(x), size=64)
        g = x[n].T @ mean(L.cross_entropy(x[n] @ theta, d.y[n])).grad
        theta, state = rule.update(theta, g, state)
    return np.array(looks).T  # rows: test loss, test accuracy, loss of the digits it gets wrong

# %% name="cost"
rates, starts = (0.001, 0.003, 0.03), (0.0, 0.15, 1.0)
runs = [[[train(s, Adam(lr), a)[:2] for s in setting.seeds] for a in starts] for lr in rates]
loss, right = np.moveaxis(runs, 3, 0)  # each (rates, starts, seeds, looks)
lost = 100 * np.median(right[:, :1, :, -1] - right[:, 1:, :, -1], axis=2)  # (rates, 2)
assert (lost[1:, 0] < 2).all() and lost[0, 1] > lost[1, 1] > lost[2, 1] > lost[2, 0] + 1
begin = [f"from a first loss of {x:.1f}" for x in np.median(loss[0, 1:, :, 0], axis=1)]
rows = [[str(rate), *(f"{x:.0f}" for x in row)] for rate, row in zip(rates, lost, strict=True)]
Table(["points of accuracy lost, at the rate", *begin], rows)

# %% [markdown] name="the-loss-is-not"
# (Medians over the seeds.) **A start near 2.9 is not broken:** it costs a point or nothing, unless the rate is too small to leave it. An Adam step is of the order of the rate (the Adam lesson): 300 steps of 0.001 move a weight by some 0.3, which cannot undo a start of size 1. How to read a first loss:
#
# - **Above:** logits scattered at random, because weights or inputs are too large or a temperature is too small; more outputs than classes ($\log 18$ is 2.9, too); a sum where you expected a mean.
# - **Below:** a wrong mean (half of the batch is padding, and the sum is divided by all: half of $\log C$); or the model knows something, such as the class frequencies in its bias.
# - **Equal:** the scale is right, and that is all. By line 1 the labels may be shuffled, or not shifted to the next token.
#
# ## The loss is not the metric
#
# The same model from 0, with Adam at 0.03, for longer:

# %% name="longer"
runs = np.array([train(s, Adam(0.03), steps=2000) for s in setting.seeds])
loss, right, surprise = np.moveaxis(runs, 1, 0)  # each (seeds, looks)
bands = [{"Adam, 0.03": tuple(np.quantile(c[:, 1:], [0, 0.5, 1], axis=0))} for c in (loss, right)]
plots.side_by_side(
    np.arange(50, 2001, 50), *bands, "step", ("test cross-entropy", "test accuracy"),
    "Left: the median test loss soon turns and rises until the end. "
    "Right: after some hundred steps the accuracy is nearly flat.",
    titles=("The loss (median, band: all seeds)", "The metric"),
)

# %% name="longer-verdict"
seeds, best = np.arange(len(loss)), loss.argmin(1)
rise = np.median(loss[:, -1] / loss.min(1))
lost = np.median(right[seeds, best] - right[:, -5:].mean(1))
surer = np.median(surprise[:, -1] / surprise[seeds, best])  # on the digits it gets wrong
sgd = np.array([train(s, SGD(0.1), steps=2000)[0] for s in setting.seeds])
assert rise > 1.1 and abs(lost) < 0.01 and surer > 1.1 and np.median(sgd[:, -1] / sgd.min(1)) < 1.05
print(f"from the best loss to the last, medians: test loss times {rise:.1f}, loss of wrong digits "
      f"times {surer:.1f}, accuracy lost {100 * lost:.1f} points")

# %% [markdown] name="what-breaks"
# (Medians.) The model is right about as often as before, and surer where it is wrong; SGD at 0.1 is not there after 2000 steps. If probabilities matter (a doctor reads them), stop early; if only the answer counts, look at the metric: on validation data.
#
# ## What breaks
#
# Losses get compared that cannot be. One model, fixed: images and texts are vectors of length 1, a text is its image plus noise. We judge it in batches of $N$ pairs:

# %% name="not-comparable"
images = rng.normal(size=(1024, 32))
texts = images + rng.normal(size=(1024, 32))
a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (images, texts))
found = {}
for n in (16, 128, 1024):
    parts = [slice(i, i + n) for i in range(0, 1024, n)]
    found[n] = np.mean([mean(L.info_nce(a[p] @ b[p].T)).value for p in parts])
    print(f"batches of {n:4} pairs: InfoNCE {found[n]:.2f}")
assert found[1024] > 10 * found[16]

# %% [markdown] name="before-the-first-step"
# The same vectors, and more than ten times the loss: it is harder to find one among more. Compare at one $N$, and CTC on the same lengths. A loss per token depends on the tokenizer; exercise 2 has the cure.
#
# ## Exercises
#
# ### 1. Before the first step (6 minutes, easy)
# Return four numbers: the first losses of a clueless language model over `V` tokens; of a photo tagger with `n_tags` yes-or-no tags whose losses are *summed*; the mean squared error of prediction 0 for targets with mean `m` and standard deviation `s`; and, where cross-entropy over `C` classes began at `start`, above $\log C$, the standard deviation of the logits by line 6.

# %% name="exercise-first"
def first_losses(V, n_tags, m, s, C, start):
    ### BEGIN SOLUTION
    sigma = np.sqrt(2 * (start - np.log(C)) / (1 - 1 / C))
    return np.log(V), n_tags * np.log(2), s**2 + m**2, sigma
    ### END SOLUTION

# %% name="check-first"
check("first_losses")

# %% [markdown] name="perplexity"
# <details><summary>Hint 1</summary>The mean of a square is the variance plus the squared mean.</details>
# <details><summary>Hint 2</summary>What is left above log C is half the variance, times 1 - 1/C.</details>
#
# ### 2. Perplexity (5 minutes, medium)
# A text was read in pieces: `means[i]` is the mean loss of piece `i` in nats, `counts[i]` its tokens; the text has `n_bytes` bytes. Return two numbers: perplexity ($e$ to the mean loss per token), and *bits per byte*, the text's whole loss in bits over its bytes. Cut the same text, at the same total loss, into fewer tokens, and only the first grows.

# %% name="exercise-perplexity"
def text_metrics(means, counts, n_bytes):
    ### BEGIN SOLUTION
    nats = np.sum(means * counts)
    return np.exp(nats / np.sum(counts)), nats / np.log(2) / n_bytes
    ### END SOLUTION

# %% name="check-perplexity"
check("text_metrics")

# %% [markdown] name="a-loss-made-from"
# <details><summary>Hint 1</summary>Piece i costs means[i] times counts[i] nats.</details>
# <details><summary>Hint 2</summary>A bit is log 2 nats.</details>
#
# ### 3. A loss made from a metric (9 minutes, hard)
# Overlap is a count, without slope. With probabilities it gets one: the *soft Dice loss* is $1 - \frac{2 \sum p_i y_i}{\sum p_i + \sum y_i}$ for probabilities `p` and labels `y` of the pixels. Return its value and its gradient by `p`.

# %% name="exercise-dice"
def soft_dice(p, y):
    ### BEGIN SOLUTION
    both, size = np.sum(p * y), np.sum(p) + np.sum(y)
    return 1 - 2 * both / size, -2 * y / size + 2 * both / size**2
    ### END SOLUTION

# %% name="check-dice"
check("soft_dice")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>By p of one pixel, the numerator has the slope 2 y, the denominator 1.</details>
# <details><summary>Hint 2</summary>The second part of the gradient is the same number for every pixel.</details>
#
# ## Takeaways
#
# - Know your first loss before you start: $\log C$, $\log 2$, the margin, $\log N$, the variance; random logits add about half their variance.
# - The loss has the slope, the metric has the meaning, and one may get worse while the other stays. Cross-entropy for classes and squared or absolute error for numbers are defaults (squared error trains classifiers too: Hui and Belkin 2020, arXiv 2006.07322; for numbers see the lessons on robust and on probabilistic regression). Where data differ in kind, the loss must (speech without a label per step, faces without a list of classes).
# - Do not copy a row of the table without its reason, and do not compare losses across numbers of candidates, lengths or tokenizers.
