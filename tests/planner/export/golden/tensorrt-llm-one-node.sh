# chat-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=0,1,2,3 trtllm-serve org/chat-70b \
  --backend pytorch \
  --served_model_name chat \
  --tp_size 4 \
  --pp_size 1 \
  --max_seq_len 512 \
  --max_batch_size 256 \
  --max_num_tokens 8192 \
  --kv_cache_free_gpu_memory_fraction 0.9 \
  --host 0.0.0.0 \
  --port 8000

# chat-1 on a/r0/n1
CUDA_VISIBLE_DEVICES=0,1,2,3 trtllm-serve org/chat-70b \
  --backend pytorch \
  --served_model_name chat \
  --tp_size 4 \
  --pp_size 1 \
  --max_seq_len 512 \
  --max_batch_size 256 \
  --max_num_tokens 8192 \
  --kv_cache_free_gpu_memory_fraction 0.9 \
  --host 0.0.0.0 \
  --port 8000

# code-0 on a/r0/n0
CUDA_VISIBLE_DEVICES=4 trtllm-serve org/code-8b \
  --backend pytorch \
  --served_model_name code \
  --tp_size 1 \
  --pp_size 1 \
  --max_seq_len 512 \
  --max_batch_size 256 \
  --max_num_tokens 8192 \
  --kv_cache_free_gpu_memory_fraction 0.9 \
  --host 0.0.0.0 \
  --port 8001
