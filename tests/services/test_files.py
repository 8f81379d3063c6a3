"""Files that belong together are there whole, or as they were."""

from pathlib import Path

import pytest

from medgemma_dash.services.exporting import files as module
from medgemma_dash.services.exporting.files import write_together

OLD = {"one": b"old one", "two": b"old two"}
NEW = {"one": b"new one", "two": b"new two", "three": b"new three"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_are_written_into_a_folder_that_is_made(tmp_path):
    write_together(tmp_path / "new" / "out", NEW)
    assert contents(tmp_path / "new" / "out") == NEW


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_or_ctrl_c_in_the_middle_leaves_what_was_there(tmp_path, monkeypatch, error):
    write_together(tmp_path, OLD)
    real = Path.write_bytes

    def full(path, content):
        if path.name == "three":
            real(path, content[:3])
            raise error
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(type(error)):
        write_together(tmp_path, NEW)
    assert contents(tmp_path) == OLD


def test_a_name_that_is_a_folder_is_found_before_the_first_is_renamed(tmp_path):
    write_together(tmp_path, {"one": b"old one"})
    (tmp_path / "three").mkdir()
    with pytest.raises(IsADirectoryError, match="three"):
        write_together(tmp_path, NEW)
    assert (tmp_path / "one").read_bytes() == b"old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three"]


def test_a_folder_that_cannot_be_written_into_is_told_without_files(tmp_path, monkeypatch):
    def refuse(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.tempfile, "TemporaryDirectory", refuse)  # tests may run as root
    with pytest.raises(PermissionError):
        write_together(tmp_path, {})
