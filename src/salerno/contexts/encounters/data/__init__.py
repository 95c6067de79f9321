"""Tables that ship with the room, each with its source, and how they are read."""
