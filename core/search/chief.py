"""One oracle for workers on several machines: KerasTuner's chief and its clients, over gRPC.

The wire is neither encrypted nor guarded by a password, as KerasTuner made it: use it within a network that
you trust.
"""

from __future__ import annotations

import os
import socket
from concurrent import futures
from typing import Any

import grpc
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_chief, oracle_client

from core.errors import UserError
from core.search.definition import Search
from core.search.journalled_oracle import JournalledOracle
from core.search.space import FINGERPRINT, search_space

CHIEF_PATIENCE = 60.0  # seconds that a worker waits for its chief, to start or to come back


def address_of(text: str) -> tuple[str, int]:
    """Return host and port.

    Raises:
        UserError: It is not written HOST:PORT.

    Example:

    >>> address_of("127.0.0.1:8500")
    ('127.0.0.1', 8500)
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UserError(f"An address is written HOST:PORT, such as 127.0.0.1:8500. Received: {text!r}.")
    return host, int(port)


def serve(oracle: JournalledOracle, address: str) -> grpc.Server:
    """Return a server, running, through which workers speak to an oracle.

    Raises:
        UserError: The address can't be used.
    """
    host, port = address_of(address)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    protos.get_service_grpc().add_OracleServicer_to_server(oracle_chief.OracleServicer(oracle), server)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        bound = 0
    if not bound:
        raise UserError(
            "The chief can't listen there: the port is taken, or the host is not this one. "
            f"Received: {address}."
        )
    server.start()
    return server


class ChiefClient:
    """The chief's oracle, as a worker on another machine sees it.

    Args:
        address: Of the chief, HOST:PORT.
        search: Which must be the chief's own.

    Raises:
        UserError: The chief does not answer, or searches something else.
    """

    def __init__(self, address: str, search: Search) -> None:
        host, port = address_of(address)
        self.address = address
        self.name = f"{socket.gethostname()}-{os.getpid()}"
        # KerasTuner's client takes its address from these alone.
        os.environ |= {
            "KERASTUNER_ORACLE_IP": host,
            "KERASTUNER_ORACLE_PORT": str(port),
            "KERASTUNER_TUNER_ID": self.name,
        }
        oracle_client.TIMEOUT = CHIEF_PATIENCE
        self._client = oracle_client.OracleClient(None)
        theirs = {parameter.name: parameter for parameter in self._ask("get_space").space}
        fingerprint = getattr(theirs.get(FINGERPRINT), "value", None)
        if fingerprint != search_space(search)[FINGERPRINT]:
            raise UserError(
                f"The chief at {address} searches something else. Start both with the same task, overrides "
                f"and options. Received: search {search.fingerprint()}, the chief's {fingerprint}."
            )

    def _ask(self, question: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self._client, question)(*arguments, **options)
        except grpc.RpcError as error:
            raise UserError(
                f"The chief at {self.address} does not answer. Received: {error.code().name.lower()}."
            ) from None

    def create_trial(self, tuner_id: str) -> Any:
        """Return the next trial."""
        return self._ask("create_trial", tuner_id)

    def update_trial(self, trial_id: str, metrics: dict[str, float], step: int = 0) -> Any:
        """Report to the chief."""
        return self._ask("update_trial", trial_id, metrics, step=step)

    def get_trial(self, trial_id: str) -> Any:
        """Say that the trial's worker lives."""
        return self._ask("get_trial", trial_id)

    def end_trial(self, trial: Any) -> None:
        """Tell the chief how a trial ended."""
        self._ask("end_trial", trial)
