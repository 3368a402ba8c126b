"""What the repository promises to a package manager, to a CI server and to a newcomer's file browser."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tools import colab, install

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = {name: (ROOT / name).read_text(encoding="utf-8") for name in install.LOCKS}
CONDA_NAMES = {"torch": "pytorch"}


def declared() -> dict[str, SpecifierSet]:
    """Every package that pyproject.toml asks for, its extras included."""
    lines = [*PROJECT["dependencies"], *(d for extra in PROJECT["optional-dependencies"].values() for d in extra)]
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines)}


def pins(*locks: str) -> dict[str, list[Requirement]]:
    """The entries of these locks by name; a package may have one entry per Python version."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^[^\s#].*?(?= \\$|$)", "".join(LOCKS[lock] for lock in locks or LOCKS), re.M):
        found.setdefault(canonicalize_name(Requirement(line).name), []).append(Requirement(line))
    return found


def conda() -> tuple[dict[str, SpecifierSet], list[str]]:
    """The packages of environment.yml, and those of its lines that are no package (such as `-e .`)."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    by_pip = next(e["pip"] for e in entries if isinstance(e, dict))
    options = [e for e in by_pip if e.startswith("-")]
    named = (e for e in (*entries, *by_pip) if isinstance(e, str) and e not in options)
    packages = [Requirement(re.sub(r"^(\w+)=([\d.]+)$", r"\1==\2.*", e)) for e in named]  # conda's way to say it
    return {canonicalize_name(r.name): r.specifier for r in packages}, options


def test_environment_yml_says_what_pyproject_says():
    packages, options = conda()
    assert packages.pop("pip") == SpecifierSet()
    (python,) = packages.pop("python")  # one: else Binder would begin with a Python of its own choice
    assert python.operator == "==" and SpecifierSet(PROJECT["requires-python"]).contains(python.version.strip(".*"))
    assert packages == {CONDA_NAMES.get(n, n): s for n, s in declared().items()}, "run `make environment`"
    assert options == ["-e ."], "lessons_lib itself must be installed too"


def test_environment_yml_uses_conda_forge_alone():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == "lessons"
    assert environment["channels"] == ["conda-forge"]


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(r).name) for r in requirements}


def imported(*folders: str) -> set[str]:
    """The modules that the files in these folders import, without what comes with Python and with this repository."""
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    trees = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    found = {alias.name for node in trees if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module for node in trees if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in found} - sys.stdlib_module_names - {"lessons_lib", "tools"}


def test_a_learner_gets_what_lessons_import_and_nothing_that_only_authors_need():
    learners, authors = names(PROJECT["dependencies"]), names(PROJECT["optional-dependencies"]["dev"])
    by_module, asked_for = packages_distributions(), names(PROJECT["optional-dependencies"]["finetune"])
    found = {canonicalize_name(by_module[module][0]) for module in imported("lessons_lib", "lessons")}
    assert found <= learners | asked_for
    assert {"jupyterlab", "ipykernel", "torch"} <= learners
    assert (heavy := {"mypy", "ruff", "sphinx", "playwright", "nbval", "papermill"}) <= authors
    assert not (heavy | asked_for) & set(pins("requirements.lock")), "run `make lock`"
    assert learners <= set(pins("requirements.lock")), "run `make lock`"


@pytest.mark.parametrize("name", sorted(declared()))
def test_the_lock_pins_what_pyproject_declares(name):
    assert name in pins(), "run `make lock`"
    for pin in pins()[name]:
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert exact.version in declared()[name]


def test_every_lock_entry_has_a_hash():
    entries = install.entries(install.LOCKS)
    assert len(entries) == len(set(entries)) == sum(map(len, pins().values()))
    assert [e.splitlines()[0] for e in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", e)] == []


@pytest.mark.parametrize(
    "file", [*install.LOCKS, "environment.yml", "pyproject.toml", "Makefile", "postBuild", "tools/install.py"]
)
def test_no_package_index_is_named(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links", text) == []


@pytest.mark.parametrize(
    "entry", ["notebooks", "lessons_lib", "solutions", "tests", "environment.yml", "README.md", "LICENSE"]
)
def test_the_top_level_has(entry):
    assert (ROOT / entry).exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
@pytest.mark.parametrize("file", ["postBuild", ".ci/run"])
def test_is_executable(file):
    assert os.access(ROOT / file, os.X_OK)


def test_no_folder_hides_the_root_files_from_binder():
    assert not [d for d in ("binder", ".binder") if (ROOT / d).exists()], "repo2docker would ignore environment.yml"


def test_the_container_has_a_python_that_the_course_allows_and_installs_it():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert SpecifierSet(PROJECT["requires-python"]).contains(container["image"].rpartition(":")[2])
    assert container["postCreateCommand"] == "python -m tools.install" and Path(install.__file__).name == "install.py"


def test_on_colab_a_lesson_fetches_the_course_and_elsewhere_it_does_nothing(monkeypatch):
    run: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: run.append(command))
    monkeypatch.setattr("builtins.input", lambda _: "ADDRESS")
    monkeypatch.setattr(sys, "path", sys.path[:])
    exec(colab.CELL, {})
    assert run == []
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    exec(colab.CELL, {})
    assert run == [], "the course is installed here"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    exec(colab.CELL, {})
    assert [command[:2] for command in run] == [["git", "clone"], [sys.executable, "-m"]]
    assert run[0][-2:] == ["ADDRESS", "/content/course"] == [run[0][-2], sys.path[0]]


def test_colab_gets_what_it_lacks_and_keeps_its_own(monkeypatch):
    monkeypatch.setattr(colab, "COLABS_OWN", {"no-such-2"})
    assert colab.missing(["numpy>=2.2,<3", "no-such-1>=1", "no-such-2>=1"]) == ["no-such-1>=1"]


def test_citation_and_package_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert " AND ".join(citation["license"]) == PROJECT["license"]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_path_that_is_named_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = [span or link for span, link in re.findall(r"(?<!`)`([^`\n]+)`(?!`)|\]\(([^)#:\s]+)\)", text)]
    top = {entry.name for entry in ROOT.iterdir()}
    paths = [n for n in named if re.fullmatch(r"[\w./*-]+", n) and ("/" in n or n in top)]
    by_commands = (".venv/", "build/", "work/", "replaced/", "results/gpu/", "results/runs/")  # not in git, or not yet
    missing = [path for path in paths if not path.startswith(by_commands) and not any(ROOT.glob(path))]
    assert len(paths) > 5 and missing == []


def run_make(*args: str, cwd: Path = ROOT) -> str:
    if shutil.which("make") is None:
        pytest.skip("no make on this machine")
    return subprocess.run(["make", *args], cwd=cwd, check=True, capture_output=True, text=True).stdout


def test_make_clean_keeps_the_notebooks_that_a_build_replaced(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for file in ("build/replaced/a.ipynb", "build/site/index.html", "replaced/b.ipynb", "work/notebooks/c.ipynb"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    run_make("clean", cwd=tmp_path)
    left = {f.relative_to(tmp_path).as_posix() for f in tmp_path.rglob("*") if f.is_file()}
    assert left == {"Makefile", "build/replaced/a.ipynb", "replaced/b.ipynb", "work/notebooks/c.ipynb"}
    shutil.rmtree(tmp_path / "build")
    run_make("clean", cwd=tmp_path)


@pytest.fixture
def installed(tmp_path, monkeypatch) -> list[list[str]]:
    """The installer on a Linux machine without a driver; what uv is called with, once it would be."""
    calls: list[list[str]] = []
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "DRIVER", ())
    monkeypatch.setattr(install, "uv", lambda *args, check=True: calls.append([*args]) or True)
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "platform", "linux")
    return calls


def test_without_a_driver_the_cpu_build_is_taken_and_the_rest_keeps_its_hashes(installed, tmp_path):
    assert install.torch_build("") == "cpu" and install.torch_build("default") == "default"
    assert install.install("cpu", install.LOCKS, []) == "cpu"
    (cpu, rest), (torch,) = installed, pins()["torch"]
    assert cpu == ["--torch-backend", "cpu", "--no-deps", f"torch{torch.specifier}+cpu"]
    assert rest[0] == "--require-hashes"
    left = set(install.entries(install.LOCKS)) - set(re.split(r"\n(?=\S)", Path(rest[-1]).read_text().strip()))
    only_cuda = re.compile(r"torch==|triton==|nvidia-|cuda-")
    assert (
        left
        and all(map(only_cuda.match, left))
        and len(left) == sum(bool(only_cuda.match(e)) for e in install.entries(install.LOCKS))
    )


def test_with_a_driver_or_the_cpu_build_out_of_reach_the_locked_one_is_taken(installed, monkeypatch, capsys):
    monkeypatch.setattr(install, "DRIVER", (str(ROOT / "README.md"),))
    assert install.torch_build("") == "default" and install.torch_build("cpu") == "cpu"
    monkeypatch.setattr(install, "uv", lambda *args, check=True: installed.append([*args]) or check)
    assert install.install("cpu", install.LOCKS[:1], []) == "default"
    assert installed[1][0] == "--require-hashes"
    assert Path(installed[1][-1]).read_text(encoding="utf-8") == LOCKS["requirements.lock"]
    (line,) = capsys.readouterr().out.splitlines()
    assert "out of reach" in line and f"{install.MEGABYTES['default']} MB" in line


def test_the_choice_of_torch_is_checked_and_other_systems_have_none(monkeypatch):
    with pytest.raises(SystemExit, match="TORCH is 'gpu'; allowed are cpu and default"):
        install.torch_build("gpu")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert install.torch_build("cpu") == "default"


@pytest.mark.parametrize(
    ("python", "system", "machine", "libc", "says"),
    [
        ((3, 10), "linux", "x86_64", "glibc", "3.11 to 3.14"),
        ((3, 15), "linux", "x86_64", "glibc", "3.11 to 3.14"),
        ((3, 13), "darwin", "x86_64", "", "no package for darwin on x86_64"),
        ((3, 13), "win32", "arm64", "", "no package for win32 on arm64"),
        ((3, 13), "linux", "x86_64", "", "no package for linux on x86_64"),
    ],
)
def test_what_the_lock_does_not_serve_is_said_at_once(python, system, machine, libc, says):
    with pytest.raises(SystemExit, match=says):
        install.refuse(python, system, machine, libc)
    for served in (("linux", "aarch64", "glibc"), ("darwin", "arm64", ""), ("win32", "amd64", "")):
        install.refuse((3, 14), *served)


WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def workflow(path=ROOT / ".github/workflows/test.yml") -> dict:
    # YAML 1.1 reads the key `on` as true; BaseLoader leaves every scalar a string.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_no_pull_request_reaches_the_gpu_machine():
    jobs = {name: job for name, job in workflow()["jobs"].items() if "self-hosted" in str(job["runs-on"])}
    assert list(jobs) == ["gpu"]
    assert jobs["gpu"]["if"].startswith("github.event_name == 'workflow_dispatch' &&")
    assert "||" not in jobs["gpu"]["if"]
    assert "workflow_dispatch" in workflow()["on"]
    assert not {"pull_request_target", "workflow_run"} & set(workflow()["on"]), "they run a fork's code with our rights"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_a_workflow_may_only_read(path):
    assert workflow(path)["permissions"] == {"contents": "read"}
    assert not [name for name, job in workflow(path)["jobs"].items() if "permissions" in job]


def steps(*path) -> list[dict]:
    return [step for job in workflow(*path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside(path):
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert len(used) == sum("uses" in step for step in steps(path))
    assert [line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", line)] == []


def test_windows_runs_what_make_test_runs():
    wanted = re.findall(r"-m (.*)", run_make("--dry-run", "test"))
    (windows,) = [step["run"] for step in steps() if step.get("name") == "Test (Windows)"]
    ran = re.findall(r"-m (.*)", windows.replace("\\\n", ""))
    assert [" ".join(line.split()) for line in ran] == [line for line in wanted if not line.startswith("tools.install")]


def test_the_workflow_hides_no_encoding_and_takes_each_way_to_install():
    text = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    assert "UTF8" not in text and "ENCODING" not in text
    learner = workflow()["jobs"]["learner"]
    assert learner["env"]["TORCH"] == "${{ matrix.torch }}" and learner["strategy"]["matrix"]["torch"] == [
        "",
        "default",
    ]
    assert "make lab" in str(learner["steps"])
