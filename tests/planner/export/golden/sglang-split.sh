# p-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=0,1 python3 -m sglang.launch_server \
  --model-path org/chat-70b \
  --served-model-name chat \
  --tp-size 2 \
  --context-length 512 \
  --max-running-requests 256 \
  --chunked-prefill-size 8192 \
  --mem-fraction-static 0.9 \
  --kv-cache-dtype auto \
  --disaggregation-mode prefill \
  --disaggregation-transfer-backend nixl \
  --disaggregation-bootstrap-port 8600 \
  --host 0.0.0.0 \
  --port 8000

# p-1 on a/r0/n0
CUDA_VISIBLE_DEVICES=2,3 python3 -m sglang.launch_server \
  --model-path org/chat-70b \
  --served-model-name chat \
  --tp-size 2 \
  --context-length 512 \
  --max-running-requests 256 \
  --chunked-prefill-size 8192 \
  --mem-fraction-static 0.9 \
  --kv-cache-dtype auto \
  --disaggregation-mode prefill \
  --disaggregation-transfer-backend nixl \
  --disaggregation-bootstrap-port 8601 \
  --host 0.0.0.0 \
  --port 8001

# d-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=4,5,6,7 python3 -m sglang.launch_server \
  --model-path org/chat-70b \
  --served-model-name chat \
  --tp-size 4 \
  --context-length 512 \
  --max-running-requests 256 \
  --chunked-prefill-size 8192 \
  --mem-fraction-static 0.9 \
  --kv-cache-dtype auto \
  --disaggregation-mode decode \
  --disaggregation-transfer-backend nixl \
  --host 0.0.0.0 \
  --port 8002
