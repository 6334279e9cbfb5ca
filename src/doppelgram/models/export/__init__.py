"""Models as files that other programs run: ONNX, or OpenVINO's own, with what comes before and after in JSON."""
