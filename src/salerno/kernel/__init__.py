"""The machinery of commands, events, keys and proofs. It knows no domain word."""
