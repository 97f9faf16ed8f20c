"""School calendars: what kind of time it is for a school, and what follows from that. No sockets, no clocks."""
