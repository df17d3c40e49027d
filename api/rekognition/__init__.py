"""Amazon Rekognition's face operations on its own wire, over Facefleet's ledger, gallery and recognizer."""
