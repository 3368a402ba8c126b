"""What the repository promises to a package manager, to a CI server and to a newcomer's file browser."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
CONDA_NAMES = {"torch": "pytorch"}


def declared() -> dict[str, SpecifierSet]:
    """Every package that pyproject.toml asks for, its extras included."""
    lines = [*PROJECT["dependencies"], *(d for extra in PROJECT["optional-dependencies"].values() for d in extra)]
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines)}


def pins() -> dict[str, list[Requirement]]:
    """The entries of requirements.lock by name; a package may have one entry per Python version."""
    found: dict[str, list[Requirement]] = {}
    for line in re.findall(r"^[^\s#].*?(?= \\$|$)", LOCK, re.M):
        found.setdefault(canonicalize_name(Requirement(line).name), []).append(Requirement(line))
    return found


def conda() -> tuple[dict[str, SpecifierSet], list[str]]:
    """The packages of environment.yml, and those of its lines that are no package (such as `-e .`)."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    by_pip = next(e["pip"] for e in entries if isinstance(e, dict))
    options = [e for e in by_pip if e.startswith("-")]
    packages = [Requirement(e) for e in (*entries, *by_pip) if isinstance(e, str) and e not in options]
    return {canonicalize_name(r.name): r.specifier for r in packages}, options


def test_environment_yml_says_what_pyproject_says():
    packages, options = conda()
    assert packages.pop("pip") == SpecifierSet()
    assert packages.pop("python") == SpecifierSet(PROJECT["requires-python"])
    assert packages == {CONDA_NAMES.get(n, n): s for n, s in declared().items()}, "run `make environment`"
    assert options == ["-e ."], "lessons_lib itself must be installed too"


def test_environment_yml_uses_conda_forge_alone():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == "lessons"
    assert environment["channels"] == ["conda-forge"]


@pytest.mark.parametrize("name", ["jupyterlab", "numpy", "torch", "matplotlib", "nbval", "papermill"])
def test_a_reader_gets_what_the_course_needs(name):
    assert name in {Requirement(d).name for d in PROJECT["dependencies"]}


@pytest.mark.parametrize("name", sorted(declared()))
def test_the_lock_pins_what_pyproject_declares(name):
    assert name in pins(), "run `make lock`"
    for pin in pins()[name]:
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert exact.version in declared()[name]


def test_every_lock_entry_has_a_hash():
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert len(entries) == sum(map(len, pins().values()))
    assert [e.splitlines()[0] for e in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", e)] == []


@pytest.mark.parametrize("file", ["requirements.lock", "environment.yml", "pyproject.toml", "Makefile", "postBuild"])
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


def test_citation_and_package_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert " AND ".join(citation["license"]) == PROJECT["license"]


def workflow() -> dict:
    # YAML 1.1 reads the key `on` as true; BaseLoader leaves every scalar a string.
    return yaml.load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_no_pull_request_reaches_the_gpu_machine():
    jobs = {name: job for name, job in workflow()["jobs"].items() if "self-hosted" in str(job["runs-on"])}
    assert list(jobs) == ["gpu"]
    assert jobs["gpu"]["if"].startswith("github.event_name == 'workflow_dispatch' &&")
    assert "||" not in jobs["gpu"]["if"]
    assert "workflow_dispatch" in workflow()["on"]
    assert not {"pull_request_target", "workflow_run"} & set(workflow()["on"]), "they run a fork's code with our rights"


def test_the_workflow_may_only_read():
    assert workflow()["permissions"] == {"contents": "read"}
    assert not [name for name, job in workflow()["jobs"].items() if "permissions" in job]
