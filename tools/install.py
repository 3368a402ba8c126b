"""Make .venv with the packages that the course needs, or bring it up to date; nothing to do takes no time.

python3 -m tools.install          what a lesson needs, and JupyterLab
python3 -m tools.install --dev    and what authors need on top

On Linux the variable TORCH chooses PyTorch's build: "cpu", or "default", which brings the CUDA libraries. Without it
the build that is there stays; the first time it is "cpu" where there is no NVIDIA driver.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
IN = [str(VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")), "-m"]
LOCKS = "requirements.lock", "requirements-dev.lock"
DRIVER = "/proc/driver/nvidia/version", "/sys/module/nvidia/version"
CUDA_BUILD = re.compile(r"(torch|triton|nvidia-[\w-]+|cuda-[\w-]+)==")  # what the CPU build takes the place of
MEGABYTES = {"cpu": 340, "default": 3140 if sys.platform == "linux" else 270}  # of wheels, for Python 3.13
MEGABYTES_DEV = 125


def main(dev: bool) -> None:
    refuse(sys.version_info[:2], sys.platform, platform.machine().lower(), platform.libc_ver()[0])
    stamp = VENV / "ready.txt"
    there = stamp.read_text(encoding="utf-8").split() if stamp.exists() else []
    build = torch_build(os.environ.get("TORCH") or " ".join(there[:1]))
    digests = [digest(LOCKS[:1]), digest(LOCKS)][: 1 + dev]
    if there[:1] == [build] and digests[-1] in there[1:]:
        return
    announce(build, dev)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pip = [*IN, "pip", "install", "--quiet", "--require-hashes", "-r"]
    subprocess.run([*pip, listed("uv.txt", [e for e in entries(LOCKS) if e.startswith("uv==")])], check=True)
    build = install(build, LOCKS[: 1 + dev], [] if there[:1] == [build] else ["--reinstall-package", "torch"])
    uv("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    settings = VENV / "share/jupyter/lab/settings"
    settings.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "tools/overrides.json", settings)
    stamp.write_text(" ".join([build, *digests]), encoding="utf-8")


def refuse(python: tuple[int, ...], system: str, machine: str, libc: str) -> None:
    """Say at once what no package of the lock serves."""
    if not (3, 11) <= python < (3, 15):
        sys.exit(
            f"This course needs Python 3.11 to 3.14, and {sys.executable} is {python[0]}.{python[1]}. "
            "Name another one: make lab PYTHON=python3.12"
        )
    if (system, machine) in (("darwin", "x86_64"), ("win32", "arm64")) or (system == "linux" and libc != "glibc"):
        sys.exit(
            f"PyTorch has no package for {system} on {machine} {libc}".rstrip() + "; the README names what is served."
        )


def torch_build(asked: str) -> str:
    """Which build of PyTorch to install; other systems than Linux have one only."""
    if asked not in ("", "cpu", "default"):
        sys.exit(f"TORCH is {asked!r}; allowed are cpu and default")
    if sys.platform != "linux":
        return "default"
    driver = any(Path(file).exists() for file in DRIVER) or shutil.which("nvidia-smi")
    return asked or ("default" if driver else "cpu")


def announce(build: str, dev: bool) -> None:
    megabytes = MEGABYTES[build] + MEGABYTES_DEV * dev
    if build == "cpu":
        print(
            "PyTorch: the small build for CPUs (no NVIDIA driver, or asked for; TORCH=default takes the one with CUDA)."
        )
    minutes = f"{megabytes * 8 / 50 / 60:.1f} minutes at 50 Mbit/s, and one or two more to unpack and compile"
    print(f"To download into .venv: about {megabytes} MB, less what is cached; {minutes}.", flush=True)


def install(build: str, locks: tuple[str, ...], again: list[str]) -> str:
    """Install what is locked, and the CPU build of PyTorch where it is wanted and within reach; the build that came."""
    locked = entries(locks)
    if build == "cpu":
        (version,) = re.findall(r"^torch==(\S+)", "\n".join(locked), re.M)
        came = uv("--torch-backend", "cpu", "--no-deps", *again, f"torch=={version}+cpu", check=False)
        if came:
            locked = [entry for entry in locked if not CUDA_BUILD.match(entry)]
        else:
            print(
                f"PyTorch's CPU build is out of reach; the default one is taken: {MEGABYTES['default']} MB.", flush=True
            )
            build = "default"
    uv("--require-hashes", *(again if build == "default" else []), "-r", listed("locked.txt", locked))
    return build


def uv(*args: str, check: bool = True) -> bool:
    command = [*IN, "uv", "pip", "install", "--python", IN[0], "--compile-bytecode", *args]
    return subprocess.run(command, check=check, stderr=None if check else subprocess.DEVNULL).returncode == 0


def entries(locks: tuple[str, ...]) -> list[str]:
    """The packages of these locks, each with its hashes."""
    return [e for lock in locks for e in re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())]


def listed(name: str, locked: list[str]) -> str:
    (VENV / name).write_text("\n".join(locked) + "\n", encoding="utf-8")
    return str(VENV / name)


def digest(locks: tuple[str, ...]) -> str:
    files = [ROOT / "pyproject.toml", *(ROOT / lock for lock in locks)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


if __name__ == "__main__":
    try:
        main("--dev" in sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(f"The installation has stopped, see above: {' '.join(map(str, error.cmd))}")
