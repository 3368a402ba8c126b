# ---
# jupyter:
#   lesson:
#     title: How far can one step of Adam go?
#     minutes: 35
#     question: Is there a longest step of Adam?
#     needs: [04_adam]
#     settles: [G17]
#     studies: [optim.Adam]
# ---

# %% [markdown] name="goal"
# # How far can one step of Adam go?
#
# **Goal.** Find the longest step that any gradients can cause, and the gradients that cause it.
#
# **The question.** The size of the gradient cancels in Adam. So is every step about one learning rate long? Adam's paper gives a bound, $\eta \max\{1, (1 - \beta_1) / \sqrt{1 - \beta_2}\}$: 3.16 learning rates at the defaults. Is it one?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp

from lessons_lib import bridge, exercises, parity, plots
from lessons_lib.derive import derive
from lessons_lib.optim import Adam, descend
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("03_algorithms/21_how_far_can_adam_step")

# %% [markdown] name="numbers-text"
# ## Three kinds of gradients
#
# First the library's Adam itself, with the learning rate 1: one gradient after a long silence, of which the paper says that it reaches the bound; sixty gradients that grow by 11 per cent a step, after the same silence; and noise with very heavy tails (Cauchy, 1000 steps, 3000 parameters).

# %% name="steps-down"
ADAM = Adam(lr=1.0)

def steps_down(gradients, rule=ADAM):  # positive where theta falls
    stream = iter(gradients)
    visited = descend(0 * gradients[0], rule, lambda theta: next(stream), len(gradients))
    return -np.diff(visited, axis=0)

# %% name="far-steps"
silence = np.zeros((9940, 1))
lone, growing = np.ones((1, 1)), (0.999 / 0.9) ** np.arange(60.0)[:, None]
spike, growth = (steps_down(np.concatenate([silence, g])) for g in (lone, growing))
noise = [abs(steps_down(np.random.default_rng(s).standard_cauchy((1000, 3000)))).max()
         for s in setting.seeds]
Table(["gradients", "longest step, in learning rates"], [
    ["one after silence", f"{spike[-1, 0]:.2f}"],
    ["60 growing ones after silence", f"{growth[-1, 0]:.2f}"],
    ["noise with heavy tails, 3 million steps", f"{np.median(noise):.1f} (median of the seeds)"]])

# %% tags=["fold"] name="picture"
# The steps of the growing gradients.
plots.lines(
    np.arange(1, 61),
    {"growing gradients": growth[-60:, 0], "the paper's bound": np.full(60, 0.1 / 0.001**0.5)},
    "growing gradient number", "step / learning rate",
    "Step length against the number of the growing gradient: it starts at 3.16, the paper's bound, "
    "rises, and levels off at 7.27.",
    title="Gradients that grow by 11 per cent a step",
)

# %% [markdown] name="far-reading"
# **The paper's bound is none.** It is the step after a lone spike; the growing gradients cause a step 2.3 times as long. They are what a run sees that is about to diverge. Even noise with very heavy tails stays near the step of a lone spike.
#
# ## Derivation
#
# How far can it go? Both averages are weighted sums of the gradients (Adam lesson). Split each term of $m_t$ into two factors, and use the inequality of Cauchy and Schwarz, $(\sum a_k b_k)^2 \le \sum a_k^2 \sum b_k^2$; the second sum is $v_t / (1 - \beta_2)$:
#
# $$m_t^2 = (1 - \beta_1)^2 \Big(\sum_k \frac{\beta_1^k}{\beta_2^{k/2}} \cdot \beta_2^{k/2} g_{t-k}\Big)^2 \le \frac{(1 - \beta_1)^2}{1 - \beta_2} \Big(\sum_k q^k\Big)\, v_t \qquad q = \frac{\beta_1^2}{\beta_2}$$
#
# For $q < 1$ the sum stays below $1 / (1 - q)$. So at large $t$, where the corrections are 1, a step is shorter than
#
# $$\eta\, \frac{1 - \beta_1}{\sqrt{(1 - \beta_2)(1 - q)}}$$
#
# Equality needs $a_k$ in proportion to $b_k$, that is $g_{t-k}$ in proportion to $(\beta_1 / \beta_2)^k$: a gradient that **grows** by the factor $\beta_2 / \beta_1$, 11 per cent a step. The library's Adam, fed with just these gradients from the first step on:

