"""Pictures and labels -> trained networks -> ONNX graphs."""
