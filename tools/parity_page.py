"""The parity page: every loss, optimizer and scheduler of torch, option by option, on each torch measured.

python -m tools.parity_page --measure   measure with the torch at hand: results/parity/torch-<version>.json
python -m tools.parity_page             make results/parity.md from these files and the GPU record

`make parity-matrix` does both, on every torch that the course supports. Measuring needs torch and NumPy only.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results" / "parity"

sys.path.insert(0, str(ROOT))
if importlib.util.find_spec("array_api_compat") is None:
    sys.path.append(str(ROOT / "tools" / "bare"))

LOSSES = {
    "L1Loss": "absolute_error",
    "MSELoss": "squared_error",
    "HuberLoss": "huber",
    "SmoothL1Loss": "smooth_l1",
    "GaussianNLLLoss": "gaussian_nll",
    "PoissonNLLLoss": "poisson_nll",
    "BCELoss": "binary_cross_entropy_on_probabilities",
    "BCEWithLogitsLoss": "binary_cross_entropy",
    "CrossEntropyLoss": "cross_entropy, soft_cross_entropy",
    "NLLLoss": "nll",
    "KLDivLoss": "kl_divergence",
    "CTCLoss": "ctc",
    "AdaptiveLogSoftmaxWithLoss": "adaptive_cross_entropy",
    "SoftMarginLoss": "soft_margin",
    "HingeEmbeddingLoss": "hinge_embedding",
    "MarginRankingLoss": "margin_ranking",
    "MultiMarginLoss": "multi_margin",
    "MultiLabelMarginLoss": "multilabel_margin",
    "MultiLabelSoftMarginLoss": "multilabel_soft_margin",
    "CosineEmbeddingLoss": "cosine_embedding",
    "TripletMarginLoss": "triplet",
    "TripletMarginWithDistanceLoss": "triplet_with_distance",
}
OPTIMIZERS = {
    "SGD": "SGD, Momentum",
    "Adam": "Adam, AMSGrad",
    "AdamW": "AdamW, AMSGrad",
    "NAdam": "NAdam",
    "RAdam": "RAdam",
    "Adamax": "Adamax",
    "Adadelta": "Adadelta",
    "Adagrad": "AdaGrad",
    "RMSprop": "RMSProp",
    "Rprop": "Rprop",
    "ASGD": "ASGD",
    "Adafactor": "Adafactor",
    "Muon": "Muon",
    "SparseAdam": "SparseAdam",
    "LBFGS": "lbfgs",
}
HELPERS = {
    "StepLR": "step_decay",
    "MultiStepLR": "multi_step",
    "ConstantLR": "constant_then",
    "LinearLR": "linear",
    "ExponentialLR": "exponential",
    "PolynomialLR": "polynomial",
    "MultiplicativeLR": "multiplicative",
    "SequentialLR": "sequential",
    "ChainedScheduler": "chained",
    "CosineAnnealingLR": "cosine",
    "CosineAnnealingWarmRestarts": "cosine_restarts",
    "CyclicLR": "cyclic",
    "OneCycleLR": "one_cycle",
    "ReduceLROnPlateau": "plateau",
    "SWALR": "swa_lr",
    "AveragedModel": "ema, running_mean",
    "clip_grad_norm_": "clip_by_norm",
    "clip_grad_value_": "clip_by_value",
    "GradScaler": "LossScale",
}
LACKING = [
    "Execution options of the optimizers (`foreach`, `fused`, `capturable`, `differentiable`): they change no formula.",
    "`LambdaLR`: a function of the step is a schedule already.",
    "`maximize`: give our rule the negative gradient; the rows named so do this.",
    "Complex numbers, and sparse gradients other than `SparseAdam`'s rows.",
    "`reduction=`, `weight=` and `ignore_index=` as arguments: `mean`, `total` and `weighted_mean` are functions here.",
    "`linear_cross_entropy`, the fused output layer: the same numbers as a matrix product and `cross_entropy`.",
]
DIFFERENT = [
    "Half precision: we compute in float32 and round once; PyTorch rounds as it goes, so its float32 is the judge.",
    "`weighted_mean` divides by the sum of the weights, as `F.mse_loss(weight=...)` does; `F.huber_loss` divides by n.",
    "Shapes are never broadcast silently; classes stand on the last axis.",
    "An empty batch, or one in which every weight is 0, has loss 0 and gradient 0; PyTorch gives NaN.",
]


def measure() -> dict:
    """Every row and every corner with the torch at hand."""
    import torch

    from lessons_lib import parity
    from lessons_lib.parity import corners

    rows: dict[str, dict] = {}
    for r in parity.rows():
        entry = rows.setdefault(f"{r.name} | {r.option}", {})
        entry[r.dtype] = [*(None if e is None else float(f"{e:.1e}") for e in (r.value_error, r.grad_error)), r.ok]
    return {
        "torch": torch.__version__.split("+")[0],
        "source": {name: parity.source_hash(name) for name in parity.names()},
        "rows": rows,
        "corners": {c.title: c.answers() for c in corners.CORNERS},
    }


def page(measured: list[dict], record: dict | None) -> str:
    """The page in Markdown; the newest torch gives the numbers, the others whether they agree."""
    from lessons_lib import parity

    newest = measured[-1]
    stale = {name for name in parity.names() if newest["source"].get(name) != parity.source_hash(name)}
    on_gpu = {f"{r['name']} | {r['option']}": r for r in record["rows"] if r["dtype"] == "float32"} if record else {}
    fresh = {key for key, r in on_gpu.items() if r["source"] == parity.source_hash(r["name"])}
    versions = [m["torch"] for m in measured]
    text = [
        "# Ours against PyTorch",
        "",
        f"Made by `make parity-matrix` on the CPU, torch {', '.join(versions)}; the numbers are {versions[-1]}'s.",
        "Each cell: the largest difference of the value, then of the gradient, relative to the largest number; for",
        "an optimizer, of the parameters after 50 steps; for a helper, of all its numbers. **no** marks a row",
        "outside its tolerance, none a type that it does not take.",
        "",
        _provenance(record),
        "",
    ]
    if stale:
        text += [f"**Stale**, the source has changed since they were measured: {', '.join(sorted(stale))}.", ""]
    groups = {"Losses": LOSSES, "Optimizers": OPTIMIZERS, "Schedules, clipping, averages, loss scale": HELPERS}
    for title, table in groups.items():
        text += [f"## {title}", "", "| torch | ours |", "|---|---|"]
        for theirs, ours in table.items():
            known = [f"`{n}`" if n in parity.names() else f"`{n}`, **not there yet**" for n in ours.split(", ")]
            text.append(f"| `{theirs}` | {', '.join(known)} |")
        text += [""]
    text += ["## Rows", "", f"| ours | option | {' | '.join(parity.DTYPES)} | {' | '.join(versions)} | GPU, float32 |"]
    text += ["|---" * (len(parity.DTYPES) + len(versions) + 3) + "|"]
    for key, entry in newest["rows"].items():
        cells = [_cell(entry[d]) if d in entry else "none" for d in parity.DTYPES]
        agree = [
            "yes" if all(c[2] for c in m["rows"].get(key, {"": [0, 0, False]}).values()) else "**no**" for m in measured
        ]
        gpu = (
            _cell([on_gpu[key]["value_error"], on_gpu[key]["grad_error"], on_gpu[key]["ok"]])
            if key in fresh
            else "none"
        )
        name, option = key.split(" | ")
        text.append(f"| `{name}` | {option} | {' | '.join(cells)} | {' | '.join(agree)} | {gpu} |")
    text += ["", "## Kinks and extreme inputs", "", "Value, then gradient.", ""]
    text += [f"| input | ours | {' | '.join(f'torch {v}' for v in versions)} |", "|---" * (len(versions) + 2) + "|"]
    for title, (mine, _) in newest["corners"].items():
        answers = [m["corners"].get(title, ["", ""])[1] for m in measured]
        text.append(f"| {title} | {mine} | {' | '.join(answers)} |")
    text += ["", "## What we do differently", "", *(f"- {line}" for line in DIFFERENT)]
    text += ["", "## What we lack", "", *(f"- {line}" for line in LACKING), ""]
    return "\n".join(text)


def _cell(entry: list) -> str:
    value, grad, ok = entry
    return f"{value:.1e}" + ("" if grad is None else f", {grad:.1e}") + ("" if ok else " **no**")


def _provenance(record: dict | None) -> str:
    if record is None:
        return "GPU record: none yet. `make gpu-record` on a machine with CUDA makes one."
    return f"GPU record: {record['device']}, torch {record['torch']}, CUDA {record['cuda']}, {record['date']}."


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.parity_page", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure with the torch at hand")
    options = parser.parse_args(args)
    if options.measure:
        found = measure()
        RESULTS.mkdir(parents=True, exist_ok=True)
        short = ".".join(found["torch"].split(".")[:2])
        lines = json.dumps(found, indent=1)
        (RESULTS / f"torch-{short}.json").write_text(lines + "\n", encoding="utf-8")
        wrong = [key for key, entry in found["rows"].items() if not all(c[2] for c in entry.values())]
        print(f"torch {found['torch']}: {len(found['rows'])} rows, {len(wrong)} outside their tolerance")
        print("\n".join(wrong))
        return 1 if wrong else 0
    from lessons_lib import parity

    files = sorted(RESULTS.glob("torch-*.json"), key=lambda f: [int(n) for n in f.stem.split("-")[1].split(".")])
    if not files:
        print(f"nothing is measured yet under {RESULTS.relative_to(ROOT)}; run make parity-matrix")
        return 2
    text = page([json.loads(f.read_text(encoding="utf-8")) for f in files], parity.newest_record())
    (ROOT / "results" / "parity.md").write_text(text, encoding="utf-8")
    print("results/parity.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
