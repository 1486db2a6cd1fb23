"""What belongs to the telephone switch: the configuration of a real FreeSWITCH (conf/) and its stand-in (pocket/)."""
