"""What the quality benchmarks share: cases, the results folder, training by command line, tables and plots."""
