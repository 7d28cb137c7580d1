# chat-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=0,1,2,3 python3 -m sglang.launch_server \
  --model-path org/chat-70b \
  --served-model-name chat \
  --tp-size 4 \
  --context-length 512 \
  --max-running-requests 256 \
  --chunked-prefill-size 8192 \
  --mem-fraction-static 0.9 \
  --kv-cache-dtype auto \
  --host 0.0.0.0 \
  --port 8000

# chat-1 on a/r0/n1
CUDA_VISIBLE_DEVICES=0,1,2,3 python3 -m sglang.launch_server \
  --model-path org/chat-70b \
  --served-model-name chat \
  --tp-size 4 \
  --context-length 512 \
  --max-running-requests 256 \
  --chunked-prefill-size 8192 \
  --mem-fraction-static 0.9 \
  --kv-cache-dtype auto \
  --host 0.0.0.0 \
  --port 8000

# code-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=4 python3 -m sglang.launch_server \
  --model-path org/code-8b \
  --served-model-name code \
  --tp-size 1 \
  --context-length 512 \
  --max-running-requests 256 \
  --chunked-prefill-size 8192 \
  --mem-fraction-static 0.9 \
  --kv-cache-dtype fp8_e4m3 \
  --host 0.0.0.0 \
  --port 8001
