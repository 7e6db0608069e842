"""The public names of the stack, for every Python that finds this folder on its path.

Elsewhere a name server leads each name below ``DOMAIN`` to the proxy; here ``PROXY_ADDRESS`` says
where that is.
"""

import os
import socket

_getaddrinfo, _gethostbyname = socket.getaddrinfo, socket.gethostbyname


def _address_of(host):
    name = host.decode() if isinstance(host, bytes) else host
    is_ours = name is not None and name.endswith("." + os.environ["DOMAIN"])
    return os.environ["PROXY_ADDRESS"] if is_ours else host


socket.getaddrinfo = lambda host, *rest, **more: _getaddrinfo(_address_of(host), *rest, **more)
socket.gethostbyname = lambda host: _gethostbyname(_address_of(host))
