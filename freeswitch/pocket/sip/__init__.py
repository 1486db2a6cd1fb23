"""SIP for browsers: over WebSocket (RFC 7118), to the extent that JsSIP speaks it and no further."""
