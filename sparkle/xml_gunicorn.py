"""How gunicorn serves what FreeSWITCH asks: `gunicorn --config sparkle/xml_gunicorn.py --bind … --workers …`."""

from __future__ import annotations

import gc
from typing import Any

wsgi_app = "sparkle.xml_wsgi:application"
# One question at a time for each process, all of them at one socket.
worker_class = "sync"
preload_app = True
worker_tmp_dir = "/dev/shm"  # noqa: S108 - where the processes' heartbeats are
control_socket_disable = True
loglevel = "warning"
# FreeSWITCH waits for two seconds (xml_curl.conf.xml). A process that hangs is replaced, and what nobody waits for any
# more does not pile up.
timeout = 5
backlog = 256
graceful_timeout = 3


def post_fork(server: Any, worker: Any) -> None:
    """Each process has one connection to the database and keeps it, and no statement, waiting for a lock or not, holds
    it up for longer than somebody waits.

    What they write is committed, but not waited for until it is on the disk (`synchronous_commit`): the slowest disk
    would hold up the most callers. What PostgreSQL loses of it when its machine dies, half a second at most, are legs
    that the switchboard then knows nothing of and hangs up (reconcile/decide.py), and counts of wrong guesses.
    """
    from django.db import connection

    gc.freeze()  # what is loaded stays: looking through it again would keep somebody waiting
    options = connection.settings_dict["OPTIONS"]
    options.pop("pool", None)
    options |= {"connect_timeout": 2, "options": "-c statement_timeout=1500 -c synchronous_commit=off"}
    connection.settings_dict["CONN_MAX_AGE"] = None
