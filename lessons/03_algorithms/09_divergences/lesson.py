# ---
# jupyter:
#   lesson:
#     title: "Divergences: KL both ways, Jensen-Shannon"
#     question: "The target has two humps, the model one. Which loss puts it where the target has nothing, and is that wrong?"
#     minutes: 60
#     needs: [02_cross_entropy]
#     studies: [losses.kl_divergence, losses.jensen_shannon]
#     settles: [E4]
# ---

# %% [markdown] name="goal"
# # Divergences: KL both ways, Jensen-Shannon
#
# **Goal.** Know which mistakes each direction of the KL divergence forgives, and get PyTorch's `kl_div` right the first time.
#
# **The question.** The target has two humps, the model only one. Two losses, both 0 exactly where model and target agree. One puts its hump where the target has next to *nothing*; the other can be content with a thousandth of the target. Which is which, and is either wrong?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup" tags=["fold"]
# Set-up: imports, and the device to compute on
import warnings

import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, parity, plots
from lessons_lib.core import mean
from lessons_lib.losses import cross_entropy, jensen_shannon, kl_divergence
from lessons_lib.optim import SGD, Adam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/09_divergences")

# %% [markdown] name="derivation-text"
# ## The formula
#
# Cross-entropy is entropy plus divergence (lesson 24 derives it). So far the target was $y$ and the model's distribution $p$; **from here on the target is $p$ and the model $q$**, as divergences are usually written: $H(p, q) = H(p) + \mathrm{KL}(p \Vert q)$. The source document calls the loss a "metric" for the difference of distributions; it is none. For a target $p$ and a model $q = \operatorname{softmax}(z)$:
#
# $$\mathrm{KL}(p \Vert q) = \sum_i p_i \log \frac{p_i}{q_i} \qquad \mathrm{KL}(q \Vert p) = \sum_i q_i \log \frac{q_i}{p_i} \qquad \mathrm{JS} = \tfrac12 \mathrm{KL}(p \Vert m) + \tfrac12 \mathrm{KL}(q \Vert m),\ m = \tfrac{p + q}{2}$$
#
# They are called forward KL, reverse KL (Kullback and Leibler 1951, *On information and sufficiency*) and Jensen-Shannon divergence (Lin 1991, *Divergence measures based on the Shannon entropy*). A term with a 0 in front of the logarithm is 0.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $p$ | `p` | $(\dots, C)$ | target, a distribution over $C$ classes |
# | $z$; $q$, $\log q$ | `logits`; `q`, `log_q` | $(\dots, C)$ | the model's scores; its probabilities and their logarithms |
# | $m$ | `m` | $(\dots, C)$ | the middle of $p$ and $q$ |
# | a divergence | `.value` | $(\dots)$ | in nats |
#
# ## Derivation
#
# 1. Forward KL is cross-entropy minus a constant: its gradient by $z$ is $q - p$.
# 2. Through a softmax, $\partial q_i / \partial z_j = q_i (1 - q_i)$ if $i = j$, else $-q_i q_j$ (lesson 2): a gradient $a_i$ by $q_i$ becomes $q_i \big( a_i - \sum_j q_j a_j \big)$ by $z_i$, and **a constant in $a$ cancels.** Reverse KL has $a_i = \log (q_i / p_i) + 1$, JS has $a_i = \frac12 \log (q_i / m_i)$.
# 3. Where $q_i = 0 < p_i$, forward KL is infinite: **cover everything that happens.** Where $p_i = 0 < q_i$, reverse KL is: **invent nothing.** Each forgives what the other forbids.
# 4. Let class $i$ stand for a point $x_i$ of a line, and $z_i = -(x_i - \mu)^2 / 2 s^2$: a Gaussian. Forward KL has gradient 0 by $\mu$ and $s$ where $\sum_i (q_i - p_i)\, x_i = 0$ and $\sum_i (q_i - p_i)\, x_i^2 = 0$: **$q$ has $p$'s mean and variance, whatever $p$ looks like.**
# 5. Let $p$ have humps that do not overlap, one with the share $\pi$. If $q$ is this hump alone, $q_i / p_i = 1 / \pi$ wherever $q_i > 0$: reverse KL is $-\log \pi$, and by line 2 its gradient is 0. **On every hump, however small, it may rest**; so may JS, whose $q_i / m_i = 2 / (1 + \pi)$ is constant there too.
# 6. $m_i \ge p_i / 2$, so no logarithm in JS exceeds $\log 2$, nor does JS. Where $p$ and $q$ share nothing, each is $\log 2$: JS is at its bound, and by line 2 it has **no gradient.**
# 7. KL is not symmetric and breaks the triangle inequality; JS is symmetric, and $\sqrt{\mathrm{JS}}$ keeps the inequality (Endres and Schindelin 2003, *A new metric for probability distributions*).

