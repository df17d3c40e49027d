"""The vector store behind one protocol."""
