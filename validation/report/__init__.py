"""What was measured, for people to read: an HTML page, and the tables of README."""
