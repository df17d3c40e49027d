"""The fleet: Celery worker, dispatcher, and both in one process."""
