"""Tables that ship with the room, each with its source, and the formulas that read them."""
