"""What Flower looks at: `celery --app workers.flower_app flower --basic-auth=user:password`.

Flower wants a module that holds an application, so this one, an entry point, reads the settings as it is imported.
Queue depths and tasks are shown on Redis; SQS has neither events nor remote control, and Flower shows nothing there.
"""

from facefleet.settings import Settings
from workers.celery_app import create_celery_app

app = create_celery_app(Settings())
