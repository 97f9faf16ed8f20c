"""The register's credentials in the words of the probes; unsealed here alone, for the plan."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inventory.credentials import open_secret, resolve_credentials
from inventory.database import Register
from inventory.models import Credential as StoredCredential
from inventory.sealing import Sealer, UnsealError
from probes.snmp.credential import Credential


def resolve(register: Register, device_ids: list[int]) -> tuple[NDArray[np.int32], tuple[Credential, ...], list[str]]:
    """(index of each device's credential or -1, credentials, warnings). A credential that cannot be unsealed serves nobody."""
    with register.session() as session:
        chosen = resolve_credentials(session)
        stored = {number: session.get(StoredCredential, number) for number in sorted(set(chosen.values()))}
    known: list[Credential] = []
    index: dict[int, int] = {}
    warnings: list[str] = []
    sealer = Sealer(register.key_file) if register.key_file is not None else None
    for number, row in stored.items():
        if row is None:
            continue
        try:
            if sealer is None:
                raise UnsealError("no key file is known")
            known.append(probe_credential(row, sealer))
            index[number] = len(known) - 1
        except (UnsealError, ValueError) as error:
            warnings.append(f"credential {row.name!r}: {error}")
    which = np.array([index.get(chosen.get(device, -1), -1) for device in device_ids], np.int32)
    return which, tuple(known), warnings


def probe_credential(row: StoredCredential, sealer: Sealer) -> Credential:
    """One credential. UnsealError where the key does not fit, ValueError where its parts do not fit together."""
    secret = open_secret(row, sealer)
    version: Any = row.version
    return Credential(
        version=version,
        community=secret.community.encode(),
        user=secret.user,
        auth_protocol=row.auth_protocol,
        auth_key=secret.auth_key,
        priv_protocol=row.priv_protocol,
        priv_key=secret.priv_key,
        context=row.context,
    )
