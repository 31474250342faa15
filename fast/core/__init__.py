"""What all methods of `fast` share: the layer, the loop, linear systems."""
