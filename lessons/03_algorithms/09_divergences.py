# ---
# jupyter:
#   lesson:
#     title: "Divergences: KL both ways, Jensen-Shannon"
#     minutes: 40
#     settles: [E4]
# ---

# %% [markdown]
# # Divergences: KL both ways, Jensen-Shannon
#
# **Goal.** Know which mistakes each direction of the KL divergence forgives, and get PyTorch's `kl_div` right the first time. **40 minutes:** reading 20, exercises 20.
#
# **The question.** The target has two humps, the model only one. Two losses, both 0 exactly where model and target agree. One puts the hump where the target has *nothing*. Which, and is it wrong?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import warnings

import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from lessons_lib import bridge, parity, plots
from lessons_lib.checks import check
from lessons_lib.losses import jensen_shannon, kl_divergence
from lessons_lib.optim import Adam
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# Lesson 2 split cross-entropy into entropy and divergence: $H(p, q) = H(p) + \mathrm{KL}(p \Vert q)$. The source document calls the loss a "metric" for the difference of distributions; E4, in our list of its errors, says why it is none. For a target $p$ and a model $q = \operatorname{softmax}(z)$:
#
# $$\mathrm{KL}(p \Vert q) = \sum_i p_i \log \frac{p_i}{q_i} \qquad \mathrm{KL}(q \Vert p) = \sum_i q_i \log \frac{q_i}{p_i} \qquad \mathrm{JS} = \tfrac12 \mathrm{KL}(p \Vert m) + \tfrac12 \mathrm{KL}(q \Vert m),\ m = \tfrac{p + q}{2}$$
#
# They are called forward KL, reverse KL and Jensen-Shannon divergence.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $p$ | `p` | $(\dots, C)$ | target, a distribution over $C$ classes |
# | $z$; $\log q$ | `logits`; `log_q` | $(\dots, C)$ | the model's scores; its log-probabilities |
# | $\ell$ | `.value` | $(\dots)$ | in nats |
#
# ## Derivation
#
# 1. Forward KL differs from cross-entropy by a constant: its gradient by the logits is $q - p$.
# 2. Through a softmax, a gradient $a_i$ by $q_i$ becomes $q_i \big( a_i - \sum_j q_j a_j \big)$ by $z_i$. For reverse KL $a_i = \log (q_i / p_i) + 1$, and the 1 cancels.
# 3. Where $q_i = 0 < p_i$, forward KL is infinite: **the model must cover everything that happens.** Where $p_i = 0 < q_i$, reverse KL is: **it must not invent anything.** Each forgives what the other forbids.
# 4. If $z$ is a parabola in $x$ (a Gaussian with mean $\mu$ and variance $s^2$), forward KL has gradient 0 where $q$ has $p$'s mean and variance, whatever $p$ looks like: $\sum_i (q_i - p_i) x_i = 0$ and $\sum_i (q_i - p_i) x_i^2 = 0$.
# 5. JS is at most $\log 2$, reached where $p$ and $q$ share nothing. There it is flat: **no gradient.**
# 6. KL is not symmetric and breaks the triangle inequality; $\sqrt{\mathrm{JS}}$ keeps both.

# %% name="derivation"
z = sp.symbols("z1:4")
p = sp.Matrix([sp.Rational(1, 2), sp.Rational(1, 3), sp.Rational(1, 6)])
q = sp.Matrix([sp.exp(v) / sum(sp.exp(u) for u in z) for v in z])
forward = sum(p[i] * sp.log(p[i] / q[i]) for i in range(3))
reverse = sum(q[i] * sp.log(q[i] / p[i]) for i in range(3))
d = q.applyfunc(sp.log) - p.applyfunc(sp.log)
at = dict(zip(z, (0.3, -1.2, 2.0), strict=True))
for i in range(3):
    assert sp.simplify(sp.diff(forward, z[i]) - (q[i] - p[i])) == 0  # line 1
    assert abs(sp.N((sp.diff(reverse, z[i]) - q[i] * (d[i] - q.dot(d))).subs(at))) < 1e-12  # line 2

