"""Files of the user: what is read, and the one line that refuses the rest."""

import io
import os
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from initlab.errors import DataError, MissingExtraError, UnknownNameError
from initlab.problems import _archive, load
from initlab.spec import Problem

X = np.arange(24.0).reshape(12, 2) ** 2
LABELS = np.arange(12) % 2
CSV = "width,height,kind\n" + "".join(
    f"{i},{i * i},{'cat' if i % 3 else 'dog'}\n" for i in range(12)
)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, content):
    with open(name, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def write_h5(name, **arrays):
    with h5py.File(name, "w") as file:
        for key, array in arrays.items():
            file[key] = array


def load_whole(name, loss=None, **choices):
    """All examples as the training set, in the order of the file's first feature."""
    data = load(Problem(name=name, test_fraction=0, **choices), loss=loss)
    order = np.argsort(data.train_x[:, 0])
    return data.train_x[order].tolist(), data.train_y[order].tolist(), data


def refusal(name, loss=None, **choices):
    """The line that refuses a file; it names the file as typed."""
    with pytest.raises(DataError) as refused:
        load(Problem(name=name, **choices), loss=loss)
    message = str(refused.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    return message


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n\n"])
def test_a_csv_file_with_a_header_gives_names_and_classes(delimiter, start):
    write("pets.csv", start + CSV.replace(",", delimiter))

    x, y, data = load_whole("pets.csv")

    assert x == [[i, i * i] for i in range(12)]
    assert y == [0 if i % 3 else 1 for i in range(12)]
    assert data.feature_names == ("width", "height")
    assert data.classes == ("cat", "dog")
    assert data.notes == ("labels mapped: cat -> 0, dog -> 1",)


@pytest.mark.parametrize(
    ("text", "names", "classes"),
    [
        ("1,2,0\n3,4,1\n", ("column 1", "column 2"), ("0", "1")),
        ("1,2,yes\n3,4,no\n", ("column 1", "column 2"), ("no", "yes")),
        ("1,2,label\n5,6,0\n3,4,1\n", ("1", "2"), ("0", "1")),
        ('"a, b",c,t\r\n1,2,0\r\n3,4,1', ("a, b", "c"), ("0", "1")),
        (",c,t\n1,2,0\n3,4,1", ("column 1", "c"), ("0", "1")),
        ("# a,b,c\n1,2,0\n3,4,1", ("a", "b"), ("0", "1")),
        ("a b\n,1\n", None, None),
    ],
)
def test_a_header_is_optional(text, names, classes):
    write("data.csv", text)

    if names is None:
        assert "no feature columns" in refusal("data.csv")
    else:
        _, _, data = load_whole("data.csv")
        assert data.feature_names == names
        assert data.classes == classes


def test_a_header_with_numbers_among_its_names_is_noted():
    write("years.csv", "id,2019,2020,kind\n1,2,3,0\n4,5,6,1\n")

    _, _, data = load_whole("years.csv")

    assert data.notes == ("line 1 is read as names of columns: id, 2019, 2020, kind",)


@pytest.mark.parametrize("first", ["2019,2020,2021", "0,1,2", "7,8.0,9"])
def test_a_first_line_that_counts_up_over_labels_names_the_columns(first):
    write("years.csv", f"{first}\n" + "1.5,2,0\n4,5.5,1\n" * 5)

    x, _, data = load_whole("years.csv")

    assert len(x) == 10
    assert data.feature_names == tuple(first.split(",")[:2])
    assert data.notes[0].startswith("line 1 is read as names of columns: ")


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("30,17,99\n" + "1,2,0\n3,4,1\n" * 5, True),  # 99 is no other line's label
        ("1,2,3\n" + "".join(f"{i},{i * i},{i / 3}\n" for i in range(9)), True),
        ("1,2,0\n3,4,1\n" * 5, False),
        ("0,1\n1,0\n" * 5, False),
        ("5.1,3.5,0.2\n4.9,3.1,0.3\n6.7,3.3,0.25\n", False),
    ],
)
def test_a_first_line_of_numbers_that_may_be_names_is_noted(text, noted):
    write("data.csv", text)

    x, _, data = load_whole("data.csv")

    assert len(x) == text.count("\n")
    assert any("line 1 is read as an example" in each for each in data.notes) == noted


