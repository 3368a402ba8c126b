"""Torn digits: two small networks that find a left half's right half, trained with several losses and settings.

Seeds 0 to 4 choose the settings, seeds 5 to 9 judge.
"""

import numpy as np
import torch

from lessons_lib import bridge, data

SEEDS = range(10)
STEPS, BATCH, HIDDEN, SIZE = 200, 128, 64, 16
RATES = [0.003, 0.01, 0.03, 0.1]
TAUS = [0.01, 0.02, 0.035, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.57, 1.0]
MARGINS = [0.1, 0.2, 0.4, 0.8]
HARDEST = [1, 4, 16, 127]
ANSWERS = [2, 4, 8, 16, 32, 64, 128]


def torn(images):  # left and right halves, 32 pixels each
    x = torch.tensor(images.reshape(-1, 8, 8)).float()
    return x[..., :4].flatten(1), x[..., 4:].flatten(1)


def run(seed):
    """For every rate a list over the settings: [recall at 1, at 10, mean reciprocal rank, heard, loss]."""
    bridge.start("cpu", seed)
    digits = data.digits(seed)
    left, right = torn(digits.x)
    left_test, right_test = torn(digits.x_test)
    itself = torch.eye(BATCH, dtype=torch.bool)

    def tower(n, g):  # n copies of one beginning
        parts = (torch.randn(32, HIDDEN, generator=g) / 32**0.5, torch.zeros(1, HIDDEN))
        parts += (torch.randn(HIDDEN, SIZE, generator=g) / HIDDEN**0.5,)
        return [p.expand(n, *p.shape).clone().requires_grad_() for p in parts]

    def embed(tower, x):
        w, b, v = tower
        return torch.nn.functional.normalize(torch.relu(x @ w + b) @ v, dim=-1)

    def trained(n, loss, lr):
        g = torch.Generator().manual_seed(seed)
        a, b = tower(n, g), tower(n, g)
        rule = torch.optim.Adam(a + b, lr)
        for _ in range(STEPS):
            i = torch.randint(len(left), (BATCH,), generator=g)
            value, heard = loss(embed(a, left[i]) @ embed(b, right[i]).mT)
            rule.zero_grad()
            value.sum().backward()
            rule.step()
        with torch.no_grad():
            s = embed(a, left_test) @ embed(b, right_test).mT
            rank = (s > s.diagonal(dim1=1, dim2=2)[..., None]).sum(-1) + 1
            found = [(rank == 1).float().mean(-1), (rank <= 10).float().mean(-1), (1 / rank).mean(-1), heard, value]
        return np.round(torch.stack([f.detach() for f in found], -1).numpy().astype(float), 5).tolist()

    def info_nce(taus):
        tau = torch.tensor(taus)[:, None, None]

        def loss(s):
            z = s / tau
            with torch.no_grad():
                q = z.masked_fill(itself, -torch.inf).softmax(-1)
                heard = (1 / (q**2).sum(-1)).median(-1).values
            return (z.logsumexp(-1) - z.diagonal(dim1=1, dim2=2)).mean(-1), heard

        return loss

    def triplets(settings, random=False):  # settings: (how many of the hardest, margin)
        margin = torch.tensor([m for _, m in settings])[:, None, None]

        def loss(s):
            right_one = s.diagonal(dim1=1, dim2=2)[..., None]
            if random:
                wrong = s.roll(-1, -1).diagonal(dim1=1, dim2=2)[..., None]
            else:
                wrong = s.masked_fill(itself, -9).topk(BATCH - 1).values
            open_ = torch.relu(margin + wrong - right_one)
            counted = [part[:, :k] for part, (k, _) in zip(open_, settings, strict=True)]
            heard = torch.stack([(c > 0).sum(-1).float().median() for c in counted])
            silent = torch.stack([(c == 0).float().mean() for c in counted])
            return torch.stack([c.mean() for c in counted]), silent if random else heard

        return loss

    def fewer(s):  # InfoNCE at 0.2 in groups of so many answers
        values = []
        for part, m in zip(s, ANSWERS, strict=True):
            groups = torch.stack([part[k : k + m, k : k + m] for k in range(0, BATCH, m)]) / 0.2
            values.append((groups.logsumexp(-1) - groups.diagonal(dim1=1, dim2=2)).mean())
        return torch.stack(values), torch.tensor(ANSWERS) - 1.0

    def pull(s):
        return 1 - s.diagonal(dim1=1, dim2=2).mean(-1), torch.zeros(len(s))

    some = [(k, m) for k in HARDEST for m in MARGINS]
    kinds = {
        "InfoNCE": (len(TAUS), info_nce(TAUS)),
        "triplets": (len(some), triplets(some)),
        "a random one": (len(MARGINS), triplets([(1, m) for m in MARGINS], random=True)),
        "fewer": (len(ANSWERS), fewer),
        "none": (1, pull),
    }
    return {name: [trained(*kind, lr) for lr in RATES] for name, kind in kinds.items()}
