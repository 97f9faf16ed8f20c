"""The web server: uvicorn on a socket that is handed to it."""

import socket

import uvicorn
from fastapi import FastAPI

from api.settings import ApiSettings

END_WITHIN_S = 2
"""Seconds that open answers (boards that listen for changes among them) have at the end."""


def server_of(app: FastAPI, settings: ApiSettings) -> uvicorn.Server:
    """A server of the application, not yet running: `serve(server, listener)` does. TLS where the settings name certificate and key.

    The access log is our own (`api.middleware.RequestLog`); X-Forwarded-For is believed by `api.security.client_address` alone.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        lifespan="on",
        ssl_certfile=settings.tls_cert or None,
        ssl_keyfile=settings.tls_key or None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=END_WITHIN_S,
        backlog=512,
        h11_max_incomplete_event_size=65_536,
    )
    return uvicorn.Server(config)


def serve(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    server.run(sockets=[listener])