def test_text_beside_the_chosen_target_is_refused_as_a_feature():
    write("pets.csv", CSV)

    assert "column 'kind': 'dog' is not" in refusal("pets.csv", target="width")


@pytest.mark.parametrize("target", ["b", "c"])
def test_the_column_of_targets_is_found_by_name(target):
    write("data.csv", "a,b,c\n1,2.5,3.5\n4,5.5,6.5\n7,8.5,9.5\n")

    _, y, data = load_whole("data.csv", target=target, loss="mean_squared_error")

    assert data.feature_names == tuple(name for name in "abc" if name != target)
    start = 2.5 if target == "b" else 3.5
    assert y == [[start], [start + 3], [start + 6]]


def test_an_unknown_target_column_is_refused_with_the_nearest():
    write("pets.csv", CSV)

    with pytest.raises(UnknownNameError) as refused:
        load(Problem(name="pets.csv", target="kin"))

    assert str(refused.value) == (
        "unknown target column of pets.csv 'kin'. Did you mean 'kind'? "
        "Known: height, kind, width."
    )


def test_numbers_in_the_last_column_are_a_regression():
    write("data.csv", "x,y\n" + "".join(f"{i},{i / 3}\n" for i in range(9)))

    _, y, data = load_whole("data.csv")

    assert y == [[i / 3] for i in range(9)]
    assert data.classes is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,y\n1,2,0\n3,,1\n", "row 2 (line 3), column 'b': empty cell"),
        ("a,b,y\n1,2,0\n3,4,\n", "row 2 (line 3), column 'y': empty cell"),
        ("a,b,y\n1,2,u\n\n3,4,NaN\n", "row 2 (line 4), column 'y': 'NaN' is not"),
        ("1,2,0\nnan,4,1\n", "row 2 (line 2), column 'column 1': 'nan' is not"),
        ("a,b,y\n1,-inf,0\n", "row 1 (line 2), column 'b': '-inf' is not a finite"),
        ("a,b,y\n1,1e999,0\n", "row 1 (line 2), column 'b': '1e999' is not a finite"),
        ("a,b,y\n1,red,0\n2,blue,1", "row 1 (line 2), column 'b': 'red' is not a fin"),
        ("a,b,y\n1,2,0\n3,4\n", "row 2 (line 3) has 2 cells and not 3"),
        ("a,b,y\n1,2,0\n3,4,1,5\n", "row 2 (line 3) has 4 cells and not 3"),
        ("a,b,y\n1,2,0.5\n3,4,inf\n", "column 'y' row 2: inf is not a finite number"),
        ("a,b,y\n1,2,0\n3,4,0\n", "all 2 targets are '0'; at least two classes"),
        ("a,b,y\n1,1_000,0\n", "'1_000' is not a finite number; write it without _"),
        ("a;b;y\n1;1,5;0\n", "'1,5' is not a finite number; write a point for the c"),
        ("a,b,y\n1,red,0\n", "write numbers for the text, or drop the column"),
        ("# made by hand\na,b,y\n1,2,0\n", "line 1 is a remark, '# made by hand'"),
        ("# a, b\na,b,y\n1,2,0\n", "line 1 is a remark, '# a, b'; take remarks out"),
        ("a,b,y\n1,2,0\n# end\n", "row 2 (line 3) is a remark, '# end'"),
        ("a,b,y\n", "no rows below the names of the columns"),
        ("\n  \n\n", "no rows"),
        ("y\n0\n1\n", "no feature columns"),
        ('a,b,y\n1,"2,0\n3,4,1\n', "after line 1: unexpected end of data"),
        ("a" * 200_000 + ",b\n1,2\n", "field larger than field limit"),
        (b"a,b,y\n1,2,\xff\n", "not UTF-8 text; save it as UTF-8"),
        ("a,b,y\n1,2,0\n".encode("utf-16"), "not UTF-8 text; save it as UTF-8"),
        (b"", "the file is empty"),
    ],
)
def test_a_bad_csv_file_is_refused_by_row_and_column(text, message):
    write("data.csv", text)

    assert message in refusal("data.csv")


