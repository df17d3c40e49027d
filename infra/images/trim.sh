#!/bin/sh
# Takes out of an installed environment what no process of a fleet loads:  trim.sh SITE_PACKAGES
set -eu
cd "$1"
# Plugins for other devices and readers of other formats; the CPU plugin and the ONNX reader stay.
if [ -d openvino/libs ]; then
  cd openvino/libs
  rm -f libopenvino_intel_gpu_plugin.so libopenvino_intel_npu_plugin.so cache.json
  rm -f libopenvino_tensorflow*_frontend.so* libopenvino_pytorch_frontend.so* libopenvino_paddle_frontend.so*
  rm -f libopenvino_gguf_frontend.so* libopenvino_jax_frontend.so*
  cd ../..
fi
rm -rf openvino/include onnx/backend/test
# Descriptions of four hundred AWS services; three are called, and one is answered for.
if [ -d botocore/data ]; then
  find botocore/data -mindepth 1 -maxdepth 1 -type d \
    ! -name rekognition ! -name s3 ! -name sqs ! -name sts -exec rm -rf {} +
fi
find . -type d -path './numpy/*' -name tests -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pxd' \) -delete
