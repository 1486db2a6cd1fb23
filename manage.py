#!/usr/bin/env python
"""Django's command line. Beside a running `make run` it uses that installation's database and switch."""

from __future__ import annotations

import os
import sys

if sys.argv[1:2] == ["switchboard"]:
    # The switchboard waits on hundreds of things at once; sockets must be patched before anything imports them.
    from gevent import monkey

    monkey.patch_all()

from sparkle.local.environment import adopt_running_installation


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")
    adopt_running_installation()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
