"""Settings: typed, frozen, checked before anything is traded. The door is `typed_settings.load_config`."""
