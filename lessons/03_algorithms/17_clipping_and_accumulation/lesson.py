# ---
# jupyter:
#   lesson:
#     title: Clipping and accumulation
#     question: "We cap every gradient for stability. Does the optimizer still look for the same place?"
#     minutes: 50
#     needs: [03_sgd, 04_adam, 05_regression]
#     studies: [optim.clip.clip_by_norm, optim.clip.clip_by_value]
#     settles: [G20]
# ---

# %% [markdown] name="title"
# # Clipping and accumulation
#
# **Goal.** Put three steps between gradient and update (add up, unscale, clip) in the right order, and know what each of them changes.
#
# **The question.** We cap the length of every gradient, "for stability". Does the optimizer still look for the same place?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import numpy as np
import torch

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.core import mean
from lessons_lib.losses import cross_entropy, huber
from lessons_lib.optim import SGD, Adam
from lessons_lib.optim.clip import clip_by_norm, clip_by_value
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/17_clipping_and_accumulation")

# %% [markdown] name="the-formula"
# ## The formula
#
# The source document goes straight from the gradient to the update. Real training puts more between. **Clipping** by the global norm (Pascanu, Mikolov and Bengio, 2013, *On the difficulty of training recurrent neural networks*) shortens a gradient that is too long:
#
# $$\operatorname{clip}_c(g) = g \cdot \min\Big(1, \frac{c}{\lVert g \rVert}\Big), \qquad \lVert g \rVert = \sqrt{\textstyle\sum_j g_j^2} \text{ over all parameters together}$$
#
# **Accumulation** computes a batch that does not fit the memory in $K$ micro-batches:
#
# $$g = \frac{n_1 \bar g_1 + \dots + n_K \bar g_K}{n_1 + \dots + n_K}$$
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $g$ | `g` | one array, or a list of arrays | the gradient of all parameters |
# | $c$ | `limit` | a number > 0 | the longest gradient let through |
# | $\bar g_k$ | | like $g$ | the mean gradient of micro-batch $k$ |
# | $n_k$ | | an integer | its examples (in a language model: the tokens that count) |
#
# ## Derivation
#
# 1. $\operatorname{clip}_c(g)$ has $g$'s direction and the length $\min(\lVert g \rVert, c)$.
# 2. Where $\lVert g \rVert > c$, no vector $h$ of length $c$ or less is nearer to $g$: $\lVert g - h \rVert \ge \lVert g \rVert - \lVert h \rVert \ge \lVert g \rVert - c$, and $\operatorname{clip}_c(g)$ reaches it. Clipping changes as little as the cap allows.
# 3. Clipping each number by itself ("by value") caps the numbers, not the length, and turns the direction: $(1, 100)$ becomes $(1, 1)$ at $c = 1$.
# 4. Clipping is not linear. Let $g$ be $1$ for nine examples in ten, $-20$ for the tenth. Its mean is $0.9 - 2 = -1.1$. Clip each at $1$, then average: $0.9 - 0.1 = +0.8$. **The average of clipped gradients can point the other way.**
# 5. With $g_{ki}$ for the gradient of example $i$ in micro-batch $k$, $n_k \bar g_k = \sum_i g_{ki}$: the weighted sum of the formula is the mean over all examples. The plain mean of the $\bar g_k$ counts an example of micro-batch $k$ with $1 / (K n_k)$: those in small micro-batches count more.

# %% name="derivation"
rng = np.random.default_rng(0)
g = rng.normal(size=4) * 3
for limit in (0.5, 2.0, 100.0):
    near = clip_by_norm(g, limit)
    long, short = np.linalg.norm(g), np.linalg.norm(near)
    assert np.isclose(short, min(long, limit), rtol=1e-5)  # line 1: length, and direction
    assert np.allclose(near / short, g / long)
    print(f"limit {limit}: from length {long:.3f} to {short:.3f}")
    others = rng.normal(size=(10_000, 4))
    others *= limit * rng.random((10_000, 1)) / np.linalg.norm(others, axis=1, keepdims=True)
    assert np.linalg.norm(g - near) <= np.linalg.norm(g - others, axis=1).min() + 1e-5  # line 2
assert clip_by_value(np.array([1.0, 100.0]), 1.0).tolist() == [1, 1]  # line 3
ten = np.array([1.0] * 9 + [-20.0])
assert np.isclose(ten.mean(), -1.1) and np.isclose(clip_by_value(ten, 1.0).mean(), 0.8)  # line 4
a = rng.normal(size=3)  # line 5: micro-batches of two examples and of one
means, n = np.array([a[:2].mean(), a[2]]), np.array([2, 1])
assert np.isclose(n @ means / 3, a.mean()) and np.isclose(means.mean(), a @ [1 / 4, 1 / 4, 1 / 2])
print(f"mean {ten.mean():.1f}; mean of the clipped {clip_by_value(ten, 1.0).mean():+.1f}")

