"""PyTorch models: their starting weights checked."""
