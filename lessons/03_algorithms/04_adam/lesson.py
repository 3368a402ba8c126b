# ---
# jupyter:
#   lesson:
#     title: Adam
#     question: "Leave out the two lines that divide by 1 - beta^t. Is the first step too small or too large?"
#     minutes: 90
#     needs: [03_sgd]
#     settles: [F7, F8, F9, F10, F11, G15, G16, G17, C28, C29, C30, E10, E11, E12, E25]
#     studies: [optim.Adam]
# ---

# %% [markdown] name="goal"
# # Adam
#
# **Goal.** Derive each line of Adam, find out how far one step can go, and say on which problems Adam wins, on which it loses, and why.
#
# **The question.** Adam's box has two lines that divide by $1 - \beta^t$. They look like small print. Leave them out: is the first step
# too small, or too large? And at which step is it worst?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import re
from collections import Counter
from collections.abc import Callable
from pydoc_data.topics import topics
from typing import NamedTuple

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.landscapes import quadratic, rosenbrock
from lessons_lib.losses import soft_cross_entropy, squared_error
from lessons_lib.optim import SGD, Adam, AMSGrad, Momentum
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/04_adam")

# %% [markdown] name="the-formula"
# ## The formula
#
# $g_t$ is the gradient at step $t$. Adam is due to Kingma and Ba (2015, "Adam: a method for stochastic optimization", arXiv 1412.6980; "the paper" below). The source document prints its five lines, two **averages**, two **corrections** and the **update**:
#
# $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t$$
#
# $$v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2$$
#
# $$\hat m_t = \frac{m_t}{1 - \beta_1^t} \qquad \hat v_t = \frac{v_t}{1 - \beta_2^t}$$
#
# $$\theta_{t+1} = \theta_t - \frac{\eta}{\sqrt{\hat v_t} + \epsilon}\ \hat m_t$$
#
# They are right, and three things are left unsaid. Square, root and division are **elementwise**: every parameter has its own $m$ and $v$.
# $m_0 = v_0 = 0$ is not merely usual, the corrections are wrong for any other start. And $t$ is **1** at the first update: at $t = 0$ both divide by zero.
#
# | symbol | code | shape | default |
# |---|---|---|---|
# | $\theta, g$ | `theta`, `g` | any, the same | |
# | $m, v$ | `m`, `v` | as $\theta$ | 0 at the start |
# | $\hat m, \hat v$ | `m_hat`, `v_hat` | as $\theta$ | |
# | $\eta$ | `lr` | a number | $10^{-3}$ |
# | $\beta_1, \beta_2$ | `beta1`, `beta2` | numbers in $[0, 1)$ | 0.9, 0.999 |
# | $\epsilon$ | `eps` | a number | $10^{-8}$ |

# %% [markdown] name="derivation-text"
# ## Derivation
#
# 1. Put the average into itself until $m_0 = 0$ is reached: $m_t = (1 - \beta_1) \sum_{k=0}^{t-1} \beta_1^k\, g_{t-k}$. The gradient that is $k$ steps old has the weight
#    $(1 - \beta_1) \beta_1^k$. In the long run the weights add up to 1 and their mean age is $\beta_1 / (1 - \beta_1)$: 9 steps for $m$, 999 for $v$.
#    So the betas control the decay, as the source document claims.
# 2. After $t$ steps they add up to $1 - \beta_1^t$ only, a geometric sum. If all gradients have the same mean, then $\mathbb E[m_t] = (1 - \beta_1^t)\, \mathbb E[g]$:
#    too small, because the average still contains its zero start. Dividing by that very factor mends it; the same holds for $v$ and $\mathbb E[g^2]$.
# 3. At $t = 1$, $\hat m = g$ and $\hat v = g^2$. Without $\epsilon$ the first step is $\eta\, g / |g|$: **the learning rate, whatever the size of the gradient.**
#    Under a constant gradient this stays so at every $t$.
# 4. Without the corrections both averages are too small, by different factors, and $v$ under a root. Under a constant gradient the step is
#    $\eta\, (1 - \beta_1^t) / \sqrt{1 - \beta_2^t}$.

# %% name="derivation"
b, c = sp.symbols("beta c", positive=True)
t, k = sp.Symbol("t", positive=True, integer=True), sp.Symbol("k", integer=True)

def average(beta, gradients):  # m; v when squares come in
    m = 0
    for g in gradients:
        m = beta * m + (1 - beta) * g
    return m

g = sp.symbols("g1:7")
unrolled = sum((1 - b) * b**i * g[5 - i] for i in range(6))
assert sp.expand(average(b, g) - unrolled) == 0  # line 1: the unrolled sum
for beta, age in [(sp.Rational(9, 10), 9), (sp.Rational(999, 1000), 999)]:
    assert sp.summation(k * (1 - beta) * beta**k, (k, 0, sp.oo)) == age  # line 1: the mean age
weights = sp.simplify(sp.summation((1 - b) * b**k, (k, 0, t - 1)))
assert weights == 1 - b**t  # line 2, for every t
assert sp.expand(average(b, [c] * 6) - (1 - b**6) * c) == 0  # lines 3, 4: this share of a constant
for c in (3.0, -0.01):  # line 3: the library's first step, for any size of c
    moved, _ = Adam(0.1).update(np.zeros(1), np.array([c]), Adam().init(np.zeros(1)))
    assert np.isclose(moved[0], -0.1 * np.sign(c), rtol=1e-5)
print("the first t weights add up to", weights)