# %% [markdown] name="code"
# ## Code

# %% name="source"
show(clip_by_norm, clip_by_value)

# %% [markdown] name="after-source"
# The code adds $10^{-6}$ to the norm, as PyTorch does: no division by 0, and a clipped gradient a hair shorter than $c$.
#
# The step grows: (a) sample, (b) gradient, then new: (c) add up the micro-batches, (d) unscale, (e) clip, and (f) update. Step (d) belongs to training in float16 (Micikevicius and others, 2018, *Mixed precision training*), whose smallest number above 0 is $6 \cdot 10^{-8}$: the loss is multiplied by a factor $S$ so that small gradients do not become 0, and the gradient must be divided by it again, in float32 (in float16 it could become 0 after all). Swap (d) and (e), or forget (d):

# %% name="order"
S = 1024.0
unscale, clip = lambda g: g / S, lambda g: clip_by_norm(g, 1.0)
orders = {"unscale, clip": [unscale, clip], "clip, unscale": [clip, unscale], "clip only": [clip]}
lengths, rows = {}, []
for name, steps in orders.items():
    for size in (5.0, 0.01):
        g = S * size * np.array([0.6, 0.8])  # the gradient of S times the loss
        for step in steps:
            g = step(g)
        lengths[name, size] = np.linalg.norm(g)
    rows.append([name, f"{lengths[name, 5.0]:.4f}", f"{lengths[name, 0.01]:.4f}"])
assert np.isclose(lengths["clip, unscale", 5.0], 1 / S, rtol=1e-5)
assert lengths["clip only", 0.01] > 0.99
Table(["order, at limit 1", "a true length of 5 becomes", "a true length of 0.01 becomes"], rows)

# %% [markdown] name="parity-with-pytorch"
# Only the first row is right. The third looks right while gradients are long; near the minimum, where they should be short, SGD goes on with full steps, down to a length of $1 / S$. And (c) comes before (e): clip each micro-batch first and then add up, and line 4 applies.
#
# In PyTorch, `backward` adds up (c); `unscale_` of a `torch.amp.GradScaler` (d) comes before `clip_grad_norm_` (e), the scaler's `step` (f) skips the update if a gradient is not finite, and its `update`, called last, then halves $S$. The library's own scaler is `optim.loss_scale.LossScale`.
#
# ## Parity with PyTorch
#
# Two arrays of very different size, clipped together with `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_`. The norm may be any $(\sum_j |g_j|^p)^{1/p}$: $p = 2$ is the one above, $p = \infty$ the largest $|g_j|$. For half precision the judge is PyTorch in float32.

# %% name="parity-of"
def parity_of(ours, theirs, dtype):  # the largest relative difference
    draw, half = torch.Generator().manual_seed(seed), dtype in (torch.float16, torch.bfloat16)
    g = [(s * torch.randn(50, generator=draw)).to(setting.device, dtype) for s in (1.0, 100.0)]
    judge = torch.float32 if half else dtype
    leaves = [torch.zeros_like(v, dtype=judge, requires_grad=True) for v in g]
    for leaf, v in zip(leaves, g, strict=True):
        leaf.grad = v.to(leaf.dtype, copy=True)
    theirs(leaves)
    pairs = zip(ours(g), (leaf.grad for leaf in leaves), strict=True)
    error = max(((u - w).abs().max() / w.abs().max()).item() for u, w in pairs)
    assert error <= 8 * torch.finfo(dtype).eps
    return f"{error:.1e}"

# %% tags=["nbval-ignore-output"] name="parity"
torch_norm, torch_value = torch.nn.utils.clip_grad_norm_, torch.nn.utils.clip_grad_value_
dtypes = [torch.float64, torch.float32, torch.float16, torch.bfloat16]

def by_norm(p, c):
    return lambda g: clip_by_norm(g, c, p), lambda q: torch_norm(q, c, p)

pairs = {
    "value": (lambda g: clip_by_value(g, 2.0), lambda q: torch_value(q, 2.0)),
    "norm, p = 2": by_norm(2.0, 2.0),
    "norm, p = inf": by_norm(float("inf"), 2.0),
    "norm, p = 2, short enough": by_norm(2.0, 1e4),
}
rows = [[name, *(parity_of(*pair, d) for d in dtypes)] for name, pair in pairs.items()]
Table(["clip by", *(str(d).split(".")[1] for d in dtypes)], rows)

