"""The hand-over between two threads: bounded, with a stated policy."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, Literal, TypeVar

Item = TypeVar("Item")
Keep = Literal["latest", "all"]


class Mailbox(Generic[Item]):
    """A bounded queue between one or more writers and one reader; any thread may close it.

    `keep="latest"` replaces the oldest item when full and counts a drop; `keep="all"` makes the writer wait.
    Nothing polls: writer and reader sleep on a condition and closing wakes both.
    """

    def __init__(self, capacity: int, keep: Keep, on_drop: Callable[[], None] | None = None) -> None:
        """Make a mailbox of `capacity` items; `on_drop` is called, in the writer's thread, for each drop."""
        if capacity < 1:
            raise ValueError(f"capacity: found {capacity}, expected at least 1")
        if keep not in ("latest", "all"):
            raise ValueError(f"keep: found {keep!r}, expected 'latest' or 'all'")
        self.keep = keep
        self.dropped = 0
        self.longest = 0
        """Most items that ever waited at once."""
        self._capacity = capacity
        self._on_drop = on_drop
        self._items: deque[Item] = deque()
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def closed(self) -> bool:
        """Whether nothing more is accepted."""
        return self._closed

    def put(self, item: Item) -> bool:
        """Hand `item` over; return False when the mailbox is (or becomes, while waiting) closed."""
        replaced = False
        with self._changed:
            if self.keep == "all":
                self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
            if self._closed:
                return False
            if len(self._items) == self._capacity:
                self._items.popleft()
                self.dropped += 1
                replaced = True
            self._items.append(item)
            self.longest = max(self.longest, len(self._items))
            self._changed.notify_all()
        if replaced and self._on_drop is not None:
            self._on_drop()
        return True

    def close(self, discard: bool = False) -> None:
        """Accept nothing more; the reader ends after what was accepted, or at once with `discard`."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            if not self._items:
                raise StopIteration
            item = self._items.popleft()
            self._changed.notify_all()
            return item
