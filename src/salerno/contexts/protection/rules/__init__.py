"""When a chart may be restricted and the glass broken, and what becomes true."""
