"""The shape of a larger site on one machine: two web servers behind nginx, two engines, two workers, one feed, one beat.

`manage.py up --split` runs it; `compose.yaml` runs the same parts in containers. What each tier holds is in docs/scaling.md.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tradingarena.localstack.children import Command
from tradingarena.localstack.place import replace_file
from tradingarena.localstack.stack import Address, StackError

WEBS = 2
TWICE = ("engine", "worker")
# The hub keeps sockets open for hours and pings every 20 s; a dead web server is tried again after 2 s.
NGINX = """\
daemon off;
pid {state}/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {state}/nginx-body;
    proxy_temp_path {state}/nginx-proxy;
    fastcgi_temp_path {state}/nginx-unused;
    uwsgi_temp_path {state}/nginx-unused;
    scgi_temp_path {state}/nginx-unused;
    client_max_body_size 1m;
    map $http_upgrade $connection_kind {{ default upgrade; '' ''; }}
    upstream web {{
{servers}
        keepalive 64;
    }}
    server {{
        listen {listen};
        location / {{
            proxy_pass http://web;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_kind;
            proxy_next_upstream error timeout;
            proxy_connect_timeout 2s;
            proxy_read_timeout 90s;
        }}
    }}
}}
"""


def split(found: Sequence[Command], address: Address, state: Path) -> list[Command]:
    """Turn the commands of one machine into those of the split shape.

    Effects: writes nginx's configuration below `state`.
    Raises: StackError: there is no nginx.
    """
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise StackError("The split shape needs nginx. Debian, Ubuntu: apt-get install nginx-light")
    web, *others = found
    ports = _free_ports(WEBS)
    commands = [_web(web, number, port) for number, port in enumerate(ports, 1)]
    for command in others:
        if command.name in TWICE:
            commands += [_second(command, number) for number in (1, 2)]
        else:
            commands.append(command)
    # nginx asks the other server only again what changes nothing, or what never reached the first
    servers = "\n".join(f"        server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;" for port in ports)
    host = f"[{address.host}]" if ":" in address.host else address.host
    text = NGINX.format(state=state, servers=servers, listen=f"{host}:{address.port}")
    configuration = state / "nginx.conf"
    replace_file(configuration, text)
    proxy = Command("proxy", [nginx, "-p", str(state), "-e", "stderr", "-c", str(configuration)])
    return [*commands, proxy]


def _web(command: Command, number: int, port: int) -> Command:
    arguments = list(command.arguments)
    arguments[arguments.index("--host") + 1] = "127.0.0.1"
    arguments[arguments.index("--port") + 1] = str(port)
    proxies = str(int(os.environ.get("TRUSTED_PROXIES") or 0) + 1)  # nginx stands behind those that are there
    return replace(command, name=f"web-{number}", arguments=arguments, environment={"TRUSTED_PROXIES": proxies})


def _second(command: Command, number: int) -> Command:
    extra = ["--hostname", f"worker-{number}@%h"] if command.name == "worker" else []
    return replace(command, name=f"{command.name}-{number}", arguments=[*command.arguments, *extra])


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()
