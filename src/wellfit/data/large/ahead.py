"""Items made by a thread while the one before is worked on: reading and computing take turns no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead", "made_ahead"]

Item = TypeVar("Item")


def made_ahead(makers: Iterable[Callable[[], Item]]) -> Iterator[Item]:
    """Give what each maker makes, in order; the next one is at work while an item is used.

    >>> list(made_ahead([lambda: 1, lambda: 2]))
    [1, 2]
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="wellfit-ahead") as pool:
        waiting: Future[Item] | None = None
        try:
            for maker in makers:
                begun = pool.submit(maker)
                if waiting is not None:
                    yield waiting.result()
                waiting = begun
            if waiting is not None:
                yield waiting.result()
        finally:
            if waiting is not None:
                waiting.cancel()


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Give the items of an iterable, the next of which is made by a thread meanwhile.

    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    source = iter(items)
    end: list[Item] = []

    def following() -> list[Item]:
        return [item] if (item := next(source, None)) is not None else end

    def makers() -> Iterator[Callable[[], list[Item]]]:
        while True:
            yield following

    for made in made_ahead(makers()):
        if made is end:
            return
        yield from made
