"""DNS as targets need it: reading a zone at all its servers, live answers, signed updates."""
