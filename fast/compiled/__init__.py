"""Active sets signal by signal, compiled: what a CPU does where `methods` works on batches."""
