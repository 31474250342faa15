"""Scripts that train the shipped generator and measure what the documentation claims."""
