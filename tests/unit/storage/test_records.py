"""Records as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.storage.records import (
    Commit,
    Entry,
    HardState,
    Record,
    Reset,
    Truncate,
    decode,
    encode,
)

NUMBER = st.integers(0, 2**64 - 1)
RECORD: st.SearchStrategy[Record] = st.one_of(
    st.builds(Entry, NUMBER, NUMBER, st.binary(max_size=40)),
    st.builds(Truncate, NUMBER),
    st.builds(HardState, NUMBER, st.none() | st.text(max_size=20)),
    st.builds(Commit, NUMBER),
    st.builds(Reset, NUMBER, NUMBER),
)


@given(st.lists(RECORD, max_size=8))
def test_records_are_read_as_they_were_written(records: list[Record]) -> None:
    """Nobody voted for and a node with an empty name are different votes."""
    data = encode(records)

    assert decode(b"junk" + data + b"junk", 4, 4 + len(data)) == records


@given(st.lists(RECORD, min_size=1, max_size=4), st.data())
def test_a_part_of_a_record_is_refused(
    records: list[Record], data: st.DataObject
) -> None:
    """The checksum was right, so it is another program's: never guess."""
    payload = encode(records)
    whole = {len(encode(records[:count])) for count in range(len(records) + 1)}
    cut = data.draw(st.integers(0, len(payload)).filter(lambda n: n not in whole))

    with pytest.raises(ValueError, match=r".+"):
        decode(payload[:cut], 0, cut)


def test_an_unknown_record_is_refused() -> None:
    """A record of a later version must stop the replica, not be skipped."""
    with pytest.raises(ValueError, match="unknown type 99"):
        decode(b"\x63abc", 0, 4)


def test_a_vote_for_an_endless_name_is_refused() -> None:
    """Its length would be taken for 'no vote'."""
    with pytest.raises(ValueError, match="too long"):
        encode([HardState(1, "x" * 65_535)])