def test_a_csv_file_that_the_system_does_not_give_is_refused(monkeypatch):
    write("pets.csv", CSV)

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)

    assert "cannot be read ([Errno 13] Permission denied)" in refusal("pets.csv")


def test_a_target_that_two_columns_share_is_refused():
    write("data.csv", "a,a,y\n1,2,0\n")

    assert "2 columns are named 'a'" in refusal("data.csv", target="a")


# Archives of NumPy


@pytest.mark.parametrize(
    "keys", [("X", "y"), ("x", "Y"), ("data", "target"), ("X", "labels")]
)
def test_an_archive_is_read_whatever_the_usual_names(keys):
    np.savez("data.npz", **dict(zip(keys, (X, LABELS), strict=True)), other=1)

    x, y, _ = load_whole("data.npz")

    assert x == X.tolist()
    assert y == LABELS.tolist()


def test_an_archive_with_its_own_test_set_keeps_it():
    np.savez("data.npz", x_train=X, y_train=LABELS, x_test=X[:5] + 1, y_test=LABELS[:5])

    data = load(Problem(name="data.npz"))

    assert data.train_x.tolist() == X.tolist()
    assert data.test_x.tolist() == (X[:5] + 1).tolist()
    assert data.test_y.tolist() == LABELS[:5].tolist()
    assert data.notes == ("training and test set are the file's own",)


def test_an_archive_without_its_test_set_is_split():
    np.savez("data.npz", X_train=X, y_train=LABELS)

    data = load(Problem(name="data.npz"))

    assert (len(data.train_x), len(data.test_x)) == (9, 3)


def test_examples_keeps_some_of_the_training_set_and_all_of_the_test_set():
    np.savez("data.npz", X_train=X, y_train=LABELS, X_test=X, y_test=LABELS)

    data = load(Problem(name="data.npz", examples=4))

    assert (len(data.train_x), len(data.test_x)) == (4, 12)
    assert all(row in X.tolist() for row in data.train_x.tolist())


def test_labels_of_both_sets_are_mapped_alike():
    y_test = np.array(["a", "c"] * 6)
    np.savez("data.npz", X_train=X, y_train=["b", "c"] * 6, X_test=X, y_test=y_test)

    data = load(Problem(name="data.npz"))

    assert data.classes == ("a", "b", "c")
    assert data.train_y.tolist() == [1, 2] * 6
    assert data.test_y.tolist() == [0, 2] * 6
    assert "no training example of class a" in data.notes


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"a": X, "y": LABELS},
            "no array named data or x (any case); arrays: 'a', 'y'",
        ),
        ({"X": X}, "holds no array named labels or target or targets or y"),
        ({"X": X, "x": X, "y": LABELS}, "holds several arrays named data or x"),
        ({}, "arrays: none"),
        ({"X_train": X, "X_test": X}, "holds no array named y_train"),
        ({"X_train": X, "y_train": LABELS, "X_test": X}, "no array named y_test"),
        (
            {"X_train": X, "y_train": LABELS, "X_test": X[:, :1], "y_test": LABELS},
            "training examples have 2 features and test examples 1",
        ),
        (
            {"X_train": X, "y_train": LABELS, "X_test": X, "y_test": ["a"] * 12},
            "training targets are int64 of shape (12,), test targets object",
        ),
        ({"X": X.T, "y": LABELS}, "X has 2 rows and y has 12; X must be (example, fea"),
        ({"X": X, "y": LABELS[:5]}, "X has 12 rows and y has 5"),
        ({"X": X * np.nan, "y": LABELS}, "X row 1, column 'x1': nan is not a finite"),
        ({"X": X * 1j, "y": LABELS}, "X must hold real numbers, got complex128"),
        ({"X": X[:, 0], "y": LABELS}, "X must have shape (example, feature)"),
        ({"X": X, "y": LABELS / 2}, "needs class labels, and the target of row 2"),
        ({"X": X.astype(object), "y": LABELS}, "X holds Python objects, which are not"),
    ],
)
def test_a_bad_archive_is_refused(arrays, message):
    np.savez("data.npz", **arrays)

    assert message in refusal("data.npz", loss="binary_cross_entropy")


