"""What other harnesses wrote, one module or package a harness."""
