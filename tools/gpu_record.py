"""Record parity with PyTorch, the unit tests and a training on this machine's GPU: JSON under results/gpu/.

python -m tools.gpu_record

Needs torch with CUDA, NumPy and pytest, and no network: array_api_compat may come along as the wheel that `make wheels`
puts into build/wheels/; the training needs those of tokenizers, safetensors and tqdm, from there too, installed with
pip install --no-deps. Nothing is written without a CUDA device.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
WHEELS = ROOT / "build" / "wheels"
UNIT_TESTS = ["test_cases.py", "test_laws.py", "test_bad_input.py", "test_bridge.py", "test_contract.py"]


def need_array_api_compat() -> None:
    """Take it from its wheel where it is not installed: a wheel of pure Python can be imported as it is."""
    if importlib.util.find_spec("array_api_compat") is None:
        sys.path.extend(map(str, WHEELS.glob("array_api_compat-*.whl")))
    if importlib.util.find_spec("array_api_compat") is None:
        raise SystemExit(
            "array_api_compat is missing. Run `make wheels` where there is a network, and bring build/wheels/ here."
        )


def record(device: str, tests: list[str], name: str = "") -> dict:
    """Everything that is recorded: where, when, with what, each parity row (of one name), and how the tests ended."""
    import torch

    from lessons_lib import parity

    rows = [{**asdict(r), "ok": r.ok, "source": parity.source_hash(r.name)} for r in parity.rows(name, device)]
    on_gpu = device == "cuda"
    return {
        "device": torch.cuda.get_device_name() if on_gpu else platform.processor() or platform.machine(),
        "driver": driver() if on_gpu else None,
        "cuda": torch.version.cuda if on_gpu else None,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": "make gpu-record",
        "library": library_hash(),
        "array_api_compat": version("array_api_compat"),
        "tests": run_tests(tests),
        "rows": rows,
    }


def training_run(device: str) -> dict | None:
    """The language model of chapter 5 at full size; None without `tokenizers`, which a GPU machine may lack."""
    if any(importlib.util.find_spec(name) is None for name in ("tokenizers", "safetensors", "tqdm")):
        print("tokenizers, safetensors or tqdm is missing, so no language model is trained")
        return None
    from lessons_lib.training.full import full

    return full(device)


def driver() -> str:
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def library_hash() -> str:
    """A hash of all library sources, whatever their line ends."""
    files = sorted((ROOT / "lessons_lib").rglob("*.py"))
    text = "".join(f.relative_to(ROOT).as_posix() + f.read_text(encoding="utf-8") for f in files)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_tests(tests: list[str]) -> dict[str, int]:
    """Run the unit tests that need nothing but torch, NumPy and pytest; count how they ended."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
        path = os.pathsep.join([str(ROOT), *sys.path[1:]])
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})
        if not report.exists():
            raise SystemExit("pytest wrote no report; nothing is recorded")
        cases = ElementTree.parse(report).getroot().iter("testcase")
        ends = [next((e.tag for e in c if e.tag in ("failure", "error", "skipped")), "passed") for c in cases]
    return {end: ends.count(end) for end in ("passed", "failure", "error", "skipped")}


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_record", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "gpu", help="folder for the record")
    options = parser.parse_args(args)
    import torch

    if not torch.cuda.is_available():
        print("This machine has no CUDA device, so there is nothing to record. The course runs without a record.")
        return 2
    need_array_api_compat()
    found = {**record("cuda", [f"tests/{name}" for name in UNIT_TESTS]), "training": training_run("cuda")}
    name = re.sub(r"[^a-z0-9]+", "-", found["device"].lower()).strip("-")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{name}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    wrong = [f"{r['name']}, {r['option']}, {r['dtype']}" for r in found["rows"] if not r["ok"]]
    print(f"{path.name}: {len(found['rows'])} rows, {len(wrong)} outside their tolerance; tests: {found['tests']}")
    print("\n".join(wrong))
    return 1 if wrong or found["tests"]["failure"] or found["tests"]["error"] else 0


if __name__ == "__main__":
    sys.exit(main())
