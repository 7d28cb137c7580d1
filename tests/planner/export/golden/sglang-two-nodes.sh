# chat-0 on a/r0/n0, part 1 of 2
CUDA_VISIBLE_DEVICES=0,1,2,3 python3 -m sglang.launch_server \
  --model-path org/chat-400b \
  --served-model-name chat \
  --tp-size 2 \
  --context-length 512 \
  --max-running-requests 256 \
  --chunked-prefill-size 8192 \
  --mem-fraction-static 0.9 \
  --kv-cache-dtype auto \
  --pp-size 4 \
  --host 0.0.0.0 \
  --port 8000 \
  --nnodes 2 \
  --node-rank 0 \
  --dist-init-addr "${ADDRESS_a_r0_n0:?}":29500

# chat-0 on a/r0/n1, part 2 of 2
CUDA_VISIBLE_DEVICES=0,1,2,3 python3 -m sglang.launch_server \
  --model-path org/chat-400b \
  --served-model-name chat \
  --tp-size 2 \
  --context-length 512 \
  --max-running-requests 256 \
  --chunked-prefill-size 8192 \
  --mem-fraction-static 0.9 \
  --kv-cache-dtype auto \
  --pp-size 4 \
  --host 0.0.0.0 \
  --port 8000 \
  --nnodes 2 \
  --node-rank 1 \
  --dist-init-addr "${ADDRESS_a_r0_n0:?}":29500
