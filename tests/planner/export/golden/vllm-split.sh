# p-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=0,1 VLLM_NIXL_SIDE_CHANNEL_HOST="${ADDRESS_a_r0_n0:?}" VLLM_NIXL_SIDE_CHANNEL_PORT=5600 vllm serve org/chat-70b \
  --served-model-name chat \
  --tensor-parallel-size 2 \
  --pipeline-parallel-size 1 \
  --max-model-len 512 \
  --max-num-seqs 256 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype auto \
  --kv-transfer-config '{"kv_connector": "NixlConnector", "kv_role": "kv_producer"}' \
  --port 8000

# p-1 on a/r0/n0
CUDA_VISIBLE_DEVICES=2,3 VLLM_NIXL_SIDE_CHANNEL_HOST="${ADDRESS_a_r0_n0:?}" VLLM_NIXL_SIDE_CHANNEL_PORT=5601 vllm serve org/chat-70b \
  --served-model-name chat \
  --tensor-parallel-size 2 \
  --pipeline-parallel-size 1 \
  --max-model-len 512 \
  --max-num-seqs 256 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype auto \
  --kv-transfer-config '{"kv_connector": "NixlConnector", "kv_role": "kv_producer"}' \
  --port 8001

# d-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=4,5,6,7 VLLM_NIXL_SIDE_CHANNEL_HOST="${ADDRESS_a_r0_n0:?}" VLLM_NIXL_SIDE_CHANNEL_PORT=5602 vllm serve org/chat-70b \
  --served-model-name chat \
  --tensor-parallel-size 4 \
  --pipeline-parallel-size 1 \
  --max-model-len 512 \
  --max-num-seqs 256 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype auto \
  --kv-transfer-config '{"kv_connector": "NixlConnector", "kv_role": "kv_consumer"}' \
  --port 8002
