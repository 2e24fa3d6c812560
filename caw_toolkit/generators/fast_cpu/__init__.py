"""The dilated networks on the CPU in fewer operations: the same function as their modules."""