# %% [markdown] name="after-derivation"
# Line 2 speaks of expectations. Let gradients be random, with mean 1 and standard deviation 2, so that $\mathbb E[g^2] = 5$: do the averages of
# 10 000 runs fall short by these factors?

# %% name="simulation"
draws = [np.random.default_rng(s).normal(1.0, 2.0, size=(30, 10_000)) for s in setting.seeds]
rows = []
for n in (1, 3, 10, 30):
    m = [average(0.9, d[:n]).mean() for d in draws]
    v = [average(0.999, d[:n] ** 2).mean() / 5 for d in draws]
    of_m, of_v = f"{np.mean(m):.3f} ± {np.std(m):.3f}", f"{np.mean(v):.6f} ± {np.std(v):.6f}"
    rows.append([n, 1 - 0.9**n, of_m, 1 - 0.999**n, of_v])
    assert np.allclose(m, 1 - 0.9**n, atol=0.025) and np.allclose(v, 1 - 0.999**n, rtol=0.06)
Table(["t", "1 - 0.9^t", "mean of m", "1 - 0.999^t", "mean of v / 5"], rows,
      "± is the standard deviation over seeds.")

# %% [markdown] name="how-far-can-one"
# ### How far can one step go?
#
# 5. The paper bounds a step by $\eta \max\{1, (1 - \beta_1) / \sqrt{1 - \beta_2}\}$, 3.16 $\eta$ at the defaults, and says when it is reached: one gradient
#    after a long silence. Is that really the worst? Split each term of the sum in line 1 into two factors, and use the Cauchy-Schwarz inequality
#    $(\sum a_k b_k)^2 \le \sum a_k^2 \sum b_k^2$; the second sum is $v_t / (1 - \beta_2)$:
#
# $$m_t^2 = (1 - \beta_1)^2 \Big(\sum_k \frac{\beta_1^k}{\beta_2^{k/2}} \cdot \beta_2^{k/2} g_{t-k}\Big)^2 \le \frac{(1 - \beta_1)^2}{1 - \beta_2} \Big(\sum_k q^k\Big)\, v_t \qquad q = \frac{\beta_1^2}{\beta_2}$$
#
# 6. For $q < 1$ the sum stays below $1 / (1 - q)$. So at large $t$, where the corrections are 1, a step is shorter than $\eta\, (1 - \beta_1) / \sqrt{(1 - \beta_2)(1 - q)}$.
#    Equality needs $a_k \propto b_k$, that is $g_{t-k} \propto (\beta_1 / \beta_2)^k$: a gradient that **grows** by the factor $\beta_2 / \beta_1$, 11 % per step. The corrections at small $t$ never allow more (shown in the solution of exercise 4).

# %% name="bound"
b1, b2 = sp.Rational(9, 10), sp.Rational(999, 1000)
q = b1**2 / b2
grow = [(b2 / b1) ** i for i in range(6)]
m, v = average(b1, grow), average(b2, [g**2 for g in grow])
assert m**2 / v == (1 - b1) ** 2 / (1 - b2) * sum(q**i for i in range(6))  # equality, as in line 6
paper, limit = float((1 - b1) / sp.sqrt(1 - b2)), float((1 - b1) / sp.sqrt((1 - b2) * (1 - q)))
print(f"paper: {paper:.2f} lr   Cauchy-Schwarz: {limit:.2f} lr, {limit / paper:.1f} times as long")

# %% [markdown] name="after-bound"
# Now the library's Adam itself. `trail` is the loop that we shall use throughout; here the gradients come from a list, and `lr = 1`.

# %% name="trail"
def trail(rule, gradient, theta, steps):  # every theta that a rule visits
    state, visited = rule.init(theta), [theta]
    for _ in range(steps):
        theta, state = rule.update(theta, gradient(theta), state)
        visited.append(theta)
    return visited

def steps_down(gradients):  # positive where a step goes against a positive gradient
    stream = iter(gradients)
    visited = trail(Adam(lr=1.0), lambda theta: next(stream), 0 * gradients[0], len(gradients))
    return -np.diff(visited, axis=0)

# %% name="far-steps"
silence = np.zeros((9940, 1))
lone, growing = np.ones((1, 1)), (0.999 / 0.9) ** np.arange(60.0)[:, None]
spike, growth = (steps_down(np.concatenate([silence, g]))[-1, 0] for g in (lone, growing))
noise = [abs(steps_down(np.random.default_rng(s).standard_cauchy((1000, 3000)))).max()
         for s in setting.seeds]
print(f"one gradient after silence: {spike:.2f} lr   "
      f"60 growing gradients after silence: {growth:.2f} lr")
print("noise with very heavy tails, longest of 3 million steps: "
      f"{np.median(noise):.1f} lr (median)")
assert max(noise) < 0.6 * limit and np.allclose([spike, growth], [paper, limit], rtol=1e-3)

# %% [markdown] name="after-far-steps"
# **The paper's bound is none**: it is the step after a lone spike, and the largest step is 2.3 times as long. It takes a gradient that grows and grows, as in a run
# that is about to diverge; noise with very heavy tails (Cauchy, 1000 steps, 3000 parameters) stays near the step of a lone spike.

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(Adam)

# %% [markdown] name="after-source"
# `weight_decay` adds an L2 penalty to the gradient, as in SGD; it is 0 here. The line above `update`, `in_theta_dtype`, checks the arrays, lets half precision compute in float32 and rounds $\theta$ once; `divide` is a division that takes 0 / 0 as 0. `maximize` in the table further down turns the gradient's sign.

