"""Structured logs on stderr: JSON lines for machines, text for people, with album and photo bound by contextvars."""

import logging
import sys

import structlog

from facefleet.settings import Settings

#: Libraries whose information lines tell an operator nothing.
_CHATTY = (
    "alembic",
    "botocore",
    "celery.app.trace",
    "celery.worker.consumer.connection",
    "celery.worker.strategy",
    "httpcore",
    "httpx",
    "urllib3",
    "uvicorn.access",
)


def configure_logging(settings: Settings, *, level: str | None = None) -> None:
    """Send structlog, the standard library's loggers and Python's warnings through one chain; once, at an entry point.

    Args:
        settings: `log_level` and `log_format`.
        level: overrides `log_level`, e.g. for commands that own the terminal.
    """
    chosen = (level or settings.log_level).upper()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    if as_text:
        tail: list[structlog.typing.Processor] = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        # Local variables would put templates and secrets into the log, and take seconds to render.
        without_locals = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        tail = [structlog.processors.ExceptionRenderer(without_locals), structlog.processors.JSONRenderer()]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(chosen)
    logging.captureWarnings(capture=True)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel("WARNING")
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
