"""The whole state machine on a fake clock: every id is stored, or in the ledger."""

import fault_simulation
import pytest


@pytest.mark.timeout(300)
def test_stored_ids_and_ledger_are_all_ids_the_exchange_sent() -> None:
    assert not fault_simulation.simulations(300, for_s=60.0).failures


def test_a_simulation_is_decided_by_its_seed() -> None:
    assert fault_simulation.simulate(7, 60.0) == fault_simulation.simulate(7, 60.0)
