"""One agent, asked synchronously: GET, GETNEXT, and walks that adapt to what the agent can bear.

Answers from other addresses are dropped by the kernel (the socket is connected), answers to other requests by us.
"""

import random
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Self

from probes.snmp.ber import END_OF_MIB_VIEW, EXCEPTIONS, BerError, Oid, Value
from probes.snmp.credential import Credential
from probes.snmp.message import GEN_ERR, GET, GET_BULK, GET_NEXT, NO_ERROR, NO_SUCH_NAME, TOO_BIG, Pdu, describe_error
from probes.snmp.session import AGAIN, Session, open_session

MAX_BINDINGS_OF_GET = 24
MAX_REPETITIONS = 25
"""More than 25 rows for a request make agents slow, and datagrams that are lost whole."""

MAX_BINDINGS_OF_WALK = 96
"""Some 3 kB for an answer; an agent, or a path that loses fragments, that cannot give so much is asked for less."""

ROWS_OF_A_COLUMN = 4
"""Rows asked for together, at least, of columns that go on: fewer columns side by side rather than one row of many."""

MAX_ROWS = 100_000
"""A column with more rows than this is cut: an agent that never ends its table."""


class SnmpError(Exception):
    """An agent could not be read."""


class NoAnswerError(SnmpError):
    """Silence: nothing valid came within all attempts, or the host refuses the port."""


