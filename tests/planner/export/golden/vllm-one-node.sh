# chat-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=0,1,2,3 vllm serve org/chat-70b \
  --served-model-name chat \
  --tensor-parallel-size 4 \
  --pipeline-parallel-size 1 \
  --max-model-len 512 \
  --max-num-seqs 256 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype auto \
  --port 8000

# chat-1 on a/r0/n1
CUDA_VISIBLE_DEVICES=0,1,2,3 vllm serve org/chat-70b \
  --served-model-name chat \
  --tensor-parallel-size 4 \
  --pipeline-parallel-size 1 \
  --max-model-len 512 \
  --max-num-seqs 256 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype auto \
  --port 8000

# code-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=4 vllm serve org/code-8b \
  --served-model-name code \
  --tensor-parallel-size 1 \
  --pipeline-parallel-size 1 \
  --max-model-len 512 \
  --max-num-seqs 256 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype fp8 \
  --port 8001
