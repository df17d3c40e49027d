"""infra/aws: checked by cfn-lint, then created on moto.

moto makes no bucket policy, queue policy or scaling policy from a template, so those are only linted; nor a bucket's
notifications, which the test of them sets as the template has them.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

import boto3
import pytest
import yaml

from facefleet.settings import Settings
from workers.celery_app import LANES, queue_name
from workers.sqs import VISIBILITY_TIMEOUT_S

TEMPLATE = Path(__file__).resolve().parents[3] / "infra/aws/facefleet.yaml"
BUCKET = "facefleet-stack-photos"
SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:facefleet"
#: What moto 5 cannot make from a template.
NOT_BY_MOTO = {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::AutoScaling::ScalingPolicy"}

# moto serves from this process, and warns of them.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")

#: boto3 ships no types.
Client: TypeAlias = Any


class _Intrinsics(yaml.SafeLoader):
    """Reads !Ref, !Sub and the like as what stands behind them."""


_Intrinsics.add_multi_constructor("!", lambda loader, _tag, node: getattr(node, "value", loader))


def properties_of(resource: str) -> dict[str, Any]:
    template = yaml.load(TEMPLATE.read_text(), Loader=_Intrinsics)
    return template["Resources"][resource]["Properties"]


def connect(service: str, endpoint: str) -> Client:
    return boto3.session.Session().client(service, endpoint_url=endpoint)


@pytest.fixture(scope="module")
def stack(s3_endpoint: str) -> Iterator[dict[str, str]]:
    """Physical names of the stack's resources, by their logical ones."""
    client, ec2 = connect("cloudformation", s3_endpoint), connect("ec2", s3_endpoint)
    parameters = {
        "BucketName": BUCKET,
        "VpcId": ec2.describe_vpcs()["Vpcs"][0]["VpcId"],
        "SubnetIds": ",".join(each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]),
        "SettingsSecretArn": SECRET_ARN,
        "WorkerImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/facefleet-worker:0.1.0",
    }
    client.create_stack(
        StackName="facefleet",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    assert client.describe_stacks(StackName="facefleet")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    pages = client.get_paginator("list_stack_resources").paginate(StackName="facefleet")
    yield {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] not in NOT_BY_MOTO
    }
    client.delete_stack(StackName="facefleet")