# %% name="derivation"
z = sp.symbols("z1:4")
at = dict(zip(z, (0.3, -1.2, 2.0), strict=True))
p = sp.Matrix([sp.Rational(1, 2), sp.Rational(1, 3), sp.Rational(1, 6)])
q = sp.Matrix([sp.exp(v) / sum(sp.exp(u) for u in z) for v in z])

def kl_of(a, b):
    return sum(a[i] * sp.log(a[i] / b[i]) for i in range(3))

# %% name="derivation-gradients"
half = (p + q) / 2
losses = [kl_of(p, q), kl_of(q, p), (kl_of(p, half) + kl_of(q, half)) / 2]
def through(a):  # line 2: from a gradient by q to one by z
    return [q[i] * (a[i] - q.dot(a)) for i in range(3)]

reverse = sp.Matrix([sp.log(q[i] / p[i]) + 1 for i in range(3)])
js = sp.Matrix([sp.log(q[i] / half[i]) / 2 for i in range(3)])
for value, closed in zip(losses, [q - p, through(reverse), through(js)], strict=True):
    for i in range(3):
        assert abs(sp.N((sp.diff(value, z[i]) - closed[i]).subs(at))) < 1e-12  # lines 1 and 2

# %% name="derivation-library"
def numbers(matrix):
    return np.array(sp.Matrix(matrix).evalf(subs=at), dtype=float).ravel()

zs, ps, qs = np.array([*at.values()]), numbers(p), numbers(q)
forward, back = kl_divergence(np.log(qs), ps), kl_divergence(np.log(ps), qs)
both = jensen_shannon(zs, ps)
assert np.allclose([forward.value, back.value, both.value], numbers(losses))
# from log q to z, through the log-softmax:
assert np.allclose(forward.grad - qs * forward.grad.sum(), numbers(q - p))  # line 1
assert np.allclose(qs * (np.log(qs / ps) - back.value), numbers(through(reverse)))  # line 2
assert np.allclose(both.grad, numbers(through(js)))

# %% name="derivation-zeros"
# a hump of 0.9 and one of 0.1; the larger hump alone
p, alone = np.array([0.6, 0.3, 0.06, 0.04]), np.array([2 / 3, 1 / 3, 0.0, 0.0])
z = np.array([-1e3, -1e3, np.log(0.6), np.log(0.4)])  # the model: the smaller hump alone
q = np.array([0.0, 0.0, 0.6, 0.4])
with np.errstate(divide="ignore"):
    assert kl_divergence(np.log(q), p).value == np.inf  # line 3
    assert kl_divergence(np.log(alone), q).value == np.inf
assert np.isclose(kl_divergence(np.log(p), q).value, -np.log(0.1))  # line 5: reverse KL ...
assert np.ptp(np.log(q[2:] / p[2:])) < 1e-12  # ... and its a is a constant
far = jensen_shannon(z, alone)
assert np.isclose(far.value, np.log(2)) and abs(far.grad).max() < 1e-12  # line 6
print(f"JS where nothing is shared: {far.value:.4f}; log 2: {np.log(2):.4f}")

# %% name="derivation-triangle"
rng = np.random.default_rng(seed)
a, b, c = np.maximum(rng.dirichlet(np.full(4, 0.3), (3, 5000)), 1e-12)  # 5000 triples, 4 classes
def kl(p, q):
    return kl_divergence(np.log(q), p).value

def js(p, q):
    return jensen_shannon(np.log(q), p).value

broken = {}
for name, d, power in [("KL", kl, 1), ("root of KL", kl, 1 / 2),
                       ("JS", js, 1), ("root of JS", js, 1 / 2)]:
    broken[name] = (d(a, b) ** power + d(b, c) ** power < d(a, c) ** power - 1e-9).mean()
assert np.allclose(js(a, b), js(b, a)) and np.isclose(kl(a, b), kl(b, a), rtol=0.01).mean() < 0.1
assert min(broken["KL"], broken["JS"]) > 0.1  # line 7
assert broken["root of KL"] > 0 == broken["root of JS"]
Table(["", *broken], [["a detour is shorter", *(f"{share:.0%}" for share in broken.values())]])

