"""What may be loaded when: a command that answers at once is used more."""

import subprocess
import sys

HEAVY = (
    "numba",
    "xarray",
    "sklearn",
    "matplotlib",
    "torch",
    "scipy",
    "pandas",
    "dask",
    "distributed",
    "zarr",
)


def modules_after(code):
    script = f"{code}\nimport sys; print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in ended.stdout.split()}


def test_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from initlab.cli import main\n"
        "try: main(['compare', '--help'])\n"
        "except SystemExit: pass"
    )

    assert not modules_after(code) & set(HEAVY)


def test_importing_the_package_loads_nothing_heavy():
    assert not modules_after("import initlab") & {*HEAVY, "numpy", "pydantic"}


def test_the_pytest_plugin_loads_nothing_heavy():
    # Every pytest run of whoever installed initlab loads it.
    loaded = modules_after("import initlab.pytest_plugin")

    assert not loaded & {*HEAVY, "numpy", "pydantic"}


def test_a_study_can_be_written_without_anything_numerical():
    code = "import initlab; initlab.to_toml(initlab.Study())"

    assert not modules_after(code) & {*HEAVY, "numpy"}
