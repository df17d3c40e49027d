"""Named people on new faces: three classifiers that look at stored templates alone."""
