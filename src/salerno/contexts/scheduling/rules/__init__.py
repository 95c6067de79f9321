"""When an appointment, a visit type or a room may change, and when somebody is free. Pure."""
