"""Reading numbers from pictures of digits by reward alone: each batch of answers is used 1, 4, 16 or 64 times."""

import numpy as np

from lessons_lib import data
from lessons_lib.losses import cispo, group_advantage, gspo, ppo_clip, reinforce

SEEDS = range(10)  # 0 to 4 judge, 5 to 9 choose the rate
BATCHES, NUMBERS, ANSWERS, DIGITS = 20, 16, 8, 5
RATES = [2.0**k for k in range(-1, 9)]
ADAM_RATES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]
WIDTHS = [0.05, 0.1, 0.2, 0.4, 0.8]


def slope_of(name, log_p, old, advantage, width):
    """The slope of the objective by each token's log p: minus the gradient of the loss."""
    if name == "no clip":
        return -ppo_clip(log_p, old, advantage, 1 - 1e-12, 1e12).grad
    if name == "ratio 1":
        return -reinforce(log_p, advantage).grad
    if name == "CISPO":
        return -cispo(log_p, old, advantage).grad
    if name == "GSPO":
        return -DIGITS * gspo(log_p, old, advantage[..., 0], np.ones_like(log_p), width, width).grad
    return -ppo_clip(log_p, old, advantage, width, width).grad


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def train(seed, name, uses, rates, width=0.2, adam=False, batches=BATCHES):
    """The expected reward on test pictures after each batch, for every rate: (rates, batches)."""
    split, rng = data.digits(seed), np.random.default_rng(seed)
    x_all, x_test = (np.c_[x / 8, np.ones(len(x))] for x in (split.x, split.x_test))
    rate, w = np.array(rates)[:, None, None], np.zeros((len(rates), x_all.shape[1], 10))
    m, v, t, found = 0 * w, 0 * w, 0, []
    for _ in range(batches):
        at = rng.integers(len(x_all), size=(NUMBERS, DIGITS))
        x = x_all[at]
        flat = x.reshape(-1, x.shape[-1])
        lp = log_softmax(x @ w[:, None])[:, :, None]  # (rates, numbers, 1, digits, 10)
        u = rng.random((NUMBERS, ANSWERS, DIGITS))
        said = (u[..., None] > np.exp(lp).cumsum(-1)[..., :-1]).sum(-1)
        old = np.take_along_axis(lp, said[..., None], -1)[..., 0]
        advantage = group_advantage((said == split.y[at][:, None]).mean(-1))
        advantage = np.broadcast_to(advantage[..., None], old.shape)
        hot = np.eye(10)[said]
        for _ in range(uses):
            lp = log_softmax(x @ w[:, None])
            log_p = np.take_along_axis(lp[:, :, None], said[..., None], -1)[..., 0]
            c = slope_of(name, log_p, old, advantage, width)
            by_z = (c[..., None] * hot).sum(2) - c.sum(2)[..., None] * np.exp(lp)
            slope = flat.T @ by_z.reshape(len(w), len(flat), 10) / c[0].size
            if adam:
                t, m, v = t + 1, 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
                slope = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            w = w + rate * slope
        right = np.exp(log_softmax(x_test @ w))[:, np.arange(len(x_test)), split.y_test]
        found.append(right.mean(-1))
    return np.array(found).T.tolist()


def run(seed):
    """Courses of the expected reward: by method and number of uses, by clip width, and with Adam; one for each rate."""
    with np.errstate(over="ignore"):
        return {
            **{
                f"{name}, {uses}": train(seed, name, uses, RATES)
                for name in ("no clip", "ratio 1", "PPO", "GSPO", "CISPO")
                for uses in (1, 4, 16, 64)
            },
            **{
                f"{name}, width {width}": train(seed, name, 16, RATES, width)
                for name in ("PPO", "GSPO")
                for width in WIDTHS
            },
            **{
                f"{name}, Adam, {uses}": train(seed, name, uses, ADAM_RATES, adam=True)
                for name in ("no clip", "PPO")
                for uses in (1, 16, 64)
            },
        }
