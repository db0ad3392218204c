"""What an operator needs of the server: limits, deadlines, metrics, logs, traces, and whether it is ready."""
