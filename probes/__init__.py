"""Ask many targets, once, as fast as the wire allows. Knows no database, no web, no Prometheus."""
