"""The algorithms of `fast`, a file each: a small typed state and a pure step."""
