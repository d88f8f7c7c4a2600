"""Rot is told from a torn tail, and neither is ever taken for something else."""

from collections.abc import Callable

import msgspec
import pytest

from cluster.config import Limits
from cluster.errors import DiskCorrupt, StartRefused
from cluster.identity import FORMAT_VERSION, Identity, Standing
from cluster.storage.batch import encode_batch
from cluster.storage.records import Entry, encode
from cluster.storage.segment import SegmentHeader, encode_header, segment_name
from tests.support.sim_files import SimFiles
from tests.unit.storage.samples import ALICE, entry, founded, indexes, recover

ONE_SEGMENT = Limits()


def single_segment() -> tuple[SimFiles, str, list[int]]:
    """Return a disk with one segment of entries 1-5, and where its batches begin."""
    files = SimFiles()
    wal = founded(files, ONE_SEGMENT)
    name = segment_name(1)
    starts = []
    for index in range(2, 6):
        starts.append(len(files.content(name)))
        wal.write([entry(index)])
    starts.append(len(files.content(name)))
    return files, name, starts


def several_segments() -> SimFiles:
    """Return a disk with at least four segments."""
    files = SimFiles()
    wal = founded(files)
    for index in range(2, 30):
        wal.write([entry(index)])
    assert wal.segments >= 4
    return files


def test_every_bit_of_the_last_batch_torn_is_cut() -> None:
    """It may never have been synced, so it was never acknowledged."""
    files, name, starts = single_segment()
    whole = files.content(name)
    for offset in range(starts[-2], starts[-1]):
        files = SimFiles()
        files.put(name, whole)
        files.flip_bit(name, offset)
        found = recover(files, ONE_SEGMENT)

        assert indexes(found) == [1, 2, 3, 4]
        assert found.torn_bytes == starts[-1] - starts[-2]
        assert files.content(name) == whole[: starts[-2]]


def test_every_length_of_the_last_batch_is_cut() -> None:
    """A write may stop anywhere."""
    files, name, starts = single_segment()
    whole = files.content(name)
    for length in range(starts[-2] + 1, starts[-1]):
        files = SimFiles()
        files.put(name, whole[:length])
        found = recover(files, ONE_SEGMENT)

        assert indexes(found) == [1, 2, 3, 4]
        assert found.torn_bytes == length - starts[-2]


def test_every_bit_before_the_last_batch_is_rot() -> None:
    """The last batch proves that all before it was synced, the header included."""
    files, name, starts = single_segment()
    whole = files.content(name)
    for offset in range(starts[-2]):
        files = SimFiles()
        files.put(name, whole)
        files.flip_bit(name, offset)
        with pytest.raises(DiskCorrupt, match=f"{name}: damaged at offset"):
            recover(files, ONE_SEGMENT)

        assert len(files.content(name)) == len(whole)


