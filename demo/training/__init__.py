"""How the demo pack was trained: `python -m demo.training`. Needs PyTorch and onnx, which Facefleet itself does not."""
