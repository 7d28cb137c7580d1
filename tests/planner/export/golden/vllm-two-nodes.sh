# chat-0 on a/r0/n0, part 1 of 2
CUDA_VISIBLE_DEVICES=0,1,2,3 vllm serve org/chat-400b \
  --served-model-name chat \
  --tensor-parallel-size 2 \
  --pipeline-parallel-size 4 \
  --max-model-len 512 \
  --max-num-seqs 256 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype auto \
  --port 8000 \
  --nnodes 2 \
  --node-rank 0 \
  --master-addr "${ADDRESS_a_r0_n0:?}" \
  --master-port 29500

# chat-0 on a/r0/n1, part 2 of 2
CUDA_VISIBLE_DEVICES=0,1,2,3 vllm serve org/chat-400b \
  --served-model-name chat \
  --tensor-parallel-size 2 \
  --pipeline-parallel-size 4 \
  --max-model-len 512 \
  --max-num-seqs 256 \
  --max-num-batched-tokens 8192 \
  --gpu-memory-utilization 0.9 \
  --kv-cache-dtype auto \
  --port 8000 \
  --nnodes 2 \
  --node-rank 1 \
  --master-addr "${ADDRESS_a_r0_n0:?}" \
  --master-port 29500 \
  --headless
