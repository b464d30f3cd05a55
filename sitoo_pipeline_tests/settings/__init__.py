"""Settings through their public seam: files and variables in, `Settings` or `SettingsError` out."""
