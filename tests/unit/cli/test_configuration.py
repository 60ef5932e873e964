from pathlib import Path

from appliance.cli.configuration import compare, describe
from appliance.files import Directory, File


def test_a_file_is_shown_whole() -> None:
    text = describe(File("/run/x.conf", "a = 1\n", "root", "nginx", 0o640))
    assert text == "==> /run/x.conf (root:nginx 0640)\na = 1\n"


def test_a_secret_is_never_shown() -> None:
    file = File("/run/x.conf", "the secret: ä", mode=0o600, secret=True)
    assert describe(file) == "==> /run/x.conf (root:root 0600)\nsecret, 14 bytes\n"


def test_a_directory_is_shown_as_one() -> None:
    assert describe(Directory("/data/x", mode=0o700)) == "==> /data/x/ (root:root 0700)"


def test_what_is_the_same_is_not_a_difference(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_text("a = 1\n")
    assert compare(File(str(path), "a = 1\n")) == ""
    assert compare(Directory(str(tmp_path))) == ""


def test_a_change_is_a_unified_diff(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_text("a = 1\nb = 2\n")
    difference = compare(File(str(path), "a = 1\nb = 3\n")).splitlines()
    assert difference == [
        f"--- {path}",
        f"+++ {path}",
        "@@ -1,2 +1,2 @@",
        " a = 1",
        "-b = 2",
        "+b = 3",
    ]


def test_a_new_file_is_all_added(tmp_path: Path) -> None:
    difference = compare(File(str(tmp_path / "x.conf"), "a = 1\n"))
    assert difference.startswith("--- /dev/null\n")
    assert difference.endswith("\n+a = 1")


def test_an_empty_file_that_is_not_there_is_a_difference(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    assert compare(File(str(path), "")) == f"{path}: empty, would be made"


def test_of_a_secret_only_that_it_differs_is_told(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    file = File(str(path), "the new secret", secret=True)
    assert compare(file) == f"{path}: secret, would be made"
    path.write_text("the old secret")
    assert compare(file) == f"{path}: secret, differs"
    path.write_text("the new secret")
    assert compare(file) == ""