# %% name="derivation-triangle"
rng = np.random.default_rng(seed)
a, b, c = rng.dirichlet(np.full(4, 0.3), (3, 5000))
def kl(p, q):
    return kl_divergence(np.log(q), p).value

def root(p, q):
    return np.sqrt(np.clip(jensen_shannon(np.log(q), p).value, 0, None))

broken = {name: (f(a, b) + f(b, c) < f(a, c) - 1e-9).mean() for name, f in {"KL": kl, "root of JS": root}.items()}
assert broken["KL"] > 0.1 and broken["root of JS"] == 0 and not np.allclose(kl(a, b), kl(b, a))  # line 6
print(f"triangle inequality broken, share of 5000 random triples: KL over 10 %, root of JS {broken['root of JS']:.0%}")

# %% [markdown]
# ## Code

# %% name="source"
show(kl_divergence, jensen_shannon)

# %% [markdown]
# `kl_divergence` takes $\log q$ and $p$, like PyTorch; reverse KL is the same function with the roles exchanged, and its gradient goes by line 2.
#
# ## Parity with PyTorch
#
# `F.kl_div` has four ways to be wrong. One row each:

# %% name="traps"
p, q = torch.tensor([[0.7, 0.2, 0.1]] * 4), torch.tensor([[0.1, 0.3, 0.6]] * 4)
true = (p * (p / q).log()).sum(-1)[0].item()
calls = {
    "right": lambda: F.kl_div(q.log(), p, reduction="batchmean"),
    "probabilities instead of their logarithms": lambda: F.kl_div(q, p, reduction="batchmean"),
    "the two exchanged": lambda: F.kl_div(p.log(), q, reduction="batchmean"),
    'reduction="mean" (the default) divides by the classes too': lambda: F.kl_div(q.log(), p, reduction="mean"),
    "a target of logarithms without log_target=True": lambda: F.kl_div(q.log(), p.log(), reduction="batchmean"),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch warns of "mean", and of nothing else
    values = {name: call().item() for name, call in calls.items()}
assert np.isclose(values["right"], true) and sum(np.isclose(v, true) for v in values.values()) == 1
Table(["call", "value", "/ true value"], [[n, f"{v:.3f}", f"{v / true:.2f}"] for n, v in values.items()])

# %% [markdown]
# A negative divergence, or `nan`, gives two of them away; the others look fine.

# %% tags=["nbval-ignore-output"] name="parity-kl"
parity.table("kl_divergence", setting.device)

# %% tags=["nbval-ignore-output"] name="parity-js"
parity.table("jensen_shannon", setting.device)

# %% [markdown]
# ## Picture
#
# The target: two humps on a line of 81 points, one holding 65 per cent. The model: a Gaussian, $z_i = -(x_i - \mu)^2 / 2 s^2$, with $\mu$ and $\log s$ to be learned. As always: (1) predict $q$, (2) loss, (3) gradient, (4) update.

# %% name="fit"
x = np.linspace(-8, 8, 81)

def hump(centre):
    h = np.exp(-((x - centre) ** 2) / 0.72)
    return h / h.sum()

target = (0.65 * hump(-3.0) + 0.35 * hump(3.0) + 1e-9) / (1 + 81e-9)

def log_softmax(z):
    return z - z.max() - np.log(np.exp(z - z.max()).sum())

def slope(kind, z):  # of the loss, by the logits
    log_q = log_softmax(z)
    if kind == "forward KL":
        return np.exp(log_q) - target
    if kind == "reverse KL":
        d = log_q - np.log(target)
        return np.exp(log_q) * (d - np.exp(log_q) @ d)
    return jensen_shannon(z, target).grad

def fit(kind, mu, log_s=0.0, steps=2500):
    theta, rule = np.array([mu, log_s]), Adam(0.03)
    state = rule.init(theta)
    for _ in range(steps):
        r, s2 = x - theta[0], np.exp(2 * theta[1])
        by_z = slope(kind, -(r**2) / (2 * s2))
        g = np.array([by_z @ r / s2, by_z @ r**2 / s2])  # dz/dmu, dz/dlog s
        theta, state = rule.update(theta, g, state)
    return theta, np.exp(log_softmax(-((x - theta[0]) ** 2) / (2 * np.exp(2 * theta[1]))))

fits = {kind: fit(kind, -3.0)[1] for kind in ("forward KL", "reverse KL", "Jensen-Shannon")}

# %% name="picture"
plots.lines(
    x, {"target": target, **fits}, "x", "probability",
    "A target with two humps and three fits. Forward KL: one wide hump over both, highest where the target is lowest. Reverse KL "
    "and Jensen-Shannon: the larger hump alone.",
    title="One hump for two",
)

# %% name="picture-verdict"
def moments(q):
    return q @ x, q @ x**2 - (q @ x) ** 2

assert np.allclose(moments(fits["forward KL"]), moments(target), atol=0.02)  # line 4
middle = abs(x) < 1.5
assert fits["forward KL"][middle].sum() > 0.25 and target[middle].sum() < 0.02
assert all(abs(fits[kind] @ x + 3) < 0.2 for kind in ("reverse KL", "Jensen-Shannon"))
print("forward KL has the target's mean and variance, and over a quarter of its mass where the target has under 2 %")

# %% [markdown]
# Neither is wrong. Forward KL keeps its promise to cover everything, and samples from it look like nothing in the data. Reverse KL invents nothing, and leaves out a third of what happens. Maximum likelihood, and with it every cross-entropy of this course, is forward KL: **a model too small for its data blurs.**
#
# ## What breaks
#
# ### The start decides
#
# Reverse KL and JS are not convex in $\mu$ and $s$. From starts all along the line:

# %% name="starts"
starts = np.linspace(-5, 5, 6)
rows, ends = [], {}
for kind in fits:
    ends[kind] = np.array([fit(kind, mu)[0][0] for mu in starts])
    rows.append([kind, *(f"{m:.1f}" for m in ends[kind])])
Table(["mean in the end, from", *(f"{mu:g}" for mu in starts)], rows)

# %% name="starts-verdict"
different = {kind: len(set(np.round(e, 0))) for kind, e in ends.items()}
assert different == {"forward KL": 1, "reverse KL": 2, "Jensen-Shannon": 3}
assert (np.sign(ends["reverse KL"]) == np.sign(starts)).all()
print("different ends:", different, "; reverse KL always takes the hump that is nearer")

# %% [markdown]
# ### No gradient from afar
#
# Line 5: let the target be the left hump alone, and start a narrow model far to the right. How steep is each loss in $\mu$?

# %% name="afar"
alone = hump(-6.0)
z = -((x - 6.0) ** 2) / (2 * 0.6**2)
q = np.exp(log_softmax(z))
by_mu = {
    "forward KL": (q - alone) @ (x - 6.0) / 0.36,
    "Jensen-Shannon": jensen_shannon(z, alone).grad @ (x - 6.0) / 0.36,
}
value = jensen_shannon(z, alone).value
assert by_mu["forward KL"] > 10 and abs(by_mu["Jensen-Shannon"]) < 1e-9 and np.isclose(value, np.log(2))
print("slope of forward KL above 10:", by_mu["forward KL"] > 10)
print("slope of JS below 1e-9:", abs(by_mu["Jensen-Shannon"]) < 1e-9, "and its value is log 2")

# %% [markdown]
# The bounded loss gives no signal where it is needed most. (The first generative adversarial networks had this problem: with a perfect discriminator their loss is a JS divergence.)
#
# ### Distillation: the temperature eats the gradient
#
# A student with logits $z$ learns from a teacher with logits $t$: forward KL between $\operatorname{softmax}(t / T)$ and $\operatorname{softmax}(z / T)$. A high **temperature** $T$ shows what the teacher thinks of the unlikely classes. But the gradient by $z$ is $(q_T - p_T) / T$, and $q_T - p_T$ shrinks like $1 / T$ too:

# %% name="temperature"
teacher, student = rng.normal(0, 3, (2, 100, 10))
sizes = {}
for T in (1.0, 4.0, 16.0, 64.0):
    p_T, q_T = (np.exp(v / T) / np.exp(v / T).sum(-1, keepdims=True) for v in (teacher, student))
    sizes[T] = np.linalg.norm((q_T - p_T) / T)
centred = (student - teacher) - (student - teacher).mean(-1, keepdims=True)
print("size of the gradient from T = 16 to 64: 16 times smaller, within 20 %:", abs(sizes[16.0] / sizes[64.0] / 16 - 1) < 0.2)
assert abs(sizes[16.0] / sizes[64.0] / 16 - 1) < 0.2
assert np.allclose(64.0**2 * (q_T - p_T) / 64, centred / 10, atol=0.15)
print("times T², at T = 64: the logits' difference, centred, over the number of classes")

# %% [markdown]
# Hence the factor $T^2$ in every distillation loss (Hinton, Vinyals and Dean 2015): with it, another temperature needs no other learning rate, and for high $T$ distillation is squared error between logits.
#
# ## Exercises
#
# ### 1. A divergence with a safety net (8 minutes, hard)
# Forward KL is infinite where $q_i = 0 < p_i$. Take $\mathrm{KL}(p \Vert m)$ with $m = (1 - \beta)\, p + \beta\, q$ instead. For one distribution, return its value and its gradient by the logits `z`.

# %% name="exercise-skew"
def skewed_kl(z, p, beta):
    ### BEGIN SOLUTION
    q = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    m = (1 - beta) * p + beta * q
    by_q = -beta * p / m
    return np.sum(p * np.log(p / m)), q * (by_q - q @ by_q)
    ### END SOLUTION

# %% name="check-skew"
check("skewed_kl")

# %% [markdown]
# <details><summary>Hint 1</summary>First the gradient by q, with p fixed; where does q occur?</details>
# <details><summary>Hint 2</summary>Line 2 turns any gradient by q into one by z.</details>
#
# ### 2. Two Gaussians (6 minutes, medium)
# Return $\mathrm{KL}(\mathcal N(m_1, s_1^2) \Vert \mathcal N(m_2, s_2^2))$; `s1` and `s2` are standard deviations.

# %% name="exercise-gaussians"
def kl_gaussians(m1, s1, m2, s2):
    ### BEGIN SOLUTION
    return np.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 1 / 2
    ### END SOLUTION

# %% name="check-gaussians"
check("kl_gaussians")

# %% [markdown]
# <details><summary>Hint 1</summary>It is the mean, over x from the first, of log p(x) - log q(x). Only means of (x - m)² are needed.</details>
# <details><summary>Hint 2</summary>The mean of (x - m₂)² under the first is s₁² + (m₁ - m₂)².</details>
#
# ### 3. The distillation loss (6 minutes, medium)
# Student logits `z`, teacher logits `t`, one example. Return $T^2\, \mathrm{KL}(p_T \Vert q_T)$ and its gradient by `z`.

# %% name="exercise-distil"
def distil(z, t, T):
    ### BEGIN SOLUTION
    p, q = (np.exp((v - v.max()) / T) for v in (t, z))
    p, q = p / p.sum(), q / q.sum()
    return T**2 * np.sum(p * np.log(p / q)), T * (q - p)
    ### END SOLUTION

# %% name="check-distil"
check("distil")

# %% [markdown]
# <details><summary>Hint 1</summary>One T comes from the chain rule through z / T. What is left of T²?</details>
#
# [All solutions of this lesson](../../solutions/03_algorithms/09_divergences.ipynb)
#
# ## Takeaways
#
# - Forward KL covers, reverse KL chooses; cross-entropy is forward KL. A model too small for its data blurs under the one and drops data under the other.
# - **E4: confirmed.** KL is no metric: not symmetric, no triangle inequality; $\sqrt{\mathrm{JS}}$ is one. `F.kl_div` wants $\log q$ first, $p$ second, and `"batchmean"`.
# - Do not use JS where model and data may share nothing: there it is flat. Nor reverse KL if rare things matter.
