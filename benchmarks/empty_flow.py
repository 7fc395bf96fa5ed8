"""Eight tasks that do nothing: what Prefect itself costs. `scheduling.py` serves it beside the trading cycle."""

from prefect import flow, task
from prefect.cache_policies import NO_CACHE


@task(cache_policy=NO_CACHE, persist_result=False)
def step(number: int) -> int:
    return number


@flow(persist_result=False)
async def empty() -> None:
    for number in range(8):
        step(number)
