"""What tests share: instances, oracles of other kinds, tolerances."""