# %% tags=["fold"] name="derivation"
# The limit of the ratio m / sqrt(v), tied to the library's Adam.
b1, b2 = sp.symbols("beta_1 beta_2", positive=True)
t = sp.Symbol("t", positive=True, integer=True)

def step(beta_1, beta_2, t):  # of the library's Adam at rate 1, its corrections taken out again
    grow = (np.arange(int(t)) * np.log(beta_2 / beta_1))[:, None]
    last = steps_down(np.exp(grow), Adam(1.0, beta_1, beta_2, eps=0.0))[-1, 0]
    return last * (1 - beta_1**t) / np.sqrt(1 - beta_2**t)

(
    derive(r"\frac{m_t}{\sqrt{v_t}}",
           "(1 - beta_1) / sqrt(1 - beta_2)"
           " * sqrt((1 - (beta_1**2 / beta_2)**t) / (1 - beta_1**2 / beta_2))",
           "equality in Cauchy and Schwarz; the sum of $q^k$", [b1, b2, t],
           ranges={b1: (0.1, 0.6), b2: (0.65, 0.95)},
           tex=r"\frac{1 - \beta_1}{\sqrt{1 - \beta_2}} \sqrt{\frac{1 - q^t}{1 - q}}")
    .library("Adam(1, beta1, beta2, eps=0)", step,
             "the library's step, without its corrections", each=True)
    .at_most("(1 - beta_1) / sqrt((1 - beta_2) * (1 - beta_1**2 / beta_2))", "$q^t > 0$",
             tex=r"\frac{1 - \beta_1}{\sqrt{(1 - \beta_2)(1 - q)}}")
)

# %% name="limit"
limit = (1 - 0.9) / np.sqrt((1 - 0.999) * (1 - 0.9**2 / 0.999))
assert max(noise) < 0.6 * limit
assert np.allclose([spike[-1, 0], growth[-1, 0]], [0.1 / 0.001**0.5, limit], rtol=1e-3)
print(f"the limit at the defaults: {limit:.2f} learning rates")

# %% [markdown] name="code-text"
# ## Code

# %% name="source"
show(Adam)

# %% [markdown] name="parity-text"
# ## Parity with PyTorch
#
# The largest relative difference from PyTorch's Adam after 50 steps:

# %% tags=["fold", "nbval-ignore-output"] name="parity"
# Parity with PyTorch.
parity.table("Adam", setting.device)

# %% [markdown] name="exercise-longest-text"
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. The longest step, with a shorter memory (5 minutes, easy)
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
# <details><summary>Hint 1</summary>The Adam lesson derives the length of step t under a constant gradient without corrections.</details>
# <details><summary>Hint 2</summary><code>max(range(1, 1000), key=...)</code> finds where a function is largest.</details>
#
# ### 2. The largest possible step (10 minutes, hard)
# The limit above is for large $t$. Give the largest step that any gradients can cause at step `t`, **with** corrections, in learning rates, without `eps`. At `t = 1` it must be 1.

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

# %% [markdown] name="exercise-growth-text"
# <details><summary>Hint 1</summary>The derivation bounds m / sqrt(v) at every t. Keep its sum over k finite: there are t terms.</details>
# <details><summary>Hint 2</summary>m_hat / sqrt(v_hat) is m / sqrt(v) times two factors that do not depend on the gradients.</details>
#
# ### 3. The worst gradients (3 minutes, easy)
# By which factor must the gradient grow from step to step, so that Adam's step becomes as long as it can?

# %% name="exercise-growth"
def growth_factor(beta1, beta2):
    ### BEGIN SOLUTION
    return beta2 / beta1
    ### END SOLUTION

# %% name="check-growth"
check("growth_factor")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>When are the two sides of the inequality of Cauchy and Schwarz equal?</details>
# <details><summary>Hint 2</summary>There the gradient of k steps ago is in proportion to (beta1 / beta2)**k.</details>
#
# ## Takeaways
#
# - A step of Adam is about one learning rate long where gradients are alike, and at the defaults up to 7.27 learning rates where they grow.
# - The bound in Adam's paper is the step after a lone spike. Growing gradients go beyond it.
# - Do not rely on Adam to limit the steps of a run that diverges: clip the gradients (lesson on clipping), or lower the rate.
#
# ## Sources
#
# D. P. Kingma and J. Ba, 2015: *Adam: a method for stochastic optimization*, arXiv 1412.6980, section 2.1.
