"""Training a pyramid: the plan, the loop, presets, checkpoints, and the objectives that train one scale."""
