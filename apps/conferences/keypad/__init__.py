"""What people do with the keys of their telephones: `table.py` says which keys, `acts.py` what each does and what is
said about it, `speech.py` with which sound files. The switchboard hears the keys and plays the sounds
(switchboard/keypad.py).
"""
