"""What workers and api share: records, recognition, ledger, gallery, photo stores. Knows neither Celery nor FastAPI."""