# %% [markdown] name="code-text"
# ## Code

# %% name="source"
show(kl_divergence, jensen_shannon)

# %% [markdown] name="parity-text"
# `kl_divergence` takes $\log q$ and $p$, like PyTorch, and its gradient, $-p$, is by $\log q$; through the log-softmax that becomes line 1's $q - p$. `jensen_shannon` takes the logits, and its gradient is by them. Reverse KL is the same function with the roles exchanged; line 2 gives its gradient, $q_i \big( \log (q_i / p_i) - \mathrm{KL}(q \Vert p) \big)$.
#
# ## Parity with PyTorch
#
# `F.kl_div` is often called wrongly in one of these four ways. One row each, on a batch of four equal rows:

# %% name="traps"
p, q = torch.tensor([[0.7, 0.2, 0.1]] * 4), torch.tensor([[0.1, 0.3, 0.6]] * 4)
true = (p * (p / q).log()).sum(-1)[0].item()
calls = {
    "right": lambda: F.kl_div(q.log(), p, reduction="batchmean"),
    "probabilities instead of their logarithms": lambda: F.kl_div(q, p, reduction="batchmean"),
    "model and target exchanged": lambda: F.kl_div(p.log(), q, reduction="batchmean"),
    'reduction="mean" (the default)': lambda: F.kl_div(q.log(), p, reduction="mean"),
    "log p, without log_target=True": lambda: F.kl_div(q.log(), p.log(), reduction="batchmean"),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch warns of "mean"
    values = {name: call().item() for name, call in calls.items()}
assert np.isclose(values["right"], true) and sum(np.isclose(v, true) for v in values.values()) == 1
Table(["call", "value", "/ true value"],
      [[n, f"{v:.3f}", f"{v / true:.2f}"] for n, v in values.items()])

# %% [markdown] name="after-traps"
# A negative divergence, or `nan`, gives two of them away. The exchanged one is the other direction and looks fine; `"mean"` divides by the number of classes too, here 3, in a language model the size of the vocabulary. And `"batchmean"` divides by the first axis only: for logits of shape (batch, positions, classes) it is the mean times the number of positions; flatten them to $(N, C)$ first.

# %% tags=["nbval-ignore-output", "fold"] name="parity-kl"
# Against PyTorch
parity.table("kl_divergence", setting.device)

# %% tags=["nbval-ignore-output", "fold"] name="parity-js"
# Against PyTorch
parity.table("jensen_shannon", setting.device)

# %% [markdown] name="picture-text"
# ## Picture
#
# The line has 81 points. The target has two Gaussian humps, the left one with the larger share, and a trace everywhere, so that no logarithm is infinite. The model is line 4's Gaussian. All three fits start on the larger hump; other starts come under "What breaks".

# %% name="humps"
x = np.linspace(-8, 8, 81)

def hump(centre, width=0.6):
    h = np.exp(-((x - centre) ** 2) / (2 * width**2))
    return h / h.sum(-1, keepdims=True)

def two_humps(left, right, share, width=0.6):
    return (share * hump(left, width) + (1 - share) * hump(right, width) + 1e-9) / (1 + 81e-9)

def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))

# %% [markdown] name="after-humps"
# The steps are those of lesson 3, for many starts at once: (1) predict the logits, (2) the loss and its gradient by them, (3) from there to $\mu$ and $\log s$, (4) update.

# %% name="loss"
def loss(kind, z, p):
    log_q = log_softmax(z)
    q = np.exp(log_q)
    if kind == "forward KL":
        return kl_divergence(log_q, p).value, q - p
    if kind == "reverse KL":
        value = kl_divergence(np.log(p), q).value
        return value, q * (log_q - np.log(p) - value[:, None])
    return jensen_shannon(z, p)

# %% name="fit"
def fit(kind, p, mu, s=1.0, lr=0.1, steps=600):  # mu: (starts,); p: (81,) or (starts, 81)
    theta, rule = np.stack(np.broadcast_arrays(mu, np.log(s))).astype(float), Adam(lr)
    p, state = np.broadcast_to(p, (theta.shape[1], 81)), rule.init(theta)
    for _ in range(steps):
        r, s2 = x - theta[0][:, None], np.exp(2 * theta[1])[:, None]
        value, by_z = loss(kind, -(r**2) / (2 * s2), p)
        g = np.stack([(by_z * r / s2).sum(-1), (by_z * r**2 / s2).sum(-1)])
        theta, state = rule.update(theta, g, state)
    return value, np.exp(log_softmax(-(r**2) / (2 * s2)))

