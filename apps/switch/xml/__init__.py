"""What FreeSWITCH asks by mod_xml_curl, and what it is answered."""