# %% [markdown] name="picture-text"
# ## Picture
#
# We estimate one number $\theta$ for the diabetes data: the loss is $\frac12 (\theta - y_n)^2$, so a batch of size $B$ has the gradient $\theta$ minus its mean, and the minimum is the mean of all $y$. The data are skewed: their median is lower. Where is the *average clipped* gradient 0, the place around which clipped SGD settles? (For a single number, clipping by norm and by value are the same.)

# %% name="settles"
def batch_means(y, batch, s):  # of 20 000 batches; with batches of one, y itself
    return y if batch == 1 else np.random.default_rng(s).choice(y, (20_000, batch)).mean(1)

def place(means, limit):  # where the mean clipped gradient changes its sign, by bisection
    low, high = means.min(), means.max()
    for _ in range(40):
        theta = (low + high) / 2
        slope = clip_by_value(theta - means, limit).mean()
        low, high = (low, theta) if slope > 0 else (theta, high)
    return theta

def share(y, batch, limit, s):  # 0: the median, 1: the mean
    return (place(batch_means(y, batch, s), limit) - np.median(y)) / (y.mean() - np.median(y))

# %% name="picture"
limits, ys = np.logspace(0, 2.5, 11), {s: data.diabetes(s).y for s in setting.seeds}
shares = {B: np.array([[share(y, B, c, s) for c in limits] for s, y in ys.items()])
          for B in (1, 8, 64)}
plots.lines(
    limits,
    {f"batch of {B}": tuple(np.quantile(v, [0, 0.5, 1], axis=0)) for B, v in shares.items()},
    "limit c of the gradient (log)", "0: the median, 1: the mean",
    "Batch of 1: at the median up to a limit of 30, at the mean from 180. "
    "Batch of 8: near the mean. Batch of 64: at it.",
    title="Where clipped SGD settles (band: all seeds)", log="x",
)

# %% name="picture-verdict"
assert abs(shares[1][:, 0]).max() < 0.3 and np.allclose(shares[1][:, -1], 1)  # median to mean
assert np.median(shares[8][:, 0]) > 0.6 and np.median(shares[64][:, 0]) > 0.85
r = np.linspace(-50, 50, 101)
assert np.allclose(clip_by_value(r, 10.0), huber(r, 0 * r, 10.0).grad)
for s, y in ys.items():
    means = batch_means(y, 8, s)
    assert abs(place(means, 0.1) - np.median(means)) < 0.02 * y.std()
y = ys[seed]
print(f"batch of 1: mean {y.mean():.1f}, median {np.median(y):.1f}, "
      f"clipped at 1 it settles at {place(y, 1.0):.1f}")
means = batch_means(y, 8, seed)
print(f"batch of 8: median of the means {np.median(means):.1f}, "
      f"clipped at 0.1 it settles at {place(means, 0.1):.1f}")

# %% [markdown] name="after-picture-verdict"
# **A tight clip changes what is minimised.** With single examples, the clipped slope of the squared error *is* Huber's slope with $\delta = c$ (lesson 5), so clipped SGD minimises Huber's loss. In a batch, averaging comes before clipping, and a tight clip leads to the median of the *batch means*. Here the mild skew is mostly gone in a mean of 8. A few huge values do not average out so fast:

# %% name="far"
rows = []
for k in (3, 4, 7, 10):
    found, average = [], 64 * k / 310
    for s in setting.seeds:
        rng = np.random.default_rng(s)
        y = np.concatenate([rng.normal(size=310 - k), [300.0] * k])
        found.append(share(y, 64, 0.3, s))
        middle = np.median(rng.binomial(64, k / 310, size=20_000))
        assert abs(found[-1] - middle / average) < 0.2
    settles = f"{np.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"
    rows.append([k, f"{average:.2f}", f"{middle:.0f}", settles])
Table(["values at 300", "average batch of 64 holds", "middle batch holds", "settles at"], rows,
      "310 values, limit 0.3. Settles at 0: the median, at 1: the mean.")

# %% [markdown] name="after-far"
# A tight clip leads to the middle batch, and a batch holds a *whole* number of huge values. With three, the middle one holds none. A fourth tips the majority, and the place jumps *past* the mean. With seven it falls short; with ten the middle batch happens to be like the average one. Real SGD goes to the predicted place; here on the diabetes data, with single examples, clipped at 10, from the mean:

