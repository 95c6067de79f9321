"""What is unusual, and what may become of an alert. Pure."""
