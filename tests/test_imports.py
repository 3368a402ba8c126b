"""Who may import whom: the house in a dozen lines, held by the files themselves."""

import ast
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

import lessons_lib

HOME = Path(lessons_lib.__file__).parent
ROOMS = ("losses", "optim", "second_order")  # one concept per file
COMPOSED = {  # the files that stand on a sibling, and why
    "losses/adaptive_cross_entropy.py": {"cross_entropy"},  # the head and every cluster are one
    "losses/barron_nll.py": {"barron"},  # a likelihood around it
    "losses/dft.py": {"cross_entropy"},  # weighed by what it says
    "losses/focal.py": {"cross_entropy"},  # weighed by what it says
    "losses/generalized_jensen_shannon.py": {"reverse_kl"},  # at its far end
    "losses/gspo.py": {"ppo_clip"},  # once for each response
    "optim/_matrices.py": {"muon"},  # the check of a matrix
    "optim/eight_bit.py": {"quantize"},  # a state in 8 bits
    "optim/loss_scale.py": {"clip"},  # whether the norm of all gradients is finite
    "second_order/conjugate_gradient.py": {"line_search"},
    "second_order/lbfgs.py": {"line_search"},
}


def imported(file: Path) -> set[str]:
    """The modules that a file names, `lessons_lib.core.options` or `torch.nn`; an import inside a function counts."""
    package = ".".join(("lessons_lib", *file.relative_to(HOME).parent.parts))
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            found |= {module} if node.module else {f"{module}.{alias.name}" for alias in node.names}
    return found


FILES = {file.relative_to(HOME).as_posix(): imported(file) for file in sorted(HOME.rglob("*.py"))}


@pytest.mark.parametrize("name", FILES)
def test_a_file_imports_only_what_its_room_may(name):
    room, *_, file = name.split("/") if "/" in name else ("", name)
    ours = {m.removeprefix("lessons_lib.") for m in FILES[name] if m.startswith("lessons_lib")}
    others = {m.split(".")[0] for m in FILES[name] if not m.startswith("lessons_lib")} - sys.stdlib_module_names
    if room in (*ROOMS, "core"):
        assert others <= {"array_api_compat"} and {m.split(".")[0] for m in ours} <= {"core", room}
    assert "torch" not in others or room in ("bridge", "models", "parity", "training")
    assert "matplotlib" not in others or room == "plots"
    assert room == "exercises" or not [m for m in ours if m.startswith("exercises")], "only notebooks and tests may"
    if room in ROOMS and file != "__init__.py":
        siblings = {m.rpartition(".")[2] for m in ours if m.split(".")[0] != "core"}
        assert {m for m in siblings if not m.startswith("_")} == COMPOSED.get(name, set())


def test_a_loss_stands_in_the_file_of_its_name():
    for name in (n for n in FILES if n.startswith("losses/") and "/_" not in n):
        tree = ast.parse((HOME / name).read_text(encoding="utf-8"))
        assert Path(name).stem in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