# %% name="walk"
def walk(y, limit, s, steps=20_000):
    rng, theta, visited = np.random.default_rng(s), y.mean(), []
    for t, n in enumerate(rng.integers(len(y), size=steps)):
        theta -= 30 / (30 + t) * max(-limit, min(limit, theta - y[n]))
        visited.append(theta)
    return np.mean(visited[steps // 2 :])

way = [(walk(y, 10.0, s) - y.mean()) / (place(y, 10.0) - y.mean()) for s, y in ys.items()]
assert abs(np.median(way) - 1) < 0.2 and max(abs(np.array(way) - 1)) < 0.5
print(f"share of the way walked: {np.median(way):.1f} ({min(way):.1f} to {max(way):.1f})")

# %% [markdown] name="what-breaks"
# ## What breaks
#
# ### Adam after one bad batch
#
# Adam divides by the size of the gradients (lesson 4), so does it need clipping? One coordinate, gradient $\theta$, start at 10; in step 50, once, 1000 times the gradient:

# %% name="spike"
def ride(rule, spike, limit=1e9):  # 1e9: never clips
    theta, away = np.array([10.0]), []
    state = rule.init(theta)
    for t in range(1, 601):
        g = theta * (spike if t == 50 else 1.0)
        theta, state = rule.update(theta, clip_by_norm(g, limit), state)
        away.append(abs(theta[0]))
    return np.array(away)

# %% name="spike-picture"
adam = Adam(0.01)
plots.lines(
    np.arange(1, 601),
    {"no spike": ride(adam, 1), "one spike": ride(adam, 1000),
     "the spike, clipped": ride(adam, 1000, limit=10.0)},
    "step", "distance to the minimum",
    "Without a spike, and with a clipped one: falls steadily, on the same line. "
    "With the spike: nearly flat from step 50 on.",
    title="Adam, one gradient in 600 too long",
)

# %% name="spike-verdict"
def progress(rule, **how):  # after the spike, as a share of the progress without one
    plain, hit = ride(rule, 1), ride(rule, **how)
    return (hit[60] - hit[-1]) / (plain[60] - plain[-1])

cases = {"as in the figure": (adam, 1000), "the spike points the other way": (adam, -1000),
         "beta2 = 0.95": (Adam(0.01, beta2=0.95), 1000)}
left = {name: [progress(rule, spike=x, limit=c) for c in (1e9, 100.0, 10.0)]
        for name, (rule, x) in cases.items()}
sleepy, reverse, awake = left.values()
assert max(sleepy[0], reverse[0]) < 0.1 and awake[0] > 0.3
assert min(v[2] for v in left.values()) > 0.8
Table(["Adam", "not clipped", "limit 100", "limit 10"],
      [[name, *(f"{x:.2f}" for x in v)] for name, v in left.items()],
      "Progress from step 61 to 600, as a share of the progress without a spike.")

# %% name="asleep"
for beta2, wait in ((0.999, 5800), (0.95, 190)):
    v, steps = 1 + (1 - beta2) * 1e6, 0  # in ordinary squares, right after the spike
    while v > 4:
        v, steps = beta2 * v + (1 - beta2), steps + 1
    assert abs(steps - wait) < 20
    print(f"beta2 {beta2}: 3 ordinary squares are left of the spike after {steps} steps")
thrown = ride(SGD(0.1), 1000)
assert np.isclose(thrown[49], 99 * thrown[48])
print(f"SGD: in step 50 the distance is multiplied by {thrown[49] / thrown[48]:.0f}")

# %% [markdown] name="the-mean-of-means"
# The spike adds $(1 - \beta_2) \cdot 10^6$ ordinary squares to $v$, and they fade by the factor $\beta_2$ a step. If the gradients keep their length, a step is half as long as usual when 3 of them are left: after about 5800 steps, or about 190 with 0.95 (the last row wakes up). Adam is hardly thrown off; it falls asleep. Clipped at 10, about the length of an ordinary gradient, the spike is one ordinary step; a loose limit helps less. SGD with $\eta = 0.1$ is thrown instead: to 99 times its distance.
#
# ### The mean of means
#
# Four answers are micro-batches of one batch: 200, 20, 5 and 1 tokens. The model is one logit per word of a vocabulary of four, and answer $k$ says only word $k$. Trained on all 226 tokens, the short answer's word should get the probability 1/226:

# %% name="tokens"
counts = np.array([200, 20, 5, 1])

def trained(weights, steps=1000):
    z = np.zeros(4)
    for _ in range(steps):
        micro = [mean(cross_entropy(np.tile(z, (n, 1)), np.full(n, k))).grad.sum(0)
                 for k, n in enumerate(counts)]
        z = z - 2.0 * sum(w * g for w, g in zip(weights, micro, strict=True))
    return np.exp(z) / np.exp(z).sum()

right, means = trained(counts / counts.sum()), trained(np.full(4, 1 / 4))
assert np.allclose(right, counts / 226, atol=1e-3) and np.allclose(means, 1 / 4, atol=1e-3)
Table(["weight of a micro-batch", *(f"{n} tokens" for n in counts)],
      [["its tokens", *(f"{p:.3f}" for p in right)],
       ["the same for all", *(f"{p:.3f}" for p in means)]],
      "The probability that the trained model gives to each answer's word.")

# %% [markdown] name="a-gradient-that-is-not"
# Dividing each micro-batch's loss by $K$, as one often reads, makes this model say the rarest word in a quarter of all cases. The mistake shows only where the $n_k$ differ.
#
# ### A gradient that is not finite

# %% name="infinite"
leaf = torch.zeros(2, requires_grad=True)
leaf.grad = torch.tensor([1.0, float("inf")])
torch.nn.utils.clip_grad_norm_(leaf, 1.0)
print("PyTorch:", leaf.grad.tolist())
try:
    clip_by_norm(torch.tensor([1.0, float("inf")]), 1.0)
except ValueError as error:
    print("ours:", error)

# %% [markdown] name="exercises"
# Clipping is no cure for `inf`: there is no direction to keep. PyTorch is silent unless told `error_if_nonfinite=True`. Skip that step (exercise 3).
#
# ## Exercises
#
# ### 1. Clip, but not relative to nothing (7 minutes, medium)
# A large weight can take a larger gradient than a small one. Shorten the gradient `g` of one array `theta`, of any shape, so that its norm (over all numbers) is at most `ratio` times the norm of `theta`; a `theta` shorter than `least` counts as that long. Return the gradient.

# %% name="exercise-relative"
def clip_relative(theta, g, ratio, least):
    ### BEGIN SOLUTION
    longest = ratio * max(np.linalg.norm(theta), least)
    size = np.linalg.norm(g)
    return g * longest / size if size > longest else g
    ### END SOLUTION

# %% name="check-relative"
check("clip_relative")

# %% [markdown] name="2-a-running-mean-over"
# <details><summary>Hint 1</summary>First compute one number: the longest gradient that is allowed here.</details>
# <details><summary>Hint 2</summary>A gradient of zeros must come back as it is: 0 / 0 is NaN.</details>
#
# ### 2. A running mean over micro-batches (7 minutes, medium)
# Keep only the mean gradient so far, `g`, over `n` tokens (at the start: zeros, over 0). A micro-batch brings its mean `g_new` over `n_new` tokens. Return the new pair: mean, and number of tokens. A micro-batch whose tokens are all masked has `n_new = 0` and a `g_new` of NaN; it may be the first.

# %% name="exercise-accumulate"
def accumulate(g, n, g_new, n_new):
    ### BEGIN SOLUTION
    if n_new == 0:
        return g, n
    return g + (g_new - g) * n_new / (n + n_new), n + n_new
    ### END SOLUTION

# %% name="check-accumulate"
check("accumulate")

# %% [markdown] name="3-the-step-in-float16"
# <details><summary>Hint 1</summary>Turn both means back into sums, add, divide.</details>
# <details><summary>Hint 2</summary>0 times NaN is NaN: an empty micro-batch needs a line of its own.</details>
#
# ### 3. The step in float16 (6 minutes, medium)
# `g` is a list of float16 gradients of $S$ times the loss. Return the pair: the list to hand to the optimizer (unscaled, clipped together to norm `limit`, all in float32), and the next `S`. If any number is not finite, the pair is `None` and `S / 2`; otherwise the second is `S`.

# %% name="exercise-scaled"
def scaled_step(g, S, limit):
    ### BEGIN SOLUTION
    if not all(np.isfinite(a).all() for a in g):
        return None, S / 2
    g = [a.astype(np.float32) / S for a in g]
    size = np.sqrt(sum((a**2).sum() for a in g))
    return [a * limit / max(size, limit) for a in g], S
    ### END SOLUTION

# %% name="check-scaled"
check("scaled_step")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Look again at the table of the three orders.</details>
# <details><summary>Hint 2</summary>One norm for all arrays together, or the direction turns.</details>
#
# ## Takeaways
#
# - Clipping by the global norm keeps the direction of the batch's gradient, not the average direction of the examples: with small batches and skewed data it moves the minimum. The article's step lacks it.
# - Weigh micro-batches by the examples (tokens) that count; then add up, unscale, clip, update, in this order.
# - Do not clip tightly with single examples, or where a few huge values make up the mean, unless you want another minimum; do not use clipping against `inf`; and do not believe that Adam needs none.
