"""`initlab page`: one file, or one line."""


def test_page_writes_one_file(run, tmp_path):
    status, out, _ = run("page", "lab.html")

    assert (status, out) == (0, "Page: lab.html\n")
    assert (tmp_path / "lab.html").read_text().startswith("<!doctype html>")


def test_a_file_that_no_browser_opens_is_refused(run, tmp_path):
    status, _, err = run("page", "lab.txt")

    assert status == 2
    assert err == "initlab: FILE: must end in .html or .htm, got 'lab.txt'\n"
    assert not list(tmp_path.iterdir())
