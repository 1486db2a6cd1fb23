"""The pocket switch: a stand-in for FreeSWITCH, for development, rehearsal and tests.

It speaks the part of the Event Socket protocol and of mod_conference that this project uses, spelt as FreeSWITCH
1.10.12 spells it, and peoples its numbers with scripted persons. Browsers may come too, by SIP over WebSocket: whom it
lets in and where they land, it asks the control plane (`xml_curl.py`). What it does not know it refuses, and says so in
its log.
tests/contract/ runs the same cases against it and against a real FreeSWITCH; where they differ, FreeSWITCH is right.
Names such as `mod_commands.c` in the docstrings are files of FreeSWITCH.
"""
