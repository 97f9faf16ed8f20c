"""SNMP credentials: `/api/v1/credentials`, for administrators. Secrets go in and never come out."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy import func

from api.errors import Problem, Wrong, invalid
from api.resources.machine import Body, Id, ListQuery, Resource, Row, Text, Work, contains, partial_of
from inventory.credentials import Secret, new_credential
from inventory.models import Credential, Region, Zone, table
from inventory.sealing import Sealer

Passphrase = Annotated[str, Field(max_length=200)]


class CredentialSecret(Body):
    """What is sealed: the community of v1 and v2c, or the user and passphrases of v3."""

    community: Passphrase = ""
    user: Passphrase = ""
    auth_key: Passphrase = ""
    priv_key: Passphrase = ""


class CredentialFacts(Body):
    """What may be shown of a credential. It serves a zone, or the subtree of a region."""

    name: Annotated[Text, StringConstraints(min_length=1, max_length=80)]
    version: Literal["1", "2c", "3"] = "2c"
    zone_id: Id | None = None
    region_id: Id | None = None
    auth_protocol: Literal["", "md5", "sha1", "sha224", "sha256", "sha384", "sha512"] = ""
    priv_protocol: Literal["", "des", "aes128", "aes192", "aes256"] = ""
    context: Annotated[Text, Field(max_length=80)] = ""


class CredentialCreate(CredentialFacts):
    """A credential with its secret."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "全省只读", "version": "2c", "zone_id": 1, "secret": {"community": "..."}}]
        }
    )

    secret: Annotated[CredentialSecret, Field(description="Sealed at rest, never shown again.")]


class CredentialRead(CredentialFacts):
    """A credential without its secret."""

    id: int
    row_version: int
    updated_at: datetime


class CredentialQuery(ListQuery):
    """Filters of the list."""

    name: Text | None = None
    version: Literal["1", "2c", "3"] | None = None
    zone_id: Id | None = None
    region_id: Id | None = None


def _prepare(work: Work, row: Credential, children: Row) -> None:
    """Seal a new secret; where version or protocols change, the secret must come along, for only it tells whether they fit."""
    secret = children.get("secret")
    if secret is None:
        return
    if work.register.key_file is None:
        raise Problem("absent")
    sealer = Sealer(work.register.key_file)
    try:
        checked = new_credential(
            row.name, row.version, Secret(**secret), sealer, auth=row.auth_protocol, priv=row.priv_protocol
        )
    except ValueError as error:
        raise invalid(Wrong("secret", "wrong-secret", str(error), str(error))) from error
    row.secret = checked.secret


_own = table(Credential)

CREDENTIALS = Resource(
    name="credentials",
    model=Credential,
    read=CredentialRead,
    create=CredentialCreate,
    update=partial_of(CredentialCreate, "CredentialUpdate"),
    query=CredentialQuery,
    sorts={"name": _own.c.name},
    default_sort="name",
    search=contains(func.lower(_own.c.name)),
    references={"zone_id": Zone, "region_id": Region},
    clashes=(("name",),),
    children=frozenset({"secret"}),
    prepare=_prepare,
    readers="administrators",
)