def test_template_follows_the_schemas_of_aws() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([linter, TEMPLATE], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_queues_are_those_of_the_fleet(stack: dict[str, str], s3_endpoint: str) -> None:
    sqs, settings = connect("sqs", s3_endpoint), Settings(_env_file=None)
    made = {url.rpartition("/")[2]: url for name, url in stack.items() if name.endswith("Queue")}
    assert {queue_name(settings, lane) for lane in LANES} < set(made)
    dead = sqs.get_queue_attributes(QueueUrl=made["facefleet-dead"], AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    for lane in LANES:
        attributes = sqs.get_queue_attributes(QueueUrl=made[queue_name(settings, lane)], AttributeNames=["All"])[
            "Attributes"
        ]
        assert attributes["VisibilityTimeout"] == str(VISIBILITY_TIMEOUT_S)
        assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"] == dead


def test_an_upload_to_the_bucket_reaches_the_events_queue(stack: dict[str, str], s3_endpoint: str) -> None:
    s3, sqs = connect("s3", s3_endpoint), connect("sqs", s3_endpoint)
    assert stack["PhotoBucket"] == BUCKET
    queue = sqs.get_queue_attributes(QueueUrl=stack["EventsQueue"], AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    wanted = [
        {
            "QueueArn": queue,
            "Events": [each["Event"]],
            "Filter": {"Key": {"FilterRules": each["Filter"]["S3Key"]["Rules"]}},
        }
        for each in properties_of("PhotoBucket")["NotificationConfiguration"]["QueueConfigurations"]
    ]
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": wanted}, SkipDestinationValidation=True
    )
    s3.put_object(Bucket=BUCKET, Key="albums/party/one.jpg", Body=b"x")
    s3.put_object(Bucket=BUCKET, Key="elsewhere/two.jpg", Body=b"x")
    s3.delete_object(Bucket=BUCKET, Key="albums/party/one.jpg")
    answer = sqs.receive_message(QueueUrl=stack["EventsQueue"], MaxNumberOfMessages=10, WaitTimeSeconds=1)
    records = [each for message in answer["Messages"] for each in json.loads(message["Body"]).get("Records", [])]
    assert {unquote_plus(each["s3"]["object"]["key"]) for each in records} == {"albums/party/one.jpg"}
    assert {each["eventName"].partition(":")[0] for each in records} == {"ObjectCreated", "ObjectRemoved"}


def test_workers_are_one_to_three_on_demand_and_spot_from_zero(stack: dict[str, str], s3_endpoint: str) -> None:
    client = connect("autoscaling", s3_endpoint)
    groups = {each["AutoScalingGroupName"]: each for each in client.describe_auto_scaling_groups()["AutoScalingGroups"]}
    primary, spot = groups[stack["OnDemandWorkers"]], groups[stack["SpotWorkers"]]
    assert (primary["MinSize"], primary["MaxSize"]) == (1, 3)
    assert spot["MinSize"] == 0
    assert spot["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 0


def test_outputs_are_the_settings_that_its_scaling_needs(stack: dict[str, str], s3_endpoint: str) -> None:
    [described] = connect("cloudformation", s3_endpoint).describe_stacks(StackName="facefleet")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    settings = {name: read_settings(outputs[name]) for name in ("DispatcherSettings", "ApiSettings")}
    of_dispatcher = settings["DispatcherSettings"]
    assert of_dispatcher.s3_events_queue_url == stack["EventsQueue"]
    assert of_dispatcher.upload_url == settings["ApiSettings"].upload_url == f"s3://{BUCKET}/uploads"
    # The groups see only what is in SQS: several albums of ten thousand, and none sent twice while it waits there.
    assert of_dispatcher.runway_photos == 50_000
    assert of_dispatcher.redispatch_after_s > 2 * of_dispatcher.album_deadline_s
    # Workers are counted by what they hold.
    started = properties_of("WorkerLaunchTemplate")["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    of_worker = read_settings("\n".join(re.findall(r"--env (\S+)", started)))
    assert of_worker.worker_threads == of_dispatcher.worker_threads
    assert of_worker.photos_per_message == of_dispatcher.photos_per_message


def read_settings(lines: str) -> Settings:
    """An env file, of which every line is a setting."""
    pairs = dict(line.split("=", 1) for line in lines.splitlines())
    values = {name.removeprefix("FACEFLEET_").lower(): value for name, value in pairs.items()}
    assert set(values) <= set(Settings.model_fields)
    return Settings(_env_file=None, **values)


def allowed(iam: Client, role: str) -> dict[str, set[str]]:
    """Resources by action, over all inline policies of a role."""
    found: dict[str, set[str]] = {}
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        # moto answers with Python's notation instead of JSON, which YAML reads too.
        document = yaml.safe_load(document) if isinstance(document, str) else document
        for statement in document["Statement"]:
            actions, resources = statement["Action"], statement["Resource"]
            for action in [actions] if isinstance(actions, str) else actions:
                found.setdefault(action, set()).update([resources] if isinstance(resources, str) else resources)
    return found


def test_roles_may_no_more_than_they_need(stack: dict[str, str], s3_endpoint: str) -> None:
    iam = connect("iam", s3_endpoint)
    rights = {role: allowed(iam, stack[role]) for role in ("WorkerRole", "DispatcherRole", "ApiRole")}
    for role in rights.values():
        assert not any("*" in action for action in role)
        assert {action for action, where in role.items() if "*" in where} <= {"ecr:GetAuthorizationToken"}
    assert {action for action in rights["WorkerRole"] if action.startswith("s3:")} == {"s3:GetObject"}
    assert "sqs:SendMessage" not in rights["WorkerRole"]
    assert not any(action.startswith("sqs:") for action in rights["ApiRole"])
    for role in rights.values():
        for action in set(role) & {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}:
            assert role[action] == {f"arn:aws:s3:::{BUCKET}/uploads/*"}


def test_who_deletes_albums_may_delete_older_versions_of_uploads(stack: dict[str, str], s3_endpoint: str) -> None:
    """Somebody may turn on the bucket's versioning, and a deleted album is to be gone."""
    iam = connect("iam", s3_endpoint)
    for role in ("DispatcherRole", "ApiRole"):
        rights = allowed(iam, stack[role])
        assert rights["s3:DeleteObjectVersion"]
        assert rights["s3:ListBucketVersions"] == {f"arn:aws:s3:::{BUCKET}"}
    assert "s3:DeleteObjectVersion" not in allowed(iam, stack["WorkerRole"])
