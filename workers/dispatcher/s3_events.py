"""The S3-event poller: bucket notifications on an SQS queue become photo rows."""

from dataclasses import dataclass, field
from threading import Event
from typing import Any

import structlog

from facefleet.errors import TransientError
from facefleet.failpoints import Failpoints
from facefleet.ledger.engine import Ledger
from facefleet.s3_events import EventRules, parse_notification
from workers.sqs import LONG_POLL_S, SqsClient, sqs_errors

#: As many as SQS hands out at once.
_MESSAGES = 10

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class S3EventPoller:
    """One transaction for each message, and only then the message is deleted: dying in between does it twice."""

    ledger: Ledger
    client: SqsClient
    queue_url: str
    rules: EventRules
    #: Photos are accepted for this model version.
    model_version: str
    #: Set when the process is to end; what was received and not begun is left to the queue.
    stopping: Event
    failpoints: Failpoints = field(default_factory=Failpoints)

    def step(self) -> bool:
        """Wait for messages, up to 20 seconds, and enter what they say."""
        with sqs_errors(self.queue_url):
            answer = self.client.receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=_MESSAGES, WaitTimeSeconds=LONG_POLL_S
            )
        for message in answer.get("Messages", ()):
            if self.stopping.is_set():
                return False
            try:
                self._take_in(message)
            except TransientError:
                raise
            except Exception:
                # Left in the queue, whose own dead-letter queue gets it in the end; its neighbours are not held up.
                log.exception("message failed", message_id=message.get("MessageId"))
        return True

    def _take_in(self, message: dict[str, Any]) -> None:
        parsed = parse_notification(message["Body"], self.rules)
        new = self.ledger.ingest.apply(parsed.events, parsed.rejected, self.model_version)
        self.failpoints.hit("after_ingest_commit")
        with sqs_errors(self.queue_url):
            self.client.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        log.info("events received", events=len(parsed.events), rejected=len(parsed.rejected), new_photos=new)
