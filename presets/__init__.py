"""The presets that the toolkit ships, as TOML files; installed as the package `caw_toolkit_presets`."""
