"""Photo bytes to faces: decode, detect, align, embed, judge."""
