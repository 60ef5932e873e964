import pytest

from appliance.machine import Machine
from appliance.parts.postgres import plan_memory

MIB = 1024**2
GIB = 1024**3


def machine(memory: int, *, limited: bool, cores: int = 2) -> Machine:
    return Machine(cores, memory, limited, ipv6=True, jemalloc=True)


@pytest.mark.parametrize(
    ("memory", "limited", "given", "shared_buffers", "work_mem"),
    [
        (512 * MIB, True, None, 64 * MIB, 2 * MIB),
        (1 * GIB, True, None, 128 * MIB, 2 * MIB),
        (4 * GIB, True, None, 512 * MIB, 8 * MIB),
        (64 * GIB, True, None, 8 * GIB, 64 * MIB),
        (2 * GIB, False, None, 256 * MIB, 4 * MIB),
        (64 * GIB, False, None, 512 * MIB, 8 * MIB),
        (64 * GIB, False, 4 * GIB, 2 * GIB, 32 * MIB),
        (128 * MIB, True, None, 32 * MIB, 2 * MIB),
    ],
)
def test_memory_follows_the_limit(
    memory: int, limited: bool, given: int | None, shared_buffers: int, work_mem: int
) -> None:
    planned = plan_memory(machine(memory, limited=limited), given)
    assert planned.shared_buffers == shared_buffers
    assert planned.work_mem == work_mem
    assert planned.shared_buffers < planned.effective_cache_size


@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 1), (4, 3), (32, 8)])
def test_a_core_is_left_for_the_others(cores: int, workers: int) -> None:
    assert (
        plan_memory(machine(GIB, limited=True, cores=cores), None).max_parallel_workers == workers
    )
