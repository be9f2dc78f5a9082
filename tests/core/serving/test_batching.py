from __future__ import annotations

import asyncio
import threading
import time

import pytest

from core.serving.batching import InputError, MicroBatcher, QueueFullError
from core.serving.settings import Batching


class Doubling:
    """A model that doubles, notes its batches, and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_go = threading.Event()
        self.may_go.set()

    def __call__(self, values: list[int]) -> list[int]:
        self.may_go.wait(5)
        self.batches.append(values)
        if -1 in values:
            raise ValueError("a negative number")
        return [2 * value for value in values]


def run(scenario, **batching):
    """Run a scenario with a model and its batcher."""

    async def whole():
        model = Doubling()
        batcher = MicroBatcher(model, Batching(**batching))
        try:
            return await asyncio.wait_for(scenario(model, batcher), 5)
        finally:
            model.may_go.set()
            await batcher.close()

    return asyncio.run(whole())


async def begun(model: Doubling, batcher: MicroBatcher) -> asyncio.Task:
    """Start a request that the model is at work on, and held up."""
    model.may_go.clear()
    first = asyncio.create_task(batcher.answers([100]))
    while not first.done() and len(batcher) == 0:
        await asyncio.sleep(0)
    while len(batcher):
        await asyncio.sleep(0)
    return first


def test_answers_are_in_the_order_of_the_inputs():
    async def scenario(model, batcher):
        return await batcher.answers([3, 1, 2])

    assert run(scenario) == [6, 2, 4]


def test_requests_that_wait_while_the_model_works_share_its_next_call():
    async def scenario(model, batcher):
        first = await begun(model, batcher)
        others = [asyncio.create_task(batcher.answers([number])) for number in range(5)]
        await asyncio.sleep(0.01)
        model.may_go.set()
        answers = await asyncio.gather(first, *others)
        return answers, model.batches

    answers, batches = run(scenario)
    assert answers == [[200], [0], [2], [4], [6], [8]]
    assert batches == [[100], [0, 1, 2, 3, 4]]


def test_a_batch_is_never_larger_than_it_may_be():
    async def scenario(model, batcher):
        await asyncio.gather(*(batcher.answers([number]) for number in range(10)))
        return [len(batch) for batch in model.batches]

    sizes = run(scenario, size=4)
    assert max(sizes) <= 4
    assert sum(sizes) == 10


def test_one_client_alone_does_not_wait_for_company():
    async def scenario(model, batcher):
        start = time.perf_counter()
        for number in range(5):
            await batcher.answers([number])
        return time.perf_counter() - start

    assert run(scenario, wait=1.0) < 1.0


def test_requests_that_are_read_turn_by_turn_of_the_loop_share_a_call():
    async def scenario(model, batcher):
        async def asked(number):
            for _ in range(2 * number):
                await asyncio.sleep(0)
            return await batcher.answers([number])

        await asyncio.gather(*(asked(number) for number in range(5)))
        return model.batches

    assert run(scenario, wait=1.0) == [[0, 1, 2, 3, 4]]


def test_requests_that_never_end_to_come_hold_up_none_beyond_the_bound():
    async def scenario(model, batcher):
        asked, start = [], time.perf_counter()
        while not model.batches:
            asked.append(asyncio.create_task(batcher.answers([len(asked)])))
            await asyncio.sleep(0)
        seconds = time.perf_counter() - start
        await asyncio.gather(*asked)
        return seconds

    assert 0.1 <= run(scenario, wait=0.1, size=10**6, queue=10**6) < 1.0


def test_an_input_waits_for_company_no_longer_than_the_bound():
    async def scenario(model, batcher):
        await batcher.answers([1, 2])  # company, so the next one waits for more
        start = time.perf_counter()
        await batcher.answers([3])
        return time.perf_counter() - start

    assert 0.1 <= run(scenario, wait=0.1) < 1.0


def test_a_full_queue_takes_nothing_of_a_request():
    async def scenario(model, batcher):
        first = await begun(model, batcher)
        waiting = asyncio.create_task(batcher.answers([1, 2]))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await batcher.answers([3, 4])
        last = asyncio.create_task(batcher.answers([5]))
        await asyncio.sleep(0)
        model.may_go.set()
        return await asyncio.gather(first, waiting, last), model.batches

    answers, batches = run(scenario, queue=3)
    assert answers == [[200], [2, 4], [10]]
    assert batches == [[100], [1, 2, 5]]


def test_only_the_input_that_fails_fails():
    async def scenario(model, batcher):
        first = await begun(model, batcher)
        others = [asyncio.create_task(batcher.answers(values)) for values in ([1], [2, -1], [3], [4])]
        await asyncio.sleep(0.01)
        model.may_go.set()
        await first
        return await asyncio.gather(*others, return_exceptions=True)

    one, failed, three, four = run(scenario)
    assert (one, three, four) == ([2], [6], [8])
    assert isinstance(failed, InputError)
    assert failed.index == 1
    assert "a negative number" in str(failed.__cause__)


def test_a_client_that_hangs_up_costs_no_work():
    async def scenario(model, batcher):
        first = await begun(model, batcher)
        gone = asyncio.create_task(batcher.answers([1]))
        stays = asyncio.create_task(batcher.answers([2]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        model.may_go.set()
        await asyncio.gather(first, stays)
        return model.batches

    assert run(scenario) == [[100], [2]]


def test_closing_answers_what_waits():
    async def scenario(model, batcher):
        first = await begun(model, batcher)
        waiting = asyncio.create_task(batcher.answers([1]))
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0.01)
        model.may_go.set()
        await closing
        return await asyncio.gather(first, waiting)

    assert run(scenario) == [[200], [2]]


def test_a_model_that_answers_too_few_inputs_is_a_bug_and_not_a_shift():
    async def scenario():
        batcher = MicroBatcher(lambda values: values[1:], Batching())
        try:
            await batcher.answers([1, 2])
        finally:
            await batcher.close()

    with pytest.raises(InputError):
        asyncio.run(scenario())
