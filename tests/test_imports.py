"""The shape of the package: what may import what, and what an import costs."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import emergekit as ek

PACKAGE = Path(ek.__file__).parent

# Left to right; what stands in one tuple is one layer, whose members do not import each other.
LAYERS = (
    ("errors",),
    ("files",),
    ("tables",),
    ("compute",),
    ("theory",),
    ("metrics",),
    ("datasets", "loaders"),
    ("laws",),
    ("fitting",),
    ("emergence",),
    ("prediction",),
    ("plots",),
    ("figures",),
    ("reporting",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
DRAWING = {"plots", "figures", "reporting"}
# A plot method is the one place where a layer may reach to its right.
EXCEPTIONS = {("fitting/result.py", "emergekit.plots.fits")}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """Yield what a module imports at run time, inside functions too."""
    tree = ast.parse(path.read_text())
    skipped = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "emergekit":
                yield from (f"emergekit.{alias.name}" for alias in node.names)
            else:
                yield node.module


def layer_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_to_the_left(path):
    here = layer_of(path)
    if here == "__init__":
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "emergekit" or len(parts) == 1 or parts[1] == "__version__":
            continue
        if parts[1] == here or (str(path.relative_to(PACKAGE)), name) in EXCEPTIONS:
            continue
        assert RANK[parts[1]] < RANK[here], f"{path.name} ({here}) imports {name}"


def test_files_of_a_package_import_each_other_without_circles():
    edges = {}
    for path in modules():
        name = ".".join(("emergekit", *path.relative_to(PACKAGE).with_suffix("").parts))
        edges[name] = {other for other in imports(path) if other.startswith("emergekit.")}

    def visit(name, trail):
        assert name not in trail, " -> ".join([*trail, name])
        for other in edges.get(name, ()):
            if other != "emergekit.plots.fits" or not name.startswith("emergekit.fitting"):
                visit(other, [*trail, name])

    for name in edges:
        visit(name, [])


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_rooms(path):
    roots = {name.split(".")[0] for name in imports(path)}
    if layer_of(path) not in DRAWING:
        assert not roots & {"matplotlib", "seaborn"}
    assert "torch" not in roots
    assert "dask" not in roots or layer_of(path) == "compute"
    rooms = {path.stem, path.parent.name}
    assert "numba" not in roots or any(name.startswith("compiled") for name in rooms)


def test_import_loads_neither_pandas_nor_matplotlib():
    heavy = ["pandas", "matplotlib", "numpy", "scipy", "seaborn"]
    code = f"import sys, emergekit; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_no_module_shadows_a_public_name():
    for module in pkgutil.walk_packages([str(PACKAGE)], "emergekit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("validate", "join_models", "load", "rescore", "fit", "bootstrap", "report"):
        assert callable(getattr(ek, name)), name


def test_every_public_name_is_there_and_listed():
    for name in ek.__all__:
        assert getattr(ek, name) is not None
    assert set(ek.__all__) <= set(dir(ek))
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        ek.fitt  # noqa: B018  the access is the test


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_a_module_exports_it_documents(path):
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name}"
    assert ast.get_docstring(tree), path.name
