"""The key file: what it accepts, and that each mistake has one clear message."""

import base64
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.links.keys import exposure, generate_key, parse_keys, read_key_file

OLD = "srk1:" + base64.urlsafe_b64encode(b"o" * 32).decode()
NEW = "srk1:" + base64.urlsafe_b64encode(b"n" * 32).decode()
US = 1_000


def test_a_generated_key_is_a_line_of_a_key_file() -> None:
    """What `registry keygen` prints is what the file takes."""
    line = generate_key()

    (key,) = parse_keys(line, "f")

    assert len(key.secret) == 32
    assert generate_key() != line


def test_keys_keep_their_order_and_comments_are_skipped() -> None:
    """The first one signs, so the order is the rotation."""
    keys = parse_keys(f"# ours\n\n{NEW} # from June\n  {OLD}\n", "f")

    assert [key.secret for key in keys] == [b"n" * 32, b"o" * 32]


def test_a_key_without_its_padding_is_the_same_key() -> None:
    """Both spellings of base64url are in use."""
    assert parse_keys(OLD.rstrip("="), "f") == parse_keys(OLD, "f")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no key"),
        ("# nothing\n", "registry keygen"),
        ("secret\n", "line 1: a key begins with 'srk1:'"),
        (f"{NEW}\nsrk1:@@@@\n", "line 2: the key is not base64url"),
        ("srk1:ünïcode\n", "not base64url"),
        ("srk1:AAAA\n", "has 3 bytes instead of 32"),
        (f"{NEW}\n{NEW}\n", "line 2: this key is there twice"),
        ("\n".join(generate_key() for _ in range(17)), "more than 16 keys"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, said: str) -> None:
    """Nobody should have to guess which line is wrong."""
    with pytest.raises(ConfigError, match=said):
        parse_keys(text, "key file /k")


def test_an_error_never_shows_the_secret() -> None:
    """Messages end in logs."""
    with pytest.raises(ConfigError) as caught:
        parse_keys("hunter2hunter2\n", "f")

    assert "hunter2" not in str(caught.value)
    assert "n" * 32 not in repr(parse_keys(NEW, "f"))


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_our_own_is_private_if_only_we_read_it(mode: int) -> None:
    """The rule of ssh."""
    assert exposure(mode, US, US) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o601])
def test_a_file_of_our_own_that_others_may_access_is_exposed(mode: int) -> None:
    """Another user of the machine could join the cluster."""
    assert exposure(mode, US, US) is not None


def test_a_file_of_root_may_be_read_by_our_group() -> None:
    """Kubernetes mounts secrets as root's, readable for the pod's fsGroup."""
    assert exposure(0o440, 0, US) is None
    assert exposure(0o460, 0, US) == "its group may access it"
    assert exposure(0o444, 0, US) == "others may access it"
    assert exposure(0o440, 0, 0) == "its group may access it"


def test_an_exposed_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """The message is a command to run."""
    path = tmp_path / "raft.key"
    path.write_text(OLD)
    path.chmod(0o644)

    with pytest.raises(ConfigError, match=f"chmod 600 {path}"):
        read_key_file(path)


def test_a_private_file_is_read(tmp_path: Path) -> None:
    """The usual case."""
    path = tmp_path / "raft.key"
    path.write_text(f"{NEW}\n{OLD}\n")
    path.chmod(0o600)

    assert [key.secret[:1] for key in read_key_file(path)] == [b"n", b"o"]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """Missing, a directory, binary, endless: each says which file it is about."""
    binary, long = tmp_path / "binary", tmp_path / "long"
    binary.write_bytes(b"\xff\xfe")
    long.write_bytes(b"#" * 20_000)
    for path in (binary, long):
        path.chmod(0o600)

    for path, said in (
        (tmp_path / "absent", "No such file"),
        (tmp_path, "Is a directory"),
        (binary, "is not text"),
        (long, "longer than"),
    ):
        with pytest.raises(ConfigError, match=f"{path}.*{said}"):
            read_key_file(path)
