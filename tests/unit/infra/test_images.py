"""The Dockerfiles and what they install, as far as that goes without building them."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from facefleet.settings import Settings
from tests.fixtures.deployment import Instructions, of_stage, read_stages

DOCKERFILES = ("Dockerfile.api", "Dockerfile.worker")
COMPILERS = re.compile(r"\b(gcc|g\+\+|clang|build-essential|cmake|make|apt-get|apk)\b")


def end_stages(checkout: Path, dockerfile: str) -> list[Instructions]:
    stages = read_stages(checkout / dockerfile)
    wanted = ["gpu", "cpu"] if dockerfile == "Dockerfile.worker" else [list(stages)[-1]]
    return [of_stage(stages, name) for name in wanted]


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_every_stage_starts_from_the_base_that_is_asked_for(checkout: Path, dockerfile: str) -> None:
    assert "\nARG BASE_IMAGE=" in (checkout / dockerfile).read_text()
    stages = read_stages(checkout / dockerfile)
    for instructions in stages.values():
        assert instructions[0][1] == "${BASE_IMAGE}" or instructions[0][1] in stages


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_end_stage_is_unprivileged_checked_and_without_compilers(checkout: Path, dockerfile: str) -> None:
    for instructions in end_stages(checkout, dockerfile):
        users = [rest for name, rest in instructions if name == "USER"]
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])
        assert [name for name, _ in instructions].count("HEALTHCHECK") == 1
        assert ("ENTRYPOINT", '["facefleet"]') in instructions
        (command,) = [rest for name, rest in instructions if name == "CMD"]
        assert json.loads(command)[0] == dockerfile.partition(".")[2]
        assert not any(COMPILERS.search(rest) for name, rest in instructions if name == "RUN")


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_packages_come_from_locks_with_hashes(checkout: Path, dockerfile: str) -> None:
    installs = re.findall(r"pip install .*?(?=&&|\n\n|$)", (checkout / dockerfile).read_text().replace("\\\n", " "))
    assert installs
    for install in installs:
        words = shlex.split(install.partition("\n")[0])
        assert "--no-deps" in words
        assert words[-1] == "." or ("--require-hashes" in words and (checkout / words[-1]).is_file()), words


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_everything_copied_exists_and_is_let_in(checkout: Path, dockerfile: str) -> None:
    let_in = [line[1:] for line in (checkout / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for instructions in read_stages(checkout / dockerfile).values():
        for name, rest in instructions:
            if name == "COPY" and not rest.startswith("--from"):
                for source in rest.split()[:-1]:
                    assert (checkout / source).exists()
                    assert source == "." or any(Path(source).match(pattern) for pattern in let_in), source


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_every_setting_it_makes_is_one(checkout: Path, dockerfile: str) -> None:
    for instructions in end_stages(checkout, dockerfile):
        words = [word for name, rest in instructions if name == "ENV" for word in shlex.split(rest)]
        values = dict(word.split("=", 1) for word in words)
        settings = {
            name.removeprefix("FACEFLEET_").lower(): value for name, value in values.items() if "FLEET_" in name
        }
        assert settings
        assert set(settings) <= set(Settings.model_fields)
        Settings(_env_file=None, **settings)


def test_nothing_but_the_project_is_let_in(checkout: Path) -> None:
    lines = [line for line in (checkout / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    assert not {"!.env", "!.", "!tests"} & set(lines)


def test_every_package_and_script_is_let_in(checkout: Path) -> None:
    let_in = (checkout / ".dockerignore").read_text().splitlines()
    packages = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    scripts = {path for each in DOCKERFILES for path in re.findall(r"infra/\S+\.sh", (checkout / each).read_text())}
    assert scripts
    wanted = set(packages) | {str(Path(path).parent) for path in scripts}
    assert {f"!{name}" for name in wanted} <= set(let_in)


def read_lock(path: Path) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([\w.-]+)==([\w.]+)", path.read_text()))


@pytest.mark.parametrize("lock", ["cpu.lock", "gpu.lock"])
def test_headless_opencv_is_of_the_version_that_was_locked(checkout: Path, lock: str) -> None:
    headless = read_lock(checkout / "requirements/headless.lock")
    assert headless == {"opencv-python-headless": read_lock(checkout / "requirements" / lock)["opencv-python"]}, (
        "make lock moved opencv-python: lock opencv-python-headless of the same version (docs/operations.md, Images)"
    )


def read_left_out(checkout: Path) -> list[str]:
    lines = (checkout / "requirements/api.leave-out").read_text().splitlines()
    return [line for line in lines if line and line[0] != "#"]


def test_what_the_api_image_leaves_out_was_in_the_lock(checkout: Path) -> None:
    assert set(read_left_out(checkout)) <= set(read_lock(checkout / "requirements/cpu.lock"))


def test_api_does_without_what_its_image_leaves_out(checkout: Path, demo_pack: Path) -> None:
    modules = {"scikit-image": "skimage", "lazy-loader": "lazy_loader"}
    blocked = [modules.get(name, name.replace("-", "_")) for name in read_left_out(checkout)]
    program = f"""
import sys
sys.modules.update(dict.fromkeys({blocked!r}))
import api.main, cli.composition, cli.server
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings
from tests.fixtures.deployment import Instructions, of_stage, read_stages
load_recognizer(Settings(_env_file=None, model_pack={str(demo_pack)!r}, runtime="openvino", cpu_threads=1)).close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_images_keep_the_descriptions_of_services_that_are_used(checkout: Path, tmp_path: Path) -> None:
    used = {"rekognition", "s3", "sqs", "sts"}
    for service in (*used, "ec2"):
        (tmp_path / "botocore" / "data" / service).mkdir(parents=True)
    subprocess.run(["sh", checkout / "infra/images/trim.sh", tmp_path], check=True, capture_output=True, timeout=10)
    assert {path.name for path in (tmp_path / "botocore" / "data").iterdir()} == used


@pytest.mark.parametrize("script", ["build.sh", "trim.sh"])
def test_scripts_parse(checkout: Path, script: str) -> None:
    subprocess.run(["bash", "-n", checkout / "infra/images" / script], check=True, timeout=10)
