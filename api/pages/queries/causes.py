"""What a school is cut off by: the incident of its own state, else that of its gateways, which the judge explains one by one."""

from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.sql.selectable import Subquery

from inventory.models import Device, DeviceKind, NodeKind, NodeState, Site, State, table

device, node, site = table(Device), table(NodeState).alias("gateway_state"), table(Site)


def gateway_causes() -> Subquery:
    """Rows (school_id, incident_id) of schools with a gateway that is down and explained by an incident."""
    return (
        select(site.c.school_id, func.max(node.c.incident_id).label("incident_id"))
        .select_from(
            node.join(device, and_(node.c.kind == NodeKind.device, device.c.id == node.c.node_id)).join(
                site, site.c.id == device.c.site_id
            )
        )
        .where(
            node.c.incident_id.is_not(None),
            node.c.state == State.down,
            device.c.kind == DeviceKind.gateway,
            site.c.school_id.is_not(None),
        )
        .group_by(site.c.school_id)
        .subquery("causes")
    )


def cause_of(school_state: Any, causes: Subquery) -> Any:
    """The incident's id: of the school's own state (a table or alias of node_state), else of its gateways."""
    return func.coalesce(school_state.c.incident_id, causes.c.incident_id)