# %% name="picture"
kinds = ("forward KL", "reverse KL", "Jensen-Shannon")
target = two_humps(-3.0, 3.0, share=0.65)
fits = {kind: fit(kind, target, np.array([-3.0]))[1][0] for kind in kinds}
plots.lines(
    x, {"target": target, **fits}, "x", "probability",
    "A target with two humps and three fits. Forward KL: one wide hump over both, with its top "
    "between them. Reverse KL and Jensen-Shannon: the larger hump alone, one curve on the other.",
    title="One hump for two",
)

# %% name="picture-verdict"
def moments(q):
    return np.array([(q * x).sum(-1), np.sqrt((q * x**2).sum(-1) - (q * x).sum(-1) ** 2)])

assert np.allclose(moments(fits["forward KL"]), moments(target), atol=0.01)  # line 4
middle = abs(x) < 1.5
seen = {k: kl_divergence(np.log(q + 1e-300), target).value for k, q in fits.items()}
assert fits["forward KL"][middle].sum() > 0.25 and target[middle].sum() < 0.01
assert seen["forward KL"] < 1 and seen["reverse KL"] > 10
assert abs(moments(fits["reverse KL"])[0] + 3) < 0.05
for kind, q in fits.items():
    at, width = moments(q)
    print(f"{kind}: mean {at:.1f}, width {width:.2f}, {q[middle].sum():.0%} of it "
          f"between the humps; forward KL {seen[kind]:.2g} nats")
print(f"target: mean {moments(target)[0]:.1f}, width {moments(target)[1]:.2f}, "
      f"{target[middle].sum():.1%} between the humps")

# %% [markdown] name="after-picture-verdict"
# Neither is wrong. Forward KL covers everything, and over a quarter of its samples look like nothing in the data. Reverse KL invents nothing, and calls a third of the data all but impossible. Cross-entropy, and so maximum likelihood, is forward KL (line 1).
#
# **When does it let go?** Choosing the larger hump costs reverse KL $-\log \pi$ (line 5), however far the other one is; covering costs more and more. One target per seed, with a random share and width. Each loss starts once wide in the middle, once on the larger hump; the end with the lower loss counts.

# %% name="let-go"
apart = np.linspace(0.5, 8, 16)  # distances, in widths
draws = [np.random.default_rng(s).uniform([0.55, 0.4], [0.8, 0.8]) for s in setting.seeds]
share, width = np.repeat(draws, 16, axis=0).T  # a row per seed and distance
half = np.tile(apart, len(draws)) * width / 2
p = two_humps(-half[:, None], half[:, None], share[:, None], width[:, None])
(centre, spread), chosen, covers = moments(p), {}, {}
for kind in kinds:
    wide, narrow = fit(kind, p, centre, spread), fit(kind, p, -half, width)
    q = np.where((wide[0] < narrow[0])[:, None], wide[1], narrow[1])
    # 0: p's mean, 1: the larger hump's
    chosen[kind] = ((moments(q)[0] - centre) / (-half - centre)).reshape(-1, 16)
    covers[kind] = wide[0].reshape(-1, 16)  # what covering costs

# %% name="let-go-picture" tags=["fold"]
# The picture
plots.lines(
    apart, {kind: tuple(np.quantile(chosen[kind], [0, 0.5, 1], axis=0)) for kind in kinds},
    "distance of the humps, in widths", "mean: 0 = target's, 1 = larger hump's",
    "Where the fit's mean lies against the distance of the humps. Forward KL stays at 0. Reverse "
    "KL jumps to 1 at about 5 widths, Jensen-Shannon at about 6.",
    title="Covering, until it costs too much",
)

# %% name="let-go-verdict"
jump = {k: np.where(c.max(1) > 0.5, apart[np.argmax(c > 0.5, axis=1)], np.inf)
        for k, c in chosen.items()}
assert np.isinf(jump["forward KL"]).all() and np.isfinite(jump["Jensen-Shannon"]).all()
assert min(jump["reverse KL"]) > 3 and (jump["reverse KL"] < jump["Jensen-Shannon"]).all()
price = -np.log([d[0] for d in draws])  # of the larger hump, to reverse KL
for cover, choose in zip(covers["reverse KL"], price, strict=True):
    assert (np.diff(cover[cover < choose]) > 0).all()  # covering gets dearer
