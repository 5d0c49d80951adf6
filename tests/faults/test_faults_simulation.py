"""The whole state machine on a fake clock: every id is stored, or in the ledger."""

import pytest

from faults import simulation
from faults.simulation import Fault, Script, simulate


@pytest.mark.timeout(300)
def test_stored_ids_and_ledger_are_all_ids_the_exchange_sent() -> None:
    assert not simulation.simulations(300, longest_wait_s=10.0).failures


def test_a_simulation_is_decided_by_its_script_which_can_be_pasted() -> None:
    faults = tuple(Fault(n / 2, name, n) for n, name in enumerate(simulation.ACTIONS))
    script = Script(7, 2.0, 25.0, 2000, True, False, faults)
    assert simulate(Script.parsed(str(script))) == simulate(script)
