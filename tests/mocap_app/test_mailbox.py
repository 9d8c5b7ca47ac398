"""The hand-over between threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from mocap_app.mailbox import Mailbox


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    return thread, found


def is_waiting(thread: threading.Thread) -> bool:
    """A thread that has not ended after a while is taken to wait; the other way round is exact."""
    thread.join(0.05)
    return thread.is_alive()


def test_all_keeps_order_and_everything() -> None:
    mailbox: Mailbox[int] = Mailbox(3, "all")
    reader, found = in_thread(lambda: list(mailbox))
    for item in range(100):
        assert mailbox.put(item)
    mailbox.close()
    reader.join(5)
    assert found == [list(range(100))]
    assert mailbox.dropped == 0


def test_latest_replaces_the_oldest_and_counts() -> None:
    told: list[int] = []
    mailbox: Mailbox[int] = Mailbox(2, "latest", lambda: told.append(1))
    for item in range(5):
        assert mailbox.put(item)
    mailbox.close()
    assert list(mailbox) == [3, 4]
    assert mailbox.dropped == len(told) == 3


def test_all_makes_the_writer_wait() -> None:
    mailbox: Mailbox[int] = Mailbox(1, "all")
    mailbox.put(1)
    writer, accepted = in_thread(lambda: mailbox.put(2))
    assert is_waiting(writer)
    assert next(mailbox) == 1
    writer.join(5)
    assert accepted == [True]
    assert next(mailbox) == 2


def test_closing_releases_a_blocked_writer() -> None:
    mailbox: Mailbox[int] = Mailbox(1, "all")
    mailbox.put(1)
    writer, accepted = in_thread(lambda: mailbox.put(2))
    assert is_waiting(writer)
    mailbox.close()
    writer.join(5)
    assert accepted == [False]
    assert list(mailbox) == [1]


def test_closing_releases_a_blocked_reader() -> None:
    mailbox: Mailbox[int] = Mailbox(1, "latest")
    reader, found = in_thread(lambda: list(mailbox))
    assert is_waiting(reader)
    mailbox.close()
    reader.join(5)
    assert found == [[]]


def test_discard_ends_the_reader_at_once() -> None:
    mailbox: Mailbox[int] = Mailbox(4, "all")
    mailbox.put(1)
    mailbox.close(discard=True)
    assert list(mailbox) == []
    assert not mailbox.put(2)
    assert mailbox.closed


@pytest.mark.parametrize(("capacity", "keep"), [(0, "all"), (1, "newest")])
def test_wrong_arguments_are_refused(capacity: int, keep: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Mailbox(capacity, keep)  # type: ignore[arg-type]
