"""The register: regions, schools, sites, lines, devices and what belongs to them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "region",
    "zone",
    "credential",
    "school",
    "school_code",
    "school_succession",
    "site",
    "device",
    "address",
    "device_upstream",
    "line",
    "link",
    "port",
    "line_site",
    "prefix",
)
ENUMS = ("devicekind", "regiontree", "schoollevel", "sitekind", "watch")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "region",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tree", sa.Enum("place", "duty", name="regiontree"), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=True),
        sa.Column("local_code", sa.String(length=12), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("contact_name", sa.String(length=80), nullable=False),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["region.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_region_code", "region", ["code"])
    op.create_index("ix_region_local_code", "region", ["local_code"])
    op.create_index("ix_region_parent_id", "region", ["parent_id"])
    op.create_index("ix_region_path", "region", ["path"])
    op.create_index("ix_region_tree", "region", ["tree"])
    op.create_table(
        "zone",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("default", sa.Boolean(), nullable=False),
        sa.Column("references", sa.String(length=500), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=4), nullable=False),
        sa.Column("zone_id", sa.Integer(), nullable=True),
        sa.Column("region_id", sa.Integer(), nullable=True),
        sa.Column("auth_protocol", sa.String(length=10), nullable=False),
        sa.Column("priv_protocol", sa.String(length=10), nullable=False),
        sa.Column("context", sa.String(length=80), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"],
            ["region.id"],
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zone.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_credential_region_id", "credential", ["region_id"])
    op.create_index("ix_credential_zone_id", "credential", ["zone_id"])
    op.create_table(
        "school",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=160), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=True),
        sa.Column(
            "level",
            sa.Enum(
                "kindergarten",
                "teaching_point",
                "primary",
                "junior",
                "nine_year",
                "senior",
                "twelve_year",
                "vocational",
                "special",
                "higher",
                "adult",
                "bureau",
                "other",
                name="schoollevel",
            ),
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("setting", sa.String(length=8), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=True),
        sa.Column("pupils", sa.Integer(), nullable=True),
        sa.Column("classes", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("contact_name", sa.String(length=80), nullable=False),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("search", sa.String(length=400), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["duty_id"],
            ["region.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["region.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_school_code", "school", ["code"])
    op.create_index("ix_school_duty_id", "school", ["duty_id"])
    op.create_index("ix_school_level", "school", ["level"])
    op.create_index("ix_school_name", "school", ["name"])
    op.create_index("ix_school_place_id", "school", ["place_id"])
    op.create_index("ix_school_search", "school", ["search"])
    op.create_table(
        "school_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_school_code_code", "school_code", ["code"])
    op.create_index("ix_school_code_school_id", "school_code", ["school_id"])
    op.create_table(
        "school_succession",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("predecessor_id", sa.Integer(), nullable=False),
        sa.Column("successor_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["predecessor_id"],
            ["school.id"],
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"],
            ["school.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_school_succession_predecessor_id", "school_succession", ["predecessor_id"])
    op.create_index("ix_school_succession_successor_id", "school_succession", ["successor_id"])
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.Enum("campus", "carrier", "bureau", "datacentre", name="sitekind"), nullable=False),
        sa.Column("tier", sa.String(length=8), nullable=False),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=True),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("contact_name", sa.String(length=80), nullable=False),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["duty_id"],
            ["region.id"],
        ),
        sa.ForeignKeyConstraint(
            ["place_id"],
            ["region.id"],
        ),
        sa.ForeignKeyConstraint(
            ["school_id"],
            ["school.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_site_duty_id", "site", ["duty_id"])
    op.create_index("ix_site_kind", "site", ["kind"])
    op.create_index("ix_site_name", "site", ["name"])
    op.create_index("ix_site_place_id", "site", ["place_id"])
    op.create_index("ix_site_school_id", "site", ["school_id"])
    op.create_table(
        "device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "core",
                "aggregation",
                "gateway",
                "switch",
                "ac",
                "ap",
                "camera",
                "recorder",
                "ups",
                "sensor",
                "server",
                "printer",
                "terminal",
                "other",
                name="devicekind",
            ),
            nullable=False,
        ),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("vendor", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("serial", sa.String(length=80), nullable=True),
        sa.Column("chassis_mac", sa.String(length=12), nullable=True),
        sa.Column("engine_id", sa.String(length=64), nullable=True),
        sa.Column("asset_tag", sa.String(length=80), nullable=True),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("watch", sa.Enum("any", "snmp", "icmp", "tcp", "none", name="watch"), nullable=False),
        sa.Column("tcp_ports", sa.String(length=80), nullable=False),
        sa.Column("snmp_port", sa.Integer(), nullable=False),
        sa.Column("snmp_version", sa.String(length=4), nullable=False),
        sa.Column("credential_id", sa.Integer(), nullable=True),
        sa.Column("room", sa.String(length=80), nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("sys_object_id", sa.String(length=120), nullable=False),
        sa.Column("sys_descr", sa.String(length=500), nullable=False),
        sa.Column("sys_name", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=160), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("search", sa.String(length=400), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credential.id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_device_asset_tag", "device", ["asset_tag"])
    op.create_index("ix_device_chassis_mac", "device", ["chassis_mac"])
    op.create_index("ix_device_credential_id", "device", ["credential_id"])
    op.create_index("ix_device_engine_id", "device", ["engine_id"])
    op.create_index("ix_device_kind", "device", ["kind"])
    op.create_index("ix_device_name", "device", ["name"])
    op.create_index("ix_device_search", "device", ["search"])
    op.create_index("ix_device_serial", "device", ["serial"])
    op.create_index("ix_device_site_id", "device", ["site_id"])
    op.create_index("ix_device_vendor", "device", ["vendor"])
    op.create_table(
        "address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("zone_id", sa.Integer(), nullable=False),
        sa.Column("ip", sa.String(length=39), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("primary", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zone.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("zone_id", "ip", name="uq_address_zone_ip"),
    )
    op.create_index("ix_address_device_id", "address", ["device_id"])
    op.create_index("ix_address_ip", "address", ["ip"])
    op.create_index("ix_address_packed", "address", ["packed"])
    op.create_index("ix_address_zone_id", "address", ["zone_id"])
    op.create_table(
        "device_upstream",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("upstream_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["upstream_id"], ["device.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "upstream_id"),
    )
    op.create_index("ix_device_upstream_upstream_id", "device_upstream", ["upstream_id"])
    op.create_table(
        "line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("circuit", sa.String(length=80), nullable=True),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("bandwidth_mbps", sa.Integer(), nullable=True),
        sa.Column("bandwidth_up_mbps", sa.Integer(), nullable=True),
        sa.Column("upstream_site_id", sa.Integer(), nullable=True),
        sa.Column("end_device_id", sa.Integer(), nullable=True),
        sa.Column("end_port", sa.String(length=80), nullable=True),
        sa.Column("far_device_id", sa.Integer(), nullable=True),
        sa.Column("far_port", sa.String(length=80), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=True),
        sa.Column("active_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("contact_name", sa.String(length=80), nullable=False),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["end_device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["far_device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["upstream_site_id"],
            ["site.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_line_circuit", "line", ["circuit"])
    op.create_index("ix_line_end_device_id", "line", ["end_device_id"])
    op.create_index("ix_line_far_device_id", "line", ["far_device_id"])
    op.create_index("ix_line_name", "line", ["name"])
    op.create_index("ix_line_operator", "line", ["operator"])
    op.create_index("ix_line_upstream_site_id", "line", ["upstream_site_id"])
    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_device_id", sa.Integer(), nullable=False),
        sa.Column("from_port", sa.String(length=120), nullable=False),
        sa.Column("to_device_id", sa.Integer(), nullable=False),
        sa.Column("to_port", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["from_device_id"], ["device.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["to_device_id"], ["device.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_link_from_device_id", "link", ["from_device_id"])
    op.create_index("ix_link_to_device_id", "link", ["to_device_id"])
    op.create_table(
        "port",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("if_index", sa.Integer(), nullable=False),
        sa.Column("descr", sa.String(length=255), nullable=False),
        sa.Column("alias", sa.String(length=255), nullable=False),
        sa.Column("if_type", sa.Integer(), nullable=True),
        sa.Column("speed_bps", sa.Integer(), nullable=True),
        sa.Column("mac", sa.String(length=12), nullable=True),
        sa.Column("admin", sa.String(length=16), nullable=False),
        sa.Column("oper", sa.String(length=16), nullable=False),
        sa.Column("monitored", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device_id", "name", name="uq_port_device_name"),
    )
    op.create_index("ix_port_device_id", "port", ["device_id"])
    op.create_index("ix_port_if_index", "port", ["if_index"])
    op.create_table(
        "line_site",
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["line.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("line_id", "site_id"),
    )
    op.create_index("ix_line_site_site_id", "line_site", ["site_id"])
    op.create_table(
        "prefix",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("zone_id", sa.Integer(), nullable=False),
        sa.Column("cidr", sa.String(length=43), nullable=False),
        sa.Column("first", sa.LargeBinary(), nullable=False),
        sa.Column("last", sa.LargeBinary(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("line_id", sa.Integer(), nullable=True),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["line.id"],
        ),
        sa.ForeignKeyConstraint(
            ["school_id"],
            ["school.id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["site.id"],
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["zone.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("zone_id", "cidr", name="uq_prefix_zone_cidr"),
    )
    op.create_index("ix_prefix_first", "prefix", ["first"])
    op.create_index("ix_prefix_last", "prefix", ["last"])
    op.create_index("ix_prefix_line_id", "prefix", ["line_id"])
    op.create_index("ix_prefix_school_id", "prefix", ["school_id"])
    op.create_index("ix_prefix_site_id", "prefix", ["site_id"])
    op.create_index("ix_prefix_zone_id", "prefix", ["zone_id"])


def downgrade() -> None:
    """Drop them."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for enum in ENUMS:
            op.execute(f"DROP TYPE {enum}")
