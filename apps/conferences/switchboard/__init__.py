"""The switchboard: the one process that speaks ESL (design: docs/architecture.md).

`process.py` runs a lease keeper and, for each node it holds, a `node.py` loop: read events, observe, load what is
desired, decide, write, send.
Everything here runs under gevent with patched sockets (`manage.py` patches before Django is imported), so psycopg and
redis wait cooperatively.
"""
