"""When an organisation and its locations may change, and what then is true. Pure."""