def test_an_archive_that_would_unfold_to_gigabytes_is_refused_unread(monkeypatch):
    monkeypatch.setattr(_archive, "LARGEST_BYTES", 2**20)
    np.savez_compressed("bomb.npz", X=np.zeros((2**14, 100)), y=np.arange(2**14) % 2)
    np.savez_compressed("wide.npz", X=np.zeros((2**14, 10), np.uint8), y=LABELS)

    assert "X takes 0.0 GiB" in refusal("bomb.npz")
    assert "X as float64 takes 0.0 GiB" in refusal("wide.npz")


def test_an_archive_whose_header_claims_what_is_not_there_is_refused():
    header = io.BytesIO()
    claim = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10)}
    np.lib.format.write_array_header_1_0(header, claim)
    with zipfile.ZipFile("data.npz", "w") as archive:
        archive.writestr("X.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())

    assert "not a readable .npz file" in refusal("data.npz")


def test_a_single_array_under_the_name_of_an_archive_is_refused():
    with open("data.npz", "wb") as file:
        np.save(file, X)

    assert "np.savez(file, X=X, y=y)" in refusal("data.npz")


# HDF5


@pytest.mark.parametrize("name", ["data.h5", "DATA.HDF5"])
def test_an_hdf5_file_is_read_like_an_archive(name):
    write_h5(name, X=X, Y=LABELS[None, :], note="hello")

    x, y, _ = load_whole(name)

    assert x == X.tolist()
    assert y == LABELS.tolist()


def test_class_names_in_an_hdf5_file_are_text():
    write_h5("data.h5", X=X, y=["cat", "dog"] * 6)

    assert load(Problem(name="data.h5")).classes == ("cat", "dog")


def write_cats(name, part, examples=6, **more):
    pictures = np.arange(examples * 48, dtype=np.uint8).reshape(examples, 4, 4, 3)
    labels = np.arange(examples) % 2
    arrays = {f"{part}_set_x": pictures, f"{part}_set_y": labels}
    write_h5(name, **arrays, list_classes=np.array([b"non-cat", b"cat"]), **more)
    return pictures.reshape(examples, 48) / 255


def test_the_pictures_of_cats_come_with_the_test_file_beside_them():
    os.mkdir("datasets")
    train = write_cats("datasets/train_catvnoncat.h5", "train")
    test = write_cats("datasets/test_catvnoncat.h5", "test", examples=4)

    data = load(Problem(name="datasets/train_catvnoncat.h5"))

    assert data.train_x.tolist() == train.tolist()
    assert data.test_x.tolist() == test.tolist()
    assert data.classes == ("non-cat", "cat")
    assert data.notes == (
        "train_set_x: 4 x 4 x 3 values flattened to 48 features",
        "train_set_x: divided by 255",
        "training and test set are the file's own",
    )


def test_the_pictures_without_a_test_file_are_split():
    write_cats("train_catvnoncat.h5", "train", examples=8)

    data = load(Problem(name="train_catvnoncat.h5"))

    assert (len(data.train_x), len(data.test_x)) == (6, 2)


def test_pictures_may_have_both_sets_in_one_file_and_be_floats():
    write_h5(
        "cats.h5", train_set_x=X, train_set_y=LABELS, test_set_x=X, test_set_y=LABELS
    )

    data = load(Problem(name="cats.h5"))

    assert data.test_x.tolist() == X.tolist()
    assert data.classes == ("0", "1")


def test_a_damaged_test_file_is_named():
    write_cats("train_catvnoncat.h5", "train")
    write("test_catvnoncat.h5", b"nonsense")

    assert "test_catvnoncat.h5 beside it: not a read" in refusal("train_catvnoncat.h5")


def test_pictures_without_labels_are_refused():
    write_h5("cats.h5", train_set_x=X)

    assert "holds no array named train_set_y" in refusal("cats.h5")


def test_an_hdf5_file_cannot_reach_into_other_files():
    write_h5("secret.h5", y=LABELS)
    write("secret.bin", X.tobytes())
    write_h5("linked.h5", X=X)
    with h5py.File("linked.h5", "a") as file:
        file["y"] = h5py.ExternalLink("secret.h5", "y")
    with h5py.File("external.h5", "w") as file:
        file["y"] = LABELS
        file.create_dataset("X", X.shape, "f8", external=[("secret.bin", 0, X.nbytes)])

    assert "holds no array named labels" in refusal("linked.h5")
    assert "X keeps its values in other files" in refusal("external.h5")


def test_an_hdf5_file_that_would_unfold_to_gigabytes_is_refused_unread():
    with h5py.File("bomb.h5", "w") as file:
        file.create_dataset("X", (10**9, 10**6), "f8", chunks=(1000, 10))
        file["y"] = LABELS

    assert "GiB, and at most 2 are read" in refusal("bomb.h5")


def test_an_hdf5_file_without_h5py_asks_for_the_extra(monkeypatch):
    write_h5("data.h5", X=X, y=LABELS)
    monkeypatch.setitem(sys.modules, "h5py", None)

    with pytest.raises(MissingExtraError) as refused:
        load(Problem(name="data.h5"))

    assert str(refused.value) == (
        "reading data.h5 needs h5py: pip install 'initlab[hdf5]'"
    )


# Whatever the format


every_suffix = pytest.mark.parametrize("suffix", [".npz", ".csv", ".h5", ".hdf5"])


@every_suffix
def test_what_is_no_file_is_refused(suffix):
    os.mkdir(f"folder{suffix}")
    os.mkfifo(f"pipe{suffix}")
    write(f"empty{suffix}", b"")

    assert refusal(f"missing{suffix}").endswith("no such file")
    assert refusal(f"folder{suffix}").endswith("is a directory, not a file")
    assert refusal(f"pipe{suffix}").endswith("no such file")
    assert refusal(f"empty{suffix}").endswith("the file is empty")


@every_suffix
def test_a_name_too_long_for_the_system_is_refused(suffix):
    assert refusal("n" * 5000 + suffix)


def test_a_name_that_would_break_the_line_is_quoted():
    with pytest.raises(DataError, match=r"^'a\\nb\.csv': no such file$"):
        load(Problem(name="a\nb.csv"))


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_refused(suffix, part):
    np.savez("whole.npz", X=X, y=LABELS)
    write_h5("whole.h5", X=X, y=LABELS)
    with open(f"whole{suffix}", "rb") as file:
        content = file.read()
    write(f"cut{suffix}", content[: int(part * len(content))])

    assert "not a readable" in refusal(f"cut{suffix}")


def test_noise_on_a_file_is_refused():
    write("pets.csv", CSV)

    assert "noise is for generated and bundled data" in refusal("pets.csv", noise=0.1)


def test_a_target_column_of_an_archive_is_refused():
    np.savez("data.npz", X=X, y=LABELS)

    assert "target names a column of a CSV file" in refusal("data.npz", target="y")


def test_python_objects_and_what_is_no_archive_are_told_how_to_be_saved():
    np.savez("objects.npz", X=X, y=np.array(["a", "b"] * 6, dtype=object))
    write("junk.npz", b"\x80\x04]\x94K\x01a.")  # a pickle

    objects, junk = refusal("objects.npz"), refusal("junk.npz")

    assert "y holds Python objects, which are not read; save numbers" in objects
    assert "is no archive of NumPy's; write it with np.savez(file, X=X, y=y)" in junk
    assert "pickle" not in objects + junk


def test_targets_whose_squares_overflow_are_refused():
    write("big.csv", "a,b\n1,1e160\n2,-3e160\n3,0.5\n4,2\n")

    assert "targets must lie within 1e+100 of 0, got -3e+160" in refusal("big.csv")
