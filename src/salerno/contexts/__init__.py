"""The rooms: one bounded context each, all laid out alike."""
