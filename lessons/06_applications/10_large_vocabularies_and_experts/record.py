"""A head of 512 tokens under three rules, the small model trained on with the z-loss, and eight experts for digits."""

import copy

import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, models, training
from lessons_lib.bridge import as_autograd
from lessons_lib.losses import cross_entropy, z_loss

SEEDS = range(5)
RATES = {"gradient descent": 0.3, "Adam": 3e-3, "Adam, one divisor": 3e-3}
WEIGHTS = [0.0, 1e-4, 1e-3, 1e-2, 1e-1]
STEPS, EVERY = 300, 20
BALANCE = [0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]  # weights of the balance loss
PUSH = [0.003, 0.01, 0.03, 0.1]  # rates of the bias
EXPERTS = 8


def mixture(seed, weights, rates, lr=0.02, shared=3.0, steps=250):
    """Digits by eight linear experts, one for each picture: a training for each pair of a weight and a rate.

    The features: six principal components with variance 1, and `shared`, which is the same for all pictures.
    Returns the shares of the experts (steps, runs, experts), and on the test set the loss, the shares and log Z.
    """
    digits, draw = data.digits(seed), torch.Generator().manual_seed(seed)
    x, x_test = (torch.from_numpy(a).float() for a in (digits.x, digits.x_test))
    y, y_test = torch.from_numpy(digits.y), torch.from_numpy(digits.y_test)
    middle = x.mean(0)
    _, s, directions = torch.linalg.svd(x - middle, full_matrices=False)
    turn = directions[:6].T / (s[:6] / len(x) ** 0.5)
    x, x_test = (F.pad((a - middle) @ turn, (0, 1), value=shared) for a in (x, x_test))
    runs, w = len(weights), torch.tensor(weights)
    rate = torch.tensor(rates)[:, None]
    router, experts = (
        (0.1 * torch.randn(7, n, generator=draw)).expand(runs, 7, n).clone().requires_grad_()
        for n in (EXPERTS, 10 * EXPERTS)
    )
    bias, shares = torch.zeros(runs, EXPERTS), []
    optimizer = torch.optim.Adam([router, experts], lr, betas=(0.9, 0.95))

    def forward(x):  # logits of the digits, the router's logits, and which expert each picture got
        z = x @ router
        p = z.softmax(-1)
        chosen = F.one_hot((p.detach() + bias[:, None]).argmax(-1), EXPERTS).float()
        says = (x @ experts).unflatten(-1, (EXPERTS, 10))
        return ((chosen * p)[..., None] * says).sum(-2), z, chosen

    def loss(logits, y):
        each = F.cross_entropy(logits.flatten(0, 1), y.repeat(runs), reduction="none")
        return each.view(runs, -1).mean(-1)

    for _ in range(steps):
        i = torch.randint(len(x), (128,), generator=draw)
        logits, z, chosen = forward(x[i])
        f = chosen.mean(1)
        balance = EXPERTS * (f * z.softmax(-1).mean(1)).sum(-1)
        (loss(logits, y[i]) + w * balance).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        bias = bias + rate * torch.sign(1 / EXPERTS - f)
        shares.append(f)
    with torch.no_grad():
        logits, z, chosen = forward(x_test)
        log_z = z.logsumexp(-1).mean(-1)
        return torch.stack(shares), loss(logits, y_test), chosen.mean(1), log_z


def run(seed):
    """Mean logit, log Z and loss (nats), means over tokens: every 20 steps of the head, and after training on."""
    bridge.start("cpu", seed)
    base, tokenizer, _ = models.pretrained()
    text = data.corpus(seed=0)  # the split with which the base was trained
    train_ids = data.encode(tokenizer, text.train)
    held_out = data.in_order(data.encode(tokenizer, text.validation), 64, 64)
    pieces = data.windows(train_ids, 64, 8, seed)

    @torch.no_grad()
    def seen(z, y):
        log_z = z.logsumexp(-1)
        return [float(v.mean()) for v in (z, log_z, log_z - z.gather(1, y[:, None])[:, 0])]

    @torch.no_grad()
    def features(batch):
        found = []
        hook = base.norm.register_forward_hook(lambda module, inputs, output: found.append(output))
        base(torch.from_numpy(batch.x))
        hook.remove()
        return found[0].flatten(0, 1), torch.from_numpy(batch.y).flatten()

    h, y = features(data.windows(train_ids, 64, 256, seed)(0))

    def head(rule):
        theta, m, v, path = torch.zeros(512, 64), 0.0, 0.0, []
        draw = torch.Generator().manual_seed(seed)
        for t in range(STEPS + 1):
            if t % EVERY == 0:
                path.append(seen(h[:2048] @ theta.T, y[:2048]))
            i = torch.randint(len(h), (128,), generator=draw)
            g = cross_entropy(h[i] @ theta.T, y[i]).grad.T @ h[i] / 128
            if rule != "gradient descent":
                square = g**2 if rule == "Adam" else (g**2).mean(0)
                m, v = 0.9 * m + 0.1 * g, 0.95 * v + 0.05 * square
                g = m / (1 - 0.9 ** (t + 1)) / ((v / (1 - 0.95 ** (t + 1))).sqrt() + 1e-8)
            theta = theta - RATES[rule] * g
        return path

    z, ce = as_autograd(z_loss), as_autograd(cross_entropy)

    def tuned(weight):
        model = copy.deepcopy(base)
        recipe = training.Recipe(steps=100, lr=1e-3, warmup=10)
        loss = (lambda a, b: ce(a, b) + z(a, weight=weight)) if weight else ce
        training.train(model, pieces, recipe, loss=loss)
        with torch.no_grad():
            logits = model(torch.from_numpy(held_out.x)).flatten(0, 1)
        return seen(logits, torch.from_numpy(held_out.y).flatten())

    def balanced(weights, rates, **options):  # loss, share of the busiest expert, experts with under 1 per cent
        _, losses, shares, _ = mixture(seed, weights, rates, **options)
        return [[float(a), float(b.max()), int((b < 0.01).sum())] for a, b in zip(losses, shares, strict=True)]

    none = [0.0]
    others = {lr: balanced([0.0, 0.1, 0.0], [0.0, 0.0, 0.01], lr=lr) for lr in (0.01, 0.04)}
    return {
        "head": {rule: head(rule) for rule in RATES},
        "tuned": [tuned(w) for w in WEIGHTS],
        "weights": balanced(BALANCE, none * len(BALANCE)),
        "rates": balanced(none * len(PUSH), PUSH),
        "nothing shared": balanced(none, none, shared=0.0)[0],
        "lr": [others[lr] for lr in (0.01, 0.04)],
    }