assert all(abs(c[:, apart <= 2]).max() < 0.1 for c in chosen.values())
print(f"forward KL: never farther than {abs(chosen['forward KL']).max():.2f} "
      "from the target's mean")
for kind in kinds[1:]:
    print(f"{kind}: lets go at {min(jump[kind]):g} to {max(jump[kind]):g} widths")

# %% [markdown] name="any-hump-will-do"
# Line: median, band: lowest to highest seed. Up to two widths, where the two humps are still one, the direction hardly matters for the mean; a few widths further it decides everything.
#
# ## What breaks
#
# ### Any hump will do
#
# Line 5 allows a hump of any size. Let the right one, at 3, hold 35 per cent of the target, then one thousandth, and start anywhere between the two:

# %% name="starts"
starts, rows = np.array([-3.0, -1.0, 1.0, 3.0]), []
def place(q):
    m, s = moments(q)
    return np.where(s > 1.5, "both", np.where(m < 0, "left", "right")).tolist()

for rest in (0.35, 0.001):
    for kind in kinds:
        value, q = fit(kind, two_humps(-3.0, 3.0, 1 - rest), starts)
        rows.append([f"{rest:g}", kind, *place(q), f"{value[-1]:.1f}"])
assert rows[2][2:6] == ["left", "both", "both", "right"] and rows[4][5:] == ["right", "6.9"]
assert rows[3][2:6] == rows[5][2:6] == ["left"] * 4
stuck, _ = fit("Jensen-Shannon", two_humps(-3.0, 3.0, 0.999), starts[3:], s=0.6)
assert stuck[0] > 0.68  # begun as narrow as the hump, JS rests there too
Table(["right hump holds", "loss", *(f"from {mu:g}" for mu in starts), "loss in the end, from 3"],
      rows)

# %% [markdown] name="after-starts"
# **Reverse KL is content with a thousandth of the target,** at $\log 1000 \approx 6.9$ nats; forward KL leaves it. JS leaves it only because these starts are wider than the hump ($s = 1$): begun with the hump's own width, 0.6, it stays (line 5). In the first target JS has three places to rest. And KL: is this one target's, or one learning rate's doing?

# %% name="starts-verdict"
lows, highs = [-4, 2.5, 0.55, 0.4], [-2.5, 4, 0.95, 0.8]
draws = [np.random.default_rng(s).uniform(lows, highs) for s in setting.seeds]
left, right, share, width = np.repeat(draws, 4, axis=0).T  # a row per seed and start
p = two_humps(left[:, None], right[:, None], share[:, None], width[:, None])
sides = np.tile([-1, -0.5, 0.5, 1], len(draws))
begin, on_left = (left + right) / 2 + sides * (right - left) / 2, sides < 0
for lr in (0.05, 0.2):
    _, covers = fit("forward KL", p, begin, lr=lr, steps=1500)
    value, q = fit("reverse KL", p, begin, lr=lr, steps=1500)
    apart = {
        "forward KL, from the target's mean and width": moments(covers) - moments(p),
        "reverse KL, from the middle of the hump on its side":
            moments(q)[0] - np.where(on_left, left, right),
        "... from minus the log of that hump's share":
            value + np.log(np.where(on_left, share, 1 - share)),
    }
    print(f"rate {lr}, farthest of {len(begin)} starts:")
    print(*(f"  {name}: {abs(off).max():.2f}" for name, off in apart.items()), sep="\n")
    assert max(abs(off).max() for off in apart.values()) < 0.1

# %% [markdown] name="no-gradient-from-afar"
# ### No gradient from afar
#
# Line 6: the target is a hump at $-6$, the model a hump at 6. How steep is each loss in $\mu$?

# %% name="afar"
z = -((x[None] - 6.0) ** 2) / (2 * 0.6**2)
found = {kind: loss(kind, z, hump(-6.0)[None]) for kind in kinds}
steep = {kind: abs(by_z[0] @ (x - 6.0) / 0.6**2) for kind, (_, by_z) in found.items()}
assert min(steep["forward KL"], steep["reverse KL"]) > 10 and steep["Jensen-Shannon"] < 1e-9
Table(["loss", "value", "steepness in mu"],
      [[k, f"{found[k][0][0]:.3f}", f"{steep[k]:.3f}"] for k in kinds])

