"""Datasets on disk: whole or not at all."""

import numpy as np
import pytest
import xarray as xr

from initlab.errors import InvalidValueError, OutputError
from initlab.results import export, moved_into_place, pack, save


def dataset():
    return pack(
        {"loss": np.ones((1, 1, 2))},
        {"init": ["a"], "member": [0], "step": [0, 1]},
        spec="",
        attributes={"notes": ["one"], "engine": "reference"},
    )


def test_a_variable_that_no_schema_names_is_refused():
    with pytest.raises(KeyError):
        pack({"nonsense": 1}, {}, spec="", attributes={})


def test_values_that_attributes_cannot_hold_are_kept_as_json():
    assert dataset().attrs["notes"] == '["one"]'


@pytest.mark.parametrize("name", ["a.nc", "a.zarr"])
def test_a_failing_write_leaves_nothing(tmp_path, monkeypatch, name):
    netcdf = name == "a.nc"

    def full(*_, **__):
        raise RuntimeError("NetCDF: HDF error") if netcdf else OSError(28, "full")

    monkeypatch.setattr(xr.Dataset, "to_netcdf" if netcdf else "to_zarr", full)

    with pytest.raises(OutputError, match="cannot write"):
        save(dataset(), tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(tmp_path):
    def interrupted():
        with moved_into_place(tmp_path / "a") as path:
            path.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert list(tmp_path.iterdir()) == []


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(InvalidValueError, match="zarr"):
        save(dataset(), tmp_path / "a.pickle")


def test_a_folder_that_refuses_files_is_said(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)

    with pytest.raises(OutputError, match="Permission denied"):
        save(dataset(), tmp_path / "a.nc")


def test_results_are_no_store_to_export(tmp_path):
    with pytest.raises(InvalidValueError, match=r"^store: .* got Dataset; .*to_netcdf"):
        export(dataset(), tmp_path / "x.csv")
