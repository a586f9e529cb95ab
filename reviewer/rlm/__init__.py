"""The recursion kernel: Algorithm 1 of "Recursive Language Models" (arXiv:2512.24601)."""
