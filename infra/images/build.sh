#!/usr/bin/env bash
# Builds the images with whichever of docker, podman or buildah works here:
#
#     build.sh [api] [worker] [worker-gpu]      # default: api worker
#
# TAG            tag of the images, default latest
# BASE_IMAGE     what they are built on, default the one that the Dockerfiles name
# BUILD_OPTIONS  further options for the engine, e.g. volumes with the package settings of this machine
set -euo pipefail
cd "$(dirname "$0")/../.."

if docker info >/dev/null 2>&1; then build=(docker build)
elif command -v podman >/dev/null; then build=(podman build --format docker)
# Docker's format: the other one has no health checks.
elif command -v buildah >/dev/null; then build=(buildah bud --format docker)
else echo "none of docker, podman and buildah works here; install one of them" >&2; exit 1
fi
[ -z "${BASE_IMAGE:-}" ] || build+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
read -ra options <<<"${BUILD_OPTIONS:-}"

[ $# -gt 0 ] || set -- api worker
for name in "$@"; do
  case $name in
    api) files=(-f Dockerfile.api) ;;
    worker) files=(-f Dockerfile.worker --target cpu) ;;
    worker-gpu) files=(-f Dockerfile.worker --target gpu) ;;
    *) echo "there is no image $name; there are api, worker and worker-gpu" >&2; exit 1 ;;
  esac
  "${build[@]}" "${options[@]}" "${files[@]}" -t "facefleet-$name:${TAG:-latest}" .
done
