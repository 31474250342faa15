"""The tests, a folder per room of the house."""
