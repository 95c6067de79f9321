"""What a patient's record may become, and how two of them are compared. Pure."""