# %% [markdown] name="after-source-text"
# The source document lists Adam's steps, and its text breaks off after 2c. Completed, they are: (1) initialise $\theta, m, v$; (2) repeat: a. sample a batch,
# b. its gradient, c. the moments, **d. add 1 to $t$, then correct, e. update**; (3) stop. Here they are as functions (sample and gradient are one
# call; our "batch" is always the whole data, so that no noise hides a mistake). A rule of the library carries the hyperparameters.

# %% name="steps"
def initialise(theta):  # 1
    return theta, 0 * theta, 0 * theta

def moments(r, m, v, g):  # 2c
    return r.beta1 * m + (1 - r.beta1) * g, r.beta2 * v + (1 - r.beta2) * g**2

def correct(r, m, v, t):  # 2d
    return m / (1 - r.beta1**t), v / (1 - r.beta2**t)

def move(r, theta, m_hat, v_hat):  # 2e
    return theta - r.lr * m_hat / (v_hat**0.5 + r.eps)

# %% name="train"
def train(r, gradient, theta, steps, correct=correct, move=move, before_first=0):
    (theta, m, v), t, visited = initialise(theta), before_first, [theta]
    while len(visited) <= steps:  # 3
        m, v = moments(r, m, v, gradient(theta))  # 2a, 2b, 2c
        t = t + 1
        theta = move(r, theta, *correct(r, m, v, t))
        visited.append(theta)
    return visited

# %% [markdown] name="after-train"
# They visit the same points as the library's Adam. Two ways to break them: count $t$ only after the correction; start from averages that are already right.

# %% name="order"
valley, start = rosenbrock(), np.array([-1.5, 1.0])
ours = train(Adam(0.1), valley.gradient, start, 200)
theirs = trail(Adam(0.1), valley.gradient, start, 200)
assert np.allclose(ours, theirs, rtol=1e-9)

late = train(Adam(0.1), lambda theta: theta, torch.ones(2), 5, before_first=-1)  # its first t is 0
m_hat, v_hat = correct(Adam(), m=1.0, v=1.0, t=1)  # a constant gradient of 1, averaged perfectly
print("t from 0:", late[-1].tolist(),
      f"  m_hat = {m_hat:.1f} and v_hat = {v_hat:.1f}, where both should be 1")

# %% [markdown] name="momentum-plus-rmsprop"
# ### Momentum plus RMSProp?
#
# So the source document sums Adam up. Heavy-ball momentum (Polyak 1964) is $u_t = \mu u_{t-1} + g_t$: it *adds up* gradients, where $m$ averages them.
# RMSProp (Tieleman and Hinton 2012) is $s_t = \rho s_{t-1} + (1 - \rho) g_t^2$ with the step $\eta\, g_t / (\sqrt{s_t} + \epsilon)$: Adam with $\beta_1 = 0$ and *without* correction.
# The correction is Adam's own; its paper names AdaGrad (RMSProp with a plain sum) and RMSProp as its parents.

# %% name="parents"
gradient = np.array([2.0])
m = average(0.9, [gradient] * 200)
u = 0.0
for _ in range(200):
    u = 0.9 * u + gradient
theta = torch.tensor(start, requires_grad=True)
rmsprop = torch.optim.RMSprop([theta], lr=0.01, alpha=0.99)
for _ in range(50):
    theta.grad = torch.tensor(valley.gradient(theta.detach().numpy()))
    rmsprop.step()
ours = train(Adam(0.01, 0.0, 0.99), valley.gradient, start, 50, correct=lambda r, m, v, t: (m, v))
print(f"constant gradient 2: the average m = {m[0]:.1f}, the sum u = {u[0]:.1f}")
apart = abs(ours[-1] - theta.detach().numpy()).max()
assert apart < 1e-9  # Adam without beta1 and correction is PyTorch's RMSprop
print("Adam without beta1 and correction: its first step is "
      f"{abs(ours[1] - ours[0])[0] / 0.01:.1f} lr")

# %% [markdown] name="parity-with-pytorch"
# ## Parity with PyTorch
#
# The largest relative difference after 50 steps. Each column of the parameter gets gradients of another size, from $10^{-3}$ to 10. For half precision the judge is
# PyTorch in float32.