# %% [markdown] name="distillation-the-temperature-eats-the-gradient"
# The bounded loss is silent where a signal is needed most. The first generative adversarial networks suffer from this: with a perfect discriminator their generator minimises JS (Arjovsky and Bottou 2017, *Towards principled methods for training generative adversarial networks*).
#
# ### Distillation: the temperature eats the gradient
#
# A student with logits $z$ learns from a teacher with logits $t$: forward KL from $p_T = \operatorname{softmax}(t / T)$ to $q_T = \operatorname{softmax}(z / T)$. A **temperature** $T > 1$ shows what the teacher thinks of the unlikely classes. But the gradient by $z$ is $(q_T - p_T) / T$, and with $e^{z / T} \approx 1 + z / T$ the bracket shrinks like $1 / T$ too. So Hinton, Vinyals and Dean (2015, *Distilling the knowledge in a neural network*) multiply the loss by $T^2$:

# %% name="temperature"
def softmax(z):
    return np.exp(log_softmax(z))

teacher, student = np.random.default_rng(seed).normal(0, 3, (2, 100, 10))
# centred: softmax ignores a constant
gap = (student - teacher) - (student - teacher).mean(-1, keepdims=True)
temperatures = (1.0, 2.0, 4.0, 16.0, 256.0)
g = [(softmax(student / T) - softmax(teacher / T)) / T for T in temperatures]
size = [np.linalg.norm(v) for v in g]
times = np.array(temperatures) ** 2 * size
assert size[0] / size[3] > 100 and np.ptp(times[2:]) < 0.1 * times[2]
assert np.linalg.norm(256**2 * g[-1] - gap / 10) < 0.02 * np.linalg.norm(gap / 10)
Table(["T", *(f"{T:g}" for T in temperatures)],
      [["size of the gradient", *size], ["times T²", *times]])

# %% [markdown] name="after-temperature"
# For large $T$ it is the centred difference of the logits over the number of classes: distillation becomes squared error. Does $T^2$ then spare us a new learning rate? The student is a linear model that learns 400 digits from a linear teacher, without labels, in 60 steps:

# %% name="distil"
def train(x, gradient, rule, steps):
    return x @ descend(np.zeros((64, 10)), rule, lambda t: x.T @ gradient(x @ t), steps)[-1]

# %% name="distil-runs"
rules = {"SGD, 1": SGD(1.0), "SGD, 3": SGD(3.0), "Adam, 0.01": Adam(0.01)}
away = {name: {(1, 0): [], (16, 0): [], (16, 2): []} for name in rules}  # by (T, power of T)
edges = []  # of the squared error that large T leads to
for s in setting.seeds:
    digits, labels = (a[:400] for a in data.digits(s)[:2])
    t = train(digits, lambda z, k=labels: mean(cross_entropy(z, k)).grad, Adam(0.05), 300)
    edges.append(2 * 10 / np.linalg.eigvalsh(digits.T @ digits / 400)[-1])
    for name, rule in rules.items():
        for (T, power), found in away[name].items():
            def gradient(z, t=t, T=T, power=power):
                return T ** (power - 1) * (softmax(z / T) - softmax(t / T)) / 400
            log_q = log_softmax(train(digits, gradient, rule, 60))
            found.append(kl_divergence(log_q, softmax(t)).value.mean())

# %% tags=["nbval-ignore-output"] name="distil-table"
rows = [[n, *(f"{np.median(v):.2f} ({min(v):.2f} to {max(v):.2f})" for v in away[n].values())]
        for n in away]
Table(["rule, learning rate", "T = 1", "T = 16, without T²", "T = 16, with T²"], rows,
      "Forward KL, teacher to student, at T = 1, in nats: median and range over the seeds.")

# %% name="distil-verdict"
a = {name: {how: np.array(v) for how, v in runs.items()} for name, runs in away.items()}
assert (a["SGD, 1"][16, 0] > 5 * a["SGD, 1"][1, 0]).all()
assert (a["SGD, 1"][16, 2] < a["SGD, 1"][1, 0]).all()
assert (a["SGD, 3"][1, 0] < 0.1).all() and (a["SGD, 3"][16, 2] > np.log(10)).all()
assert np.allclose(a["Adam, 0.01"][16, 0], a["Adam, 0.01"][16, 2], rtol=0.02)
print(f"SGD's edge for large T: {min(edges):.1f} to {max(edges):.1f}; log 10: {np.log(10):.2f}")

