# ---
# jupyter:
#   lesson:
#     title: Adam
#     minutes: 60
#     settles: [F7, F8, F9, F10, F11, G15, G16, G17, C28, C29, C30, E10, E11, E12, E25]
# ---

# %% [markdown]
# # Adam
#
# **Goal.** Derive each line of Adam, find out how far one step can go, and say on which problems Adam wins, on which it loses, and why. **60 minutes.**
#
# **The question.** Adam's box has two lines that divide by $1 - \beta^t$. They look like small print. Leave them out: is the first step
# too small, or too large? And at which step is it worst?

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% name="setup"
import re
from collections import Counter
from typing import Any, Callable, NamedTuple

import numpy as np
import sympy as sp
import torch
from pydoc_data.topics import topics

from lessons_lib import bridge, data, parity, plots
from lessons_lib.checks import check
from lessons_lib.core import mean, weighted_mean
from lessons_lib.landscapes import quadratic, rosenbrock
from lessons_lib.losses import soft_cross_entropy, squared_error
from lessons_lib.optim import SGD, Adam, AMSGrad, Momentum
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)

# %% [markdown]
# ## The formula
#
# $g_t$ is the gradient at step $t$. The source document prints five lines (F7 to F11):
#
# $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \qquad v_t = \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2$$
#
# $$\hat m_t = \frac{m_t}{1 - \beta_1^t} \qquad \hat v_t = \frac{v_t}{1 - \beta_2^t} \qquad \theta_{t+1} = \theta_t - \frac{\eta}{\sqrt{\hat v_t} + \epsilon}\, \hat m_t$$
#
# They are right, and three things are left unsaid (E12). Square, root and division are **elementwise**: every parameter has its own $m$ and $v$.
# $m_0 = v_0 = 0$ is not merely usual, F9 and F10 are wrong for any other start. And $t$ is **1** at the first update: at $t = 0$ both divide by zero.
#
# | symbol | code | shape | default |
# |---|---|---|---|
# | $\theta, g$ | `theta`, `g` | any, the same | |
# | $m, v$ | `m`, `v` | as $\theta$ | 0 at the start |
# | $\hat m, \hat v$ | `m_hat`, `v_hat` | as $\theta$ | |
# | $\eta$ | `lr` | a number | $10^{-3}$ |
# | $\beta_1, \beta_2$ | `beta1`, `beta2` | numbers in $[0, 1)$ | 0.9, 0.999 |
# | $\epsilon$ | `eps` | a number | $10^{-8}$ |

# %% [markdown]
# ## Derivation
#
# 1. Put F7 into itself until $m_0 = 0$ is reached: $m_t = (1 - \beta_1) \sum_{k=0}^{t-1} \beta_1^k\, g_{t-k}$. The gradient that is $k$ steps old has the weight
#    $(1 - \beta_1) \beta_1^k$. In the long run the weights add up to 1 and their mean age is $\beta_1 / (1 - \beta_1)$: 9 steps for $m$, 999 for $v$.
#    That is how the betas control the decay (C29).
# 2. After $t$ steps they add up to $1 - \beta_1^t$ only, a geometric sum. If all gradients have the same mean, then $\mathbb E[m_t] = (1 - \beta_1^t)\, \mathbb E[g]$ (G15):
#    too small, because the average still contains its zero start. Dividing by that very factor mends it; the same holds for $v$ and $\mathbb E[g^2]$.
# 3. At $t = 1$, $\hat m = g$ and $\hat v = g^2$. Without $\epsilon$ the first step is $\eta\, g / |g|$: **the learning rate, whatever the size of the gradient.**
#    Under a constant gradient this stays so at every $t$.
# 4. Without the corrections both averages are too small, by different factors, and $v$ under a root. Under a constant gradient the step is
#    $\eta\, (1 - \beta_1^t) / \sqrt{1 - \beta_2^t}$.

# %% name="derivation"
b, b1, b2 = sp.symbols("beta beta1 beta2", positive=True)
t = sp.Symbol("t", positive=True, integer=True)
k = sp.Symbol("k", integer=True)
g = sp.symbols("g1:7", positive=True)

def average(b, gradients):  # F7, or F8 when squares come in
    m = 0
    for g_t in gradients:
        m = b * m + (1 - b) * g_t
    return m

assert sp.expand(average(b, g) - sum((1 - b) * b**k * g[5 - k] for k in range(6))) == 0  # line 1: the unrolled sum
ages = sp.summation(k * (1 - b) * b**k, (k, 0, sp.oo)).subs(b, sp.Rational(999, 1000))  # its mean age
assert sp.simplify(sp.summation((1 - b) * b**k, (k, 0, t - 1)) - (1 - b**t)) == 0  # line 2, for every t
const = average(b1, [g[0]] * 6) / sp.sqrt(average(b2, [gi**2 for gi in [g[0]] * 6]))
assert sp.simplify(const**2 - (1 - b1**6) ** 2 / (1 - b2**6)) == 0  # line 4; at 6 steps, like line 1
print("mean age in v:", sp.simplify(ages), "  sum of t weights:", sp.simplify(sp.summation((1 - b) * b**k, (k, 0, t - 1))))