# %% tags=["nbval-ignore-output", "fold"] name="parity"
# Against PyTorch
parity.table("Adam", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# A constant gradient of 1, so that with both corrections each step is exactly one learning rate. What happens if we forget both, or only one?

# %% name="corrections"
corrections = {
    "both": correct,
    "neither": lambda r, m, v, t: (m, v),
    "only m": lambda r, m, v, t: (correct(r, m, v, t)[0], v),
    "only v": lambda r, m, v, t: (m, correct(r, m, v, t)[1]),
}

def constant(theta):
    return np.ones(1)

sizes = {}
for label, fix in corrections.items():
    sizes[label] = -np.diff(train(Adam(1.0), constant, np.zeros(1), 3000, fix), axis=0)[:, 0]

# %% name="picture" tags=["fold"]
# The picture
plots.lines(
    np.arange(1, 3001), sizes, "step t", "step size / learning rate",
    "Step size against the step on logarithmic axes. Both corrections: 1 throughout. Neither: 3.16 "
    "at first, a peak of 6.57 at step 12, then a slow fall towards 1. Only m corrected: 31.6 "
    "falling slowly. Only v corrected: 0.1 rising to 1 within 50 steps.",
    title="Constant gradient: what is corrected?", log="xy",
)

# %% name="answer"
t = np.arange(1, 3001)
neither = sizes["neither"]
assert np.allclose(neither, (1 - 0.9**t) / np.sqrt(1 - 0.999**t)) and np.allclose(sizes["both"], 1)
peak = neither.argmax()
print(f"neither: {neither[0]:.2f} lr at t = 1, {neither[peak]:.2f} lr at t = {peak + 1}, "
      f"{neither[999]:.2f} lr at t = 1000")
print(f"first step, only m corrected: {sizes['only m'][0]:.1f} lr, "
      f"only v: {sizes['only v'][0]:.1f} lr")
small = -train(Adam(1.0, beta2=0.95), constant, np.zeros(1), 1, corrections["neither"])[1]
print(f"neither, beta2 = 0.95: {small[0]:.2f} lr at t = 1")

# %% [markdown] name="after-answer"
# Without corrections the first step is too **large**: $m$ is 10 times too small, but $v$ is 1000 times too small, and $\sqrt{1000} / 10 = 3.16$. It gets worse up to step 12,
# because $m$ recovers within tens of steps and $v$ takes thousands. With $\beta_2 = 0.95$, usual for language models, the balance tips: too small.

# %% [markdown] name="a-forgotten-correction-in"
# ## What breaks
#
# ### A forgotten correction, in training
#
# Take real text: half of the pages of CPython's own documentation, drawn by a seed. Of the 63 most frequent words, and of "any other word", we count which follows which. The model
# is the simplest one: `theta[i, j]` is the logit of word `j` after word `i`, the loss is the cross-entropy over all pairs. Its floor is known, the entropy
# of the counts; we report the **gap** above the floor.

# %% name="words"
def words(seed, size=64):
    pages = np.random.default_rng(seed).permutation(sorted(topics))[::2]
    text = re.findall("[a-z]+", " ".join(topics[p] for p in pages).lower())
    number = {word: i for i, (word, _) in enumerate(Counter(text).most_common(size - 1))}
    ids = [number.get(word, size - 1) for word in text]
    counts = np.zeros((size, size))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    return counts

# %% name="bigram"
class Problem(NamedTuple):  # one for each seed, side by side
    gradient: Callable
    gap: Callable  # the loss above its floor, for each seed
    start: torch.Tensor

def bigram(counts):
    often = counts.sum(-1)  # how often a word occurs is the weight of its row
    follow, weight = counts / often[..., None], often / often.sum(-1, keepdim=True)

    def loss(theta):
        return soft_cross_entropy(theta, follow.expand_as(theta))

    floor = loss(follow.log()).value
    return Problem(lambda theta: loss(theta).grad * weight[..., None],
                   lambda theta: ((loss(theta).value - floor) * weight).sum(-1), 0 * counts)

# %% name="often" tags=["nbval-ignore-output"]
counts = torch.tensor(np.array([words(s) for s in setting.seeds]), device=setting.device)
often = counts.sum(-1)
ratio = (often.amax(1) / often.amin(1)).min().item()
assert ratio > 100
print(f"a common word occurs at least {ratio:.0f} times as often as a rare one")

# %% name="damage"
text = bigram(counts)

def gaps(lr, fix, steps=60):  # (steps, seeds)
    visited = train(Adam(lr), text.gradient, text.start, steps, fix)
    return torch.stack([text.gap(theta) for theta in visited]).cpu().numpy()

runs = {label: gaps(1.0, fix) for label, fix in corrections.items()}
bands = {label: tuple(np.percentile(r, [0, 50, 100], axis=1)) for label, r in runs.items()}
plots.lines(
    np.arange(61), bands, "step t", "gap above the floor (nats)",
    "Gap of the word model over 60 steps at learning rate 1, on a logarithmic axis. With both "
    "corrections it falls with ripples, and with only v corrected a little later. With neither it "
    "turns up again after one step and stays about ten times higher; with only m corrected it "
    "jumps up tenfold.",
    title="Learning rate 1: what is corrected? (band: all seeds)", log="y",
)

# %% name="damage-verdict" tags=["nbval-ignore-output"]
timid = {label: gaps(0.1, corrections[label])[-1] for label in ("both", "neither")}
worse = runs["neither"][-1] / runs["both"][-1]
better = timid["neither"] / timid["both"]
assert worse.min() > 4 and better.max() < 1 / 4
assert (runs["only m"][3] > 5 * runs["both"][0]).all()
rows = [[lr, f"{r.min():.2g} to {r.max():.2g}"] for lr, r in ((1.0, worse), (0.1, better))]
Table(["learning rate", "gap without corrections, as a multiple of the gap with both"], rows)

# %% [markdown] name="where-epsilon-stands"
# (The halves of the pages overlap from seed to seed, so the bands show less than fresh text would.) The picture above predicted it: forgetting the correction of $v$ hurts at once, forgetting that of $m$ only delays. But look at the second row: at a timid learning rate the *uncorrected*
# Adam is ahead, since it secretly takes longer steps. A missing correction is a hidden schedule, and another learning rate hides much of it. It was found the hard way in BERT:
# an Adam without correction made fine-tuning unstable across seeds (Zhang et al. 2021, "Revisiting few-sample BERT fine-tuning", arXiv 2006.05987).
#
# ### Where epsilon stands
#
# $\epsilon$ "avoids division by zero", says the source document. It does more, and its place matters. The update above, as in PyTorch, adds it outside the root, after the correction. Keras uses the form of the paper's
# section 2, with $\hat\epsilon$ added to the *uncorrected* root: $\eta\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}\, \frac{m_t}{\sqrt{v_t} + \hat\epsilon}$. This is the update above if
# $\hat\epsilon = \epsilon \sqrt{1 - \beta_2^t}$, and Keras keeps $\hat\epsilon$ fixed. A third form adds it under the root. The first step, in learning rates:

# %% name="epsilon"
m, v, f1, f2, e = sp.symbols("m v f1 f2 epsilon", positive=True)  # f1, f2: the factors 1 - beta^t
keras = sp.sqrt(f2) / f1 * m / (sp.sqrt(v) + e * sp.sqrt(f2))
assert sp.simplify(keras - (m / f1) / (sp.sqrt(v / f2) + e)) == 0

forms = {
    "PyTorch: outside": lambda g, eps: g / (g + eps),
    "under the root": lambda g, eps: g / np.sqrt(g**2 + eps),
    "Keras: before the correction": lambda g, eps: np.sqrt(0.001) * g / (np.sqrt(0.001) * g + eps),
}
trials = [(1.0, 1e-8), (1.0, 0.1), (1e-4, 1e-8), (1e-8, 1e-8)]
assert all(np.isclose(steps_down(np.array([[g]]))[0, 0], g / (g + 1e-8))
           for g, eps in trials if eps == 1e-8)
largest = max(abs(f(1.0, 1e-8) / forms["PyTorch: outside"](1.0, 1e-8) - 1) for f in forms.values())
assert 1e-7 < largest < 1e-6
print(f"g = 1, eps = 1e-08: apart by {largest:.1e}")
headers = [f"g = {g:g}, eps = {eps:g}" for g, eps in trials]
Table(["first step / lr", *headers],
      [[name, *(f(*s) for s in trials)] for name, f in forms.items()])

# %% [markdown] name="after-epsilon"
# At $g = 1$ and the default $\epsilon$ they are $3 \cdot 10^{-7}$ apart, a few roundings of float32: a test with NumPy's default tolerance of $10^{-7}$ sees it, one with $10^{-6}$ does not. The third column is another matter: under the root, $10^{-8}$ acts like $10^{-4}$. And for gradients as small as $\epsilon$
# itself, steps shrink in every form: $\epsilon$ caps what a parameter with hardly any gradient may do. Enlarge it, and $\sqrt{\hat v}$ no longer matters: Adam becomes
# momentum, averaged and corrected, with the rate $\eta / \epsilon$.

# %% name="large-epsilon"
bowl = quadratic(1.0, 25.0)
huge = trail(Adam(0.05e6, eps=1e6), bowl.gradient, start, 50)
averaged = train(Adam(0.05), bowl.gradient, start, 50,
                 move=lambda r, theta, m_hat, v_hat: theta - r.lr * m_hat)
apart = abs(np.array(huge) - averaged).max()
assert apart < 1e-3
print(f"Adam with eps = 1e6, from averaged, corrected momentum: never farther than {apart:.0e}")

# %% [markdown] name="a-loss-times-100"
# ### A loss times 100
#
# Line 3 says that the size of the gradient cancels. So Adam should not care in which unit the loss is measured, while gradient descent does.

# %% name="scale"
def path(rule, factor):
    return np.array(trail(rule, lambda theta: factor * bowl.gradient(theta), start, 50))

sgd = path(SGD(0.05), 100)
adam, tiny = (path(Adam(0.05), f) - path(Adam(0.05), 1) for f in (100, 1e-9))
print(f"loss x 100:  SGD leaves for a distance of {abs(sgd[-1]).max():.0e}")
print(f"loss x 100:  Adam's path changes by {abs(adam).max():.0e}")
print(f"loss x 1e-9: Adam's path changes by {abs(tiny).max():.1f}")
assert abs(sgd[-1]).max() > 1e50 and abs(adam).max() < 1e-6 and abs(tiny).max() > 0.5

# %% [markdown] name="half-precision"
# The unit cancels as long as the gradients stay far above $\epsilon$.
#
# ### Half precision
#
# The smallest positive float16 is about $6 \cdot 10^{-8}$. What becomes of $\epsilon = 10^{-8}$, and of $v$? One step on a parameter of 1, computed in float16 as PyTorch does without `fused`,
# and by ours, which computes in float32 and rounds once:

# %% name="half"
rows = []
for g in (0.0, 1e-4, 1e4):
    theta = torch.ones(1, dtype=torch.float16, device=setting.device, requires_grad=True)
    theta.grad = torch.full_like(theta, g)
    ours, _ = Adam(0.1).update(theta.detach().clone(), theta.grad, Adam().init(theta.detach()))
    torch.optim.Adam([theta], lr=0.1, foreach=False, fused=False).step()
    rows.append([f"{g:g}", str(theta.item()), ours.item()])
assert torch.tensor(1e-8).half() == 0 < torch.tensor(6e-8).half()
assert rows[0][1] == "nan" and ours.item() < 0.91
Table(["gradient", "PyTorch, float16", "ours"], rows)

# %% [markdown] name="after-half"
# A zero gradient gives 0 / 0. What must fit is $v_1 = 0.001\, g^2$: below about $g = 0.005$ it is 0 and the step infinite, above about 8000 it is infinite and the step 0. All three are silent.

# %% [markdown] name="faster-and-more-stable"
# ## Faster and more stable?
#
# That is what the source document says of Adam. One protocol: start at 0, 100 steps, every optimizer tries learning rates half a decade apart, and its best one counts, which must not be the lowest or the highest tried; momentum is 0.9 and the betas are the defaults.
# Two problems with real data: the **words** above, and linear regression on the **diabetes** data, ten standardised measurements of each patient. Only the training loss is judged.

# %% name="race"
rates = 10.0 ** np.arange(-2, 1.6, 0.5)
rules = {"SGD": SGD, "momentum": Momentum, "Adam": Adam}

def race(kind, problem, steps=100, **options):  # gap, learning rate and theta of each seed's best
    rule = kind(lr=1.0, **options)  # it gives the step at rate 1, for all rates at once
    theta = torch.stack([problem.start] * len(rates))
    lr = torch.tensor(rates, device=theta.device).reshape(-1, *[1] * problem.start.ndim)
    state = rule.init(theta)
    for _ in range(steps):
        moved, state = rule.update(theta, problem.gradient(theta), state)
        theta = theta + lr * (moved - theta)
    gaps = problem.gap(theta).nan_to_num(nan=torch.inf).cpu().numpy()
    best, seeds = gaps.argmin(0), np.arange(gaps.shape[1])
    assert all(0 < i < len(rates) - 1 for i in best)  # none at an end of the grid
    return gaps[best, seeds], rates[best], theta[best, seeds]

# %% name="regression"
def regression(seeds):
    found = [data.diabetes(s)[:2] for s in seeds]
    x, y = (torch.tensor(np.array(a), device=setting.device) for a in zip(*found, strict=True))
    y = (y - y.mean(1, keepdim=True)) / y.std(1, keepdim=True)

    def loss(theta):
        pred = (x @ theta[..., None])[..., 0]
        return squared_error(pred, y.expand_as(pred))

    def gradient(theta):
        return (x.mT @ loss(theta).grad[..., None])[..., 0] / y.shape[1]

    floor = loss(torch.linalg.lstsq(x, y[..., None]).solution[..., 0]).value.mean(-1)
    return Problem(gradient, lambda theta: loss(theta).value.mean(-1) - floor, 0 * x[:, 0])

# %% [markdown] name="after-regression"
# And a third, to find out *why*: the words again, but with the axes rotated. We train $\phi$ with $\theta = Q \phi$, where $Q$ is a random orthogonal matrix that mixes the rows. The losses that
# can be reached are the same; only the parameters no longer belong to one word each.

# %% name="rotated"
def mixer():  # a random orthogonal matrix for each seed
    draws = [np.random.default_rng(s).normal(size=counts.shape[1:]) for s in setting.seeds]
    return torch.tensor(np.linalg.qr(draws)[0], device=setting.device)

def rotated(problem):
    q = mixer()
    return Problem(lambda phi: q.mT @ problem.gradient(q @ phi),
                   lambda phi: problem.gap(q @ phi), problem.start)

turned = rotated(text)
for rule in (SGD(3.0), Momentum(3.0)):  # steps that are linear in the gradient turn with the axes
    a, b = (p.gap(trail(rule, p.gradient, p.start, 20)[-1]) for p in (text, turned))
    assert torch.allclose(a, b)

# %% name="results"
diabetes, results = regression(setting.seeds), {}
for name, problem in {"words": text, "diabetes": diabetes}.items():
    for label, kind in rules.items():
        results[name, label] = race(kind, problem)
results["words, rotated", "Adam"] = race(Adam, turned)
gap = {key: found[0] for key, found in results.items()}

# %% tags=["nbval-ignore-output"] name="results-table"
def cell(name, label):
    if (name, label) not in gap:
        return "as words"
    tuned = sorted({f"{lr:.2g}" for lr in results[name, label][1]}, key=float)
    low, middle, high = np.quantile(gap[name, label], [0, 0.5, 1])
    return f"{middle:.1e} ({low:.1e} to {high:.1e}), lr {' or '.join(tuned)}"

note = (f"Learning rates tried: {', '.join(f'{r:.2g}' for r in rates)}. "
        "Median gap, (range over seeds), best rates.")
Table(["problem", *rules],
      [[n, *(cell(n, r) for r in rules)] for n in ("words", "words, rotated", "diabetes")], note)

# %% name="results-verdict" tags=["nbval-ignore-output"]
turning = gap["words, rotated", "Adam"]
factors = {
    "words: momentum's gap over Adam's": gap["words", "momentum"] / gap["words", "Adam"],
    "words: Adam's gap, axes turned, over before": turning / gap["words", "Adam"],
    "words, axes turned: momentum's gap over Adam's": gap["words", "momentum"] / turning,
    "diabetes: Adam's gap over momentum's": gap["diabetes", "Adam"] / gap["diabetes", "momentum"],
}
for factor, least in zip(factors.values(), (50, 50, 3, 2), strict=True):
    assert factor.min() > least
Table(["ratio of gaps", "lowest to highest of the seeds"],
      [[name, f"{f.min():.2g} to {f.max():.2g}"] for name, f in factors.items()])

# %% [markdown] name="after-results-verdict"
# The gradient of a row is proportional to how often its word occurs, and so is its curvature. How much of Adam's lead is that? Take it out by hand, and let momentum race again.

# %% name="why" tags=["nbval-ignore-output"]
scale = counts.sum((-2, -1), keepdim=True) / counts.sum(-1, keepdim=True)
# every word alike
heavy = Problem(lambda theta: scale * text.gradient(theta), text.gap, text.start)
level = race(Momentum, heavy)[0]
before, adams = gap["words", "momentum"] / level, level / gap["words", "Adam"]
print(f"words, all equally heavy: momentum's gap {before.min():.2g} to {before.max():.2g} times "
      f"smaller than before, {adams.min():.2g} to {adams.max():.2g} times Adam's")
assert before.min() > 10 and adams.min() > 10

# %% [markdown] name="after-why"
# Two more questions. Are there differences of scale *within* a row, too? Mix only the columns. And does the diabetes verdict hang on the second knob, $\beta_2$ and the momentum?

# %% name="second-knob" tags=["nbval-ignore-output"]
def columns_rotated(problem):
    q = mixer()
    return Problem(lambda phi: problem.gradient(phi @ q) @ q.mT,
                   lambda phi: problem.gap(phi @ q), problem.start)

spread = race(Adam, columns_rotated(text))[0] / gap["words", "Adam"]
second = {"Adam, beta2 = 0.95": (Adam, {"beta2": 0.95})}
second |= {f"momentum {mu}": (Momentum, {"momentum": mu}) for mu in (0.85, 0.95)}
middle = {"Adam": np.median(gap["diabetes", "Adam"])}
for label, (kind, options) in second.items():
    middle[label] = np.median(race(kind, diabetes, **options)[0])
print(f"words, only the columns mixed: Adam's gap {np.median(spread):.2g} times as large (median)")
print("diabetes, median gaps:", {label: f"{g:.1g}" for label, g in middle.items()})
default, short, low, high = middle.values()
assert np.median(spread) > 4 and default > 2 * short > 4 * low and high > short

# %% [markdown] name="after-second-knob"
# Part of the lead is in the rows, and another part along the columns, since most words hardly ever follow. One learning rate must serve all of them; Adam divides each step by the size of the parameter's own gradients. Turn the axes, and most of
# the advantage is gone, though not all: **Adam helps most where the differences in scale lie along the axes.** The diabetes measurements have equal scales and are correlated: dividing gains little, and a $v$ that remembers the large first gradients for a thousand steps costs much ($\beta_2 = 0.95$ makes up most of it). Momentum 0.9 wins, given 100 steps; at 0.95 it is behind Adam with $\beta_2 = 0.95$. With the better of the few second knobs tried for each, momentum stays ahead.
#
# Whose words are learned?

# %% name="per-word"
def per_word(theta, counts):  # the gap of each word, the most frequent first, in groups of 8
    often = counts.sum(-1)
    follow = counts / often[..., None]
    gap = soft_cross_entropy(theta, follow).value - soft_cross_entropy(follow.log(), follow).value
    order = often.argsort(dim=1, descending=True)
    return gap.gather(1, order).reshape(len(counts), -1, 8).mean(2).cpu().numpy()

# %% name="rare"
curves = {label: per_word(results["words", label][2], counts) for label in rules}
bands = {label: tuple(np.percentile(c, [0, 50, 100], axis=0)) for label, c in curves.items()}
plots.lines(
    np.arange(4.5, 64, 8), bands,
    "rank of the word by frequency", "gap above the word's floor (nats)",
    "Gap per word against its rank, on a logarithmic axis. SGD and momentum leave the rarer words "
    "far above their floor, Adam is close to the floor at every rank.",
    title="After 100 steps at the best rate (band: all seeds)", log="y",
)

# %% [markdown] name="after-rare"
# SGD and momentum get the further behind the rarer the word, though even the most frequent ones are far from done; for Adam the rank hardly matters. Language has a long tail of rare words, which is one measured reason for Adam's place
# in language models (Kunstner et al. 2024, "Heavy-tailed class imbalance and why Adam outperforms gradient descent on language models", arXiv 2402.19449).

# %% name="rare-verdict"
rarest = {label: c[:, 4:].mean(1) for label, c in curves.items()}
assert (rarest["momentum"] > 50 * rarest["Adam"]).all()
assert (rarest["SGD"] > rarest["momentum"]).all()

# %% [markdown] name="more-stable"
# ### More stable?
#
# A problem of one parameter in $[-1, 1]$, after Reddi et al. (2018, "On the convergence of Adam and beyond", arXiv 1904.09237): the gradient is 3 at every third step, else $-1$. The average slope is positive, so $-1$ is the best point.
# They take $\beta_1 = 0$ and $\beta_2 = 1 / (1 + 3^2)$. Before you run it: where does Adam go?

# %% name="reddi"
def walk(rule, steps=3000):
    theta, state = np.zeros(1), rule.init(np.zeros(1))
    for t in range(1, steps + 1):
        theta, state = rule.update(theta, np.array([3.0 if t % 3 == 1 else -1.0]), state)
        theta = np.clip(theta, -1, 1)
    return f"{theta[0]:.1f}"

short = {"beta1": 0.0, "beta2": 0.1}
walkers = {"Adam": Adam(0.01, **short), "AMSGrad": AMSGrad(0.01, **short), "SGD": SGD(0.01)}
walkers["Adam, default betas"] = Adam(0.01)
ends = {label: walk(rule) for label, rule in walkers.items()}
assert ends == {"Adam": "1.0", "AMSGrad": "-1.0", "SGD": "-1.0", "Adam, default betas": "-1.0"}
Table(["rule", "ends at"], ends.items())

# %% [markdown] name="after-reddi"
# To the worst point. Adam divides the large gradient by its own size, and with so short a memory it has forgotten that size when the two small ones come: three steps of similar length, two of them
# the wrong way. AMSGrad divides by the largest $v$ so far. The default betas remember a thousand steps, and Adam is right here; but the paper builds such a problem for every choice of betas with $\beta_1 < \sqrt{\beta_2}$.

# %% [markdown] name="adam-whose-betas-change"
# ## Exercises
#
# ### 1. Adam whose betas change (12 minutes, medium)
# A schedule changes the betas from step to step, so $1 - \beta^t$ is no longer what the weights add up to (line 2). Instead of `t`, the sums of the weights so far come in: `w1` for `m`, `w2` for `v`, both 0 at the
# start. Return `(theta, m, v, w1, w2)` for NumPy arrays. The check walks 30 steps with a large `eps`.

# %% name="exercise-step"
def adam_step(theta, g, m, v, w1, w2, lr, beta1, beta2, eps):
    ### BEGIN SOLUTION
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    w1 = beta1 * w1 + (1 - beta1)
    w2 = beta2 * w2 + (1 - beta2)
    return theta - lr * (m / w1) / (np.sqrt(v / w2) + eps), m, v, w1, w2
    ### END SOLUTION

# %% name="check-step"
check("adam_step")

# %% [markdown] name="the-resumed-run"
# <details><summary>Hint 1</summary>What becomes of the weight of an earlier gradient when a new step multiplies the average by beta?</details>
# <details><summary>Hint 2</summary>w1 follows the same rule as m, with 1 in place of g. With constant betas it is 1 - beta1**t.</details>
#
# ### 2. The resumed run (5 minutes, medium)
# A long run is stopped and resumed. `m` and `v` were saved, but `t` starts again at 1. Under a constant gradient, how long is step `t` after the restart, in learning rates, without `eps`?

# %% name="exercise-resumed"
def resumed(t, beta1, beta2):
    ### BEGIN SOLUTION
    return np.sqrt(1 - beta2**t) / (1 - beta1**t)
    ### END SOLUTION

# %% name="check-resumed"
check("resumed")

# %% [markdown] name="the-longest-step-with"
# <details><summary>Hint 1</summary>After a long run under a constant gradient c, what are m and v? Does the next step change them?</details>
# <details><summary>Hint 2</summary>What do the corrections make of them? Under <i>Code</i>, <code>correct(Adam(), m=1.0, v=1.0, t=1)</code> did this: hats of 10 and 1000.</details>
#
# ### 3. The longest step, with a shorter memory (5 minutes, easy)
# Language models are often trained with $\beta_2 = 0.95$. Without both corrections, with $\beta_1 = 0.9$ and $\beta_2 = 0.95$, under a constant gradient: at which step `t` is Adam's step longest?

# %% name="exercise-longest"
longest_at = (
    ### BEGIN SOLUTION
    max(range(1, 1000), key=lambda t: (1 - 0.9**t) / np.sqrt(1 - 0.95**t))
    ### END SOLUTION
)

# %% name="check-longest"
check("longest_at")

# %% [markdown] name="the-largest-possible-step"
# <details><summary>Hint 1</summary>Which line of the derivation gives the size of a step?</details>
# <details><summary>Hint 2</summary><code>max(range(1, 1000), key=...)</code> finds where a function is largest.</details>
#
# ### 4. The largest possible step (10 minutes, hard)
# Line 6 is for large $t$. Give the largest step that any gradients can cause at step `t`, **with** corrections, in learning rates, without `eps`. At `t = 1` it must be 1.

# %% name="exercise-largest"
def largest_step(t, beta1, beta2):
    ### BEGIN SOLUTION
    q_sum = sum((beta1**2 / beta2) ** k for k in range(t))
    # below the limit by sqrt(1 - q^t), and ...
    uncorrected = (1 - beta1) / np.sqrt(1 - beta2) * np.sqrt(q_sum)
    # with x = q^t, y = beta2^t the corrections give sqrt(1 - y) / (1 - sqrt(x y));
    # (1 - x)(1 - y) <= (1 - sqrt(x y))^2
    return uncorrected * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    ### END SOLUTION

# %% name="check-largest"
check("largest_step")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Line 5 bounds m / sqrt(v) at every t. Keep its sum over k finite: there are t terms.</details>
# <details><summary>Hint 2</summary>m_hat / sqrt(v_hat) is m / sqrt(v) times two factors that do not depend on the gradients.</details>
#
# ## Takeaways
#
# - Adam divides an average of gradients by the root of an average of squares, so the size of the gradient cancels, with $t$ from 1 and a zero start; without its corrections a constant gradient gives steps of up to 6.57 $\eta$.
#   $\epsilon$ also limits parameters with small gradients, and there its place shows. The bound of the paper is none: the largest step comes as close to 7.27 $\eta$ as you like. "Momentum plus RMSProp" is nearly right: an average instead of a sum, and a correction that neither parent has.
# - Faster and more stable? It depends. Adam won by far where scales differ along the axes, as with rare words. Elsewhere momentum can win, and with a short memory Adam can walk to the worst point. Published comparisons disagree as well:
#   worse test errors than SGD in Wilson et al. (2017, "The marginal value of adaptive gradient methods in machine learning", arXiv 1705.08292), never behind momentum once *all* hyperparameters are tuned in Choi et al. (2019, "On empirical comparisons of optimizers for deep learning", arXiv 1910.05446).
# - Do not use it in pure float16, nor where memory has no room for two more numbers per parameter. Where all scales are equal, as in the diabetes data, try momentum too, and tune its second knob.
