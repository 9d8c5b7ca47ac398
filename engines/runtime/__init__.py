"""How a network's tensors are run: the same networks by torch or by onnxruntime."""