def test_any_damage_in_an_older_segment_is_rot() -> None:
    """The next one was begun only when it was completely synced."""
    names = several_segments().names()
    for name in names[:-1]:
        size = len(several_segments().content(name))
        for offset in (0, 30, size // 2, size - 1):
            files = several_segments()
            files.flip_bit(name, offset)
            with pytest.raises(DiskCorrupt, match=f"{name}: damaged at offset"):
                recover(files)


def test_the_message_says_where_the_damage_is() -> None:
    """A person has to decide what to do with the disk."""
    files, name, starts = single_segment()
    files.flip_bit(name, starts[1] + 30)

    with pytest.raises(DiskCorrupt, match=f"^{name}: damaged at offset {starts[1]},"):
        recover(files, ONE_SEGMENT)


def test_a_shortened_older_segment_is_rot() -> None:
    """Even if it ends between two batches: its successor knows its length."""
    files, name, starts = single_segment()
    recovered_size = len(files.content(name))
    following = encode_header(
        SegmentHeader(ALICE, 2, last_index=5, last_term=1, previous_bytes=starts[-1])
    )
    files.put(segment_name(2), following)
    assert indexes(recover(files)) == [1, 2, 3, 4, 5]
    files.put(name, files.content(name)[: starts[-2]])

    with pytest.raises(DiskCorrupt, match=f"{recovered_size} were synced"):
        recover(files)


def test_a_missing_segment_is_noticed() -> None:
    """The log would have a hole."""
    files = several_segments()
    files.unlink(segment_name(2))

    with pytest.raises(DiskCorrupt, match=f"{segment_name(2)} is missing"):
        recover(files)


def test_a_segment_under_another_name_is_noticed() -> None:
    """Someone copied files about."""
    files = several_segments()
    files.put(segment_name(2), files.content(segment_name(1)))

    with pytest.raises(DiskCorrupt, match="damaged at offset 0"):
        recover(files)


def test_another_clusters_segment_is_refused() -> None:
    """A volume was mixed up; both logs are right for themselves."""
    files = SimFiles()
    founded(files)
    name = segment_name(1)
    size = len(files.content(name))
    for stranger in (
        Identity("a", "c2", 1, ("a",), Standing.MEMBER),
        Identity("b", "c1", 1, ("b",), Standing.MEMBER),
        Identity("a"),
    ):
        header = SegmentHeader(stranger, 2, last_index=1, previous_bytes=size)
        files.put(segment_name(2), encode_header(header))
        with pytest.raises(DiskCorrupt, match="belongs to node"):
            recover(files)


def test_a_segment_that_does_not_continue_is_refused() -> None:
    """Its header says how the log stood when it was begun."""
    files = SimFiles()
    founded(files)
    size = len(files.content(segment_name(1)))
    header = SegmentHeader(ALICE, 2, last_index=9, previous_bytes=size)
    files.put(segment_name(2), encode_header(header))

    with pytest.raises(DiskCorrupt, match="does not continue"):
        recover(files)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (msgspec.msgpack.encode("?"), "is empty|not understood|newer"),
        ((FORMAT_VERSION + 1).to_bytes(2, "little") + b"later", "newer version"),
        (FORMAT_VERSION.to_bytes(2, "little") + b"\x01", "not understood"),
        (b"\x01", "is empty"),
    ],
)
def test_a_header_of_another_program_is_refused(payload: bytes, message: str) -> None:
    """After a downgrade the newer program's log must not be touched."""
    files = SimFiles()
    content = encode_batch(payload, sequence=1, offset=0, synced_bytes=0)
    files.put(segment_name(1), content)
    with pytest.raises(StartRefused, match=message):
        recover(files)

    assert files.content(segment_name(1)) == content


def unknown_record(offset: int) -> bytes:
    """Return a valid batch with a record that nobody knows."""
    return encode_batch(b"\xff", sequence=1, offset=offset, synced_bytes=offset)


def gap(offset: int) -> bytes:
    """Return a valid batch with an entry that is not the next one."""
    payload = b"\x01" + (9).to_bytes(8, "little") + bytes(12)
    return encode_batch(payload, sequence=1, offset=offset, synced_bytes=offset)


@pytest.mark.parametrize("batch", [unknown_record, gap])
def test_a_valid_batch_with_wrong_contents_is_refused(
    batch: Callable[[int], bytes],
) -> None:
    """It was synced like this, so it is no torn write."""
    files, name, starts = single_segment()
    files.put(name, files.content(name) + batch(starts[-1]))

    with pytest.raises(DiskCorrupt, match=f"offset {starts[-1]}"):
        recover(files, ONE_SEGMENT)


def test_a_batch_inside_a_command_proves_nothing() -> None:
    """Else a client could keep replicas from starting after a power cut."""
    files, name, starts = single_segment()
    end = starts[-1]
    inner = encode_batch(b"", sequence=1, offset=end + 1, synced_bytes=end + 1)
    torn = encode_batch(
        encode([Entry(6, 1, inner * 3)]), sequence=1, offset=end, synced_bytes=end
    )[:-1]
    files.put(name, files.content(name) + torn)
    found = recover(files, ONE_SEGMENT)

    assert indexes(found) == [1, 2, 3, 4, 5]
    assert found.torn_bytes == len(torn)


def test_batches_of_one_write_do_not_prove_each_other() -> None:
    """The blocks of a torn write reach the disk in any order."""
    files, name, starts = single_segment()
    end = starts[-1]
    lost = bytes(50)
    later = encode_batch(
        encode([entry(7)]), sequence=1, offset=end + len(lost), synced_bytes=end
    )
    files.put(name, files.content(name) + lost + later)
    found = recover(files, ONE_SEGMENT)

    assert indexes(found) == [1, 2, 3, 4, 5]
    assert found.torn_bytes == len(lost) + len(later)
