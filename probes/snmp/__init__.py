"""SNMP: the codec, one agent (`client`), many agents in rounds (`poll`)."""
