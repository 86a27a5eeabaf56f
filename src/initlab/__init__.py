"""initlab: a laboratory for the starting weights of neural networks."""
