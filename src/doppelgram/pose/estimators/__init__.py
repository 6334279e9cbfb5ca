"""What finds people in photographs: several networks, and ready-made keypoint files."""