# %% [markdown] name="the-other-direction"
# It repairs the crawl and does not tune the rate: SGD at 3 is fine at $T = 1$, and with $T^2$ ends worse than a model that knows nothing (at most $\log 10$). For large $T$ the loss is a squared error with lesson 3's edge $2 / \lambda_{\max}$; at $T = 1$ it bears 3: the curvature has the factors $q_i (1 - q_i)$, and fades as the student becomes sure. Adam divides the size away (lesson 4). But $T^2$ matters to every rule once a loss on labels is added: it keeps the teacher's share (exercise 3).
#
# ## Exercises
#
# ### 1. The other direction (5 minutes, easy)
# Return reverse KL, the mean over the rows, by one call of `F.kl_div`. `logits` and `p` are tensors `(N, C)`, `p` holds the target's probabilities.

# %% name="exercise-reverse"
def reverse_kl(logits, p):
    ### BEGIN SOLUTION
    return F.kl_div(p.log(), logits.softmax(-1), reduction="batchmean")
    ### END SOLUTION

# %% name="check-reverse"
check("reverse_kl")

# %% [markdown] name="a-divergence-with-a-safety-net"
# <details><summary>Hint 1</summary>In the formula, what stands in front of the logarithm, and what below the fraction bar? Which argument of PyTorch's is which?</details>
# <details><summary>Hint 2</summary>The first argument is a logarithm, whoever it belongs to.</details>
#
# ### 2. A divergence with a safety net (8 minutes, hard)
# Forward KL is infinite where $q_i = 0 < p_i$. Take $\mathrm{KL}(p \Vert m)$ with $m = (1 - \beta)\, p + \beta\, q$ instead, $0 < \beta \le 1$ (Lee 1999, *Measures of distributional similarity*). For one distribution, return its value and its gradient by the logits `z`, NumPy arrays. Some $p_i$ may be 0: they add nothing.

# %% name="exercise-skew"
def skewed_kl(z, p, beta):
    ### BEGIN SOLUTION
    q = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    some = p > 0  # elsewhere the term is 0 whatever q is
    m = np.where(some, (1 - beta) * p + beta * q, 1)
    by_q = -beta * p / m
    return np.sum(p * np.log(np.where(some, p, 1) / m)), q * (by_q - q @ by_q)
    ### END SOLUTION

# %% name="check-skew"
check("skewed_kl")

# %% [markdown] name="teacher-and-labels"
# <details><summary>Hint 1</summary>First the gradient by q, with p fixed; where does q occur?</details>
# <details><summary>Hint 2</summary>Line 2 turns any gradient by q into one by z.</details>
#
# ### 3. Teacher and labels (7 minutes, medium)
# One example: student logits `z`, teacher logits `t`, label `k`. The loss is `alpha` times $T^2\, \mathrm{KL}(p_T \Vert q_T)$ plus `1 - alpha` times the cross-entropy of the label, at temperature 1. Return it and its gradient by `z`.

# %% name="exercise-distil"
def distil(z, t, k, T, alpha):
    ### BEGIN SOLUTION
    log_q1, log_q, log_p = log_softmax(z), log_softmax(z / T), log_softmax(t / T)
    q1, q, p = np.exp(log_q1), np.exp(log_q), np.exp(log_p)
    value = alpha * T**2 * np.sum(p * (log_p - log_q)) - (1 - alpha) * log_q1[k]
    return value, alpha * T * (q - p) + (1 - alpha) * (q1 - np.eye(len(z))[k])
    ### END SOLUTION

# %% name="check-distil"
check("distil")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Two losses, two gradients: add them up. Which temperature does each softmax have?</details>
# <details><summary>Hint 2</summary>In the teacher's part the chain rule through z / T takes one factor T away.</details>
#
# ## Takeaways
#
# - Forward KL covers, reverse KL chooses, and not always the larger hump; cross-entropy is forward KL. Up to two widths apart, where the two humps are still one, the three fits had the same mean.
# - KL is no metric: not symmetric, no triangle inequality; $\sqrt{\mathrm{JS}}$ is one. `F.kl_div` wants $\log q$ first, $p$ second, and `"batchmean"`.
# - Do not use JS where model and target may share nothing: there it is flat. Nor reverse KL where rare things matter, or where a bad start may trap it. Do not expect $T^2$ to tune the learning rate.
