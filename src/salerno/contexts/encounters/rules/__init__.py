"""When something is allowed, and what becomes true."""