class RefusedError(SnmpError):
    """The agent says why it does not answer. `reason`: a word of `usm.REPORTS`, or the name of an error-status."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason.replace("_", " "))
        self.reason = reason


class SnmpClient:
    """One agent. Use it as a context manager, or `close()` it.

    A question is put up to `attempts` times. Once the agent's pace is known, the first repetitions come sooner (four times its slowest
    answer of late, at least 0.25 s); the last attempt is always given `timeout_s`.
    `deadline`: no request begins after this reading of time.monotonic(); None: no limit.
    """

    def __init__(
        self,
        address: str,
        port: int = 161,
        credential: Credential | None = None,
        timeout_s: float = 2.0,
        attempts: int = 3,
    ) -> None:
        self.address = address
        self.port = port
        self.credential = credential or Credential()
        self.timeout_s = timeout_s
        self.attempts = attempts
        self.deadline: float | None = None
        self.requests = 0
        self.dropped = 0
        """Answers to another request than was asked, or that are no message; those from other addresses do not reach us."""
        self.looping: set[Oid] = set()
        """Columns whose walk was ended because names did not increase."""
        self._bindings = MAX_BINDINGS_OF_WALK // 2
        self._ceiling = MAX_BINDINGS_OF_WALK
        self._good = 0
        self._bulk = self.credential.version != "1"
        self._good_bulk = False
        self._request_id = random.randrange(1, 0x3FFFFFFF)
        self._slowest_s: float | None = None
        family, kind, proto, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, kind, proto)
        try:
            self._socket.connect(where)
        except OSError as error:
            self._socket.close()
            raise NoAnswerError(f"{address}: {error.strerror or error}") from error
        self._session: Session = open_session(self.credential)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    @property
    def engine_id(self) -> bytes:
        """The agent's snmpEngineID (v3, after the first answer), else empty."""
        return self._session.engine_id

    # ------------------------------------------------------------------ asking

    def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """The values of these instances; what the agent does not have is absent. SnmpError where it cannot be asked."""
        found: dict[Oid, Value] = {}
        for at in range(0, len(oids), MAX_BINDINGS_OF_GET):
            self._get_some(list(oids[at : at + MAX_BINDINGS_OF_GET]), found)
        return found

    def _get_some(self, oids: list[Oid], found: dict[Oid, Value]) -> None:
        while oids:
            answer = self._ask(GET, 0, 0, oids)
            if answer.error_status == NO_ERROR:
                found.update((oid, value) for oid, value in answer.bindings if value.tag not in EXCEPTIONS)
                return
            if answer.error_status in (NO_SUCH_NAME, GEN_ERR) and 1 <= answer.error_index <= len(oids):
                del oids[answer.error_index - 1]  # v1 names the first that it does not have (RFC 1157, 4.1.2)
            elif len(oids) == 1:
                if answer.error_status in (TOO_BIG, NO_SUCH_NAME, GEN_ERR):
                    return
                raise RefusedError(describe_error(answer.error_status))
            else:
                half = len(oids) // 2
                self._get_some(oids[:half], found)
                oids = oids[half:]

    def get_next(self, oids: Sequence[Oid]) -> list[tuple[Oid, Value] | None]:
        """For each name the instance that follows it; None at the end of the MIB view."""
        answer = self._ask(GET_NEXT, 0, 0, oids)
        if answer.error_status == NO_SUCH_NAME and len(oids) == 1:
            return [None]
        if answer.error_status != NO_ERROR:
            if len(oids) > 1:
                return [self.get_next([oid])[0] for oid in oids]
            raise RefusedError(describe_error(answer.error_status))
        return [
            None if value.tag == END_OF_MIB_VIEW or name <= oid else (name, value)
            for oid, (name, value) in zip(oids, answer.bindings, strict=False)
        ]

    # ------------------------------------------------------------------ walking

    def walk(self, columns: Sequence[Oid], budget_s: float | None = None) -> dict[Oid, dict[Oid, Value]]:
        """For each column (or subtree) its rows: index (the rest of the name) → value.

        Several columns go into one request. The size of requests shrinks with silence and tooBig, and grows slowly again.
        A column ends with its subtree, the MIB view, or a name that does not increase (`looping`). NoAnswerError where nothing
        comes any more, or the budget (or `deadline`) is used up; its `args[1]` then holds what was read so far.
        """
        rows: dict[Oid, dict[Oid, Value]] = {column: {} for column in columns}
        last: dict[Oid, Oid] = {column: column for column in columns}
        end = None if budget_s is None else time.monotonic() + budget_s
        while last:
            if end is not None and time.monotonic() > end:
                raise NoAnswerError("the walk's time is used up", rows)
            asked, repetitions = self._choose_columns(last)
            try:
                bindings = self._ask_next_rows(asked, repetitions, last)
            except NoAnswerError as error:
                raise NoAnswerError(error.args[0], rows) from error
            if bindings is None:
                continue
            _keep_rows(asked, bindings, rows, last, self.looping)
        return rows

    def _choose_columns(self, last: dict[Oid, Oid]) -> tuple[list[Oid], int]:
        """(columns, repetitions) of the next request. Columns not begun come first and with few rows: most are empty."""
        fresh = [column for column, name in last.items() if name == column]
        if not self._bulk:
            return (fresh or list(last))[: self._bindings], 1
        wide = self._bindings if fresh else max(1, self._bindings // ROWS_OF_A_COLUMN)
        asked = (fresh or list(last))[:wide]
        return asked, max(1, min(ROWS_OF_A_COLUMN if fresh else MAX_REPETITIONS, self._bindings // len(asked)))

    def _ask_next_rows(
        self, asked: list[Oid], repetitions: int, last: dict[Oid, Oid]
    ) -> list[tuple[Oid, Value]] | None:
        """The next rows of the columns asked; None where the question must be put again, smaller or as GETNEXT."""
        names = [last[column] for column in asked]
        tag = GET_BULK if self._bulk else GET_NEXT
        smallest = len(asked) == 1 and repetitions == 1
        # Loss is not size: the same question twice before a smaller one.
        attempts = self.attempts if smallest else min(2, self.attempts)
        try:
            answer = self._ask(tag, 0, repetitions if self._bulk else 0, names, attempts)
        except NoAnswerError:
            if self._is_past_deadline() or (smallest and not self._give_up_bulk()):
                raise
            if not smallest:
                self._shrink(len(asked) * repetitions)
            return None
        if answer.error_status == NO_ERROR:
            self._good_bulk |= self._bulk
            self._grow(len(answer.bindings))
            return list(answer.bindings) or _ends(asked)
        if answer.error_status == NO_SUCH_NAME and 1 <= answer.error_index <= len(asked):
            del last[asked[answer.error_index - 1]]
            return None
        if not smallest:
            self._shrink(len(asked) * repetitions)
            return None
        if self._give_up_bulk():
            return None
        if answer.error_status in (TOO_BIG, NO_SUCH_NAME, GEN_ERR):
            return _ends(asked)
        raise RefusedError(describe_error(answer.error_status))

    def _give_up_bulk(self) -> bool:
        """Whether GETNEXT is worth a try: some small agents refuse GETBULK, or do not answer it. Not once it has worked."""
        if not self._bulk or self._good_bulk:
            return False
        self._bulk = False
        self._bindings = min(MAX_BINDINGS_OF_GET, self._ceiling + 4)
        self._ceiling = MAX_BINDINGS_OF_GET
        return True

    def _shrink(self, bindings: int) -> None:
        """After tooBig, or silence twice: half of what was asked, and not soon more."""
        self._bindings = self._ceiling = max(1, min(self._bindings, bindings) // 2)
        self._good = 0

    def _grow(self, answered: int) -> None:
        """After an answer: a quarter more than it held, up to the ceiling, which rises a little every twenty answers (silence may have
        been loss)."""
        self._good += 1
        if self._good % 20 == 0:
            self._ceiling = min(MAX_BINDINGS_OF_WALK, self._ceiling + 4)
        self._bindings = min(self._ceiling, max(self._bindings, answered + max(4, answered // 4)))

    # ------------------------------------------------------------------ one question

    def _is_past_deadline(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _ask(self, tag: int, first: int, second: int, oids: Sequence[Oid], attempts: int | None = None) -> Pdu:
        """Put a question, up to `attempts` times, and wait for its answer. A late answer to an earlier attempt counts (v1, v2c)."""
        why = "no answer"
        self._request_id = (self._request_id + 1) & 0x3FFFFFFF
        for wait_s in self._waits(self.attempts if attempts is None else attempts):
            if self._is_past_deadline():
                raise NoAnswerError("the time for this device is used up")
            began = time.monotonic()
            try:
                answer = self._attempt(tag, first, second, oids, began + wait_s)
            except OSError as error:
                why = f"{self.address}: {error.strerror or error}"
                continue
            if answer is not None:
                took = time.monotonic() - began
                self._slowest_s = max(took, 0.9 * (self._slowest_s or 0.0))
                return answer
        if why == "no answer" and self._session.engine_id and self._slowest_s is None:
            why = "the agent made its engine known, then fell silent: wrong privacy password or protocol?"
        raise NoAnswerError(why)

    def _waits(self, attempts: int) -> Iterator[float]:
        """Seconds to wait for each attempt."""
        for left in range(attempts, 0, -1):
            if self._slowest_s is None or left == 1:
                yield self.timeout_s
            else:
                yield min(self.timeout_s, max(0.25, 4 * self._slowest_s) * 3 ** (attempts - left))

    def _attempt(self, tag: int, first: int, second: int, oids: Sequence[Oid], until: float) -> Pdu | None:
        """One attempt; in v3 the discovery and what a report asks to repeat belong to it."""
        for _ in range(4):  # discovery, resynchronisation, the request, and once more after a lost boot
            self.requests += 1
            self._socket.send(self._session.encode(self._request_id, tag, first, second, oids, time.monotonic()))
            answer = self._await(until)
            if answer is None:
                return None
            if isinstance(answer, Pdu):
                return answer
            if answer != AGAIN:
                raise RefusedError(answer)
        return None

    def _await(self, until: float) -> Pdu | str | None:
        """The answer to the request sent last, "again" (v3), a reason of refusal, or None after `until`."""
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65535)
            except TimeoutError:
                return None
            try:
                answer = self._session.decode(data, self._request_id, time.monotonic())
            except BerError:
                answer = None
            if answer is not None:
                return answer
            self.dropped += 1
        return None


def _ends(columns: list[Oid]) -> list[tuple[Oid, Value]]:
    return [(column, Value(END_OF_MIB_VIEW, None)) for column in columns]


def _keep_rows(
    asked: list[Oid],
    bindings: list[tuple[Oid, Value]],
    rows: dict[Oid, dict[Oid, Value]],
    last: dict[Oid, Oid],
    looping: set[Oid],
) -> None:
    """Sort an answer's bindings, row after row, into their columns; columns that end leave `last`."""
    for at, (name, value) in enumerate(bindings):
        column = asked[at % len(asked)]
        before = last.get(column)
        if before is None:
            continue
        if value.tag == END_OF_MIB_VIEW or name[: len(column)] != column:
            del last[column]
        elif name <= before or len(rows[column]) >= MAX_ROWS:
            looping.add(column)
            del last[column]
        else:
            rows[column][name[len(column) :]] = value
            last[column] = name
