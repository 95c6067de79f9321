"""Tables that ship with the room, each row with its source (SOURCES.md), and how they are read."""
