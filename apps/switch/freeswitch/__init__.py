"""What an administrator has to do with a FreeSWITCH node: its configuration, its certificates, whether it is right."""
